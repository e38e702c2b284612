"""Word vectors go to gensim and come from it, in every format, without losing a bit."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.vectors import WORDS, all_kinds, same_bits, vector_bundle
from ziggurat.artefacts.bundle import load
from ziggurat.artefacts.interchange.formats import FORMATS, format_in
from ziggurat.models.word_vectors import WordVectors
from ziggurat.surface.cli import main

WIDTH = 17
FORMS: dict[str, dict[str, Any]] = {
    "word2vec_text": {},
    "word2vec_binary": {"binary": True},
    "glove_text": {"no_header": True},
}
ENDINGS = {"word2vec_text": ".vec", "word2vec_binary": ".bin", "glove_text": ".txt"}


@pytest.fixture(scope="module")
def keyed() -> Any:
    return pytest.importorskip("gensim.models").KeyedVectors


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it leaves GloVe text open
@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("form", FORMS)
def test_gensim_opens_ours(form: str, packed: str, keyed: Any, tmp_path: Path) -> None:
    vectors = all_kinds(len(WORDS), WIDTH)
    bundle = vector_bundle(tmp_path / "ours", WORDS, vectors)
    file = tmp_path / f"x{ENDINGS[form]}{packed}"
    assert main(["export", str(bundle.path), str(file), "--to", form, "--quiet"]) == 0
    theirs = keyed.load_word2vec_format(str(file), **FORMS[form])
    assert theirs.index_to_key == WORDS
    assert same_bits(theirs.vectors, vectors)


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("form", FORMS)
def test_we_open_gensims(form: str, packed: str, keyed: Any, tmp_path: Path) -> None:
    vectors = all_kinds(len(WORDS), WIDTH, seed=5)
    theirs = keyed(WIDTH)
    theirs.add_vectors(WORDS, vectors)
    file = tmp_path / f"x{ENDINGS[form]}{packed}"
    header = not FORMS[form].get("no_header", False)
    theirs.save_word2vec_format(str(file), binary=bool(FORMS[form].get("binary")), write_header=header)
    assert format_in(file) is FORMATS.get(form)
    assert main(["import", str(file), "--quiet", "--out", str(tmp_path / "ours")]) == 0
    bundle = load(tmp_path / "ours")
    assert isinstance(bundle.model, WordVectors)
    assert list(bundle.words.words())[2:] == WORDS
    assert same_bits(bundle.model.vectors[2:], vectors)
    assert not bundle.model.vectors[:2].any()


def test_what_word2vec_c_and_fasttext_write_reads_the_same_in_both(keyed: Any, tmp_path: Path) -> None:
    """Records ended by a line's end, lines ended by a space, numbers of six decimals, and a word that comes twice."""
    vectors = all_kinds(5, 3)[1:4]
    words = ["</s>", "塔", "the"]
    records = b"".join(word.encode() + b" " + row.tobytes() + b"\n" for word, row in zip(words, vectors, strict=True))
    (tmp_path / "c.bin").write_bytes(b"3 3\n" + records)
    lines = "".join(
        f"{word} {' '.join(f'{number:.6f}' for number in row)} \n" for word, row in zip(words, vectors, strict=True)
    )
    (tmp_path / "c.vec").write_text("3 3\n" + lines)
    (tmp_path / "twice.vec").write_text("4 3\n" + lines + "塔 9 9 9\n")
    for name, binary in (("c.bin", True), ("c.vec", False), ("twice.vec", False)):
        theirs = keyed.load_word2vec_format(str(tmp_path / name), binary=binary)
        ours = format_in(tmp_path / name).read(tmp_path / name)
        assert isinstance(ours.model, WordVectors)
        assert [ours.tokenizer.decode([number]) for number in range(2, 5)] == theirs.index_to_key[:3] == words
        assert same_bits(ours.model.vectors[2:], theirs.vectors[:3])


@pytest.mark.parametrize(
    "digits",
    ["%.17g", "%.6f", "%.9g", "%.25e", "%.40f"],
)
def test_digits_beyond_ours_are_rounded_as_gensim_rounds_them(digits: str, keyed: Any, tmp_path: Path) -> None:
    """First to 53 bits, then to 24: numbers near the middle of two, where that order shows, included."""
    dice = np.random.default_rng(3)
    ordinary = dice.normal(0, 0.3, (997, WIDTH))
    single = ordinary.astype(np.float32)
    middle = (single.astype(np.float64) + np.nextafter(single, np.float32(9)).astype(np.float64)) / 2
    for name, numbers in (("ordinary", ordinary), ("middle", middle), ("near", np.nextafter(middle, 9))):
        lines = [f"w{row} " + " ".join(digits % number for number in numbers[row]) for row in range(len(numbers))]
        file = tmp_path / f"{name}.vec.gz"
        file.write_bytes(gzip.compress(f"{len(lines)} {WIDTH}\n{chr(10).join(lines)}\n".encode()))
        theirs = keyed.load_word2vec_format(str(file))
        ours = format_in(file).read(file).model
        assert isinstance(ours, WordVectors)
        assert same_bits(ours.vectors[2:], theirs.vectors)
