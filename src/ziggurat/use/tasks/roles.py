"""Say who did what to whom: the predicates of sentences and the role that each stretch of words has for them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np

from ziggurat.core.errors import InputError, UsageError, shown
from ziggurat.core.protocols import Model, ReadsMarks, ReadsTags, Tagger, Tokenizer
from ziggurat.core.schemes import LabelSpan, lenient_spans_of
from ziggurat.core.types import Example, Told
from ziggurat.text.labelled_corpus import ExampleSet
from ziggurat.text.options import TextConfig
from ziggurat.text.pairs import check_options
from ziggurat.text.roles import OWN, Predicate, RoleSentence, read_roles, role_line, role_sentence
from ziggurat.tokens.word_characters import word_batch
from ziggurat.use.temperature import answers_temperature

__all__ = ["TASK", "SemanticRoles"]

BATCH = 32
"""Sentences that are answered together, each read once for every predicate."""


class SemanticRoles:
    """Sentences with their predicates and roles, in JSON lines (`ziggurat.text.roles`); answers are spans by predicate.

    *Idea.* Predicates that a file names are given, and their arguments asked. Where it names none they are found first:
    read without a mark, the same tagger says where they are (`ziggurat.text.readings`).

    *Departs.* A predicate's own words keep the role ``V``, whatever else the tagger says of them.
    """

    name: ClassVar[str] = "roles"
    metrics: ClassVar[tuple[str, ...]] = ("argument_f1",)
    learns: ClassVar[type[Any]] = ReadsTags
    recipes: ClassVar[tuple[str, ...]] = ("lstm-roles", "encoder-roles")
    baseline: ClassVar[str] = ""
    marks_words: ClassVar[Literal[True]] = True

    def read(self, names: Sequence[str], options: TextConfig | None = None, *, labelled: bool) -> Iterator[Example]:
        """Yield sentences with their roles, or without where they need not be ``labelled``.

        Raises:
            InputError: a file can't be used; the message names file and line.
        """
        check_options(options or TextConfig(), of="sentences with roles")
        for name in names:
            for sentence in read_roles(name, options, labelled=labelled):
                yield Example(sentence.id, sentence.asked(), sentence.roles if labelled else None)

    def asked(self, value: Any, *, where: str) -> RoleSentence:
        """Return a sentence: a list of words, or an object as a line of a file holds it, without roles.

        Raises:
            InputError: it is neither.
        """
        record = {"tokens": value} if isinstance(value, list) else value
        if not isinstance(record, dict):
            raise InputError(f'{where}: {shown(value)} is no sentence; give a list of words: ["it", "barks"]')
        return role_sentence(record, where, labelled=False).asked()

    def examples(self, split: ExampleSet) -> Iterator[Example]:
        """Yield the examples of a split."""
        return split.examples()

    def unmarked(self, asked: RoleSentence) -> RoleSentence:
        """Return a sentence without its predicates, which are then to be found."""
        return replace(asked, predicates=(), unsaid=True)

    def decode(
        self, model: Model, tokenizer: Tokenizer, inputs: Sequence[Any], *, temperature: float = 1.0
    ) -> list[Told]:
        """Return the spans of each predicate by its position, its own with the role ``V`` among them.

        How sure they are is the product of how probable each label is, to the power 1 / ``temperature``
        (`ziggurat.use.temperature.answers_temperature`); None where there was nothing to label.

        Raises:
            UsageError: the model reads no predicates, or a sentence is longer than it can read.
        """
        if not isinstance(model, Tagger) or not isinstance(model, ReadsMarks) or not model.reads_marks:
            raise UsageError("this model reads no predicates: train one with ziggurat task roles train")
        found: list[Told] = []
        for start in range(0, len(inputs), BATCH):
            found += _told(model, tokenizer, inputs[start : start + BATCH])
        return [
            one if one.confidence is None else replace(one, confidence=one.confidence ** (1 / temperature))
            for one in found
        ]

    def tune(self, model: Model, tokenizer: Tokenizer, examples: Sequence[Example]) -> float | None:
        """Return the temperature at which answers to held-out sentences are as sure as they are right."""
        told = self.decode(model, tokenizer, [example.input for example in examples])
        return answers_temperature(told, [example.answer for example in examples])

    def shown(self, asked: Any, answer: dict[int, list[LabelSpan]]) -> str:
        """Return predicates with their arguments, as ``gave: ARG0 She, ARG2 him; left``."""
        words = asked.tokens
        shown = []
        for spans in answer.values():
            own = " ".join(word for start, stop, role in spans if role == OWN for word in words[start:stop])
            others = [f"{role} {' '.join(words[start:stop])}" for start, stop, role in spans if role != OWN]
            shown.append(f"{own}: {', '.join(others)}" if others else own)
        return "; ".join(shown)

    def written(self, example: Example, told: Told) -> str:
        """Return the sentence as a line of the JSON that is read, roles included."""
        return role_line(example.input.answered(told.answer)).decode()


def _told(model: Tagger, tokenizer: Tokenizer, sentences: Sequence[RoleSentence]) -> list[Told]:
    """Return the roles of sentences, the predicates of which are found where nobody says them."""
    sentences, found = _with_predicates(model, tokenizer, sentences)
    asked = [
        (number, range(one.position, one.position + one.length))
        for number, sentence in enumerate(sentences)
        for one in sentence.predicates
    ]
    answers: list[dict[int, list[LabelSpan]]] = [{} for _ in sentences]
    read = _labelled(model, tokenizer, [(sentences[number], marked) for number, marked in asked])
    for (number, marked), (labels, chance) in zip(asked, read, strict=True):
        labels[marked.start : marked.stop] = [f"B-{OWN}", *[f"I-{OWN}"] * (len(marked) - 1)]
        others = [span for span in lenient_spans_of(labels) if span[2] != OWN]
        spans = sorted([(marked.start, marked.stop, OWN), *others])
        # of two predicates at one token the longer is answered: what is no argument of it is none of the other
        answers[number][marked.start] = max(answers[number].get(marked.start, []), spans, key=_own_length)
        found[number] = chance * found.get(number, 1.0)
    return [Told(answer, found.get(number)) for number, answer in enumerate(answers)]


def _own_length(spans: Sequence[LabelSpan]) -> int:
    """Return how many words a predicate is made of that has these spans; 0 where there are none."""
    return max((stop - start for start, stop, role in spans if role == OWN), default=0)


def _with_predicates(
    model: Tagger, tokenizer: Tokenizer, sentences: Sequence[RoleSentence]
) -> tuple[list[RoleSentence], dict[int, float]]:
    """Return sentences with their predicates, and by number of those where they were found, how sure that is."""
    said, sure = list(sentences), dict[int, float]()
    unsaid = [number for number, sentence in enumerate(sentences) if sentence.unsaid]
    read = _labelled(model, tokenizer, [(sentences[number], range(0)) for number in unsaid])
    for number, (labels, chance) in zip(unsaid, read, strict=True):
        own = [(start, stop) for start, stop, role in lenient_spans_of(labels) if role == OWN]
        predicates = tuple(Predicate(start, "", (), stop - start) for start, stop in own)
        said[number], sure[number] = replace(sentences[number], predicates=predicates), chance
    return said, sure


def _labelled(
    model: Tagger, tokenizer: Tokenizer, read: Sequence[tuple[RoleSentence, range]]
) -> list[tuple[list[str], float]]:
    """Return the labels of sentences, each with the words that are marked in it, and how probable they are together."""
    if not read:
        return []
    batch = word_batch(tokenizer, [one.tokens for one, _ in read], [marked for _, marked in read])
    places, chances = model.tag(batch)
    return [
        ([model.labels[place] for place in row[: len(one)]], float(np.prod(sure[: len(one)], dtype=float)))
        for (one, _), row, sure in zip(read, places.tolist(), chances, strict=True)
    ]


TASK = SemanticRoles()
