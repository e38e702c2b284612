"""The model families that there are, by the names of the files in this folder."""

from typing import TYPE_CHECKING

from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import (
    Classifier,
    ConditionalModel,
    LanguageModel,
    MaskedLanguageModel,
    Model,
    Tagger,
)
from ziggurat.core.registry import Registry

if TYPE_CHECKING:
    from ziggurat.core.protocols import Family

__all__ = ["FAMILIES", "guessing", "predicting", "telling"]

FAMILIES: Registry["Family"] = Registry("ziggurat.models", "FAMILY", kind="model family")
"""Every module here that assigns ``FAMILY``; a family is imported when it is asked for by name, and not before."""


def predicting(model: Model, name: str) -> LanguageModel:
    """Return ``model`` as the language model that it is; ``name`` says in the error whose it is.

    Raises:
        UsageError: it predicts no ids, or none without a source.
    """
    if isinstance(model, LanguageModel):
        return model
    if isinstance(model, ConditionalModel):
        raise UsageError(f"{name}: writes what follows from a source, and nothing without one; give a language model")
    if isinstance(model, MaskedLanguageModel):
        raise UsageError(f"{name}: guesses hidden tokens and writes no text; give a language model")
    if isinstance(model, Classifier):
        raise UsageError(f"{name}: tells labels and writes no text; give a language model")
    if isinstance(model, Tagger):
        raise UsageError(f"{name}: labels words and writes no text; give a language model")
    raise UsageError(f"{name}: holds vectors and predicts no text; give a language model")


def guessing(model: Model, name: str) -> MaskedLanguageModel:
    """Return ``model`` as the guesser of hidden ids that it is; ``name`` says in the error whose it is.

    Raises:
        UsageError: it guesses none.
    """
    if not isinstance(model, MaskedLanguageModel):
        raise UsageError(f"{name}: guesses no hidden tokens; give an encoder with a head")
    return model


def telling(model: Model, name: str) -> Classifier:
    """Return ``model`` as the classifier that it is; ``name`` says in the error whose it is.

    Raises:
        UsageError: it tells no labels of texts.
    """
    if not isinstance(model, Classifier):
        raise UsageError(f"{name}: tells no labels of texts; give a classifier")
    return model
