"""What is measured of a model on text that it has not seen, by what the model can do."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from ziggurat.core.protocols import ConditionalModel, LanguageModel, MaskedLanguageModel, Model, Tokenizer
from ziggurat.core.types import Document, Pair
from ziggurat.judge.evaluate import evaluate, evaluate_pairs
from ziggurat.judge.masked import evaluate_masked
from ziggurat.models.registry import predicting

__all__ = ["figures", "measurable"]


def measurable(model: Model) -> bool:
    """Return whether a model predicts or guesses text, so that text measures it."""
    return isinstance(model, (LanguageModel, ConditionalModel, MaskedLanguageModel))


def figures(
    model: Model,
    tokenizer: Tokenizer,
    entries: Iterable[Document] | Iterable[Pair],
    *,
    name: str,
    training: Mapping[str, Any],
    seed: int = 0,
) -> dict[str, Any]:
    """Return the figures of a model that predicts text, or of one that guesses hidden tokens of it.

    ``entries`` are documents, or pairs for a model that needs a source.

    ``name`` says in errors whose model it is; ``training`` are the manifest's facts of its training.

    Raises:
        UsageError: the model does neither.
        TooLittleTextError: there is no text.
    """
    if isinstance(model, ConditionalModel):
        return evaluate_pairs(model, tokenizer, cast("Iterable[Pair]", entries)).figures(seed=seed)
    documents = cast("Iterable[Document]", entries)
    if isinstance(model, MaskedLanguageModel) and not isinstance(model, LanguageModel):
        guessed = evaluate_masked(model, tokenizer, documents, training=training, seed=seed)
        return guessed.figures(seed=seed)
    return evaluate(predicting(model, name), tokenizer, documents).figures(seed=seed)
