"""What goes to a GGUF file and comes back is the same model, whatever its form; fewer bits lose what bits must."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.decoders import FORMS, byte_pairs, drawn, tokenizer, trained
from ziggurat.artefacts.bundle import Bundle
from ziggurat.artefacts.interchange import gguf as module
from ziggurat.artefacts.interchange import llama_program
from ziggurat.artefacts.interchange.formats import FORMATS, Numbered, format_in, format_of
from ziggurat.artefacts.interchange.gguf import FORMAT, NUMBER_TYPES
from ziggurat.artefacts.interchange.gguf_file import open_gguf
from ziggurat.artefacts.interchange.gguf_tokenizer import tokenizer_to_gguf
from ziggurat.artefacts.interchange.proof import next_logprobs, random_ids
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.tokens.fast import FastTokenizer

pytest.importorskip("gguf")

WIDE = {"layers": 2, "width": 64, "heads": 2, "key_heads": 1, "feedforward": 96, "context": 53}
"""Sizes that blocks of 32 numbers divide."""


@pytest.fixture(autouse=True)
def _ours_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """llama.cpp has tests of its own."""
    monkeypatch.setattr(llama_program, "installed", lambda: False)


@pytest.mark.parametrize("form", FORMS)
def test_logits_come_back_to_the_last_bit(form: str, tmp_path: Path) -> None:
    bundle = drawn(tmp_path / "b", FORMS[form], byte_pairs())
    (proof,) = FORMAT.write_proven(bundle, tmp_path / "x.gguf")
    assert (proof.program, proof.largest, proof.positions, proof.same_best) == ("Ziggurat", 0.0, 48, 48)
    assert proof.tokens > 700
    assert proof.same_written == proof.written > 0
    found = FORMAT.read(tmp_path / "x.gguf")
    ids = random_ids(bundle.tokenizer.vocabulary, 61)
    model: Any = found.model
    assert np.array_equal(next_logprobs(model, ids), next_logprobs(bundle.language_model, ids))
    ours: Any = bundle.model
    assert dataclasses.replace(model.network.config, dropout=0.0) == _resolved(ours.network.config)


def _resolved(config: Any) -> Any:
    """A configuration with what was left to defaults written out, as files do; a base that nothing uses is Llama's."""
    rotary = config.positions == "rotary"
    return dataclasses.replace(
        config,
        dropout=0.0,
        feedforward=config.resolved_feedforward,
        key_heads=config.resolved_key_heads if rotary else None,
        head_width=config.resolved_head_width if rotary else None,
    )


def test_a_trained_model_with_more_ids_than_tokens(tmp_path: Path) -> None:
    bundle = drawn(tmp_path / "b", FORMS["qwen3"], byte_pairs("qwen2"), more_ids=6)
    FORMAT.write(bundle, tmp_path / "x.gguf")
    found = FORMAT.read(tmp_path / "x.gguf")
    assert (found.model.vocabulary.size, found.tokenizer.vocabulary.size) == (359, 353)


@pytest.mark.parametrize("kind", ["bytes", "characters"])
def test_other_tokenizers_come_along(kind: str, tmp_path: Path) -> None:
    bundle = drawn(tmp_path / "b", FORMS["gpt2"], tokenizer(kind))
    (proof,) = FORMAT.write_proven(bundle, tmp_path / "x.gguf")
    assert proof.largest == 0.0


@pytest.mark.parametrize("context", [2, 5, 29])
def test_models_that_read_little_at_once(context: int, tmp_path: Path) -> None:
    bundle = drawn(tmp_path / "b", {**FORMS["qwen3"], "context": context}, tokenizer("bytes"))
    (proof,) = FORMAT.write_proven(bundle, tmp_path / "x.gguf")
    begun = min(context, 4)  # the end token and the three bytes of "The"
    assert proof.written <= context - begun
    assert proof.positions == 2 * min(24, context)


def test_a_tokenizer_that_composes_characters_is_held_but_for_that(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    raw = json.loads(byte_pairs("qwen2").to_json())
    composing = FastTokenizer.from_json(json.dumps({**raw, "normalizer": {"type": "NFC"}}))
    FORMAT.write(drawn(tmp_path / "b", FORMS["qwen3"], composing), tmp_path / "x.gguf")
    assert "composes characters first (NFC), which llama.cpp does not" in caplog.text
    found = FORMAT.read(tmp_path / "x.gguf").tokenizer
    assert found.encode("\u00e9").ids.tolist() == composing.encode("e\u0301").ids.tolist()
    assert found.encode("e\u0301").ids.tolist() != composing.encode("e\u0301").ids.tolist()


def test_a_chat_template_comes_along(tmp_path: Path) -> None:
    template = "{% for message in messages %}{{ message['content'] }}\n{% endfor %}"
    bundle = drawn(tmp_path / "b", FORMS["llama"], byte_pairs(), chat_template=template)
    FORMAT.write(bundle, tmp_path / "x.gguf")
    assert FORMAT.read(tmp_path / "x.gguf").chat_template == template


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A trained model whose matrices are made of whole blocks."""
    return trained(tmp_path_factory.mktemp("wide") / "b", WIDE, byte_pairs(), steps=17)


@pytest.mark.parametrize("kind", NUMBER_TYPES)
def test_number_types(kind: str, wide: Bundle, tmp_path: Path) -> None:
    import gguf

    file = tmp_path / "x.gguf"
    (proof,) = FORMAT.write_proven(wide, file, number_type=kind)
    infos = open_gguf(file).arrays
    matrix, gain = infos["blk.1.ffn_up.weight"], infos["blk.1.ffn_norm.weight"]
    assert gguf.GGMLQuantizationType(matrix.kind).name == kind.upper()
    assert gguf.GGMLQuantizationType(gain.kind).name == "F32"
    # bytes of 96 x 64 numbers: whole ones 4 or 2 each; blocks of 32 take 34 (q8_0), 18 (q4_0) or 20 (q4_1)
    size = {"f32": 4, "f16": 2, "bf16": 2, "q8_0": 34 / 32, "q4_0": 18 / 32, "q4_1": 20 / 32}[kind]
    assert matrix.stop - matrix.start == 96 * 64 * size
    assert proof.divergence <= {"f32": 0.0, "f16": 1e-5, "bf16": 1e-3, "q8_0": 1e-3}.get(kind, 0.5)


def test_fewer_bits_lose_more(wide: Bundle, tmp_path: Path) -> None:
    kinds = ["f32", "f16", "q8_0", "q4_0"]
    lost = [FORMAT.write_proven(wide, tmp_path / "x.gguf", number_type=kind)[0].divergence for kind in kinds]
    assert lost == sorted(lost)
    assert lost[0] < lost[2] < lost[-1]  # what 16 bits lose may be less than rounding, by the processor's products


def test_matrices_that_blocks_do_not_divide_stay_in_16_bits(tmp_path: Path) -> None:
    bundle = drawn(tmp_path / "b", FORMS["qwen3"], byte_pairs())  # 26 columns
    FORMAT.write_proven(bundle, tmp_path / "x.gguf", number_type="q8_0")
    assert {one.kind for one in open_gguf(tmp_path / "x.gguf").arrays.values()} == {0, 1}  # F32 and F16


def test_a_file_that_differs_is_not_kept(wide: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "x.gguf"
    file.write_bytes(b"what stood here")
    put = module._put  # and now one that exchanges two matrices, as a wrong table of names would

    def exchanged(path: Path, name: str, facts: Any, arrays: dict[str, Any], kind: str) -> None:
        one, two = "blk.0.ffn_up.weight", "blk.0.ffn_gate.weight"
        put(path, name, facts, {**arrays, one: arrays[two], two: arrays[one]}, kind)

    monkeypatch.setattr(module, "_put", exchanged)
    with pytest.raises(ArtefactError, match=r"x\.gguf: read back, the array .*gate_proj.* has lost .*: not kept"):
        FORMAT.write(wide, file)
    assert file.read_bytes() == b"what stood here"
    assert [one.name for one in tmp_path.iterdir()] == ["x.gguf"]


def test_a_file_with_other_tokens_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = drawn(tmp_path / "b", FORMS["llama"], byte_pairs("qwen2"))
    told = tokenizer_to_gguf

    def misnamed(*args: Any, **keys: Any) -> dict[str, Any]:
        return {**told(*args, **keys), "tokenizer.ggml.pre": "gpt-2"}  # as llama.cpp#8649: another pattern

    monkeypatch.setattr(module, "tokenizer_to_gguf", misnamed)
    with pytest.raises(ArtefactError, match=r"x\.gguf: the text .* gives other tokens there, from token \d+ on"):
        FORMAT.write(bundle, tmp_path / "x.gguf")
    assert [one.name for one in tmp_path.iterdir()] == ["b"]


def test_the_format_is_found_by_ending_and_by_content(wide: Bundle, tmp_path: Path) -> None:
    assert FORMATS.get("gguf") is FORMAT
    assert format_of(Path("model.gguf")) is FORMAT
    FORMAT.write(wide, tmp_path / "model.bin")
    assert format_in(tmp_path / "model.bin") is FORMAT
    assert not FORMAT.opens(tmp_path / "missing")
    assert isinstance(FORMAT, Numbered)
    with pytest.raises(UsageError, match="--type q3: GGUF is written with one of f32, f16, bf16, q8_0, q4_0, q4_1"):
        FORMAT.write_proven(wide, tmp_path / "y.gguf", number_type="q3")
