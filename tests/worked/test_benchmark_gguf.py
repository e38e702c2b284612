"""What the benchmark beside llama.cpp counts."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import gguf as benchmark
from tests.fakes.decoders import FORMS, byte_pairs, trained
from ziggurat.artefacts.interchange.gguf import FORMAT


def test_tokens_are_equal_up_to_the_first_that_is_not() -> None:
    equal = benchmark.__dict__["_equal"]
    assert equal([3, 5, 7], [3, 5, 7]) == (3, 3)
    assert equal([3, 5, 7], [3, 4, 7]) == (1, 3)  # what comes after a difference is another text
    assert equal([3, 5], [3, 5, 7]) == (2, 3)
    assert equal([], [3]) == (0, 1)


def test_speed_counts_what_was_written() -> None:
    speed, written = benchmark.__dict__["_timed"](lambda ids: [*ids.tolist(), 13], [[2, 3], [5]])
    assert written == [[2, 3, 13], [5, 13]]
    assert speed > 0


def test_the_whole_on_a_small_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("llama_cpp")
    FORMAT.write(trained(tmp_path / "b", FORMS["qwen3"], byte_pairs(), steps=30), tmp_path / "x.gguf")
    monkeypatch.setattr(sys, "argv", ["gguf", "--file", str(tmp_path / "x.gguf"), "--quick", "--threads", "1"])
    benchmark.main()
    facts = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert facts["benchmark"] == "gguf"
    assert facts["ratio"] > 0
    same, of = facts["texts_with_equal_ids"].split("/")
    assert same == of
    assert facts["equal_32_bit"] == facts["equal_as_it_is"]  # the file has 32 bits already
