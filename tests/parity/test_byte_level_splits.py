"""How byte-level tokenizers cut text before merging: to the letter as GPT-2 and Qwen2 publish it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from ziggurat.tokens.bpe import QWEN2_PATTERN, byte_level
from ziggurat.tokens.fast import byte_alphabet

regex = pytest.importorskip("regex")

# Radford et al. 2019, as published in the encoder of GPT-2
GPT2_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"

# Characters that every version of Unicode in use agrees on. U+001C to U+001F stay out: they are white space for Python
# and none for Unicode.
RANGES = [(0, 0x1B), (0x20, 0x24F), (0x370, 0x373), (0x400, 0x45F), (0x905, 0x94D), (0x2000, 0x2063), (0x2150, 0x217F)]
RANGES += [(0x3000, 0x30FF), (0x4E00, 0x9FA5), (0xAC00, 0xD7A3), (0xFF01, 0xFF5E), (0x1F600, 0x1F64F)]
LETTERS = st.one_of([st.characters(min_codepoint=first, max_codepoint=last) for first, last in RANGES])
PARTS = st.sampled_from(
    [" ", "  ", "\n", " \n", "\r\n", "\t", "'s", "'LL", "don't", "42", "½", "塔楼", "。", "!?", "é", "n\u0303"]
)
TEXTS = st.lists(st.one_of(PARTS, LETTERS), max_size=17).map("".join)


def spelled(part: str) -> str:
    letters = {byte: letter for letter, byte in byte_alphabet().items()}
    return "".join(letters[byte] for byte in part.encode())


@pytest.mark.parametrize(("name", "pattern"), [("gpt2", GPT2_PATTERN), ("qwen2", QWEN2_PATTERN)])
@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
def test_text_is_cut_where_the_published_pattern_cuts_it(name: str, pattern: str, text: str) -> None:
    ours = [part for part, _ in byte_level(name).pre_tokenize_str(text)]
    assert ours == [spelled(part) for part in regex.findall(pattern, text)]


def test_the_qwen2_pattern_is_theirs() -> None:
    theirs = pytest.importorskip("transformers.models.qwen2.tokenization_qwen2")
    assert theirs.PRETOKENIZE_REGEX == QWEN2_PATTERN


def test_the_letters_for_bytes_are_the_librarys() -> None:
    assert byte_alphabet().keys() == set(pre_tokenizers.ByteLevel.alphabet())
    for byte in range(0x80):
        ((part, _),) = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(chr(byte))
        assert byte_alphabet()[part] == byte


@pytest.mark.parametrize(
    ("byte", "letter"),
    # 0 to 0x20 are not printable: the byte 0x20 is the 33rd of the others, so U+0100 + 32 = U+0120; newline U+010A
    [
        (0x20, "Ġ"),
        (0x0A, "Ċ"),
        (0x00, "Ā"),
        (0x41, "A"),
        (0x7E, "~"),
        (0x7F, "ġ"),
        (0xA0, "ł"),
        (0xAD, "Ń"),
        (0xFF, "ÿ"),
    ],
)
def test_letters_of_some_bytes(byte: int, letter: str) -> None:
    assert byte_alphabet()[letter] == byte


@pytest.mark.parametrize(
    ("text", "gpt2", "qwen2"),
    [
        ("it's 2026", ["it", "'s", "Ġ2026"], ["it", "'s", "Ġ", "2", "0", "2", "6"]),
        ("a  b", ["a", "Ġ", "Ġb"], ["a", "Ġ", "Ġb"]),
        ("x\n\ny", ["x", "Ċ", "Ċ", "y"], ["x", "ĊĊ", "y"]),
        ("(yes)", ["(", "yes", ")"], ["(yes", ")"]),
    ],
)
def test_where_the_two_patterns_differ(text: str, gpt2: list[str], qwen2: list[str]) -> None:
    assert [part for part, _ in byte_level("gpt2").pre_tokenize_str(text)] == gpt2
    assert [part for part, _ in byte_level("qwen2").pre_tokenize_str(text)] == qwen2
