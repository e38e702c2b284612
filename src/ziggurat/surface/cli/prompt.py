"""Label texts with a language model that sees a few labelled examples, without training."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from ziggurat.core.config import option
from ziggurat.core.errors import InputError, UnknownNameError, UsageError
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.language import translate
from ziggurat.surface.terminal import Terminal, align
from ziggurat.use.prompting import FewShotClassifier, Labelling, PromptConfig, choose_examples, without_shown

__all__ = ["COMMAND", "PromptOptions", "prompt"]

CHUNK_TEXTS = 256
"""Texts that are labelled before their labels are printed."""


@dataclass(frozen=True)
class PromptOptions(PromptConfig):
    """What is shown to the model, what it labels, and how that is printed."""

    examples: str | None = option(None, "file of labelled texts (CSV, TSV, JSONL) from which the shots are drawn")
    shots: int = option(4, "labelled examples in the prompt", low=0)
    unbalanced: bool = option(False, "draw examples as labels occur, instead of equally many of each label")
    labels: str | None = option(
        None, "words for the labels, as 0=negative,1=positive; without it labels stand for themselves"
    )
    measure: str | None = option(None, "file of labelled texts whose labels are told and compared: the accuracy")
    lines: bool = option(False, "take each line as a text of its own")
    limit: int | None = option(None, "label only so many texts, the first", low=1)
    seed: int = option(0, "seed of the choice of examples and of the bootstrap", low=0)
    show: bool = option(False, "print the prompt of the first text and stop")
    json: bool = option(False, "print JSON, a line a text")
    quiet: bool = option(False, "say nothing but warnings")


@with_options(PromptOptions)
def prompt(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the run folder that holds it")],
    texts: Annotated[
        list[str] | None, typer.Argument(metavar="[TEXT…|-]", help="Files, folders, globs; - is standard input")
    ] = None,
    *,
    options: PromptOptions,
) -> None:
    """Print label, probability and text, separated by tabs; with --measure the accuracy, calibrated and not.

    The model reads examples drawn from --examples and takes the label that it finds likeliest as a continuation. What
    the prompt alone makes it prefer is divided out (contextual calibration) unless --no-calibrate is given.
    """
    from ziggurat.artefacts.bundle import load

    _check(options, texts)
    terminal = Terminal(quiet=options.quiet)
    opened = load(bundle)
    classifier = _classifier(opened, options)
    rows: Sequence[str] = ()
    gold: Sequence[str] = ()
    asked: Iterator[str]
    if options.measure is None:
        asked = _texts(texts or [], lines=options.lines)
    else:
        rows, gold = _labelled(options.measure)
        if not options.show:
            rows, gold = _unseen(options.measure, rows, gold, classifier, terminal)
        asked = iter(rows)
    asked = itertools.islice(asked, options.limit)
    if options.show:
        terminal.write(classifier.prompt(next(asked, "")))
        return
    tally = _Tally(classifier.shots, terminal)
    if options.measure is None:
        for text, found in _labellings(classifier, asked):
            tally.add(found)
            _print(text, found, terminal, json=options.json)
        tally.warn()
        return
    gold = gold[: options.limit]
    unknown = sorted(set(gold) - set(classifier.labels))
    if unknown:
        raise UnknownNameError("label", unknown[0], classifier.labels, where=options.measure)
    labellings = [found for _, found in _labellings(classifier, asked)]
    for found in labellings:
        tally.add(found)
    tally.warn()
    _compare(str(opened.path), gold, labellings, options, terminal)


def _check(options: PromptOptions, texts: Sequence[str] | None) -> None:
    """Refuse options that do not go together."""
    if (options.measure is None) == (not texts):
        raise UsageError("give either texts to label, or --measure FILE of labelled texts to compare with")
    if options.shots and options.examples is None:
        raise UsageError("--examples: give a file of labelled texts to draw the shots from, or --shots 0")
    if options.lines and options.measure:
        raise UsageError("--lines: goes with texts to label, not with --measure")


def _labelled(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from ziggurat.text.labelled import read_labelled

    found = read_labelled(name)
    return found.texts, found.labels


def _unseen(
    name: str, texts: Sequence[str], labels: Sequence[str], classifier: FewShotClassifier, terminal: Terminal
) -> tuple[Sequence[str], Sequence[str]]:
    """Return the texts and labels to measure with: a text whose label the prompt shows would be no test.

    Raises:
        InputError: the prompt shows all of them.
    """
    kept, gold = without_shown(texts, labels, classifier.examples)
    if texts and not kept:
        raise InputError(f"{name}: the prompt shows every text of it; measure with others, or ask for fewer shots")
    if len(kept) < len(texts):
        terminal.warn(
            "{count} of {texts} texts stand in the prompt with their labels: they are not measured",
            count=len(texts) - len(kept),
            texts=len(texts),
        )
    return kept, gold


def _texts(names: Sequence[str], *, lines: bool) -> Iterator[str]:
    from ziggurat.surface.documents import read_documents

    for document in read_documents(names):
        yield from (line for line in document.text.splitlines() if line.strip()) if lines else [document.text]


def _classifier(opened: Any, options: PromptOptions) -> FewShotClassifier:
    texts, labels = _labelled(options.examples) if options.examples else ((), ())
    answers = _answers(options.labels, labels)
    kept = [(text, label) for text, label in zip(texts, labels, strict=True) if label in answers]
    shown = (
        choose_examples(
            [text for text, _ in kept],
            [label for _, label in kept],
            options.shots,
            seed=options.seed,
            balanced=not options.unbalanced,
        )
        if options.shots
        else []
    )
    return FewShotClassifier(opened.language_model, opened.tokenizer, shown, answers, options)


def _answers(said: str | None, labels: Sequence[str]) -> dict[str, str]:
    """Return the words for each label from what --labels says; every label of the examples must have some."""
    known = sorted(set(labels))
    if said is None:
        if not known:
            raise UsageError("--labels: name the labels, as 0=negative,1=positive, or give --examples")
        return {label: label for label in known}
    answers: dict[str, str] = {}
    for pair in said.split(","):
        label, given, words = pair.partition("=")
        label, words = label.strip(), words.strip() if given else label.strip()
        if not label or not words:
            raise UsageError(f"--labels: {pair.strip()!r} is not LABEL=WORDS")
        if label in answers:
            raise UsageError(f"--labels: label '{label}' stands there twice")
        if known and label not in known:
            raise UnknownNameError("label", label, known, where="--labels")
        answers[label] = words
    missing = [label for label in known if label not in answers]
    if missing:
        raise UsageError(f"--labels: has no words for label '{missing[0]}' of the examples")
    return answers


def _labellings(classifier: FewShotClassifier, texts: Iterator[str]) -> Iterator[tuple[str, Labelling]]:
    while chunk := list(itertools.islice(texts, CHUNK_TEXTS)):
        yield from zip(chunk, classifier.label(chunk), strict=True)


class _Tally:
    """Counts what did not fit the model's context, so that it is said."""

    def __init__(self, shots: int, terminal: Terminal) -> None:
        self._shots, self._terminal = shots, terminal
        self._fewer = self._shortened = self._texts = 0

    def add(self, found: Labelling) -> None:
        self._texts += 1
        self._fewer += found.shots < self._shots
        self._shortened += found.shortened

    def warn(self) -> None:
        if not self._texts:
            raise InputError("no texts to label")
        if self._fewer:
            self._terminal.warn(
                "{count} of {texts} prompts hold fewer than {shots} examples: more don't fit the model's context",
                count=self._fewer,
                texts=self._texts,
                shots=self._shots,
            )
        if self._shortened:
            self._terminal.warn(
                "of {count} of {texts} texts only the beginning fits the model's context",
                count=self._shortened,
                texts=self._texts,
            )


def _print(text: str, found: Labelling, terminal: Terminal, *, json: bool) -> None:
    chances = found.probabilities
    if not json:
        terminal.write(f"{found.label}\t{chances[found.label]:.4f}\t{' '.join(text.split())}")
        return
    terminal.write_json(
        {
            "text": text,
            "label": found.label,
            "probabilities": chances,
            "uncalibrated": found.uncalibrated_probabilities,
            "shots": found.shots,
            "shortened": found.shortened,
        }
    )


def _compare(
    bundle: str, gold: Sequence[str], found: Sequence[Labelling], options: PromptOptions, terminal: Terminal
) -> None:
    from ziggurat.judge.labelling import labelling_figures

    said = {"uncalibrated": [one.uncalibrated for one in found]}
    if not options.no_calibrate:
        said["calibrated"] = [one.label for one in found]
    figures = labelling_figures(gold, said, seed=options.seed)
    if options.json:
        terminal.write_json({"bundle": bundle, "shots": options.shots, "seed": options.seed, **figures})
        return
    rows = [(translate(name), _percent(figures[name], "accuracy")) for name in said]
    if (difference := figures.get("difference")) is not None:
        p = "< 0.001" if difference["p_value"] < 0.001 else f"= {difference['p_value']:.3f}"
        rows.append((translate("difference"), f"{_percent(difference, 'value')}, p {p}"))
        detectable = difference["smallest_detectable"]
        if difference["p_value"] >= 0.05 and detectable:
            rows.append((translate("smallest difference that so many texts show"), f"{detectable:.1%}"))
    majority = figures["majority"]
    rows.append((translate("always the commonest label"), f"{majority['accuracy']:.1%}"))
    terminal.write(align([(translate("texts"), f"{figures['texts']:,}"), *rows]))


def _percent(figure: dict[str, float], key: str) -> str:
    return f"{figure[key]:.1%} ({figure['low']:.1%} – {figure['high']:.1%})"


COMMAND = prompt
