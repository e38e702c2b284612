"""Write down what is said in recordings, ranked by any bundle."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.terminal import Terminal, one_line
from ziggurat.use.rescoring import Hypothesis, Ranked, RescoringConfig

if TYPE_CHECKING:
    from ziggurat.artefacts.bundle import Bundle
    from ziggurat.use.recognition import Recogniser

__all__ = ["COMMAND", "TranscribeOptions", "transcribe"]


@dataclass(frozen=True)
class TranscribeOptions(RescoringConfig):
    """How recordings are heard and their hypotheses ranked, and what is printed."""

    model: str = option("", "bundle that ranks the hypotheses; without one the recogniser's order stays")
    arpa: str = option("", "ARPA file that the recogniser hears with, in place of its own language model")
    nbest: int = option(50, "hypotheses of a recording that are ranked", low=1, high=1000)
    beam: int = option(
        0, "beginnings kept at each word where the bundle searches the recogniser's lattice too", low=0, high=1000
    )
    continued: bool = option(False, "rank each recording as what is said next after those before it")
    reference: str = option("", "transcripts to count errors against: lines of NAME<TAB>text, or Sphinx's")
    json: bool = option(False, "print JSON")
    quiet: bool = option(False, "say nothing but warnings")


@with_options(TranscribeOptions)
def transcribe(
    recordings: Annotated[
        list[Path], typer.Argument(metavar="WAV…", help="WAV files: 16,000 Hz, one channel, 16 bits")
    ],
    *,
    options: TranscribeOptions,
) -> None:
    """Print each recording's file and the likeliest text, separated by a tab.

    The recogniser is pocketsphinx, for English (extra speech). Of its best hypotheses that one is printed whose
    weighted sum of log-probabilities, of the sound and of the text by the bundle, is highest.

    An n-gram bundle of words in small letters can also be heard with: ziggurat export BUNDLE words.arpa makes the file.

    With --beam the bundle also searches all that the recogniser still thought possible, and what it finds is ranked
    with the rest.

    A text has no capitals and no signs, so a bundle ranks best that was trained on such text.

    The name of a recording among the references is its file's without the ending.
    """
    from ziggurat.artefacts.bundle import load
    from ziggurat.text.spoken import read_transcripts
    from ziggurat.use.recognition import Recogniser, read_wav

    _check(recordings, options)
    terminal = Terminal(quiet=options.quiet)
    references = read_transcripts(Path(options.reference), _names(recordings)) if options.reference else None
    for path in recordings:
        read_wav(path)  # before minutes are spent on those before it
    bundle = load(Path(options.model)) if options.model else None
    scorer: Any = None
    if bundle is not None:  # what guesses hidden words ranks but can't search, which is said before minutes are spent
        scorer = (bundle.language_model if options.beam else bundle.scorer, bundle.tokenizer)
    recogniser = Recogniser(arpa=Path(options.arpa) if options.arpa else None)
    if unknown := recogniser.unknown_words:
        terminal.warn(
            "{file}: the recogniser's dictionary lacks {count} of its words, which are never heard, such as {few}",
            file=options.arpa,
            count=f"{len(unknown):,}",
            few=", ".join(unknown[:5]),
        )
    lists = [_heard(recogniser, path, bundle, options, terminal) for path in recordings]
    ranked = _ranked(lists, scorer, options)
    errors = {} if references is None else _errors(references, lists, ranked)
    if options.json:
        terminal.write_json(_facts(recordings, ranked, options) | ({"word_error_rate": errors} if errors else {}))
        return
    for path, rows in zip(recordings, ranked, strict=True):
        terminal.write(f"{one_line(str(path))}\t{rows[0].hypothesis.text if rows else ''}")
    if errors:
        terminal.say(
            "word error rate {rate:.1%} (95 % interval {low:.1%} to {high:.1%}); the recogniser's own first "
            "{first:.1%}, the best of each list {best:.1%}",
            first=errors["recogniser"]["rate"],
            best=errors["best_of_list"]["rate"],
            **errors["chosen"],
        )


def _check(recordings: Sequence[Path], options: TranscribeOptions) -> None:
    """Refuse options that go with others only, before anything is loaded.

    Raises:
        UsageError: the message names the option.
    """
    if not options.model:
        for field in fields(RescoringConfig):
            if getattr(options, field.name) != field.default:
                raise UsageError(f"--{field.name.replace('_', '-')}: goes with --model only, whose scores it weighs")
        for name in ("beam", "continued"):
            if getattr(options, name):
                raise UsageError(f"--{name}: goes with --model only, by which it searches and ranks")
    names = _names(recordings)
    if options.reference and len(set(names)) < len(names):
        raise UsageError("--reference: two recordings have the same name; transcribe one at a time")


def _names(recordings: Sequence[Path]) -> list[str]:
    return [path.stem for path in recordings]


def _heard(
    recogniser: "Recogniser", path: Path, bundle: "Bundle | None", options: TranscribeOptions, terminal: Terminal
) -> list[Hypothesis]:
    """Return the recogniser's best, and with ``--beam`` what else the bundle finds in its lattice."""
    from ziggurat.use.lattice_search import search

    hypotheses, lattice = recogniser.heard(path, most=options.nbest)
    if bundle is not None and lattice is not None and options.beam:
        model, tokenizer = bundle.language_model, bundle.tokenizer
        found = search(lattice, model, tokenizer, options, beam=options.beam, first=recogniser.logprob)
        known = {one.text for one in hypotheses}
        hypotheses += [one for one in found if one.text not in known]
    terminal.say("{file}: {count} hypotheses", file=path, count=len(hypotheses))
    return hypotheses


def _ranked(lists: Sequence[Sequence[Hypothesis]], scorer: Any, options: TranscribeOptions) -> list[list[Ranked]]:
    """Return each list ranked by a model and its tokenizer; in its own order where there is none."""
    from ziggurat.use.rescoring import language_scores, rank

    if scorer is None:
        return [[Ranked(one, 0.0, one.acoustic) for one in hypotheses] for hypotheses in lists]
    if not options.continued:
        logprobs = language_scores(scorer[0], scorer[1], lists)
        return [rank(one, scores, options) for one, scores in zip(lists, logprobs, strict=True)]
    found: list[list[Ranked]] = []
    for hypotheses in lists:
        before = "\n".join(ranked[0].hypothesis.text for ranked in found if ranked)
        (scores,) = language_scores(scorer[0], scorer[1], [hypotheses], before=[before])
        found.append(rank(hypotheses, scores, options))
    return found


def _facts(
    recordings: Sequence[Path], ranked: Sequence[Sequence[Ranked]], options: TranscribeOptions
) -> dict[str, Any]:
    """Return what ``--json`` prints of the recordings; scores by the bundle only where there is one."""
    told = [
        {
            "file": str(path),
            "text": rows[0].hypothesis.text if rows else "",
            "hypotheses": [
                asdict(row.hypothesis) | ({"logprob": row.logprob, "score": row.score} if options.model else {})
                for row in rows
            ],
        }
        for path, rows in zip(recordings, ranked, strict=True)
    ]
    weights = {field.name: getattr(options, field.name) for field in fields(RescoringConfig)}
    return {
        "model": options.model or None,
        "arpa": options.arpa or None,
        "unit": "nats",
        "weights": weights if options.model else None,
        "recordings": told,
    }


def _errors(
    references: Sequence[str], lists: Sequence[Sequence[Hypothesis]], ranked: Sequence[Sequence[Ranked]]
) -> dict[str, Any]:
    """Return word error rates: of what was chosen, of the recogniser's own first, and of the best of each list."""
    from ziggurat.judge.word_errors import error_counts, error_rate

    nothing = [Hypothesis("", 0.0)]
    found: dict[str, Any] = {}
    counted = [
        {one.text: error_counts(said, one.text) for one in hypotheses or nothing}
        for said, hypotheses in zip(references, lists, strict=True)
    ]
    chosen = [of[rows[0].hypothesis.text if rows else ""] for of, rows in zip(counted, ranked, strict=True)]
    ways = {
        "chosen": chosen,
        "recogniser": [next(iter(of.values())) for of in counted],
        "best_of_list": [min(of.values(), key=lambda errors: errors.total) for of in counted],
    }
    for way, errors in ways.items():
        rate = error_rate(errors, seed=0)
        found[way] = {"rate": rate.value, "low": rate.low, "high": rate.high}
    return {**found, "words": sum(one.units for one in chosen)}


COMMAND = transcribe
