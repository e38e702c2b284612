"""A recogniser that hears what was arranged, behind the interface of pocketsphinx; and recordings for it."""

import math
import sys
import types
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

LATTICE = """# -logbase 1.000100e+00
Frames 30
Nodes 6 (NODEID WORD STARTFRAME FIRST-ENDFRAME LAST-ENDFRAME)
0 <s> 0 2 2 ; 0
1 one 3 11 11 ; 0
2 two(2) 12 20 20 ; 0
3 three 12 20 20 ; 0
4 [NOISE] 21 24 24 ; 0
5 </s> 25 29 29 ; 0
Initial 0
Final 5
Edges (FROM-NODEID TO-NODEID ASCORE)
0 1 -10000
1 2 -20000
1 3 -20000
2 5 -40000
2 4 -20000
3 4 -50000
4 5 -10000
End
"""
UNIT = math.log(1.0001)
WAYS = {"one two": -60000 * UNIT, "one three": -90000 * UNIT}
"""What can be heard, in the recogniser's order, with its acoustic score."""


def record(path: Path, samples: list[int], *, rate: int = 16_000, channels: int = 1, width: int = 2) -> Path:
    """Write a recording."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(b"".join(one.to_bytes(width, "little", signed=width > 1) for one in samples))
    return path


class Decoder:
    """Hears `WAYS` in whatever has a sound, and nothing in silence."""

    def __init__(self, *, samprate: int, loglevel: str) -> None:
        assert (samprate, loglevel) == (16_000, "FATAL")
        self.samples = b""
        self.fresh = False
        self.loaded = ""
        self.logmath = types.SimpleNamespace(log_to_ln=lambda number: number * UNIT)

    def lookup_word(self, word: str) -> str | None:
        return "W" if word in {"one", "two", "three", "four", "five"} else None

    def add_lm_file(self, name: str, path: str) -> None:
        if "broken" in path:
            raise RuntimeError("Failed to set language model")
        self.loaded = name

    def activate_search(self, name: str) -> None:
        assert name == self.loaded

    def get_lm(self) -> Any:
        # log p of a word is -1000 for each letter of it and -1 for each of what stands before it, in units
        prob = lambda words: -1000 * len(words[0]) - sum(len(word) for word in words[1:])  # noqa: E731
        return types.SimpleNamespace(size=lambda: 3, prob=prob)

    def reinit_feat(self) -> None:
        self.fresh = True

    def start_utt(self) -> None:
        assert self.fresh, "what it learnt of the recording before would change what it hears"

    def process_raw(self, samples: bytes, *, full_utt: bool) -> None:
        assert full_utt
        self.samples = samples

    def end_utt(self) -> None:
        self.fresh = False

    def hyp(self) -> Any:
        return types.SimpleNamespace(hypstr="one two(2)") if any(self.samples) else None

    def nbest(self) -> Iterator[Any]:
        for text in ("one two", "one two(3)", None, "two one", "one three"):
            yield None if text is None else types.SimpleNamespace(hypstr=text)

    def get_lattice(self) -> Any:
        return types.SimpleNamespace(write=lambda path: Path(path).write_text(LATTICE, encoding="utf-8"))


@pytest.fixture
def hearing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the arranged recogniser in the place of pocketsphinx."""
    module = types.ModuleType("pocketsphinx")
    vars(module)["Decoder"] = Decoder
    monkeypatch.setitem(sys.modules, "pocketsphinx", module)
