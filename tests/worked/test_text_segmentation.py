"""Sentences, blocks and languages, on text whose borders a reader sees."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziggurat.text.cleaning import clean
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.segmentation import blocks, language_of, sentences


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Mr. Darcy met Dr. Watson.  They spoke.", ["Mr. Darcy met Dr. Watson.", "They spoke."]),
        ("J. R. R. Tolkien wrote. He did.", ["J. R. R. Tolkien wrote.", "He did."]),
        ('"Stop!" she said. "Why?"', ['"Stop!"', "she said.", '"Why?"']),
        ("It cost 3.50 in all. Cheap.", ["It cost 3.50 in all.", "Cheap."]),
        ("Well… perhaps. Or not...", ["Well…", "perhaps.", "Or not..."]),
        ("A heading\n\nA line that ends nowhere", ["A heading", "A line that ends nowhere"]),
        ("one line\nof the same sentence.", ["one line\nof the same sentence."]),
        ("你好。你在哪儿？我在这儿！", ["你好。", "你在哪儿？", "我在这儿！"]),
        ("他说：“走吧。”我们就走了。", ["他说：“走吧。”", "我们就走了。"]),
        ("真的吗？！……是的。", ["真的吗？！……", "是的。"]),
        ("", []),
        ("   \n ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


@given(st.text(st.sampled_from('aB. !?。！？…”\n"Mr'), max_size=61))
def test_sentences_cover_all_but_spaces_in_order(text: str) -> None:
    found = list(sentences(text))
    assert "".join("".join(text[a:b].split()) for a, b in found) == "".join(text.split())
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(found))
    assert all(text[a:b] == text[a:b].strip() and a < b for a, b in found)


@given(st.text(max_size=400), st.integers(13, 97))
def test_blocks_cover_a_text_without_cutting_characters(text: str, size: int) -> None:
    raw = text.encode("utf-8", "replace")
    spans = list(blocks(raw, size))
    assert b"".join(raw[start:stop] for start, stop in spans) == raw
    for start, stop in spans:
        raw[start:stop].decode()  # raises where a character is cut
        assert 0 < stop - start <= size * 3 // 2


@pytest.mark.parametrize(
    ("text", "size", "expected"),
    [
        # at most 20 bytes, at least 20 / 3: the empty line inside is preferred to the line end behind it
        ("one two\n\nthree\nfour five six seven", 20, ["one two\n\n", "three\nfour five six seven"]),
        ("one two three\nfour five six seven", 20, ["one two three\n", "four five six seven"]),
        ("one two three four five six seven", 20, ["one two three four ", "five six seven"]),
        ("字字字字字字字字字字字字", 20, ["字字字字字字", "字字字字字字"]),
        ("short", 20, ["short"]),
    ],
)
def test_a_block_ends_where_text_pauses(text: str, size: int, expected: list[str]) -> None:
    raw = text.encode()
    assert [raw[start:stop].decode() for start, stop in blocks(raw, size)] == expected


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("白马寺位于洛阳市。", "zh"),
        ("他喜欢 Python 语言。", ""),  # 5 Han characters among 11 letters are ≥ a third …
        ("The word 塔 means tower.", ""),
        ("1234 !?", ""),
        ("", ""),
    ],
)
def test_the_language_of_a_text(text: str, language: str) -> None:
    if text.startswith("他"):
        language = "zh"  # … so this one is Chinese
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("raw", "expected", "observed"),
    [
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd", {"line ends, now \\n": 3}),
        ("a\x00b\x07c\ufeffd\te\n", "abcd\te\n", {"control characters, removed": 3}),
        ("a\ud800b", "a\ufffdb", {"lone surrogates, now U+FFFD": 1}),
        ("e\u0301", "é", {}),
        ("plain", "plain", {}),
    ],
)
def test_cleaning_changes_little_and_counts_it(
    raw: str, expected: str, observed: dict[str, int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Ledger(tmp_path_factory.mktemp("l") / "l") as ledger:
        assert clean(raw, TextConfig(), ledger) == expected
        assert dict(ledger.observed.get("changed characters", {})) == observed


@pytest.mark.parametrize(("form", "expected"), [("NFC", "ﬁé"), ("NFKC", "fié"), ("NFD", "ﬁe\u0301"), ("none", "ﬁé")])
def test_the_form_of_normalisation_is_the_user_s(
    form: str, expected: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Ledger(tmp_path_factory.mktemp("l") / "l") as ledger:
        assert clean("ﬁé", TextConfig(normalisation=form), ledger) == expected  # type: ignore[arg-type]


@given(st.text(max_size=97))
def test_cleaning_twice_is_cleaning_once(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    with Ledger(tmp_path_factory.getbasetemp() / "l") as ledger:
        once = clean(text, TextConfig(), ledger)
        assert clean(once, TextConfig(), ledger) == once


def test_every_character_that_cleaning_changes_is_noticed(tmp_path: Path) -> None:
    changed = {*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF}
    with Ledger(tmp_path / "l") as ledger:
        options = TextConfig(normalisation="none")
        found = {code for code in range(0x110000) if clean(f"塔{chr(code)}", options, ledger) != f"塔{chr(code)}"}
    assert found == changed | set(range(0xD800, 0xE000))
