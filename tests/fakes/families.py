"""Which families predict, and which give vectors: found by asking a tiny model of each."""

from ziggurat.core.protocols import Encoder, LanguageModel, MaskedLanguageModel, StaticEncoder
from ziggurat.models.registry import FAMILIES, predicting

LANGUAGE_FAMILIES = [name for name in FAMILIES.names() if isinstance(FAMILIES.get(name).tiny(seed=0), LanguageModel)]
ENCODER_FAMILIES = [name for name in FAMILIES.names() if isinstance(FAMILIES.get(name).tiny(seed=0), Encoder)]
STATIC_FAMILIES = [name for name in FAMILIES.names() if isinstance(FAMILIES.get(name).tiny(seed=0), StaticEncoder)]
MASKED_FAMILIES = [
    name for name in FAMILIES.names() if isinstance(FAMILIES.get(name).tiny(seed=0), MaskedLanguageModel)
]


def tiny_language_model(family: str, *, seed: int = 3) -> LanguageModel:
    """The tiny model of a family that predicts."""
    return predicting(FAMILIES.get(family).tiny(seed=seed), family)
