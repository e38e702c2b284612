"""Say which label a text has: topic, sentiment, intent."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.protocols import Classifier, Model, ReadsLabels, Tokenizer
from ziggurat.core.types import Example, FloatArray, Told
from ziggurat.text.labelled import read_examples
from ziggurat.text.labelled_corpus import ExampleSet
from ziggurat.text.options import TextConfig
from ziggurat.tokens.batches import alike, padded, whole_rows
from ziggurat.use.asked import asked_text
from ziggurat.use.temperature import fit_temperature, tempered

__all__ = ["TASK", "Classification"]

BATCH_TOKENS = 1 << 13


class Classification:
    """Texts with one label each, in CSV, TSV or JSONL files (`ziggurat.text.labelled`)."""

    name: ClassVar[str] = "classification"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy", "macro_f1")
    learns: ClassVar[type[Any]] = ReadsLabels
    recipes: ClassVar[tuple[str, ...]] = ("linear", "classifier-ensemble", "lstm-classifier", "encoder-classifier")
    baseline: ClassVar[str] = "linear"

    def __init__(self, learnt: Sequence[str | None] = ()) -> None:
        """Do the task as a model does it that ``learnt`` from columns of text and label with these names."""
        self.learnt = tuple(learnt)

    def calling(self, text: Mapping[str, Any]) -> "Classification":
        """Return the task as a model does it whose recipe has this section ``text``."""
        return type(self)((text.get("field"), text.get("label_field")))

    def read(self, names: Sequence[str], options: TextConfig | None = None, *, labelled: bool) -> Iterator[Example]:
        """Yield texts with their labels, or without where they need not be ``labelled``.

        Raises:
            InputError: a file can't be used; the message names file and line.
        """
        for name in names:
            yield from read_examples(name, options, labelled=labelled, learnt=self.learnt)

    def asked(self, value: Any, *, where: str) -> str:
        """Return a text.

        Raises:
            InputError: it is no text.
        """
        return asked_text(value, where=where)

    def examples(self, split: ExampleSet) -> Iterator[Example]:
        """Yield the examples of a split."""
        return split.examples()

    def decode(
        self, model: Model, tokenizer: Tokenizer, inputs: Sequence[Any], *, temperature: float = 1.0
    ) -> list[Told]:
        """Return the likeliest label of each text, and the probabilities of all.

        *Maths.* softmax(log p(label | text) / temperature) (Guo et al. 2017, eq. 9).

        Raises:
            UsageError: the model tells no labels.
        """
        classifier = _classifier(model)
        if not inputs:
            return []
        chances = np.exp(tempered(_logprobs(classifier, tokenizer, inputs).astype(np.float64), temperature))
        found = []
        for row in chances.tolist():
            likeliest = sorted(zip(row, classifier.labels, strict=True), key=lambda one: -one[0])
            found.append(Told(likeliest[0][1], likeliest[0][0], {label: chance for chance, label in likeliest}))
        return found

    def tune(self, model: Model, tokenizer: Tokenizer, examples: Sequence[Example]) -> float:
        """Return the temperature at which held-out labels are likeliest; 1 where none of them was learnt.

        Raises:
            UsageError: the model tells no labels.
        """
        classifier = _classifier(model)
        places = {label: place for place, label in enumerate(classifier.labels)}
        known = [example for example in examples if example.answer in places]
        if not known:
            return 1.0
        logprobs = _logprobs(classifier, tokenizer, [example.input for example in known])
        return fit_temperature(logprobs.astype(np.float64), np.array([places[example.answer] for example in known]))

    def shown(self, asked: Any, answer: Any) -> str:
        """Return the label."""
        del asked
        return str(answer)

    def written(self, example: Example, told: Told) -> str:
        """Return label, probability and text, separated by tabs."""
        sure = "" if told.confidence is None else f"{told.confidence:.4f}"
        label, text = (" ".join(str(one).split()) for one in (told.answer, example.input))
        return f"{label}\t{sure}\t{text}\n"


def _classifier(model: Model) -> Classifier:
    if not isinstance(model, Classifier):
        raise UsageError("this model tells no labels: train one with ziggurat task classification train")
    return model


def _logprobs(model: Classifier, tokenizer: Tokenizer, texts: Sequence[str]) -> FloatArray:
    """Return (N, C) log-probabilities of the labels of each text, of which the first ids that fit are read."""
    if not texts:
        raise TooLittleTextError("no texts to label")
    rows = whole_rows(tokenizer.encode_batch(list(texts)), tokenizer.vocabulary, model.context)
    found = np.zeros((len(rows), len(model.labels)), np.float32)
    for some in alike([len(row) for row in rows], BATCH_TOKENS):
        found[some] = model.label_logprobs(*padded([rows[number] for number in some]))
    return found


TASK = Classification()
