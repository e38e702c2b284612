"""The package transformers itself, where it is installed: what it makes of a folder that we wrote."""

import importlib
import importlib.util
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ziggurat.artefacts.interchange.proof import (
    Proof,
    Tolerance,
    compare_logprobs,
    compare_outputs,
    compare_tokens,
    next_logprobs,
    random_ids,
)
from ziggurat.core.errors import ArtefactError
from ziggurat.core.numerics import log_softmax
from ziggurat.core.protocols import (
    ConditionalModel,
    ContextEncoder,
    LanguageModel,
    MaskedLanguageModel,
    Model,
    Tokenizer,
)
from ziggurat.core.types import FloatArray, IdArray, Vocabulary

__all__ = ["NAME", "TransformersProgram", "installed"]

NAME = "transformers"
_NEAR = Tolerance(largest=1e-3, divergence=1e-4)
"""Both compute in 32-bit, in another order: of SmolLM2-135M, 1.0e-4 and, over 49 152 ids rounded each, 2.5e-6."""
_SOURCE = 7
"""Ids of a source that is translated."""


def installed() -> bool:
    """Return whether the package is there; it is not imported."""
    return importlib.util.find_spec(NAME) is not None


class TransformersProgram:
    """A folder that transformers has opened."""

    def __init__(self, folder: Path, architecture: str, *, where: Path) -> None:
        """Open the folder by the class ``architecture``; messages call it ``where``.

        Raises:
            ArtefactError: transformers does not open it.
        """
        program: Any = importlib.import_module(NAME)
        self._where = where
        shown = program.logging.get_verbosity()
        bars = program.logging.is_progress_bar_enabled()
        program.logging.set_verbosity_error()
        program.logging.disable_progress_bar()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of its imports
                kind = getattr(program, architecture)
                self._tokenizer: Any = program.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
                self._model: Any = kind.from_pretrained(str(folder), local_files_only=True, use_safetensors=True)
                self._batch: Any = program.BatchEncoding
        except Exception as error:  # of any class: what it builds on has classes of its own
            raise ArtefactError(
                f"{where}: transformers {program.__version__} does not open it: {str(error).strip()[:300]}"
            ) from error
        finally:
            program.logging.set_verbosity(shown)
            if bars:
                program.logging.enable_progress_bar()
        self._model = self._model.eval().float().requires_grad_(requires_grad=False)

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text, without begin and end; special tokens in it are text."""
        return list(
            self._tokenizer(text, add_special_tokens=False, split_special_tokens=True, verbose=False)["input_ids"]
        )

    def answer(self, **ids: IdArray) -> Any:
        """Return what the model gives for arrays of ids, by the names of its arguments."""
        listed = {name: array.tolist() for name, array in ids.items()}
        return self._model(**self._batch(listed, tensor_type="pt"))

    def vectors(self, ids: IdArray) -> FloatArray:
        """Return (B, T, D): the vectors of a body's last layer."""
        found = self._model.base_model(**self._batch({"input_ids": ids.tolist()}, tensor_type="pt"))
        return np.asarray(found.last_hidden_state.numpy())

    def compare(self, model: Model, tokenizer: Tokenizer) -> Proof:
        """Return how nearly it agrees with a model: tokens, and what both give for random ids.

        Raises:
            ArtefactError: they are further apart than two orders of computing explain.
        """
        tokens = compare_tokens(tokenizer, self.encode, where=f"{self._where} in transformers")
        if isinstance(model, ConditionalModel):
            ids = _ids(model.vocabulary, model.context)
            source = ids[:, 1 : 1 + _SOURCE]
            view = model.condition(source, np.full(len(ids), source.shape[1], np.int32))
            logits = self.answer(input_ids=source, decoder_input_ids=ids).logits
            return self._compare(_stepped(view, ids), logits, tokens)
        if isinstance(model, LanguageModel):
            ids = _ids(model.vocabulary, model.context)
            return self._compare(next_logprobs(model, ids), self.answer(input_ids=ids).logits, tokens)
        if not isinstance(model, ContextEncoder):
            raise ArtefactError(f"{self._where}: there is no way to compare such a model with transformers")
        ids = _ids(model.vocabulary, model.context)
        lengths = np.full(len(ids), ids.shape[1], np.int32)
        pairs = [(model.encode(ids, lengths), self.vectors(ids))]
        if isinstance(model, MaskedLanguageModel):
            told = log_softmax(self.answer(input_ids=ids).logits.numpy().astype(np.float64))
            theirs = np.take_along_axis(told, ids[..., None].astype(np.int64), axis=-1)[..., 0]
            pairs.append((model.guess(ids, lengths, ids)[0], theirs.astype(np.float32)))
        return compare_outputs(pairs, _NEAR.largest, tokens=tokens, program=NAME, path=self._where)

    def _compare(self, expected: FloatArray, logits: Any, tokens: int) -> Proof:
        found = log_softmax(logits.numpy().astype(np.float64)).astype(np.float32)
        flat = found.reshape(-1, found.shape[-1])
        return compare_logprobs(expected, flat, _NEAR, tokens=tokens, program=NAME, path=self._where)


def _ids(vocabulary: Vocabulary, context: int | None) -> IdArray:
    """Return `random_ids` without padding inside: some of its models count places from what is no padding."""
    ids = random_ids(vocabulary, context)
    others = [number for number in range(vocabulary.size) if number != vocabulary.pad]
    if vocabulary.pad is not None:
        ids[:, 1:] = np.where(ids[:, 1:] == vocabulary.pad, others[-1], ids[:, 1:])
    return ids


def _stepped(view: LanguageModel, ids: IdArray) -> FloatArray:
    """Return (rows × T, V): the log-probabilities of all ids after every prefix, row by row."""
    time = ids.shape[1]
    found = [view.begin(ids[:, :length], np.full(len(ids), length, np.int32))[0] for length in range(1, time + 1)]
    return np.stack(found, axis=1).reshape(len(ids) * time, -1)
