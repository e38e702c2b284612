"""Values linked by hand: which stretch is which value, what stands in its place, and back again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziggurat.text.linking import Coverage, Link, ValueLinker, coverage, queried_names, queried_values
from ziggurat.text.queries import QueryPair

KNOWN = {
    "new york": "city_name_or_state_name",
    "york": "city_name",
    "texas": "state_name",
    "O'Hare": "airport_name",
    "IN": "state_code",
    "1200": "time",
    "纽约": "城市",
}
LINKER = ValueLinker(KNOWN)


def test_the_longest_value_from_the_left() -> None:
    asked = LINKER.anonymised("flights from New York to york", 'SELECT a FROM b WHERE c = "york" AND d = "new york"')
    assert asked.utterance == "flights from city_name_or_state_name0 to city_name0"
    assert asked.template == 'SELECT a FROM b WHERE c = "city_name0" AND d = "city_name_or_state_name0"'
    assert asked.links == (
        Link(13, 21, "new york", "city_name_or_state_name0"),
        Link(25, 29, "york", "city_name0"),
    )


def test_a_short_value_keeps_its_case() -> None:
    assert LINKER.anonymised("airports in IN").utterance == "airports in state_code0"


def test_equal_values_have_one_name_and_others_another() -> None:
    two = ValueLinker({"texas": "state_name", "utah": "state_name"})
    assert two.anonymised("is Texas texas or utah").utterance == "is state_name0 state_name0 or state_name1"


def test_numbers_are_their_own_kind_of_value() -> None:
    asked = LINKER.anonymised(
        "before 1200 or 7.5", "SELECT a FROM b WHERE c < 1200 AND d = 7.5 AND e = '1200' AND f = 8"
    )
    assert asked.utterance == "before number0 or number1"
    assert asked.template == "SELECT a FROM b WHERE c < number0 AND d = number1 AND e = 'number0' AND f = 8"
    assert LINKER.anonymised("a DC10 at 7点").utterance == "a DC10 at number0点"
    assert ValueLinker(KNOWN, numbers=False).anonymised("before 1200").utterance == "before 1200"


@pytest.mark.parametrize("utterance", ["从 纽约 出发", "从纽约出发"])
def test_a_value_of_chinese_is_found_whether_blanks_part_it_or_not(utterance: str) -> None:
    asked = LINKER.anonymised(utterance, "SELECT a FROM b WHERE c = '纽约'")
    assert asked.template == "SELECT a FROM b WHERE c = '城市0'"
    assert asked.utterance == utterance.replace("纽约", "城市0")
    # as it was to models that have learnt so: a run of Chinese is one word
    assert bool(ValueLinker(KNOWN, whole_runs=True).links(utterance)) == (" " in utterance)


def test_values_with_kana_latin_and_digits() -> None:
    linker = ValueLinker({"東京タワー": "塔", "ひろしま": "city", "5号线": "线路", "A座": "楼"})
    assert linker.anonymised("東京タワーは高い").utterance == "塔0は高い"
    assert linker.anonymised("ひろしまの人口").utterance == "city0の人口"
    assert linker.anonymised("坐5号线到A座要15分").utterance == "坐线路0到楼0要number0分"


def test_quotes_inside_a_value() -> None:
    sql = "SELECT a FROM b WHERE c = 'O''Hare' AND d = \"O'Hare\""
    asked = LINKER.anonymised("to o'hare", sql)
    assert asked.template == "SELECT a FROM b WHERE c = 'airport_name0' AND d = \"airport_name0\""
    assert asked.restored(asked.template) == sql


def test_a_name_that_is_taken_is_not_given() -> None:
    asked = LINKER.anonymised("is state_name0 texas", "SELECT state_name1 FROM b WHERE c = 'texas'")
    assert asked.links[0].name == "state_name2"
    assert asked.restored(asked.template) == "SELECT state_name1 FROM b WHERE c = 'texas'"


def test_kinds_that_end_in_a_number_do_not_meet() -> None:
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"]
    linker = ValueLinker({**dict.fromkeys(words, "a"), "twelve": "a1"})
    names = [link.name for link in linker.links("twelve " + " ".join(words))]
    assert len(set(names)) == len(words) + 1


def test_what_the_question_does_not_name_stays_and_so_does_an_unknown_name() -> None:
    asked = LINKER.anonymised("how big is texas", "SELECT a FROM b WHERE c = 'texas' AND d = 'york' AND e = 'TEXAS'")
    assert asked.template == "SELECT a FROM b WHERE c = 'state_name0' AND d = 'york' AND e = 'TEXAS'"
    assert asked.restored("SELECT state_name1 FROM b WHERE c = 'state_name0x'") == (
        "SELECT state_name1 FROM b WHERE c = 'state_name0x'"
    )


@given(
    st.lists(
        st.sampled_from(["new york", "NEW  YORK", "york", "in", "IN", "7", "1200", "o'hare", ",", "x"]), max_size=8
    ),
    st.lists(st.sampled_from(["'new york'", '"york"', "7", "1200", "'O''Hare'", "= a", "state_code0"]), max_size=8),
)
def test_nothing_is_lost(words: list[str], parts: list[str]) -> None:
    utterance, sql = " ".join(words), " ".join(parts)
    asked = LINKER.anonymised(utterance, sql)
    assert asked == LINKER.anonymised(utterance, sql)
    assert asked.restored(asked.template) == sql
    found, place = [], 0
    for link in asked.links:  # the question's own words, with names between them
        found += [utterance[place : link.start], link.name]
        place = link.stop
    assert "".join([*found, utterance[place:]]) == asked.utterance
    assert asked.original == utterance


def test_coverage_counts_texts_numbers_and_whole_queries() -> None:
    pairs = [
        QueryPair("1", "big texas", "SELECT 1 FROM a WHERE b = 'texas'"),
        QueryPair("2", "7 in york", "SELECT 7 FROM a WHERE b = 'york' AND c = 'gone'"),
        QueryPair("3", "all", "SELECT a FROM b"),
    ]
    # texts: texas, york linked of texas, york, gone; numbers: 7 linked of 1 and 7; queries 1 and 3 are whole
    assert coverage(pairs, LINKER) == Coverage(3, 2, 3, 2, 2, 1)


def test_values_of_queries_with_the_column_they_are_compared_with() -> None:
    pairs = [
        QueryPair("1", "", "SELECT a FROM t AS T1 WHERE T1.CITY = 'york' AND T1.STATE = \"texas\""),
        QueryPair("2", "", "SELECT a FROM t WHERE STATE = 'york' AND CITY IN ( 'york' , 'texas' )"),
        QueryPair("3", "", "SELECT a FROM t WHERE STATE = 'texas' OR STATE = ''"),
    ]
    # york: city twice, state once; texas: state twice, city once; equally common, so by name
    assert queried_values(pairs) == {"texas": "state", "york": "city"}


def test_names_of_queries_are_those_of_han_or_kana() -> None:
    pairs = [QueryPair("1", "", "SELECT 城市.人口 FROM 城市 WHERE 名称 = '北京' AND a1 > 3 AND 表2 < 1")]
    assert queried_names(pairs) == ["人口", "名称", "城市"]


@pytest.mark.parametrize(
    ("folder", "files", "texts", "whole"),
    [("geography", ("train.jsonl", "dev.jsonl"), 0.90, 0.92), ("atis", ("train.jsonl.gz", "dev.jsonl"), 0.95, 0.93)],
)
def test_most_values_of_real_questions_are_linked(shared_data, folder, files, texts, whole) -> None:
    from ziggurat.text.databases import stored_values
    from ziggurat.text.queries import read_queries

    paths = [shared_data / folder / name for name in files]
    if not all(path.exists() for path in paths):
        pytest.skip(f"no {folder} among the data sets")
    train, dev = (list(read_queries(path)) for path in paths)
    database = shared_data / folder / "geobase.sqlite"
    linker = ValueLinker(stored_values(database) if database.exists() else queried_values(train))
    for pairs in (train[:200], dev[:200]):
        found = coverage(pairs, linker)
        print(folder, found)
        assert found.linked_texts > texts * found.texts
        assert found.whole > whole * found.queries
        for pair in pairs:
            asked = linker.anonymised(pair.utterance, pair.sql)
            assert asked.restored(asked.template) == pair.sql
