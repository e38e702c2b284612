"""Which families predict, and which give vectors: found by asking a tiny model of each."""

from collections.abc import Sequence

import numpy as np

from ziggurat.core.protocols import (
    ConditionalModel,
    Encoder,
    LanguageModel,
    MaskedLanguageModel,
    Model,
    StaticEncoder,
)
from ziggurat.models.registry import FAMILIES, predicting

SOURCE = (3, 7, 5, 2, 0)
"""The source on which a model that needs one is looked at."""


def as_language_model(model: Model, name: str, source: Sequence[int] = SOURCE) -> LanguageModel:
    """The language model that a model is; where it needs a source, the one that it is given this."""
    if isinstance(model, ConditionalModel):
        return model.condition(np.array([source], dtype=np.int32), np.array([len(source)], dtype=np.int32))
    return predicting(model, name)


def tiny_language_model(family: str, *, seed: int = 3) -> LanguageModel:
    """The tiny model of a family that predicts, on a fixed source where it needs one."""
    return as_language_model(FAMILIES.get(family).tiny(seed=seed), family)


def _tiny(kind: type) -> list[str]:
    return [name for name in FAMILIES.names() if isinstance(FAMILIES.get(name).tiny(seed=0), kind)]


CONDITIONAL_FAMILIES = _tiny(ConditionalModel)
"""Those that predict what follows from a source."""
PLAIN_LANGUAGE_FAMILIES = _tiny(LanguageModel)
"""Those that predict text as it is."""
LANGUAGE_FAMILIES = sorted([*PLAIN_LANGUAGE_FAMILIES, *CONDITIONAL_FAMILIES])
"""Both."""
ENCODER_FAMILIES = _tiny(Encoder)
STATIC_FAMILIES = _tiny(StaticEncoder)
MASKED_FAMILIES = _tiny(MaskedLanguageModel)
