"""GGUF: one file with a model's numbers, arrays and tokenizer, as llama.cpp and what is built on it read it.

Arrays may be written with fewer bits; those of one axis, and positions, stay in 32-bit as everywhere. A file is kept
only after it was read back: tokens are compared, and log-probabilities, by our own reader and, where the package
``llama_cpp`` is installed, by llama.cpp itself.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ziggurat.artefacts.bundle import Bundle
from ziggurat.artefacts.interchange import llama_program
from ziggurat.artefacts.interchange.formats import Foreign, refuse_own_parts
from ziggurat.artefacts.interchange.gguf_architectures import architecture_for, from_gguf, to_gguf
from ziggurat.artefacts.interchange.gguf_file import MAGIC, open_gguf, package
from ziggurat.artefacts.interchange.gguf_tokenizer import (
    CHAT_TEMPLATE,
    composes,
    tokenizer_from_gguf,
    tokenizer_to_gguf,
)
from ziggurat.artefacts.interchange.proof import (
    Proof,
    Tolerance,
    compare_logprobs,
    compare_tokens,
    greedy,
    next_logprobs,
    random_ids,
    with_greedy,
)
from ziggurat.core.errors import ArtefactError, DamagedError, UsageError, ZigguratError
from ziggurat.core.files import atomic_file
from ziggurat.core.types import FloatArray, TensorMap
from ziggurat.models.registry import FAMILIES, predicting
from ziggurat.tokens.loading import normalised

__all__ = ["FORMAT", "NUMBER_TYPES", "GgufFormat", "NumberType"]


@dataclass(frozen=True, slots=True)
class NumberType:
    """One way to write the numbers of matrices."""

    file_type: str
    """What the gguf package calls a file of which most arrays are so."""
    rounding: float
    """Root mean square of what is lost, as part of that of the numbers: the most that an array may show."""
    here: Tolerance
    """How far probabilities may lie from the bundle's when we read the file."""
    there: Tolerance
    """How far llama.cpp's may lie from ours on the same file: it rounds what it multiplies, too."""


_ANY = float("inf")
NUMBER_TYPES: Mapping[str, NumberType] = {
    "f32": NumberType("ALL_F32", 0.0, Tolerance(1e-4), Tolerance(0.05, 1e-3)),
    "f16": NumberType("MOSTLY_F16", 5e-4, Tolerance(_ANY, 1e-2), Tolerance(_ANY, 1e-2)),
    "bf16": NumberType("MOSTLY_BF16", 4e-3, Tolerance(_ANY, 5e-2), Tolerance(_ANY, 5e-2)),
    "q8_0": NumberType("MOSTLY_Q8_0", 2e-2, Tolerance(_ANY, 0.1), Tolerance(_ANY, 0.1)),
    "q4_0": NumberType("MOSTLY_Q4_0", 0.2, Tolerance(_ANY, 3.0), Tolerance(_ANY, 1.0)),
    "q4_1": NumberType("MOSTLY_Q4_1", 0.2, Tolerance(_ANY, 3.0), Tolerance(_ANY, 1.0)),
}
"""Number types that can be written."""

_LOG = logging.getLogger("ziggurat")

LONGEST_PROOF = 512
"""Ids for which llama.cpp makes room when a file is proven."""

_CONTINUED = "The"
_CONTINUED_IDS = 32
_WHOLE = ("position_embd.weight",)
"""Arrays of two axes that stay in 32-bit."""


class GgufFormat:
    """Decoders as GGUF files."""

    suffixes: ClassVar[tuple[str, ...]] = (".gguf",)
    number_types: ClassVar[tuple[str, ...]] = tuple(NUMBER_TYPES)
    programs: ClassVar[Mapping[str, str]] = {"llama.cpp": "llama-cpp-python"}

    def opens(self, path: Path) -> bool:
        """Return whether the file begins as GGUF files do."""
        try:
            with path.open("rb") as file:
                return file.read(len(MAGIC)) == MAGIC
        except OSError:
            return False

    def write(self, bundle: Bundle, path: Path) -> None:
        """Write a bundle's model in 32-bit (see `write_proven`)."""
        self.write_proven(bundle, path)

    def write_proven(self, bundle: Bundle, path: Path, *, number_type: str = "") -> list[Proof]:
        """Write a bundle's model, its matrices as ``number_type`` (default f32); return what was compared.

        Raises:
            UsageError: GGUF can't hold such a model or tokenizer, or there is no such number type.
            ArtefactError: what was read back differs; no file is left.
            DiskFullError: the disk is full; what stood at ``path`` is as it was.
        """
        kind = number_type or "f32"
        if kind not in NUMBER_TYPES:
            raise UsageError(f"--type {kind}: GGUF is written with one of {', '.join(NUMBER_TYPES)}")
        refuse_own_parts(bundle, "GGUF")
        config, tensors = bundle.family.state(bundle.model)
        architecture = architecture_for(config, str(bundle.path))
        numbers, arrays = to_gguf(architecture, config, tensors)
        vocabulary = bundle.model.vocabulary
        facts = {
            "general.name": str(bundle.manifest.recipe.get("name") or bundle.path.name),
            **numbers,
            architecture.key("vocab_size"): vocabulary.size,
            **tokenizer_to_gguf(bundle.tokenizer, vocabulary.size, where=str(bundle.path)),
            **({CHAT_TEMPLATE: bundle.chat_template} if bundle.chat_template else {}),
        }
        with atomic_file(path) as partial:
            _put(partial, architecture.name, facts, arrays, kind)
            return self._prove(bundle, partial, path, kind)

    def read(self, path: Path) -> Foreign:
        """Open a file; its numbers become 32-bit whatever they were.

        *Cost.* Twice the model's size in 32-bit, for as long as reading takes.

        Raises:
            ArtefactError: it can't be read, or its model or tokenizer is none that is known here.
            DamagedError: it was cut off or is damaged.
        """
        from ziggurat.models.layouts.layout import layout_of

        file = open_gguf(path)
        config, arrays = from_gguf(file)
        tokenizer = tokenizer_from_gguf(file.metadata, where=str(path))
        vocabulary = tokenizer.vocabulary
        if vocabulary.size > config["vocab_size"]:
            raise DamagedError(f"{path}: damaged: {vocabulary.size} tokens, but vectors for {config['vocab_size']}")
        special = {f"{role}_token_id": getattr(vocabulary, role) for role in ("bos", "eos", "unk", "mask", "pad")}
        layout = layout_of(config["model_type"])
        if layout is None:
            raise ArtefactError(f"{path}: no family opens models of the form {config['model_type']!r}")
        try:
            model = FAMILIES.get(layout.family).restore({**config, **special}, arrays)
        except (ZigguratError, ValueError, RuntimeError) as error:
            raise DamagedError(f"{path}: damaged: {error}") from error
        template = file.metadata.get(CHAT_TEMPLATE, "")
        return Foreign(layout.family, model, tokenizer, template if isinstance(template, str) else "")

    def _prove(self, bundle: Bundle, partial: Path, path: Path, kind: str) -> list[Proof]:
        number_type, found = NUMBER_TYPES[kind], self.read(partial)
        tokenizer, model = bundle.tokenizer, bundle.language_model
        other = predicting(found.model, str(path))
        _compare_arrays(bundle.family.state(model)[1], bundle.family.state(other)[1], number_type.rounding, path)
        given = _given(bundle)
        read = found.tokenizer
        tokens = compare_tokens(tokenizer, lambda text: read.encode(given(text)).ids.tolist(), where=str(path))
        ids = random_ids(tokenizer.vocabulary, model.context)
        begun = np.array([tokenizer.vocabulary.bos, *tokenizer.encode(_CONTINUED).ids], np.int32)[: model.context]
        expected, told = next_logprobs(model, ids), next_logprobs(other, ids)
        proof = compare_logprobs(expected, told, number_type.here, tokens=tokens, program="Ziggurat", path=path)
        proofs = [with_greedy(proof, model, begun, greedy(other, begun, _CONTINUED_IDS))]
        if llama_program.installed():
            with llama_program.LlamaProgram(
                partial, where=path, context=min(model.context or LONGEST_PROOF, LONGEST_PROOF)
            ) as program:
                tokens = compare_tokens(
                    tokenizer, lambda text: program.encode(given(text)), where=f"{path} in llama.cpp"
                )
                theirs = program.next_logprobs(ids)
                written = program.greedy(begun.tolist(), _CONTINUED_IDS, end=tokenizer.vocabulary.eos)
            proof = compare_logprobs(told, theirs, number_type.there, tokens=tokens, program="llama.cpp", path=path)
            proofs.append(with_greedy(proof, model, begun, written))
        return proofs


def _given(bundle: Bundle) -> Callable[[str], str]:
    """Return what a text must be made into before a program that does not compose characters reads it."""
    if not composes(bundle.tokenizer):
        return lambda text: text
    _LOG.warning(
        "%s: its tokenizer composes characters first (NFC), which llama.cpp does not: give it composed text",
        bundle.path,
    )
    return lambda text: normalised(bundle.tokenizer, text)


def _compare_arrays(expected: TensorMap, found: TensorMap, rounding: float, path: Path) -> None:
    """Compare a model's arrays with those that were read back."""
    for name, array in expected.items():
        ours, theirs = np.asarray(array, np.float32), np.asarray(found[name], np.float32)
        size = float(np.sqrt(np.square(ours, dtype=np.float64).mean()))
        lost = float(np.sqrt(np.square(ours - theirs, dtype=np.float64).mean()))
        if lost > rounding * size:
            raise ArtefactError(
                f"{path}: read back, the array '{name}' has lost {lost / size:.1%} of its size, more than the number "
                f"type explains ({rounding:.1%}): not kept"
            )


def _put(path: Path, name: str, facts: Mapping[str, Any], arrays: Mapping[str, FloatArray], kind: str) -> None:
    gguf = package()
    writer = gguf.GGUFWriter(path, name)
    writer.add_file_type(getattr(gguf.LlamaFileType, NUMBER_TYPES[kind].file_type))
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    for key, value in facts.items():
        _add(writer, key, value)
    for array_name, array in arrays.items():
        chosen = _kind_of(array_name, array, getattr(gguf.GGMLQuantizationType, kind.upper()))
        if chosen == gguf.GGMLQuantizationType.F32:
            writer.add_tensor(array_name, np.ascontiguousarray(array, "<f4"))
        elif chosen == gguf.GGMLQuantizationType.F16:
            writer.add_tensor(array_name, array.astype("<f2"))
        else:
            writer.add_tensor(array_name, gguf.quants.quantize(array, chosen), raw_dtype=chosen)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _kind_of(name: str, array: FloatArray, wanted: Any) -> Any:
    """Return the number type of an array: the one that is wanted where it can be, 16-bit where blocks don't fit."""
    gguf = package()
    kinds = gguf.GGMLQuantizationType
    if array.ndim < 2 or name in _WHOLE:
        return kinds.F32
    block, _ = gguf.GGML_QUANT_SIZES[wanted]
    return kinds.F16 if array.shape[-1] % block else wanted


def _add(writer: Any, key: str, value: Any) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    else:
        writer.add_array(key, value)


FORMAT = GgufFormat()
