"""llama.cpp itself, through the package ``llama_cpp``, where it is installed: what it makes of a GGUF file."""

import importlib
import importlib.util
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from ziggurat.core.errors import ArtefactError
from ziggurat.core.numerics import log_softmax
from ziggurat.core.types import FloatArray, IdArray

__all__ = ["LlamaProgram", "installed"]

_F32 = 0
"""``GGML_TYPE_F32``: keys and values are kept as exactly as ours are."""


def installed() -> bool:
    """Return whether the package is there; it is not imported."""
    return importlib.util.find_spec("llama_cpp") is not None


class LlamaProgram:
    """A GGUF file that llama.cpp has opened."""

    def __init__(self, path: Path, *, context: int = 0, threads: int = 1, where: Path | None = None) -> None:
        """Open the file, which messages call ``where``; ``context`` ids may be read, as many as it can where it is 0.

        Raises:
            ArtefactError: llama.cpp does not open it.
        """
        # no extra names the package, whose installation compiles C++: it is used where somebody has it
        program = importlib.import_module("llama_cpp")
        try:
            self._llama: Any = program.Llama(
                str(path), n_ctx=context, n_threads=threads, n_threads_batch=threads, n_gpu_layers=0,
                logits_all=True, flash_attn=False, type_k=_F32, type_v=_F32, verbose=False,
            )  # fmt: skip
        except (ValueError, AssertionError) as error:
            raise ArtefactError(f"{where or path}: llama.cpp does not open it") from error
        self._context = context or int(self._llama.n_ctx())

    def __enter__(self) -> "LlamaProgram":
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._llama.close()

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        """Return the ids of a text, without begin and end; special tokens in it are text unless ``special``."""
        return list(self._llama.tokenize(text.encode(), add_bos=False, special=special))

    def decode(self, ids: list[int]) -> str:
        """Return the text of ids."""
        return str(self._llama.detokenize(ids).decode(errors="replace"))

    def next_logprobs(self, ids: IdArray) -> FloatArray:
        """Return (rows × T, V): log-probabilities of all ids after every prefix of ``ids`` (rows, T)."""
        found = []
        for row in ids.tolist():
            self._llama.reset()
            self._llama.eval(row)
            found.append(log_softmax(np.array(self._llama.scores[: len(row)], np.float64)))
        return np.concatenate(found).astype(np.float32)

    def greedy(self, ids: list[int], count: int, *, end: int | None = None) -> list[int]:
        """Return up to ``count`` ids after ``ids``, each the likeliest, ``end`` included, as long as there is room."""
        self._llama.reset()
        written: list[int] = []
        fresh = ids
        while len(written) < min(count, self._context - len(ids)) and written[-1:] != [end]:
            self._llama.eval(fresh)
            fresh = [int(np.argmax(self._llama.scores[self._llama.n_tokens - 1]))]
            written += fresh
        return written
