"""In-context learning: a language model labels texts after it has read a few examples, without any training.

*Idea.* A prompt shows k labelled examples and then the text in question, all written by one template. Whichever label
the model finds likeliest as the continuation is its answer (Brown et al. 2020, sections 2 and 2.4). What the prompt
alone makes it prefer is measured and divided out (`ziggurat.use.calibration`).
"""

import math
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ziggurat.core.config import option
from ziggurat.core.errors import UnknownNameError, UsageError
from ziggurat.core.protocols import LanguageModel, Tokenizer
from ziggurat.core.seeding import generator
from ziggurat.core.types import IdArray
from ziggurat.use.calibration import CONTENT_FREE, among_labels, bias_of, calibrated
from ziggurat.use.label_scores import LabelScorer

__all__ = [
    "ROUNDING",
    "TEMPLATES",
    "FewShotClassifier",
    "Labelling",
    "PromptConfig",
    "Template",
    "choose_examples",
    "without_shown",
]

TEMPLATES = {"": "Text: {text}\nLabel: {label}", "zh": "文本：{text}\n标签：{label}"}
"""How an example is written unless told, by language."""

FIELDS = ("text", "label")

ROUNDING = 1e-4
"""Nats by which equal scores may differ: sums in 32-bit, taken in another order."""

Example = tuple[str, str]
"""A text and its label."""


@dataclass(frozen=True)
class PromptConfig:
    """How a prompt is written and its answer read."""

    template: str | None = option(
        None, "how an example is written, with {text} and then {label}; \\n is a line's end (default: two plain lines)"
    )
    separator: str = option(r"\n\n", "what stands between examples; \\n is a line's end")
    instruction: str = option("", "what the prompt begins with; \\n is a line's end")
    score: Literal["sum", "mean"] = option(
        "sum", "how tokens of a label count: sum (its probability) or mean (fair to labels of different lengths)"
    )
    no_calibrate: bool = option(False, "answer without contextual calibration")


class Template:
    r"""A way to write an example: words around ``{text}``, then words around ``{label}``.

    Spaces before ``{label}`` belong to the label, because tokenizers join a word with the space before it.

    >>> template = Template("Review: {text}\nMood: {label}.")
    >>> template.example("Fine film", "good"), template.question("Dull"), template.answer("bad")
    ('Review: Fine film\nMood: good.', 'Review: Dull\nMood:', ' bad')
    """

    def __init__(self, pattern: str) -> None:
        """Read ``pattern``; braces that are meant as such are written twice.

        Raises:
            UsageError: it has not each field once, ``{text}`` before ``{label}``; or another field.
        """
        try:
            parts = list(string.Formatter().parse(pattern))
        except ValueError as error:
            raise UsageError(f"template {pattern!r}: {error}; a brace that is text is written twice") from error
        fields, words = [], [""]
        for literal, field, form, conversion in parts:
            words[-1] += literal
            if field is None:
                continue
            if field not in FIELDS:
                raise UnknownNameError("field", field, FIELDS, where=f"template {pattern!r}")
            if form or conversion:
                raise UsageError(f"template {pattern!r}: write {{{field}}} without ':' or '!' in it")
            fields.append(field)
            words.append("")
        if fields != list(FIELDS):
            raise UsageError(f"template {pattern!r}: needs {{text}} once and {{label}} once, in this order")
        self._head, middle = words[0], words[1]
        self.cue = middle.rstrip(" ")
        """What stands between the text and its label: the model's cue to answer."""
        self._gap = middle[len(self.cue) :]
        self._tail = words[2]

    def example(self, text: str, answer: str) -> str:
        """Return a labelled example."""
        return f"{self.question(text)}{self.answer(answer)}{self._tail}"

    def question(self, text: str) -> str:
        """Return an example up to where its label is to be said."""
        return f"{self._head}{text.strip()}{self.cue}"

    def answer(self, words: str) -> str:
        """Return the words of a label as they follow the question."""
        return f"{self._gap}{words}"


@dataclass(frozen=True, slots=True)
class Labelling:
    """What a model says of one text."""

    label: str
    """The likeliest label, after calibration where there is one."""
    uncalibrated: str
    """The likeliest label as the model itself has it."""
    logprobs: Mapping[str, float]
    """log p of each label among the labels, after calibration where there is one."""
    uncalibrated_logprobs: Mapping[str, float]
    """The same as the model itself has it."""
    shots: int
    """Examples that its prompt held: fewer than asked for where more did not fit the model's context."""
    shortened: bool
    """Whether only the beginning of the text fitted."""

    @property
    def probabilities(self) -> dict[str, float]:
        """The probability of each label among the labels: exp of `logprobs`."""
        return {label: math.exp(value) for label, value in self.logprobs.items()}

    @property
    def uncalibrated_probabilities(self) -> dict[str, float]:
        """The same as the model itself has it."""
        return {label: math.exp(value) for label, value in self.uncalibrated_logprobs.items()}


def choose_examples(
    texts: Sequence[str], labels: Sequence[str], count: int, *, seed: int, balanced: bool = True
) -> list[Example]:
    """Return ``count`` examples in random order; where ``balanced``, equally many of each label but for one.

    Which they are depends on the seed alone; with more of them, those of a smaller count come first.

    Raises:
        UsageError: there are not so many, or not so many of a label.
    """
    draw = generator(seed, "examples")
    order = draw.permutation(len(texts)).tolist()
    if balanced:
        classes = sorted(set(labels))
        piles = {name: iter([row for row in order if labels[row] == name]) for name in classes}
        rounds = -(-count // max(1, len(classes)))
        order = [
            row
            for _ in range(rounds)
            for place in draw.permutation(len(classes))
            if (row := next(piles[classes[place]], None)) is not None
        ]
        short = next((name for name in classes if list(labels).count(name) < count // len(classes)), None)
        if short is not None:
            raise UsageError(
                f"{count} examples of {len(classes)} labels: label '{short}' has only {list(labels).count(short)}; "
                "ask for fewer shots, give more examples, or draw them unbalanced"
            )
    if len(order) < count:
        raise UsageError(f"{count} shots, but there are only {len(order)} examples: ask for fewer or give more")
    return [(texts[row], labels[row]) for row in order[:count]]


def without_shown(
    texts: Sequence[str], labels: Sequence[str], examples: Sequence[Example]
) -> tuple[list[str], list[str]]:
    """Return texts and labels without those texts that the prompt shows with their answers, spaces aside.

    >>> without_shown(["one ", "two"], ["0", "1"], [("one", "0")])
    (['two'], ['1'])
    """
    shown = {" ".join(text.split()) for text, _ in examples}
    kept = [(text, label) for text, label in zip(texts, labels, strict=True) if " ".join(text.split()) not in shown]
    return [text for text, _ in kept], [label for _, label in kept]


class FewShotClassifier:
    """Labels texts with a language model that sees a few examples before each.

    *Cost.* The examples are read once for all texts (`ziggurat.use.label_scores`); calibration adds three texts.
    """

    def __init__(
        self,
        model: LanguageModel,
        tokenizer: Tokenizer,
        examples: Sequence[Example],
        answers: Mapping[str, str],
        config: PromptConfig,
    ) -> None:
        """Show ``examples``; ``answers`` maps every label to the words that stand for it in a prompt.

        Raises:
            UsageError: fewer than two labels, an example of another label, labels that the tokenizer can't tell apart,
                a template without its fields.
        """
        if len(answers) < 2:
            raise UsageError(f"{len(answers)} labels: there is nothing to tell apart; name at least 2")
        for _, label in examples:
            if label not in answers:
                raise UnknownNameError("label", label, answers, where="an example")
        self._model, self._tokenizer, self._config = model, tokenizer, config
        self.examples = tuple(examples)
        self.labels = tuple(answers)
        language = _language([text for text, _ in examples] or list(answers.values()))
        self.template = Template(TEMPLATES[language] if config.template is None else _lines(config.template))
        separator = _lines(config.separator)
        shown = [self.template.example(text, answers[label]) + separator for text, label in examples]
        opening = _lines(config.instruction)
        self._openings = [opening + "".join(shown[:count]) for count in range(len(shown) + 1)]
        ids = [_answer_ids(tokenizer, self.template, words) for words in answers.values()]
        _check_distinct(self.labels, ids)
        self._lengths = np.array([len(one) for one in ids])
        self._scorer = LabelScorer(model, ids)
        self._biases: dict[int, npt.NDArray[np.float64]] = {}

    @property
    def shots(self) -> int:
        """Examples that a prompt holds where they fit."""
        return len(self._openings) - 1

    def prompt(self, text: str) -> str:
        """Return the prompt for ``text`` with all examples, as it reads where it fits the context."""
        return self._openings[-1] + self.template.question(text)

    def label(self, texts: Sequence[str]) -> list[Labelling]:
        """Return what the model says of each text; a text's result does not depend on its neighbours.

        Raises:
            UsageError: the template alone is longer than the model's context.
        """
        prompts = self._prompts(texts)
        found: list[Labelling | None] = [None] * len(texts)
        for shots in sorted({prompt.shots for prompt in prompts}, reverse=True):
            rows = [row for row, prompt in enumerate(prompts) if prompt.shots == shots]
            scores = self._scores([prompts[row].ids for row in rows])
            plain = among_labels(scores)
            told = plain if self._config.no_calibrate else calibrated(scores, self.bias(shots))
            for row, mine, raw in zip(rows, told, plain, strict=True):
                found[row] = self._labelling(mine, raw, prompts[row])
        return [one for one in found if one is not None]

    def bias(self, shots: int | None = None) -> npt.NDArray[np.float64]:
        """Return (L,) log p of each label where the text says nothing, after so many examples (default: all)."""
        shots = self.shots if shots is None else shots
        if shots not in self._biases:
            prompts = [self._fitted(text, shots) for text in CONTENT_FREE]
            self._biases[shots] = bias_of(self._scores([prompt.ids for prompt in prompts]))
        return self._biases[shots]

    def _scores(self, prompts: Sequence[IdArray]) -> npt.NDArray[np.float64]:
        scores = self._scorer.logprobs(prompts)
        return scores / self._lengths if self._config.score == "mean" else scores

    def _labelling(self, told: npt.NDArray[np.float64], plain: npt.NDArray[np.float64], prompt: "_Prompt") -> Labelling:
        return Labelling(
            label=self._likeliest(told, plain),
            uncalibrated=self._likeliest(plain),
            logprobs=dict(zip(self.labels, told.tolist(), strict=True)),
            uncalibrated_logprobs=dict(zip(self.labels, plain.tolist(), strict=True)),
            shots=prompt.shots,
            shortened=prompt.shortened,
        )

    def _likeliest(self, *scores: npt.NDArray[np.float64]) -> str:
        """Return the label that comes first by the first scores; of equal ones by the next, at last by its name.

        A model that sees only the last words of a prompt says of every text what it says of none.
        """
        kept = list(range(len(self.labels)))
        for each in scores:
            best = max(float(each[place]) for place in kept)
            kept = [place for place in kept if each[place] >= best - ROUNDING]
        return min(self.labels[place] for place in kept)

    @property
    def _room(self) -> int | None:
        """Ids that a prompt may have; the last of a label is predicted, not read."""
        context = self._model.context
        return None if context is None else context - int(self._lengths.max()) + 1

    def _prompts(self, texts: Sequence[str]) -> list["_Prompt"]:
        bos = self._tokenizer.vocabulary.bos
        every = self._tokenizer.encode_batch([self.prompt(text) for text in texts])
        room = self._room
        return [
            _Prompt(np.concatenate([[bos], ids]).astype(np.int32), self.shots)
            if room is None or len(ids) < room
            else self._fitted(text, self.shots)
            for text, ids in zip(texts, every, strict=True)
        ]

    def _fitted(self, text: str, shots: int) -> "_Prompt":
        """Return the prompt with the most of the first ``shots`` examples that fit, else with what fits of the text."""
        room = self._room
        for count in range(shots, -1, -1):
            ids = self._ids(self._openings[count] + self.template.question(text))
            if room is None or len(ids) <= room:
                return _Prompt(ids, count)
        for part in _beginnings(self._tokenizer, text, len(ids) - (room or 0)):
            ids = self._ids(self._openings[0] + self.template.question(part))
            if len(ids) <= (room or 0):
                return _Prompt(ids, 0, shortened=True)
        raise UsageError(
            f"the template with a label takes {len(ids) + int(self._lengths.max()) - 1} tokens, but the model reads "
            f"{self._model.context} at once: shorten the template or the instruction"
        )

    def _ids(self, prompt: str) -> IdArray:
        bos = self._tokenizer.vocabulary.bos
        return np.concatenate([[bos], self._tokenizer.encode(prompt).ids]).astype(np.int32)


@dataclass(frozen=True, slots=True)
class _Prompt:
    ids: IdArray
    shots: int
    shortened: bool = False


def _answer_ids(tokenizer: Tokenizer, template: Template, words: str) -> IdArray:
    """Return the ids of a label as they follow the template's cue.

    Cue and label are encoded together, because some tokenizers treat a text's first word as if a space stood before
    it; where they join the two in one token, the label is encoded alone.
    """
    cue = tokenizer.encode(template.cue).ids
    both = tokenizer.encode(template.cue + template.answer(words)).ids
    joined = len(both) <= len(cue) or bool((both[: len(cue)] != cue).any())
    found = tokenizer.encode(template.answer(words)).ids if joined else both[len(cue) :]
    if not len(found):
        raise UsageError(f"label {words!r} has no token: give it other words")
    return found


def _check_distinct(labels: Sequence[str], ids: Sequence[IdArray]) -> None:
    seen: dict[tuple[int, ...], str] = {}
    for label, found in zip(labels, ids, strict=True):
        other = seen.setdefault(tuple(found.tolist()), label)
        if other != label:
            raise UsageError(f"labels '{other}' and '{label}' are the same tokens to this model: give them other words")


def _beginnings(tokenizer: Tokenizer, text: str, surplus: int) -> Iterator[str]:
    """Yield shorter and shorter beginnings of a text, the first with ``surplus`` tokens less, the last empty."""
    offsets = tokenizer.encode(text.strip()).offsets
    kept = len(offsets) - surplus
    while kept > 0:
        yield text.strip()[: int(offsets[kept, 0])]
        kept -= max(1, kept // 16)
    yield ""


def _language(texts: Sequence[str]) -> str:
    from ziggurat.text.segmentation import language_of

    return language_of("\n".join(texts)[:2000])


def _lines(text: str) -> str:
    return text.replace("\\n", "\n")
