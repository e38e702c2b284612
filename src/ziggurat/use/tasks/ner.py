"""Find the names in sentences: persons, places, organisations, or whatever the files label."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, ClassVar

import numpy as np

from ziggurat.core.errors import InputError, UsageError
from ziggurat.core.protocols import Model, ReadsMarks, ReadsTags, Tagger, Tokenizer
from ziggurat.core.schemes import LabelSpan, labels_of, lenient_spans_of, scheme_of
from ziggurat.core.spacing import HAN, joined
from ziggurat.core.types import Example, Told
from ziggurat.text.labelled_corpus import ExampleSet
from ziggurat.text.labelled_words import read_labelled_words
from ziggurat.text.options import TextConfig
from ziggurat.text.pairs import check_options
from ziggurat.text.splits import named_split
from ziggurat.text.universal import UniversalSentence
from ziggurat.tokens.word_characters import word_batch
from ziggurat.use.asked import asked_words
from ziggurat.use.temperature import answers_temperature
from ziggurat.use.word_lines import read_word_lines

__all__ = ["TASK", "NamedEntities"]

BATCH = 64
"""Sentences that are labelled together."""
LOOKED_AT = 200
"""Sentences of each file by which a recipe is chosen."""
_CHARACTER = re.compile(f"[{HAN}]")


class NamedEntities:
    """Sentences of words with a label each (`ziggurat.text.labelled_words`); answers are spans of words.

    *Departs.* Where labels break their scheme, a span begins where a label can't go on the one before.
    """

    name: ClassVar[str] = "ner"
    metrics: ClassVar[tuple[str, ...]] = ("span_f1",)
    learns: ClassVar[type[Any]] = ReadsTags
    recipes: ClassVar[tuple[str, ...]] = ("lstm-tagger", "lstm-tagger-zh", "encoder-tagger")
    baseline: ClassVar[str] = ""

    def __init__(self, labels: Sequence[str] = ()) -> None:
        """Do the task as a model with these ``labels`` does it; without, as any does."""
        self.labels = frozenset(labels)

    def knowing(self, labels: Sequence[str]) -> "NamedEntities":
        """Return the task as a model with these labels does it."""
        return NamedEntities(labels)

    def read(self, names: Sequence[str], options: TextConfig | None = None, *, labelled: bool) -> Iterator[Example]:
        """Yield sentences with their spans, or without where they need not be ``labelled``.

        Those are read from JSON lines and words alone too (`ziggurat.use.word_lines`).

        Raises:
            InputError: a file can't be used; the message names file and line.
        """
        check_options(options or TextConfig(), of="labelled words")
        for name in names:
            if not labelled:
                yield from read_word_lines(name, self.labels, options)
                continue
            for sentence in read_labelled_words(name, options=options):
                yield Example(sentence.id, sentence.tokens, sorted(lenient_spans_of(sentence.labels)))

    def preferred(self, names: Sequence[str]) -> tuple[str, str] | None:
        """Return the recipe for Chinese where most words are single characters of it, and few have several."""
        with suppress(InputError):  # training says it better, by the options of its reading
            words = [word for name in names for word in _first_words(name)]
            single = sum(bool(_CHARACTER.fullmatch(word)) for word in words)
            longer = sum(bool(_CHARACTER.search(word)) for word in words) - single
            if 2 * single > len(words) and single > 9 * longer:
                return "lstm-tagger-zh", "most words are single Chinese characters"
        return None

    def asked(self, value: Any, *, where: str) -> tuple[str, ...]:
        """Return the words of a sentence.

        Raises:
            InputError: it is no list of words.
        """
        return asked_words(value, where=where)

    def examples(self, split: ExampleSet) -> Iterator[Example]:
        """Yield the examples of a split."""
        return split.examples()

    def decode(
        self, model: Model, tokenizer: Tokenizer, inputs: Sequence[Any], *, temperature: float = 1.0
    ) -> list[Told]:
        """Return the spans in each sentence; how sure they are is the product of how probable each label is.

        That is raised to the power 1 / ``temperature`` (`ziggurat.use.temperature.answers_temperature`).

        Raises:
            UsageError: the model labels no words, or says roles of them; or a sentence is longer than it can read.
        """
        if not isinstance(model, Tagger):
            raise UsageError("this model labels no words: train one with ziggurat task ner train")
        if isinstance(model, ReadsMarks) and model.reads_marks:
            raise UsageError("this model says roles for predicates, not names: ask it by ziggurat task roles")
        found: list[Told] = []
        for start in range(0, len(inputs), BATCH):
            chosen = inputs[start : start + BATCH]
            places, chances = model.tag(word_batch(tokenizer, chosen))
            for words, row, sure in zip(chosen, places.tolist(), chances, strict=True):
                labels = [model.labels[place] for place in row[: len(words)]]
                chance = float(np.prod(sure[: len(words)], dtype=float)) ** (1 / temperature)
                found.append(Told(sorted(lenient_spans_of(labels)), chance))
        return found

    def tune(self, model: Model, tokenizer: Tokenizer, examples: Sequence[Example]) -> float | None:
        """Return the temperature at which answers to held-out sentences are as sure as they are right."""
        told = self.decode(model, tokenizer, [example.input for example in examples])
        return answers_temperature(told, [example.answer for example in examples])

    def shown(self, asked: Any, answer: Sequence[LabelSpan]) -> str:
        """Return types and words, as ``PER Ada Lovelace; LOC London``."""
        return "; ".join(f"{kind} {joined(asked[start:stop])[0]}" for start, stop, kind in answer)

    def written(self, example: Example, told: Told) -> str:
        """Return a line of ``WORD<TAB>LABEL`` for each word, labels as BIO has them, and an empty line.

        Plain labels, which are of no scheme, stand as the model learnt them; a sentence of CoNLL-U has them as its
        parts of speech, and all else as it was.
        """
        labels = labels_of(told.answer, len(example.input), "BIO")
        for start, stop, kind in told.answer:
            if kind in self.labels and stop - start == 1:
                labels[start] = kind
        if isinstance(example.rest, UniversalSentence) and self.labels and scheme_of(self.labels) is None:
            return example.rest.written(labels)
        return "".join(f"{word}\t{label}\n" for word, label in zip(example.input, labels, strict=True)) + "\n"


def _first_words(name: str) -> Iterator[str]:
    """Yield the words of a file's first sentences; none of standard input, which can be read only once."""
    split, path = named_split(name)
    if path != "-" and split in ("", "train"):
        for sentence in islice(read_labelled_words(path), LOOKED_AT):
            yield from sentence.tokens


TASK = NamedEntities()
