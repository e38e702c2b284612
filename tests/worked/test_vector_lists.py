"""What a bundle of word vectors becomes as a file, letter by letter, and what a file becomes as a bundle."""

import gzip
import logging
import struct
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.vectors import vector_bundle
from ziggurat.artefacts.bundle import Bundle, save
from ziggurat.artefacts.interchange.formats import FORMATS
from ziggurat.artefacts.manifest import Provenance
from ziggurat.core.types import Vocabulary
from ziggurat.models.word_vectors import FAMILY, WordVectors, WordVectorsConfig

WORDS = ["塔", "the"]
ROWS = np.array([[0.5, -0.25, 1e-7], [0.1, 3, -0.0]], np.float32)

TEXT = "塔 0.5 -0.25 1e-07\nthe 0.1 3 -0\n"
# 0.5 and -0.25 in hexadecimal are 3F000000 and BE800000, 1e-7 is 33D6BF95; 0.1 is 3DCCCCCD, 3 is 40400000, -0 80000000
BINARY = (
    b"2 3\n"
    + "塔 ".encode()
    + bytes.fromhex("0000003F 000080BE 95BFD633")
    + b"the "
    + bytes.fromhex("CDCCCC3D 00004040 00000080")
)


@pytest.mark.parametrize(
    ("form", "content"),
    [("word2vec_text", f"2 3\n{TEXT}".encode()), ("glove_text", TEXT.encode()), ("word2vec_binary", BINARY)],
)
def test_the_file_letter_by_letter(form: str, content: bytes, tmp_path: Path) -> None:
    bundle = vector_bundle(tmp_path / "b", WORDS, ROWS)
    FORMATS.get(form).write(bundle, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == content
    FORMATS.get(form).write(bundle, tmp_path / "x.gz")
    assert gzip.decompress((tmp_path / "x.gz").read_bytes()) == content
    found = FORMATS.get(form).read(tmp_path / "x")
    assert (found.family, found.model.vocabulary) == ("word_vectors", Vocabulary(4, bos=0, eos=0, unk=1))
    # text is cut at white space, a word that is not listed is <unk>, and a word spelled like the end is no end
    assert found.tokenizer.encode("the 塔\tand <|endoftext|>").ids.tolist() == [3, 2, 1, 1]


def special(path: Path, ngrams: tuple[np.ndarray, np.ndarray] | None = None) -> Bundle:
    """A bundle whose unknown word has a vector."""
    plain = vector_bundle(path, WORDS, ROWS)
    matrix = np.concatenate([np.zeros((1, 3), np.float32), np.full((1, 3), 7, np.float32), ROWS])
    config = WordVectorsConfig(width=3, longest_ngram=5 if ngrams else 0, buckets=11)
    model = WordVectors(matrix, plain.model.vocabulary, config=config, ngrams=ngrams)
    return save(path, family=FAMILY.name, model=model, tokenizer=plain.tokenizer, provenance=Provenance())


def test_the_unknown_word_has_a_line_where_it_has_a_vector(tmp_path: Path) -> None:
    bundle = special(tmp_path / "b")
    FORMATS.get("glove_text").write(bundle, tmp_path / "x")
    assert (tmp_path / "x").read_text() == f"{TEXT}<unk> 7 7 7\n"
    back = FORMATS.get("glove_text").read(tmp_path / "x").model
    assert isinstance(back, WordVectors)
    assert back.vectors.tolist() == [[0] * 3, [7] * 3, *ROWS.tolist()]


def test_character_ngrams_stay_behind_and_that_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bundle = special(tmp_path / "b", ngrams=(np.arange(11, dtype=np.int32), np.ones((11, 3), np.float32)))
    with caplog.at_level(logging.WARNING, "ziggurat"):
        FORMATS.get("word2vec_binary").write(bundle, tmp_path / "x")
    assert "vectors of character n-grams stay behind: word2vec binary has no place for them" in caplog.text
    content = (tmp_path / "x").read_bytes()
    assert content == b"3" + BINARY[1:] + b"<unk> " + struct.pack("<3f", 7, 7, 7)
