"""Measure vectors by analogies and word similarity, with intervals and against another model."""

import shlex
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from ziggurat.core.config import option
from ziggurat.core.errors import GateNotMetError, UsageError
from ziggurat.judge.intrinsic.judging import Asking
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.cli.vectors.asking import BUNDLE_HELP, opened
from ziggurat.surface.language import translate
from ziggurat.surface.terminal import Terminal, align

__all__ = ["COMMAND", "EvaluateOptions", "evaluate"]

COSINES = {"add": "3CosAdd", "multiply": "3CosMul"}
TOTALS = ("semantic", "syntactic", "overall")


@dataclass(frozen=True)
class EvaluateOptions(Asking):
    """What the vectors are asked, and what is done with the figures."""

    analogies: tuple[str, ...] = option((), "file of analogies, four words a line under ': section'; may be repeated")
    similarity: tuple[str, ...] = option((), "file of word pairs, two words and a score a line; may be repeated")
    against: str | None = option(None, "another bundle or file of vectors, asked the same and compared")
    record: bool = option(False, "write the figures into the bundle's manifest and card")
    fail_below: bool = option(False, "exit code 3 where a total is significantly below that of --against")
    json: bool = option(False, "print JSON")
    quiet: bool = option(False, "say nothing but warnings")


@with_options(EvaluateOptions)
def evaluate(
    bundle: Annotated[Path, typer.Argument(help=BUNDLE_HELP)],
    options: EvaluateOptions,
) -> None:
    """Measure accuracy on analogies by section, and rank correlation with people's scores of word pairs.

    Questions with a word that the vocabulary lacks are skipped and counted. Intervals are 95 % bootstrap intervals over
    pairs of words, which the questions of a section share. Accuracies are those of word2vec and gensim.
    """
    from ziggurat.artefacts.bundle import record
    from ziggurat.judge.intrinsic.judging import compare_judged, figures, judge_vectors
    from ziggurat.judge.intrinsic.word_sets import read_analogies, read_similarity

    terminal = Terminal(quiet=options.quiet)
    if options.fail_below and options.against is None:
        raise UsageError("--fail-below: needs --against, the vectors to be no worse than")
    if options.record and bundle.is_file():
        raise UsageError(f"{bundle}: --record needs a bundle; a file of vectors has no manifest")
    sets = (
        [read_analogies(name) for name in options.analogies],
        [read_similarity(name) for name in options.similarity],
    )
    ours = judge_vectors(opened(bundle, terminal), *sets, options)
    found = figures(ours, options)
    compared = {}
    if options.against is not None:
        theirs = judge_vectors(opened(Path(options.against), terminal), *sets, options)
        compared = compare_judged([ours], [theirs], options)
    if options.record:
        record(bundle, found)
    if options.json:
        rows = {
            name: [{**asdict(row), "difference": row.difference} for row in each] for name, each in compared.items()
        }
        content = {"bundle": str(bundle), "sets": found}
        terminal.write_json({**content, "against": options.against, "compared": rows} if compared else content)
    else:
        _write(terminal, found, compared)
        if options.against is None:
            terminal.next(f"ziggurat vectors evaluate {shlex.quote(str(bundle))} … --against OTHER")
    worse = [name for name, rows in compared.items() if rows[-1].below]  # the last row is the total
    if options.fail_below and worse:
        raise GateNotMetError(f"{bundle}: significantly below {options.against} on {', '.join(worse)}")


def _write(terminal: Terminal, found: dict[str, Any], compared: dict[str, list[Any]]) -> None:
    """Write a table for each set of analogies, one for all sets of pairs, and the comparisons."""
    tables = []
    for name, quantities in found.items():
        if "sections" in quantities:
            title = translate("{name}: analogies among the {words} most frequent words, {method}")
            words, method = f"{quantities['vocabulary']:,}", COSINES[quantities["method"]]
            heading = title.format(name=name, words=words, method=method)
            tables.append(f"{heading}\n{align(_sections(quantities))}")
    pairs = {name: quantities for name, quantities in found.items() if "spearman" in quantities}
    if pairs:
        heading = translate("word similarity: Spearman's rank correlation with people's scores")
        tables.append(f"{heading}\n{align(_correlations(pairs))}")
    if compared:
        heading = translate("against the other, on what both know: difference with its 95 % interval")
        tables.append(f"{heading}\n{align(_comparisons(compared))}")
    terminal.write("\n\n".join(tables))


def _sections(quantities: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    yield tuple(map(translate, ("section", "accuracy", "95 % interval", "right", "asked", "unknown")))
    for section in quantities["sections"]:
        name = _titled(section["name"]) if section["total"] else section["name"]
        counts = (f"{section[key]:,}" for key in ("right", "asked", "skipped"))
        yield name, _percent(section["accuracy"]), _interval(section, _percent), *counts


def _correlations(pairs: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    heads = ("set", "Spearman", "95 % interval", "asked", "unknown", "with unknown as 0")
    yield tuple(map(translate, heads))
    for name, quantities in pairs.items():
        counts = (f"{quantities[key]:,}" for key in ("pairs", "pairs_skipped"))
        value, whole = _decimal(quantities["spearman"]), _decimal(quantities["spearman_of_all"])
        yield name, value, _interval(quantities, _decimal), *counts, whole


def _comparisons(compared: dict[str, list[Any]]) -> Iterator[tuple[str, ...]]:
    yield tuple(map(translate, ("set", "ours", "other's", "difference", "95 % interval", "p", "asked")))
    for name, rows in compared.items():
        for row in rows:
            shown = _decimal if row.name == name else _percent
            label = name if row.name == name else f"{name}: {_titled(row.name)}"
            bounds = _interval({"low": row.low, "high": row.high}, partial(shown, sign="+"))
            sides = (shown(row.ours), shown(row.theirs), shown(row.difference, sign="+"))
            yield label, *sides, bounds, f"{row.p_value:.2g}", f"{row.asked:,}"


def _titled(name: str) -> str:
    """Return a total's name in the user's language; a section keeps the name that its file gives it."""
    return translate(name) if name in TOTALS else name


def _interval(quantities: dict[str, Any], shown: Callable[[float], str]) -> str:
    if quantities["low"] is None:
        return "–"
    return f"{shown(quantities['low'])} – {shown(quantities['high'])}"


def _percent(value: float | None, *, sign: str = "") -> str:
    return "–" if value is None else f"{100 * value:{sign}.1f} %"


def _decimal(value: float | None, *, sign: str = "") -> str:
    return "–" if value is None else f"{value:{sign}.3f}"


COMMAND = evaluate
