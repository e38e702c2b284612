"""Ziggurat: the tower of language models on your own text, from counting words to the Transformer.

::

    import ziggurat

    model = ziggurat.train("my_texts/", recipe="gpt", minutes=10)
    print(model.generate("Once upon a time"))

More in `ziggurat.surface.api`; it is imported when one of its names is first used.
"""

import os
from typing import TYPE_CHECKING, Any

from ziggurat.core import version

if TYPE_CHECKING:
    from ziggurat.surface.api import Model, load, train, vectors

__all__ = ["Model", "__version__", "load", "train", "vectors"]

__version__ = version.VERSION

# Threads that wait for each other by spinning starve when anything else runs: on a busy two-core machine a training
# step took several times as long. Read by torch's OpenMP when it is first loaded; the user's own setting stands.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def __getattr__(name: str) -> Any:
    if name not in ("Model", "load", "train", "vectors"):
        raise AttributeError(f"module 'ziggurat' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module("ziggurat.surface.api"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
