"""Damaged GGUF files by the hundred: each is refused by its name or opens, none crashes or takes what it claims."""

import random
import struct
import tracemalloc
from pathlib import Path

import pytest

from tests.fakes.decoders import FORMS, drawn, tokenizer
from ziggurat.artefacts.interchange.gguf import FORMAT
from ziggurat.artefacts.interchange.gguf_file import open_gguf
from ziggurat.core.errors import ArtefactError, InputError

pytest.importorskip("gguf")

SMALL = {"layers": 1, "width": 12, "heads": 2, "feedforward": 13, "context": 17}
CLAIMS = [0, 1, 255, 1 << 16, 1 << 31, (1 << 32) - 1, 1 << 40, 1 << 60, (1 << 64) - 1]
MOST_BYTES = 60_000_000


@pytest.fixture(scope="module", params=["qwen3", "gpt2"])
def content(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("fuzz")
    form = {**FORMS[request.param], "key_heads": None, "head_width": None, **SMALL}
    FORMAT.write(drawn(folder / "b", form, tokenizer("bytes")), folder / "x.gguf")
    return (folder / "x.gguf").read_bytes()


def refused_or_read(file: Path, content: bytes) -> bool:
    """Read what may be damaged; return whether it was refused, by an error that names the file."""
    file.write_bytes(content)
    try:
        FORMAT.read(file)
    except (ArtefactError, InputError) as error:
        said = str(error)
    else:
        return False
    assert file.name in said
    assert "\n" not in said.strip()
    return True


def test_every_cut_is_refused(content: bytes, tmp_path: Path) -> None:
    dice = random.Random(1)
    (tmp_path / "whole.gguf").write_bytes(content)
    end = max(one.stop for one in open_gguf(tmp_path / "whole.gguf").arrays.values())  # behind it there is only padding
    places = [*range(0, 64, 5), *sorted(dice.sample(range(64, end), 71)), end - 1]
    for place in places:
        assert refused_or_read(tmp_path / "cut.gguf", content[:place]), place


def header_bytes(content: bytes, folder: Path) -> int:
    """Return where the arrays begin."""
    (folder / "whole.gguf").write_bytes(content)
    return min(one.start for one in open_gguf(folder / "whole.gguf").arrays.values())


def test_flipped_bytes_of_the_header(content: bytes, tmp_path: Path) -> None:
    end, dice, refused = header_bytes(content, tmp_path), random.Random(2), 0
    tracemalloc.start()
    for _ in range(89):
        changed = bytearray(content)
        for _ in range(dice.choice([1, 1, 2, 5])):
            changed[dice.randrange(4, end)] = dice.randrange(256)
        refused += refused_or_read(tmp_path / "flipped.gguf", bytes(changed))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused > 20
    assert peak < MOST_BYTES


def test_claims_that_are_not_true(content: bytes, tmp_path: Path) -> None:
    end, dice = header_bytes(content, tmp_path), random.Random(3)
    tracemalloc.start()
    for _ in range(89):
        place = dice.randrange(4, end - 8)
        claim = struct.pack("<Q", dice.choice(CLAIMS))
        refused_or_read(tmp_path / "claims.gguf", content[:place] + claim + content[place + 8 :])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MOST_BYTES


def test_every_number_of_the_model_is_checked(content: bytes, tmp_path: Path) -> None:
    """Each 32-bit number of the architecture is given values that can't be; none makes us build what it says."""
    key = b".context_length" if b"qwen3." in content else b".block_count"
    place = content.index(key) + len(key) + 4
    for claim in (0, 1 << 21, (1 << 32) - 1):
        changed = content[:place] + struct.pack("<I", claim) + content[place + 4 :]
        assert refused_or_read(tmp_path / "number.gguf", changed), claim
