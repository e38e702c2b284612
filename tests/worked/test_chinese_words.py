"""Chinese words: where the spaces come, in simplified and traditional text, and where each character was."""

import importlib.metadata
import json
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.texts import documents
from tests.fakes.tokenizers import TEXTS
from ziggurat.core.errors import ArtefactError, MissingExtraError
from ziggurat.tokens import chinese
from ziggurat.tokens.loading import load_tokenizer, train_tokenizer
from ziggurat.tokens.word_tokenizer import WordTokenizer
from ziggurat.tokens.words import TOKENIZER, WordsConfig

needs_packages = pytest.mark.skipif(not chinese.installed(), reason="packages of the extra zh are not installed")

ENGLISH = documents(3, seed=7)
CHINESE = documents(3, seed=7, chinese=True)


def words_of(tokenizer: object) -> set[str]:
    assert isinstance(tokenizer, WordTokenizer)
    return set(json.loads(tokenizer.to_json())["model"]["vocab"]) - {"<|endoftext|>", "<unk>"}


def cut(tokenizer: object, text: str) -> list[str]:
    assert isinstance(tokenizer, WordTokenizer)
    return [text[start:stop] for start, stop in tokenizer.encode(text).offsets.tolist()]


@needs_packages
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("他来到了网易杭研大厦", "他 来到 了 网易 杭研 大厦"),
        ("我来到北京清华大学。", "我 来到 北京 清华大学。"),
        # the same sentence as it is written in Taiwan: cut alike, and written as it was
        ("我來到北京清華大學。", "我 來到 北京 清華大學。"),
        ("歡迎來到臺灣", "歡迎 來到 臺灣"),
        ("I love 北京大学 and don't stop, T恤", "I love 北京大学 and don't stop, T恤"),
        ("二〇〇八年", "二 〇 〇 八年"),
        ("已经 有 空格", "已经 有 空格"),
        ("no Chinese at all", "no Chinese at all"),
        ("", ""),
        ("\n好的\r\n", "\n好 的\r\n"),
    ],
)
def test_spaces_come_between_chinese_words(text: str, expected: str) -> None:
    assert chinese.spaced(text) == expected


@needs_packages
def test_each_character_is_known_by_its_place_before() -> None:
    # 0我 1来 2到 3␣ 4北 5京: a space before 来到 (place 1), and 北京 stays after the space that was there
    assert chinese.aligned("我来到 北京") == ("我 来到 北京", pytest.approx([0, 1, 1, 2, 3, 4, 5, 6]))


@needs_packages
@settings(max_examples=100, deadline=None)
@given(st.one_of(TEXTS, st.text(st.sampled_from("我来到北京清華大學臺灣〇々⺀a1 \n，。\U00020001"), max_size=31)))
def test_nothing_but_spaces_is_added(text: str) -> None:
    after, places = chinese.aligned(text)
    assert after == chinese.spaced(text)
    assert len(places) == len(after) + 1
    kept = [index for index in range(len(after)) if index == 0 or places[index + 1] > places[index]]
    assert "".join(after[index] for index in kept if places[index] < len(text)) == text
    assert {after[index] for index in range(len(after)) if index not in kept} <= {" "}
    assert chinese.spaced(after) == after or after.count(" ") > text.count(" ")


@needs_packages
def test_a_traditional_text_is_cut_where_its_simplified_twin_is() -> None:
    import opencc

    simple = "\n".join([*CHINESE, "我们在图书馆里学习汉语，老师说这个词很难。", "台湾的夜市非常热闹，小吃种类繁多。"])
    traditional = opencc.OpenCC("s2t").convert(simple)
    assert len(traditional) == len(simple)
    assert traditional != simple
    assert [len(w) for w in chinese.spaced(traditional).split(" ")] == [
        len(w) for w in chinese.spaced(simple).split(" ")
    ]


@needs_packages
def test_chinese_and_english_in_one_text_are_both_cut_into_words() -> None:
    tokenizer = train_tokenizer([*ENGLISH, *CHINESE], "words", WordsConfig(split="jieba"))
    assert {"stranger", "陌生人", "妹妹", "."} <= words_of(tokenizer)
    text = "The stranger, 陌生人, counts她的妹妹."
    assert cut(tokenizer, text) == ["The", "stranger", ",", "陌生人", ",", "counts", "她", "的", "妹妹", "."]


@needs_packages
@pytest.mark.parametrize(
    ("texts", "chosen"),
    [
        (CHINESE, True),
        (ENGLISH, False),
        ([*ENGLISH, *CHINESE], True),
        # 5 Han of 100 letters are a twentieth, 4 of 100 are less
        (["a" * 95 + " 我们来北京"], True),
        (["a" * 96 + " 我们来北"], False),
        ([], False),
        (["1 2 ,"], False),
    ],
)
def test_auto_cuts_words_where_the_text_is_chinese(texts: list[str], chosen: bool) -> None:
    by_auto = train_tokenizer(texts, "words", WordsConfig(split="auto"))
    by_name = train_tokenizer(texts, "words", WordsConfig(split="jieba" if chosen else "unicode"))
    assert by_auto.fingerprint == by_name.fingerprint


@needs_packages
def test_auto_that_comes_to_characters_finds_the_phrases_of_characters() -> None:
    texts = ["a" * 200 + " 我们来 北京 b c"] * 3 + ["a" * 200 + " 我 b 们 c"] * 2
    keys = {"phrases": 2, "phrase_threshold": 1.5, "phrase_discount": 1}
    by_auto = TOKENIZER.train(texts, WordsConfig(split="auto", **keys))  # type: ignore[arg-type]
    by_name = TOKENIZER.train(texts, WordsConfig(split="unicode", **keys))  # type: ignore[arg-type]
    assert by_auto.fingerprint == by_name.fingerprint
    assert "北_京_b_c" in words_of(by_auto)


@needs_packages
def test_the_file_says_what_cut_the_text_and_warns_where_that_has_changed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    saved = train_tokenizer(CHINESE, "words", WordsConfig(split="jieba")).to_json()
    assert json.loads(saved)["model"]["ziggurat"]["chinese"] == chinese.versions()
    with caplog.at_level(logging.WARNING):
        load_tokenizer(saved)
        assert caplog.text == ""
        monkeypatch.setattr(chinese, "versions", lambda: {"rjieba": "9.9", "opencc": "1.4.2"})
        load_tokenizer(saved)
    assert "here is rjieba 9.9, opencc 1.4.2: some words may be cut otherwise" in caplog.text


def without_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    chinese._tools.cache_clear()


def test_without_the_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    without_packages(monkeypatch)
    for split in ("jieba", "auto"):
        with pytest.raises(MissingExtraError, match=r"cutting Chinese .* pip install 'ziggurat\[zh\]'"):
            train_tokenizer(CHINESE, "words", WordsConfig(split=split))
    with pytest.raises(MissingExtraError, match=r"split = unicode"):
        chinese.spaced("北京")


def test_without_the_packages_text_that_is_not_chinese_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    without_packages(monkeypatch)
    text = ["a" * 100 + " 北京"]
    found = train_tokenizer(text, "words", WordsConfig(split="auto"))
    assert found.fingerprint == train_tokenizer(text, "words").fingerprint
    assert chinese.spaced("Peking") == "Peking"


@needs_packages
def test_without_the_packages_a_chinese_tokenizer_opens_and_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    saved = train_tokenizer(CHINESE, "words", WordsConfig(split="jieba")).to_json()
    without_packages(monkeypatch)
    opened = load_tokenizer(saved)  # its words can be asked for; only new text can't be cut
    assert opened.encode("tower").ids.tolist() == [1]
    with pytest.raises(MissingExtraError, match=r"pip install 'ziggurat\[zh\]'"):
        opened.encode("陌生人")


@pytest.mark.parametrize(
    "said",
    [
        "jieba",
        {"cut": {}, "chinese": []},
        {"cut": {"colour": True}, "chinese": {}, "phrases": []},
        {"cut": {"lowercase": 1}, "chinese": {}, "phrases": []},
        {"cut": {}, "chinese": {}, "phrases": [["new york"]]},
        {"cut": {}, "chinese": {}, "phrases": 3},
    ],
)
def test_a_file_that_says_something_else_is_refused(said: object) -> None:
    raw = json.loads(train_tokenizer(ENGLISH, "words").to_json())
    raw["model"]["ziggurat"] = said
    with pytest.raises(ArtefactError, match=r"^tokenizer\.json: 'ziggurat' in model: does not say how words are cut"):
        load_tokenizer(json.dumps(raw))


@needs_packages
def test_the_words_of_a_real_text(shared_data) -> None:
    import gzip

    path = shared_data / "wiki_zh" / "train.txt.gz"
    if not path.is_file():
        pytest.skip(f"no {path}")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        text = file.read(400_000)
    articles = text.split("\n\n")
    tokenizer = TOKENIZER.train(articles, WordsConfig(split="auto", punctuation=False, min_count=5))
    words = words_of(tokenizer)
    assert {"中国", "北京", "大学", "历史"} <= words
    assert sum(len(word) > 1 for word in words) > len(words) / 2
    together = tokenizer.encode_batch(articles)
    assert [ids.tolist() for ids in together[:5]] == [tokenizer.encode(one).ids.tolist() for one in articles[:5]]
