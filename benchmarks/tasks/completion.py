"""Keystrokes saved on novels: a model of a few minutes suggests while held-out pages are typed again.

::

    python -m benchmarks.tasks.completion [--quick] [--data DIR] [--recipe ngram] [--minutes 3] [--suggestions 1 5]

A byte-level BPE and the recipe ``--recipe`` (``counted-lstm``: an LSTM on counts that remembers the last thousand
tokens; ``ngram``: counts alone, which need no minutes) learn the training novels. Then of each held-out novel some
lines from its middle, ``--characters`` of them, are typed (`ziggurat.judge.keystrokes`): after each key so many
completions are offered as ``--suggestions`` says, and of those that agree wholly with what comes the longest is taken,
for one key. All is typed once for each such number; the first of them, one suggestion, is what ``ratio`` tells: the
part of keys saved over the floor. Novels are typed in turn until ``--typing-minutes`` are over.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.entries import Entry, fit_entry
from benchmarks.harness import data_folder, print_table, report
from benchmarks.prose_steps import Prepared, documents_of, prepare
from ziggurat.artefacts.bundle import Bundle, load
from ziggurat.artefacts.fit import Material
from ziggurat.core.types import Document
from ziggurat.judge.keystrokes import Keystrokes, keystrokes
from ziggurat.use.suggesting import SuggestConfig

__all__ = ["main", "pages"]

FLOOR, GOAL = 0.35, 0.50
VOCABULARY, QUICK_VOCABULARY = 4096, 512
QUICK_BYTES = 120_000
QUICK_STEPS = 3
LONGEST = 300_000
"""Bytes of a held-out novel that are made ready; pages are from its middle."""
SETTINGS: dict[str, dict[str, Any]] = {
    "counted-lstm": {
        "model.dropout_input": 0.0,
        "model.dropout_output": 0.0,
        "training.optimiser": "muon",
        "training.learning_rate": 6e-3,
    },
    "ngram": {"model.order": 6},
}
TRAINED = ("counted-lstm",)
"""Recipes that take minutes."""


def main(arguments: Sequence[str]) -> None:
    """Print what each novel's pages took, and the last line of JSON."""
    options = _options(arguments)
    data = data_folder(options.data, "novels")
    limit = QUICK_BYTES if options.quick else options.train_bytes
    vocabulary = QUICK_VOCABULARY if options.quick else VOCABULARY
    minutes = {"training.minutes": 1.0} if options.recipe in TRAINED else {}
    entry = Entry(options.recipe, options.recipe, SETTINGS[options.recipe], minutes, dev=bool(minutes))
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        texts = prepare(data, place / "ids", vocabulary=vocabulary, limit=limit, longest=LONGEST)
        entry = entry.within(options.minutes)
        if options.quick:
            entry = Entry(entry.name, entry.recipe, entry.settings, dev=entry.dev, steps=QUICK_STEPS)
        facts = fit_entry(entry, _material(texts, entry), place / "model", seed=options.seed)
        print(f"{entry.name}: trained {facts['seconds']:.0f} s", file=sys.stderr, flush=True)
        bundle = load(place / "model" / "bundle")
        sample = list(pages(documents_of(data, "dev"), 200 if options.quick else options.characters))
        found = {count: _typed(bundle, sample, count, options.typing_minutes) for count in options.suggestions}
    met = {}
    for count, each in found.items():
        _show(count, each)
        met[str(count)] = {"floor_met": each.saved >= FLOOR, "goal_met": each.saved >= GOAL}
    told = {str(count): each.figures(seed=options.seed) for count, each in found.items()}
    report(
        "tasks.completion",
        found[options.suggestions[0]].saved / FLOOR,
        recipe=options.recipe,
        seed=options.seed,
        training=facts,
        floor=FLOOR,
        goal=GOAL,
        suggestions={count: told[count] | met[count] for count in told},
    )


def _typed(bundle: Bundle, sample: Sequence[Document], suggestions: int, minutes: float) -> Keystrokes:
    config = SuggestConfig(suggestions=suggestions)
    return keystrokes(bundle.language_model, bundle.tokenizer, sample, config, max_seconds=60 * minutes)


def pages(documents: Iterator[Document], characters: int) -> Iterator[Document]:
    """Yield about so many characters from each document's middle, from the beginning of a line on."""
    for document in documents:
        begin = document.text.find("\n", len(document.text) // 2) + 1
        text = document.text[begin : begin + characters].strip()
        if text:
            yield Document(document.id, text)


def _material(texts: Prepared, entry: Entry) -> Material:
    train, dev = (texts.train, texts.dev) if entry.dev else (texts.learnt, None)
    return Material(texts.tokenizer, train, dev, {}, "completion")


def _show(suggestions: int, found: Keystrokes) -> None:
    rows = []
    columns = zip(found.ids, found.characters, found.typed, found.accepts, strict=True)
    for name, characters, typed, accepts in columns:
        saved = 1 - (typed + accepts) / characters
        rows.append([name, str(characters), str(typed), str(accepts), f"{100 * saved:.1f}"])
    total = [str(sum(each)) for each in (found.characters, found.typed, found.accepts)]
    rows.append(["all", *total, f"{100 * found.saved:.1f}"])
    told = found.figures()
    print(f"{suggestions} suggested after each key, {told['milliseconds_per_key']:.1f} ms a key")
    print_table(["novel", "characters", "typed", "taken", "% saved"], rows)
    print(f"% saved: {100 * told['keystrokes_saved']:.1f} ({100 * told['low']:.1f} to {100 * told['high']:.1f})\n")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tasks.completion", description="keystrokes saved")
    parser.add_argument("--quick", action="store_true", help="a little text, three steps")
    parser.add_argument("--data", type=Path, help="folder with train and dev texts")
    parser.add_argument("--recipe", choices=sorted(SETTINGS), default="counted-lstm")
    parser.add_argument("--minutes", type=float, default=3.0, help="of training, where the recipe takes some")
    parser.add_argument("--typing-minutes", type=float, default=1.5, help="no novel is begun after so many")
    parser.add_argument("--characters", type=int, default=600, help="of each novel that are typed")
    parser.add_argument("--suggestions", type=int, nargs="+", default=[1, 5], help="offered after each key")
    parser.add_argument("--train-bytes", type=int, help="of the training text at most; all of it unless told")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
