"""Questions and queries with names in place of values, by hand, and back again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziggurat.text.question_links import Constants, QuestionLinker

VALUES = {
    "Ur": "city_name",
    "Uruk": "city_name",
    "Babylon": "city_name",
    "great ziggurat": "tower_name",
    "great": "river_name",
    "new ur": "city_name",
    "euphrates": "river_name",
    "O'Hara": "city_name_or_river_name",
}
LINKER = QuestionLinker(VALUES)


@pytest.mark.parametrize(
    ("utterance", "source"),
    [
        ("How high is Babylon?", 'how high is city_name "value0" ?'),
        ("Babylon or Uruk", 'city_name "value0" or city_name "value1"'),
        ("Babylon and babylon", 'city_name "value0" and city_name "value0"'),
        ("towers above 30 in Babylon", 'towers above number0 in city_name "value0"'),
        ("O'Hara", 'city_name river_name "value0"'),
        ("what is it", "what is it"),
        ('is "value0" high', 'is " value0 " high'),
        ("它有多高？", "它 有 多 高 ？"),
        ("高さは？", "高 さ は ？"),
        ("用iPhone11拍的", "用 iphone11 拍 的"),
        ("", ""),
    ],
)
def test_a_question_as_it_is_read(utterance: str, source: str) -> None:
    assert LINKER.linked(utterance).source == source


CHINESE = QuestionLinker({"北京": "名称", "北京市": "全称", "上海": "名称"}, ["人口", "城市", "城市人口", "GDP总量"])


@pytest.mark.parametrize(
    ("utterance", "source"),
    [
        ("北京有多少人", '名称 "value0" 有 多 少 人'),
        ("上海和北京的人口", '名称 "value0" 和 名称 "value1" 的 人口'),
        ("北京市人多吗？", '全称 "value0" 名称 "value1" 市 人 多 吗 ？'),  # one inside the other
        ("城市人口在30以上的城市", "城市人口 在 number0 以 上 的 城市"),
        ("gdp总量", "gdp 总 量"),  # a name with other letters is no word of its own
        ("深圳有多大", "深 圳 有 多 大"),
    ],
)
def test_a_chinese_question_as_it_is_read(utterance: str, source: str) -> None:
    assert CHINESE.linked(utterance).source == source


def test_chinese_values_come_back_as_the_database_has_them() -> None:
    sql = "SELECT 人口 FROM 城市 WHERE 名称 = '上海' AND 区 = '浦东新区'"
    linked = CHINESE.linked("上海的浦东有多少人", sql)
    assert linked.target == "SELECT 人口 FROM 城市 WHERE 名称 = \"value0\" AND 区 = '浦东新区'"
    assert linked.restored(linked.target) == sql


def test_models_that_learnt_from_whole_runs_are_asked_in_them() -> None:
    linker = QuestionLinker({"北京": "名称"}, whole_runs=True)
    assert linker.linked("北京有多少人？").source == "北京有多少人 ？"
    assert linker.linked("北京 有多少人").source == '名称 "value0" 有多少人'


SPACED = st.one_of(
    st.sampled_from(("babylon", "O'Hara", "New Ur", "Great", "7", "3.5", "a1", "x_y", "naïve", "서울", "’s", "?", '"')),
    st.text(st.characters(max_codepoint=0x2DFF), max_size=5),
)


@given(st.lists(SPACED, max_size=9))
def test_text_without_han_or_kana_is_read_as_it_ever_was(parts: list[str]) -> None:
    before = QuestionLinker(VALUES, whole_runs=True)
    for utterance in (" ".join(parts), "".join(parts)):
        assert QuestionLinker(VALUES, ["人口"]).linked(utterance) == before.linked(utterance)


def test_a_value_inside_another_has_a_name_behind_it() -> None:
    linked = LINKER.linked("how high is the Great Ziggurat", "SELECT height FROM tower WHERE river_name = 'great'")
    assert linked.source == 'how high is the tower_name "value0" river_name "value1" ziggurat'
    assert linked.target == 'SELECT height FROM tower WHERE river_name = "value1"'
    assert linked.values == {"value0": "great ziggurat", "value1": "great"}


def test_the_inner_value_may_stand_at_the_end() -> None:
    assert LINKER.linked("new babylon ur").source == 'new city_name "value0" ur'  # "ur" keeps its case: Ur, not ur
    assert LINKER.linked("New Ur").source == 'city_name "value0" new city_name "value1"'


@pytest.mark.parametrize(
    ("sql", "target"),
    [
        ("SELECT a FROM b ;", "SELECT a FROM b"),
        ("SELECT MAX(T.a)FROM b AS T", "SELECT MAX ( T.a ) FROM b AS T"),
        ("SELECT a FROM b WHERE c='Babylon'", 'SELECT a FROM b WHERE c = "value0"'),
        ("SELECT a FROM b WHERE c > 30 AND d = 31", "SELECT a FROM b WHERE c > number0 AND d = 31"),
        ("SELECT a FROM b WHERE c = 'Nippur'", "SELECT a FROM b WHERE c = 'Nippur'"),
        ("SELECT T . a FROM b", "SELECT T.a FROM b"),
        ("", ""),
    ],
)
def test_a_query_as_it_is_written(sql: str, target: str) -> None:
    assert LINKER.linked("what of Babylon above 30", sql).target == target


@pytest.mark.parametrize(
    ("target", "sql"),
    [
        ('SELECT a FROM b WHERE c = "value0"', "SELECT a FROM b WHERE c = 'O''Hara'"),
        ("SELECT a FROM b WHERE c = 'value0'", "SELECT a FROM b WHERE c = 'O''Hara'"),
        ("SELECT a LIMIT number0", "SELECT a LIMIT 7"),
        ('SELECT "value5" , number5', 'SELECT "value5" , number5'),  # they stand for nothing here
        ("SELECT value0", "SELECT value0"),  # a column of that name
        ('SELECT "value0', "SELECT 'O''Hara'"),
    ],
)
def test_values_come_back(target: str, sql: str) -> None:
    assert LINKER.linked("O'Hara 7").restored(target) == sql


def test_constants_are_what_no_question_names() -> None:
    linked = [
        LINKER.linked("high towers in Babylon", "SELECT a FROM b WHERE c > 50 AND d = 'Babylon' AND e = 'brick'"),
        LINKER.linked("towers above 20", "SELECT a FROM b WHERE c > 20 LIMIT 1"),
        LINKER.linked("again", "SELECT a FROM b WHERE c > 50"),
    ]
    assert Constants.of(linked) == Constants(("brick",), ("1", "50"))
