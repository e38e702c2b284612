"""Files that are no questions: refused in one line that names the file and the line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ziggurat.core.errors import InputError, UsageError
from ziggurat.judge.intrinsic.word_sets import read_analogies, read_similarity

ANALOGIES = [
    (": a\na b c\n", ":2: 3 words; an analogy is four"),
    (": a\na b c d\na b c d e\n", ":3: 5 words"),
    (": a\n\n\na b c d\n:\n", ":5: a section without a name"),
    ("", ": no analogies in it"),
    (": a\n: b\n\n", ": no analogies in it"),
    ("# nothing\n", ": no analogies in it"),
    ("type,word1,word2,word3\nx,a,b,c\n", ":1: no column 'target' among type, word1, word2, word3"),
    ("type,word1,word2,word3,target\nx,a,b,c,d\nx,a,b,c\n", ":3: 4 cells, but the first line names 5 columns"),
    ("word1,word2,word3,target\na,b,,d\n", ":2: a word is missing"),
    (": a\na\tb\t\td\n", ":2: a word is missing"),
    ("love\tsex\t6.77\n", ":1: 3 words"),
]
PAIRS = [
    ("a b 1\na b\n", ":2: 2 cells; a pair is two words and a number"),
    ("a\tb\tmuch\n", ":1: 'much' is no number"),
    ("a\tb\tnan\n", ":1: 'nan' is no number"),
    ("a\tb\tinf\n", ":1: 'inf' is no number"),
    ("a\t\t5\n", ":1: an empty cell"),
    ("a b c d\n", ":1: 4 cells"),
    ("# only a comment\n", ": no pairs of words in it"),
    ("", ": no pairs of words in it"),
    ("word1,word2,likeness\na,b,1\n", ":1: no column 'similarity' among word1, word2, likeness"),
    ("word1,word2,similarity\na,b,1,9\n", ":2: 4 cells, but the first line names 3 columns"),
    (": family\nking queen man woman\n", ":1: 2 cells"),
]


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [*((read_analogies, *case) for case in ANALOGIES), *((read_similarity, *case) for case in PAIRS)],
)
def test_files_of_another_form(read: Callable[[Path], Any], text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "odd one.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}{said}")
    assert "\n" not in message


@pytest.mark.parametrize("read", [read_analogies, read_similarity])
def test_what_is_no_file_of_text(read: Callable[[Path], Any], tmp_path: Path) -> None:
    (tmp_path / "questions-words.txt").write_text(": a\na b c d\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"no such file or folder; did you mean .*questions-words\.txt\?"):
        read(tmp_path / "question-words.txt")
    with pytest.raises(InputError, match="not one file; give a file of questions"):
        read(tmp_path)
    image = tmp_path / "image.png"
    image.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9)
    with pytest.raises(InputError, match=r"image\.png: .*not text"):
        read(image)
    damaged = tmp_path / "damaged.txt"
    damaged.write_bytes("# ü and ö\n".encode() * 9 + b": a\n" + b"caf\xc3 b c d\n" + "ü b c d\n".encode() * 99)
    with pytest.raises(InputError):
        read(damaged)


def test_a_word_of_a_million_letters_is_a_word(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text(f"{'a' * 1_000_000} b c d\n", encoding="utf-8")
    assert len(read_analogies(path).questions[0][0]) == 1_000_000
    path.write_text(f"a b {'9' * 1_000}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r":1: '9{40}' is no number"):
        read_similarity(path)


def test_nothing_to_ask() -> None:
    from tests.fakes.word_vectors import vectors_of
    from ziggurat.judge.intrinsic.judging import Asking, judge_vectors
    from ziggurat.judge.intrinsic.word_sets import SimilaritySet

    vectors = vectors_of({"one": [1.0, 0.0], "two": [0.0, 1.0]})
    with pytest.raises(UsageError, match="nothing to ask; give --analogies FILE or --similarity FILE"):
        judge_vectors(vectors, [], [], Asking())
    pairs = SimilaritySet("same", (("one", "two"),), (1.0,))
    with pytest.raises(UsageError, match="two sets are called 'same'"):
        judge_vectors(vectors, [], [pairs, pairs], Asking())
    with pytest.raises(UsageError, match="no character n-grams"):
        judge_vectors(vectors, [], [pairs], Asking(spelled=True))
