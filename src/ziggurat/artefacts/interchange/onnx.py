"""ONNX: a network as a graph of operators that onnxruntime and many other programs run.

The graph takes ``input_ids`` and ``attention_mask`` (B, T), 64-bit, with padding on the right, and gives ``logits``
(B, T, V): those of the id after each, or of an encoder those of the id at each place, with ``last_hidden_state``
(B, T, D); 0 at padding. Batch and time are open, time up to the model's context. Ids are the tokenizer's; a text begins
with its begin token, as everywhere here.
"""

import importlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ziggurat.artefacts.bundle import Bundle
from ziggurat.artefacts.interchange.formats import Foreign, refuse_own_parts
from ziggurat.artefacts.interchange.proof import Proof
from ziggurat.artefacts.interchange.vector_blocks import first_bytes
from ziggurat.core.errors import ArtefactError, MissingExtraError, UsageError
from ziggurat.core.files import atomic_file
from ziggurat.core.protocols import Encoder, LanguageModel
from ziggurat.core.seeding import generator

__all__ = ["FORMAT", "OnnxFormat"]

LARGEST_DIFFERENCE = 1e-4
"""Between a logit of ours and the graph's, beside the larger of 1 and its size."""
LARGEST_BYTES = 2_000_000_000
"""A protocol buffer ends at 2 GiB."""
_MOST_NUMBERS = 1 << 26
"""Of one array of a proof: 256 MB."""
_UNBOUNDED = 256
"""Ids that are compared at once of a network that reads any number."""
_PACKAGES = ("onnx", "onnxscript", "onnxruntime")
"""What is needed; the last runs graphs."""


class OnnxFormat:
    """Decoders, LSTMs and encoders, as graphs."""

    suffixes: ClassVar[tuple[str, ...]] = (".onnx",)
    programs: ClassVar[Mapping[str, str]] = {"onnxruntime": "onnxruntime"}

    def opens(self, path: Path) -> bool:
        """Return whether the file begins as a model of ONNX does: its version, then who made it."""
        start = first_bytes(path)[:3]
        return len(start) == 3 and start[0] == 0x08 and start[2] == 0x12  # fields 1 and 2

    def write(self, bundle: Bundle, path: Path) -> None:
        """Do `write_proven`."""
        self.write_proven(bundle, path)

    def write_proven(self, bundle: Bundle, path: Path) -> list[Proof]:
        """Write a bundle's model as the graph ``path``, and run it in onnxruntime beside ours before it is kept.

        *Cost.* About ten seconds, and twice the model's memory.

        Raises:
            UsageError: the model is no network that predicts text, or is too large for one file.
            MissingExtraError: the packages that write or run ONNX are not installed.
            ArtefactError: the graph answers something else than the model; nothing is left at ``path``.
            DiskFullError: the disk is full; nothing is left at ``path``.
        """
        model = bundle.model
        network: Any = getattr(model, "network", None)
        if network is None or not isinstance(model, (LanguageModel, Encoder)):
            raise UsageError(
                f"{bundle.path}: a model of family '{bundle.manifest.family}'; as ONNX go decoders, LSTMs and encoders"
            )
        refuse_own_parts(bundle, "ONNX", ["ngram_orders"])
        if 4 * network.parameter_count > LARGEST_BYTES:
            raise UsageError(f"{bundle.path}: {network.parameter_count:,} parameters are too many for one ONNX file")
        _runtime()
        from ziggurat.models.blocks.onnx_graph import write_graph

        with atomic_file(path) as partial:
            write_graph(network, partial)
            return [_prove(network, partial, path)]

    def read(self, path: Path) -> Foreign:
        """Refuse: a graph does not say which model it is.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            f"{path}: an ONNX graph is what a model computes, not the model: import the bundle or the folder of "
            "transformers that it was made of"
        )


def _runtime() -> Any:
    """Return the package onnxruntime, and see that those which write are there: before minutes are spent on a graph.

    Raises:
        MissingExtraError: one is not installed.
    """
    try:
        for name in _PACKAGES:
            package = importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError("ONNX", "formats") from error
    return package


def _longest(network: Any) -> int:
    """Return how many ids are compared at once: all that are read at once, or as many as memory is made for.

    *Maths.* Reading T ids makes T·V logits and, in onnxruntime, T² weights of attention for each head.
    """
    heads = getattr(network.config, "heads", 0)
    square = math.isqrt(_MOST_NUMBERS // heads) if heads else network.context or _UNBOUNDED
    return int(min(network.context or _UNBOUNDED, max(1, min(_MOST_NUMBERS // network.vocabulary.size, square))))


def _prove(network: Any, written: Path, path: Path) -> Proof:
    """Compare what graph and network give: one id, the longest that is read at once, rows with padding."""
    onnxruntime = _runtime()
    from ziggurat.models.blocks.onnx_graph import INPUTS, answer, outputs

    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(written), quiet, providers=["CPUExecutionProvider"])
    longest = _longest(network)
    worst, positions = 0.0, 0
    dice = generator(0, "onnx")
    for lengths in ([1], [longest], [min(5, longest), 1, min(3, longest)], [min(29, longest)] * 2):
        shape = (len(lengths), max(lengths))
        ids = dice.integers(0, network.vocabulary.size, shape).astype(np.int32)
        counts = np.array(lengths, np.int32)
        mask = (np.arange(shape[1]) < counts[:, None]).astype(np.int64)
        try:
            found = session.run(outputs(network), dict(zip(INPUTS, (ids.astype(np.int64), mask), strict=True)))
        except Exception as error:  # its errors have no class of their own
            raise ArtefactError(
                f"{path}: the graph does not run on {shape[0]} rows of {shape[1]} ids: {error}"
            ) from error
        for name, theirs, ours in zip(outputs(network), found, answer(network, ids, mask), strict=True):
            difference = float((np.abs(theirs - ours) / np.maximum(1, np.abs(ours))).max())
            if not difference <= LARGEST_DIFFERENCE:
                raise ArtefactError(
                    f"{path}: the graph's {name} differ from the model's by {difference:.1e} on {shape[0]} rows of "
                    f"{shape[1]} ids: not kept"
                )
            worst = max(worst, difference)
            positions += int(mask.sum()) if name == outputs(network)[0] else 0
    return Proof("onnxruntime", 0, positions, worst, 0.0, None)


FORMAT = OnnxFormat()
