"""llama.cpp runs what we export: the same tokens on every text, the same probabilities, the same greedy text."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import gguf_files
from tests.fakes.decoders import FORMS, TEXTS, byte_pairs, drawn, tokenizer, trained
from tests.fakes.tokenizers import HARD_TEXTS
from tests.worked.test_gguf_tokenizer import sentencepiece_facts
from ziggurat.artefacts.bundle import Bundle
from ziggurat.artefacts.interchange.gguf import FORMAT, NUMBER_TYPES
from ziggurat.artefacts.interchange.gguf_file import open_gguf
from ziggurat.artefacts.interchange.llama_program import LlamaProgram
from ziggurat.artefacts.interchange.proof import greedy, next_logprobs, proof_texts, random_ids
from ziggurat.core.errors import ArtefactError
from ziggurat.core.protocols import Tokenizer
from ziggurat.models.registry import predicting

pytest.importorskip("llama_cpp")
pytest.importorskip("gguf")

TOKENIZERS = {"bpe gpt2": lambda: byte_pairs("gpt2"), "bpe qwen2": lambda: byte_pairs("qwen2")}
TOKENIZERS |= {"bytes": lambda: tokenizer("bytes"), "characters": lambda: tokenizer("characters")}


def hard_texts(found: Tokenizer, *, but: str = "") -> Iterator[str]:
    """Texts that are hard on tokenizers, without the one character that a kind can't tell from a space."""
    for text in (*proof_texts(found), *HARD_TEXTS, *TEXTS):
        yield text.replace(but, "_") if but else text


@pytest.mark.parametrize("name", TOKENIZERS)
@pytest.mark.parametrize("form", ["gpt2", "qwen3"])
def test_tokens_are_equal(form: str, name: str, tmp_path: Path) -> None:
    bundle = drawn(tmp_path / "b", FORMS[form], TOKENIZERS[name](), more_ids=4)
    FORMAT.write(bundle, tmp_path / "x.gguf")
    back = FORMAT.read(tmp_path / "x.gguf").tokenizer
    with LlamaProgram(tmp_path / "x.gguf") as program:
        for text in hard_texts(bundle.tokenizer, but="\u2581" if name == "characters" else ""):
            ids = bundle.tokenizer.encode(text).ids.tolist()
            assert program.encode(text) == ids, text
            assert back.encode(text).ids.tolist() == ids, text


@pytest.mark.parametrize("form", FORMS)
def test_probabilities_are_equal(form: str, tmp_path: Path) -> None:
    bundle = drawn(tmp_path / "b", FORMS[form], byte_pairs())
    ours, theirs = FORMAT.write_proven(bundle, tmp_path / "x.gguf")
    assert (ours.program, theirs.program) == ("Ziggurat", "llama.cpp")
    assert ours.largest == 0.0
    # llama.cpp looks GELU up in a table of 16-bit numbers; all else is 32-bit
    assert theirs.largest < (2e-2 if form == "gpt2" else 1e-4)
    assert theirs.same_best is not None
    assert theirs.same_best >= 47
    model = bundle.language_model
    expected = next_logprobs(model, random_ids(bundle.tokenizer.vocabulary, model.context))
    assert float(np.ptp(expected, axis=1).mean()) > 5.0  # far from uniform, or nothing would be shown


@pytest.mark.parametrize("form", ["gpt2", "qwen3", "llama"])
def test_greedy_text_of_a_trained_model_is_equal(form: str, tmp_path: Path) -> None:
    bundle = trained(tmp_path / "b", FORMS[form], byte_pairs(), steps=60)
    FORMAT.write(bundle, tmp_path / "x.gguf")
    with LlamaProgram(tmp_path / "x.gguf") as program:
        for prompt in ("the tower", "陌生人", "0 the old mason", ""):
            ids = np.array([0, *bundle.tokenizer.encode(prompt).ids], np.int32)
            ours = greedy(bundle.language_model, ids, 40)
            theirs = program.greedy(ids.tolist(), len(ours), end=0)
            assert theirs == ours
            assert program.decode(theirs) == bundle.tokenizer.decode(theirs)


@pytest.mark.parametrize("context", [2, 5, 29])
def test_models_that_read_little_at_once(context: int, tmp_path: Path) -> None:
    bundle = drawn(tmp_path / "b", {**FORMS["gpt2"], "context": context}, tokenizer("bytes"))
    ours, theirs = FORMAT.write_proven(bundle, tmp_path / "x.gguf")
    assert theirs.written == ours.written
    assert theirs.same_written == ours.same_written == ours.written


def test_llama_cpp_begins_texts_as_we_do(tmp_path: Path) -> None:
    import llama_cpp

    FORMAT.write(drawn(tmp_path / "b", FORMS["qwen3"], byte_pairs()), tmp_path / "x.gguf")
    theirs = llama_cpp.Llama(str(tmp_path / "x.gguf"), vocab_only=True, verbose=False)
    assert theirs.tokenize(b"the", add_bos=True)[0] == 0
    assert (theirs.token_bos(), theirs.token_eos()) == (0, 0)
    theirs.close()


@pytest.mark.parametrize("kind", NUMBER_TYPES)
def test_number_types_run(kind: str, tmp_path: Path) -> None:
    form = {"layers": 2, "width": 64, "heads": 2, "key_heads": 1, "feedforward": 96, "context": 53}
    bundle: Bundle = trained(tmp_path / "b", form, byte_pairs(), steps=30)
    ours, theirs = FORMAT.write_proven(bundle, tmp_path / "x.gguf", number_type=kind)
    assert theirs.program == "llama.cpp"
    assert theirs.tokens == ours.tokens
    assert theirs.divergence < 0.05


QUANTISED = {"Q5_0": 8, "Q5_1": 9, "Q2_K": 10, "Q3_K": 12, "Q4_K": 15, "Q5_K": 17, "Q6_K": 18, "IQ4_XS": 30}
"""Files as llama.cpp writes them: the number type of most arrays, and its number among llama.cpp's file types."""


@pytest.mark.parametrize("kind", QUANTISED)
def test_numbers_that_llama_cpp_rounded(kind: str, tmp_path: Path) -> None:
    import llama_cpp

    import gguf

    form = {"layers": 1, "width": 256, "heads": 4, "feedforward": 256, "context": 31}  # blocks are of 256 numbers
    bundle = drawn(tmp_path / "b", form, byte_pairs())
    FORMAT.write(bundle, tmp_path / "x.gguf")
    asked = llama_cpp.llama_model_quantize_default_params()
    asked.ftype, asked.nthread = QUANTISED[kind], 1
    rounded = tmp_path / f"{kind}.gguf"
    assert llama_cpp.llama_model_quantize(str(tmp_path / "x.gguf").encode(), str(rounded).encode(), asked) == 0
    kinds = {gguf.GGMLQuantizationType(info.kind).name for info in open_gguf(rounded).arrays.values()}
    assert any(name.startswith(kind) for name in kinds)
    found = FORMAT.read(rounded)
    ids = random_ids(found.tokenizer.vocabulary, 31)
    ours = next_logprobs(predicting(found.model, kind), ids)
    with LlamaProgram(rounded) as program:
        theirs = program.next_logprobs(ids)
    exact = next_logprobs(bundle.language_model, ids)
    # the numbers are the same, what they are multiplied with is rounded there: nearer than to the exact model
    apart, lost = (float(np.abs(ours - other).mean()) for other in (theirs, exact))
    assert apart < 0.6 * lost


def test_a_file_that_llama_cpp_does_not_open_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ziggurat.artefacts.interchange import gguf as module

    bundle = drawn(tmp_path / "b", FORMS["llama"], byte_pairs())
    put: Any = module.__dict__["_put"]
    monkeypatch.setattr(
        module,
        "_put",
        lambda path, name, facts, *rest: put(path, name, {**facts, "llama.rope.dimension_count": 8}, *rest),
    )
    with pytest.raises(ArtefactError, match=r"x\.gguf"):
        FORMAT.write(bundle, tmp_path / "x.gguf")
    assert not (tmp_path / "x.gguf").exists()


def test_sentencepiece_tokens_are_equal(tmp_path: Path) -> None:
    pieces = pytest.importorskip("sentencepiece")
    text = tmp_path / "text.txt"
    text.write_text("\n".join(TEXTS * 3), encoding="utf-8")
    pieces.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(tmp_path / "m"), vocab_size=701, model_type="bpe", byte_fallback=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, minloglevel=2, character_coverage=1.0,
    )  # fmt: skip
    facts = sentencepiece_facts(pieces.SentencePieceProcessor(model_file=str(tmp_path / "m.model")))
    plain = drawn(tmp_path / "b", FORMS["llama"], byte_pairs(), more_ids=701 - 353)
    FORMAT.write(plain, tmp_path / "plain.gguf")
    from ziggurat.artefacts.interchange.gguf_architectures import ARCHITECTURES, to_gguf

    config, tensors = plain.family.state(plain.model)
    numbers, arrays = to_gguf(ARCHITECTURES["llama"], config, tensors)
    file = gguf_files.write(tmp_path / "pieces.gguf", {**numbers, **facts}, arrays)
    found = FORMAT.read(file)
    with LlamaProgram(file) as program:
        for line in hard_texts(found.tokenizer):
            assert program.encode(line) == found.tokenizer.encode(line).ids.tolist(), line
