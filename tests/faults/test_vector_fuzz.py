"""Damaged vector files by the hundred: none crashes, none makes us allocate what it claims, and none is believed."""

import gzip
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.vectors import WORDS, all_kinds, vector_bundle
from ziggurat.artefacts.interchange import vector_blocks, vector_rows
from ziggurat.artefacts.interchange.formats import FORMATS, Foreign, format_in
from ziggurat.core.errors import ArtefactError, InputError, UsageError
from ziggurat.models.word_vectors import WordVectors

FORMS = ("word2vec_text", "word2vec_binary", "glove_text")
CLAIMS = [b"0", b"-1", b"1", b"12", b"14", b"65536", b"65537", b"1000000000000", b"9" * 40, b"1e3", b"nan", b""]
PIECES = [b"nan", b"inf", b"-inf", b"1e39", b"1e-400", b"\n", b"\r\n", b" ", b"\t", b"\0", b"\xff\xfe", b"\xef\xbb\xbf",
          b"-", b"\xe5\xa1", b"9" * 400, b"." * 30, b"the ", b"\n\n\n", b"\x1f\x8b\x08", b"1 2\n"]  # fmt: skip


def flipped(content: bytes, dice: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(dice.choice([1, 1, 2, 17])):
        changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


def cut(content: bytes, dice: random.Random) -> bytes:
    return content[: dice.randrange(len(content))]


def headed(content: bytes, dice: random.Random) -> bytes:
    _, _, rest = content.partition(b"\n")
    return b" ".join(dice.choices(CLAIMS, k=dice.choice([1, 2, 2, 2, 3]))) + b"\n" + rest


def sewn(content: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(content))
    return content[:place] + dice.choice(PIECES) + content[place + dice.choice([0, 0, 1, 5]) :]


def shuffled(content: bytes, dice: random.Random) -> bytes:
    lines = content.split(b"\n")
    lines = dice.choices(lines, k=len(lines) + dice.choice([-1, 0, 1]))
    return b"\n".join(lines)


def twice(content: bytes, dice: random.Random) -> bytes:
    return content + content[dice.randrange(len(content)) :]


DAMAGES = [flipped, cut, headed, sewn, shuffled, twice]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    bundle = vector_bundle(folder / "b", WORDS, all_kinds(len(WORDS), 11))
    contents = {}
    for form in FORMS:
        FORMATS.get(form).write(bundle, folder / form)
        contents[form] = (folder / form).read_bytes()
    return contents


def outcome(read: Callable[[Path], Foreign], path: Path) -> Foreign | None:
    """Return what was read, None where it was refused as it should be."""
    try:
        return read(path)
    except (InputError, ArtefactError, UsageError) as error:
        message = str(error)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert len(message) < len(str(path)) + 250
    return None


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("form", FORMS)
def test_damage_is_refused_or_harmless(
    form: str, damage: Callable[[bytes, random.Random], bytes], whole: dict[str, bytes], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(vector_blocks, "BLOCK_BYTES", 1 << 12)
    monkeypatch.setattr(vector_rows, "_BATCH_BYTES", 1 << 10)
    dice = random.Random(f"{form} {damage.__name__}")
    refused = 0
    for number in range(131):
        content = damage(whole[form], dice)
        path = tmp_path / dice.choice(["x.txt", "x.bin", "x", "x.vec", "x.gz"])
        path.write_bytes(gzip.compress(content, 1) if dice.random() < 0.3 or path.suffix == ".gz" else content)
        tracemalloc.start()
        found = outcome(FORMATS.get(form).read if number % 2 else lambda path: format_in(path).read(path), path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 4_000_000, f"{peak} bytes for a file of {len(content)}"
        refused += found is None
        if found is not None:
            assert isinstance(found.model, WordVectors)
            assert np.isfinite(found.model.vectors).all()
            assert found.tokenizer.vocabulary.size == len(found.model.vectors) <= 2 * len(WORDS) + 2
            assert found.model.vectors.size <= 4 * len(content)
    assert refused > 10


@pytest.mark.parametrize("form", FORMS)
def test_every_beginning_of_a_file_but_the_whole_is_refused(form: str, whole: dict[str, bytes], tmp_path: Path) -> None:
    """Only a number or a line that is cut at its end can pass for a whole one, and only in text."""
    path = tmp_path / "x"
    content = whole[form]
    passed = []
    for size in [*range(0, len(content) - 90, 5), *range(len(content) - 90, len(content))]:
        path.write_bytes(content[:size])
        if outcome(FORMATS.get(form).read, path):
            passed.append(size)
    lines = content.split(b"\n")
    last_number = len(lines[-2].split()[-1])
    if form == "word2vec_binary":
        assert passed == []
    elif form == "word2vec_text":
        assert all(size >= len(content) - 1 - last_number for size in passed)
    else:  # no header says how many lines there are; within a line, numbers are missing
        ends = {len(b"\n".join(lines[:count])) for count in range(1, len(lines))}
        assert passed
        assert all(any(end - 40 <= size <= end + 1 for end in ends) or size < len(lines[0]) for size in passed)


@pytest.mark.parametrize("form", FORMS)
def test_any_bytes_at_all(form: str, tmp_path: Path) -> None:
    dice = random.Random(form)
    path = tmp_path / "x"
    for _ in range(199):
        head = dice.choice([b"", b"3 2\n", b"1 1\n", b"\xef\xbb\xbf2 1\n", b"a 1 2\n"])
        path.write_bytes(head + dice.randbytes(dice.randrange(90)))
        outcome(FORMATS.get(form).read, path)
        outcome(lambda path: format_in(path).read(path), path)
