"""Which families predict, and which give vectors: found by asking a tiny model of each.

A family whose ``[model]`` keys change what a model is made of comes more than once: as it is, and as each of
`VARIANTS` that its configuration has the keys of.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ziggurat.core.config import options
from ziggurat.core.protocols import (
    Classifier,
    ConditionalModel,
    Encoder,
    Family,
    LanguageModel,
    MaskedLanguageModel,
    Model,
    StaticEncoder,
    Tagger,
)
from ziggurat.models.blocks.initialisation import fill_normal
from ziggurat.models.registry import FAMILIES, predicting

SOURCE = (3, 7, 5, 2, 0)
"""The source on which a model that needs one is looked at."""


def as_language_model(model: Model, name: str, source: Sequence[int] = SOURCE) -> LanguageModel:
    """The language model that a model is; where it needs a source, the one that it is given this."""
    if isinstance(model, ConditionalModel):
        return model.condition(np.array([source], dtype=np.int32), np.array([len(source)], dtype=np.int32))
    return predicting(model, name)


VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "n-gram tables": {"ngram_orders": (2, 3, 5), "ngram_rows": 151},
    "value embeddings": {"value_embeddings": 1},
    "no copying": {"copies": False},
    "predicate marks": {"mark_embedding": 3},
    "marked ids": {"shared_blocks": 1},
    "marked ids and words": {"mark_embedding": 3, "shared_blocks": 0},
    "narrow n-gram tables": {"ngram_orders": (4, 2), "ngram_rows": 113, "ngram_width": 7},
}
"""Keys that add parts to a model. There are 121 pairs of 11 ids: the first has a row for each, the second not."""


class Variant:
    """A family whose tiny model has other keys; all else is the family's."""

    def __init__(self, family: Family, keys: Mapping[str, Any]) -> None:
        self._family, self._keys = family, dict(keys)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._family, name)

    def tiny(self, *, seed: int) -> Any:
        """The family's tiny model with these keys, all its matrices as wide as that one's embedding."""
        plain: Any = self._family.tiny(seed=seed)
        config = dataclasses.replace(plain.network.config, **self._keys)
        model: Any = self._family.build(config, plain.vocabulary, seed=seed)
        std = float(plain.network.token_embedding.detach().std())
        for name, parameter in model.network.named_parameters():
            if parameter.dim() > 1:
                fill_normal(parameter, std=std, seed=seed, name=name)
        return model


def family_named(name: str) -> Any:
    """A family, or one of its variants: ``decoder``, ``decoder, n-gram tables``."""
    family, _, variant = name.partition(", ")
    return Variant(FAMILIES.get(family), VARIANTS[variant]) if variant else FAMILIES.get(family)


def with_variants(families: Sequence[str]) -> list[str]:
    """These families, and behind each its variants."""
    return [
        name
        for family in families
        for name in (
            family,
            *(
                f"{family}, {kind}"
                for kind, keys in VARIANTS.items()
                if keys.keys() <= options(FAMILIES.get(family).config).keys()
            ),
        )
    ]


def tiny_language_model(name: str, *, seed: int = 3) -> LanguageModel:
    """The tiny model of a family or variant that predicts, on a fixed source where it needs one."""
    return as_language_model(family_named(name).tiny(seed=seed), name.partition(", ")[0])


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
CLASSIFIER_FAMILIES = _tiny(Classifier)
TAGGER_FAMILIES = with_variants(_tiny(Tagger))
