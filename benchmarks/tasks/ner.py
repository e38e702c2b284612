"""Names in sentences: our recipes beside sklearn-crfsuite in the same run, all judged by the same strict F1 of spans.

::

    python -m benchmarks.tasks.ner [--quick] [--set wnut17] [--data DIR] [--recipes lstm-tagger …] [--seeds 3]
                                   [--vectors BUNDLE] [--start BUNDLE] [--minutes M]

Sets: ``wnut17`` (names in tweets and comments, many of which nobody saw before; English) and ``resume_zh`` (résumés,
Chinese, labels by character); learnt on train, a tenth of which by hash chooses weights and settings, measured on dev.
``--vectors`` is what the words of recipes of taggers begin with (`ziggurat train TEXT… --recipe task-vectors`), and
``--start`` the encoder of ``encoder-tagger``; each is given to those recipes alone that can begin so. A linear-chain
CRF on features by hand (`benchmarks.tasks.crf_features`) learns the same sentences three times, and of these the one is
measured that is best on what tunes. ``ratio`` is the best mean F1 over the floor.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness import data_folder, median_spread, print_table, report
from benchmarks.tasks.crf_features import sentence_features
from benchmarks.tasks.trials import QUICK_STEPS, add_options, begun, check_start, figure, mean_spread, trained
from ziggurat.artefacts.runs import open_run
from ziggurat.core.schemes import lenient_spans_of
from ziggurat.judge.answers import Answer, answers_report
from ziggurat.surface.material import prepared
from ziggurat.text.labelled_corpus import LabelledCorpus
from ziggurat.training.job import silent

__all__ = ["SETS", "NamedData", "main"]

METRIC = "span_f1"
PULLS = ((0.1, 0.1), (0.1, 0.01), (0.0, 1.0))
"""What is tried of the peer: its weights' pulls c1 and c2, those of its tutorial first."""
PEER_STEPS = 100


@dataclass(frozen=True)
class NamedData:
    """A set of sentences whose names are labelled."""

    files: tuple[str, str]
    recipes: tuple[str, ...]
    floor: float
    goal: float
    started: tuple[float, float]
    """Floor and goal of what begins with an encoder that others trained."""


SETS = {
    "wnut17": NamedData(("train.conll", "dev.conll"), ("lstm-tagger",), 0.25, 0.35, (0.40, 0.50)),
    "resume_zh": NamedData(("train.bmes", "dev.bmes"), ("lstm-tagger", "lstm-tagger-zh"), 0.92, 0.95, (0.92, 0.95)),
}


def main(arguments: Sequence[str]) -> None:
    """Print a row for each recipe and the peer, and the last line of JSON."""
    options = _options(arguments)
    chosen = SETS[options.set]
    folder = data_folder(options.data, options.set)
    sources = [str(folder / chosen.files[0]), f"test={folder / chosen.files[1]}"]
    rows: list[list[str]] = []
    told: dict[str, Any] = {}
    names = options.recipes or (*chosen.recipes, *(["encoder-tagger"] if options.start else []))
    check_start(names, options)
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            recipe = begun(name, options, minutes=options.minutes)
            outcomes = trained("ner", recipe, sources, Path(scratch), seeds=options.seeds)
            scores = [figure(one, METRIC) for one, _ in outcomes]
            minutes = [seconds / 60 for _, seconds in outcomes]
            told[name] = {METRIC: scores, "minutes": minutes}
            rows.append([name, mean_spread(scores), median_spread(minutes)])
            print(*rows[-1], sep="  ", file=sys.stderr, flush=True)
        peer = _crf(outcomes[0][0].bundle.path.parent, quick=options.quick)
    if peer:
        rows.append(["sklearn-crfsuite", f"{100 * peer[METRIC]:.1f}", f"{peer['minutes']:.2f}"])
    print_table([options.set, "span F1, %", "minutes"], rows)
    best = max(statistics.mean(one[METRIC]) for one in told.values())
    floor, goal = chosen.started if options.start else (chosen.floor, chosen.goal)
    facts = {
        "seeds": list(options.seeds),
        "floor": floor,
        "goal": goal,
        "floor_met": best >= floor,
        "goal_met": best >= goal,
    }
    report("tasks.ner", best / floor, set=options.set, keys=dict(options.keys), **facts, recipes=told, crf=peer)


def _crf(folder: Path, *, quick: bool) -> dict[str, Any]:
    """Return what the peer makes of the sentences of a run in ``folder``; nothing where it is not installed."""
    try:
        import sklearn_crfsuite  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        print("sklearn-crfsuite is not installed: no peer in this run", file=sys.stderr)
        return {}
    with open_run(folder) as run:
        corpus = prepared(run, silent)
    if not isinstance(corpus, LabelledCorpus):
        raise TypeError("no labelled sentences")
    words, labels = zip(*((one.input, one.answer) for one in corpus.train.entries), strict=True)
    features = [sentence_features(sentence) for sentence in words]
    tried = []
    for c1, c2 in PULLS[:1] if quick else PULLS:
        began = time.perf_counter()
        model = sklearn_crfsuite.CRF(c1=c1, c2=c2, max_iterations=QUICK_STEPS if quick else PEER_STEPS)
        model.fit(features, [list(one) for one in labels])
        minutes = (time.perf_counter() - began) / 60
        tried.append((_span_f1(model, corpus.dev.entries), _span_f1(model, corpus.test.entries), minutes, (c1, c2)))
    _, score, minutes, pulls = max(tried)
    return {METRIC: score, "minutes": minutes, "minutes_of_all": sum(one[2] for one in tried), "pulls": pulls}


def _span_f1(model: Any, entries: Iterable[Any]) -> float:
    """Return the F1 of a model of the peer's, by the metric that judges ours."""
    held = list(entries)
    said = model.predict([sentence_features(one.input) for one in held])
    answers = [
        Answer(entry.id, sorted(lenient_spans_of(entry.answer)), sorted(lenient_spans_of(labels)))
        for entry, labels in zip(held, said, strict=True)
    ]
    return answers_report(answers, [METRIC]).metrics[0][1].value


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tasks.ner", description="names in sentences")
    parser.add_argument("--set", choices=sorted(SETS), default="wnut17")
    parser.add_argument("--recipes", nargs="+", help="unless told, those of the set, and encoder-tagger with --start")
    parser.add_argument("--minutes", type=float, help="of training; unless told, as the recipe has it")
    add_options(parser)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
