"""Words heard wrongly: pocketsphinx with its own language model, and with ours before and after.

::

    python -m benchmarks.tasks.speech [--quick] [--data DIR] [--novels DIR] [--minutes 12] [--beam 60]

The recordings (``librivox_austen``) are sentences of a novel read aloud; language models learn other novels
(``novels``), and the command searches these for the references' words (`benchmarks.tasks.speech_text`) and leaves out
what has them. The acoustic model and the dictionary are pocketsphinx's in all rows. Ours are three steps:

1. pocketsphinx hears with our trigrams (modified Kneser-Ney, words that the dictionary can pronounce);
2. its lattice is searched with our n-gram of order ``--order`` on the same words, nothing pruned;
3. the sentences found, and the recogniser's own best, are ranked with a network on counts (``counted-lstm``), as the
   next line of what was said before, by the second step's choices; the n-gram has a weight beside it.

Beside these, pocketsphinx's own best are ranked with the n-gram alone. All weights for one recording are tuned on the
other recordings (leave one out, by smoothed errors); the search itself is by the defaults of ``ziggurat transcribe``.
``best of list`` has the fewest errors of all that was ranked: a bound. Abbreviations count as they are read (``mr`` is
``mister``), in all rows.
``ratio`` is the word error rate of step 3 over that of pocketsphinx with its own model.
"""

import argparse
import sys
import tempfile
import time
import wave
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.entries import Entry, bundle_facts
from benchmarks.harness import data_folder, print_table, report
from benchmarks.prose_steps import documents_of
from benchmarks.tasks.speech_text import READ_ALOUD, Search, spoken_lines
from ziggurat.artefacts.bundle import Bundle
from ziggurat.artefacts.fit import Material, fit
from ziggurat.artefacts.interchange.arpa import write_arpa
from ziggurat.core.types import Document
from ziggurat.judge.word_errors import Errors, compare_errors, error_counts, error_rate
from ziggurat.models.ngram import NgramLanguageModel
from ziggurat.text.spoken import read_transcripts
from ziggurat.tokens.bpe import BpeConfig
from ziggurat.tokens.loading import token_texts, train_tokenizer
from ziggurat.tokens.store import write_store
from ziggurat.tokens.words import WordsConfig
from ziggurat.use.lattice import Lattice
from ziggurat.use.lattice_search import search
from ziggurat.use.recognition import Recogniser
from ziggurat.use.rescoring import Hypothesis, language_scores, rank, tune

__all__ = ["left_one_out", "main", "read_aloud"]

QUICK_DOCUMENTS, QUICK_CHARACTERS, QUICK_STEPS = 6, 100_000, 3
ASIDE = 3
"""Novels that tell when the network is at its best."""
BPE = 4096
SAMPLE = 7
"""Every so manyth novel trains the BPE."""
NEURAL: dict[str, Any] = {
    "model.dropout_input": 0.0,
    "model.dropout_output": 0.0,
    "training.optimiser": "muon",
    "training.learning_rate": 6e-3,
}
SMOOTHING = 10.0
"""Nats: about the weight of the language model (`ziggurat.use.rescoring.tune`)."""
OWN, OWN_RANKED = "its own model", "its own, n-best by our n-gram"
HEARD, SEARCHED, RANKED = "heard with our trigrams", "lattice by our n-gram", "by network and n-gram"

Vector = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Heard:
    """What the recogniser made of the recordings."""

    lists: list[list[Hypothesis]]
    lattices: list[Lattice | None]
    seconds: float


def main(arguments: Sequence[str]) -> None:
    """Print a row for each way, and the last line of JSON."""
    options = _options(arguments)
    paths = sorted(data_folder(options.data, "librivox_austen").glob("*.wav"))
    said = read_transcripts(paths[0].parent / "transcription", [path.stem for path in paths])
    audio = sum(_seconds(path) for path in paths)
    told: dict[str, Any] = {}
    chosen: dict[str, list[str]] = {}
    seconds: dict[str, float] = {}
    own = _heard(Recogniser(), paths, options.nbest)
    chosen[OWN], seconds[OWN] = _firsts(own), own.seconds
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        texts = _texts(options, said, told)
        counted, large = _counted(texts, place, options, told)
        began = time.perf_counter()
        scores = language_scores(large.language_model, large.tokenizer, own.lists)
        chosen[OWN_RANKED], told["weights_own"] = left_one_out(own.lists, scores, _wrong(said, own.lists))
        seconds[OWN_RANKED] = seconds[OWN] + time.perf_counter() - began
        ours = _heard(Recogniser(arpa=counted), paths, options.nbest)
        chosen[HEARD], seconds[HEARD] = _firsts(ours), ours.seconds
        began = time.perf_counter()
        lists = _searched(ours, large, options.beam)
        errors = _wrong(said, lists)
        counts = [np.array([one.first for one in each]) for each in lists]
        without = [[replace(one, first=0.0) for one in each] for each in lists]
        chosen[SEARCHED], told["weights_lattice"] = left_one_out(without, counts, errors)
        seconds[SEARCHED] = seconds[HEARD] + time.perf_counter() - began
        network = _network(texts, place, options, told)
        began = time.perf_counter()
        before = ["\n".join(chosen[SEARCHED][:number]) for number in range(len(paths))]
        scores = language_scores(network.language_model, network.tokenizer, lists, before=before)
        chosen[RANKED], told["weights_network"] = left_one_out(lists, scores, errors)
        seconds[RANKED] = seconds[SEARCHED] + time.perf_counter() - began
    chosen["best of list"] = [each[int(np.argmin(wrong))].text for each, wrong in zip(lists, errors, strict=True)]
    _show(said, chosen)
    _report(said, chosen, seconds, audio, told | {"words_are_in_lattice": _reachable(said, ours), "audio": audio})


def left_one_out(
    lists: Sequence[Sequence[Hypothesis]], logprobs: Sequence[Vector], errors: Sequence[Sequence[int]]
) -> tuple[list[str], list[dict[str, float]]]:
    """Return what is best of each list by weights that are tuned on the others, and these weights."""
    texts, weights = [], []
    for number, hypotheses in enumerate(lists):
        others = [row for row in range(len(lists)) if row != number]
        parts: list[Sequence[Any]] = [[each[row] for row in others] for each in (lists, logprobs, errors)]
        tuned = tune(*parts, smoothing=SMOOTHING)
        ranked = rank(hypotheses, logprobs[number], tuned)
        texts.append(ranked[0].hypothesis.text if ranked else "")
        weights.append({"lm": tuned.lm_weight, "first": tuned.first_weight, "bonus": tuned.word_bonus})
    return texts, weights


def _heard(recogniser: Recogniser, paths: Sequence[Path], most: int) -> Heard:
    began = time.perf_counter()
    found = [recogniser.heard(path, most=most) for path in paths]
    seconds = time.perf_counter() - began
    return Heard([read_aloud(each) for each, _ in found], [lattice for _, lattice in found], seconds)


def read_aloud(hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
    """Return hypotheses with abbreviations as they are read; of two that are then the same the first."""
    written = [" ".join(READ_ALOUD.get(word, word) for word in one.text.split()) for one in hypotheses]
    found: dict[str, Hypothesis] = {}
    for text, one in zip(written, hypotheses, strict=True):
        found.setdefault(text, replace(one, text=text))
    return list(found.values())


def _wrong(said: Sequence[str], lists: Sequence[Sequence[Hypothesis]]) -> list[list[int]]:
    pairs = zip(said, lists, strict=True)
    return [[error_counts(text, one.text).total for one in hypotheses] for text, hypotheses in pairs]


def _firsts(heard: Heard) -> list[str]:
    return [each[0].text if each else "" for each in heard.lists]


def _texts(options: argparse.Namespace, said: Sequence[str], told: dict[str, Any]) -> list[Document]:
    """Return the training novels as they are spoken, and say what was searched, found and left out."""
    began = time.perf_counter()
    documents = (one for one in documents_of(data_folder(options.novels, "novels"), "train"))
    if options.quick:
        some = (document for _, document in zip(range(QUICK_DOCUMENTS), documents, strict=False))
        documents = (Document(one.id, one.text[:QUICK_CHARACTERS]) for one in some)
    found = Search(said)
    kept = list(found.kept(spoken_lines(document) for document in documents))
    for name, shared in found.left_out.items():
        _say(f"left out: {name}, which has '{shared}'")
    _say(f"{found.documents} novels were searched for the references, {len(found.left_out)} left out; of the others'")
    _say(f"{found.words:,} words the most in a row that a reference has too: '{found.longest}'")
    told["text"] = {
        "documents": len(kept),
        "words": found.words,
        "left_out": found.left_out,
        "longest_shared": found.longest,
        "seconds": time.perf_counter() - began,
    }
    return kept


def _counted(
    texts: Sequence[Document], place: Path, options: argparse.Namespace, told: dict[str, Any]
) -> tuple[Path, Bundle]:
    """Return an ARPA file of trigrams to hear with, and a larger n-gram model of the same words."""
    began = time.perf_counter()
    pronounces = Recogniser().pronounces
    known: dict[str, bool] = {}

    def heard(line: str) -> str:
        words = line.split()
        known.update((word, pronounces(word)) for word in words if word not in known)
        return " ".join(word for word in words if known[word])

    lines = [Document(f"{one.id}:{row}", line) for one in texts for row, line in enumerate(one.text.splitlines())]
    config = WordsConfig(split="whitespace", vocab_size=options.vocabulary)
    tokenizer = train_tokenizer((heard(line.text) for line in lines), "words", config)
    store = write_store(tokenizer, lines, place / "words")
    material = Material(tokenizer, store, None, {}, "speech")
    orders = {"heard": (3, [0, 0, 1]), "searched": (options.order, [0])}
    bundles = {}
    for name, (order, prune) in orders.items():
        entry = Entry("ngram", "ngram", {"model.order": order, "model.prune": prune})
        bundles[name] = fit(entry.resolved(0), material, place / name)
    arpa, model = place / "heard.arpa", bundles["heard"].language_model
    if not isinstance(model, NgramLanguageModel):
        raise TypeError("the recipe ngram makes an n-gram model")
    write_arpa(model, token_texts(tokenizer), arpa)
    told["ngrams"] = {"heard": model.trie.counts(), "seconds": time.perf_counter() - began}
    _say(f"n-grams: {told['ngrams']['seconds']:.0f} s")
    return arpa, bundles["searched"]


def _network(texts: Sequence[Document], place: Path, options: argparse.Namespace, told: dict[str, Any]) -> Bundle:
    """Return a network on counts that read the novels as lines of BPE tokens."""
    aside = min(ASIDE, len(texts) - 1)
    tokenizer = train_tokenizer((one.text for one in texts[::SAMPLE]), "bpe", BpeConfig(vocab_size=BPE))
    stores = [
        write_store(tokenizer, some, place / name)
        for name, some in (("train", texts[:-aside]), ("dev", texts[-aside:]))
    ]
    steps = QUICK_STEPS if options.quick else None
    entry = Entry("network", "counted-lstm", NEURAL, {"training.minutes": 1.0}, steps=steps).within(options.minutes)
    recipe = entry.resolved(options.seed)
    bundle = fit(recipe, Material(tokenizer, stores[0], stores[1], {}, "speech"), place / "network")
    told["training"] = bundle_facts(recipe, place / "network")
    _say(f"network: {told['training']['seconds']:.0f} s")
    return bundle


def _searched(heard: Heard, large: Bundle, beam: int) -> list[list[Hypothesis]]:
    """Return what a search of each lattice finds, and the recogniser's best; ``first`` is the larger n-gram's."""
    lists = []
    for hypotheses, lattice in zip(heard.lists, heard.lattices, strict=True):
        found = [] if lattice is None else search(lattice, large.language_model, large.tokenizer, beam=beam)
        different = {one.text: one for one in [*hypotheses, *found]}
        lists.append(list(different.values()))
    scores = language_scores(large.language_model, large.tokenizer, lists)
    return [
        [replace(one, first=float(score)) for one, score in zip(each, own, strict=True)]
        for each, own in zip(lists, scores, strict=True)
    ]


def _reachable(said: Sequence[str], heard: Heard) -> list[bool]:
    """Return of each recording whether a way through the lattice has just the words that were said."""
    lattices = zip(said, heard.lattices, strict=True)
    return [lattice is not None and lattice.acoustic_of(text.split()) is not None for text, lattice in lattices]


def _show(said: Sequence[str], chosen: dict[str, list[str]]) -> None:
    for number, text in enumerate(said):
        print(f"said: {text}")
        for way, texts in chosen.items():
            print(f"  {error_counts(text, texts[number]).total:2d}  {way}: {texts[number]}")


def _report(
    said: Sequence[str], chosen: dict[str, list[str]], seconds: dict[str, float], audio: float, told: dict[str, Any]
) -> None:
    counts: dict[str, list[Errors]] = {
        way: [error_counts(text, one) for text, one in zip(said, texts, strict=True)] for way, texts in chosen.items()
    }
    rows, facts = [], {}
    for way, errors in counts.items():
        rate, difference = error_rate(errors, seed=0), compare_errors(counts[OWN], errors, seed=0)
        took = seconds.get(way)
        rows.append(
            [
                way,
                f"{100 * rate.value:.1f} ({100 * rate.low:.1f} to {100 * rate.high:.1f})",
                f"{sum(one.total for one in errors)} of {sum(one.units for one in errors)}",
                "" if way == OWN else f"{difference.p_value:.3f}",
                "" if took is None else f"{took:.1f}",
                "" if took is None else f"{took / audio:.2f}",
            ]
        )
        facts[way] = {"rate": rate.value, "low": rate.low, "high": rate.high, "p_value": difference.p_value}
    print_table(["language model", "WER, % (95 %)", "errors", "p", "seconds", "real time"], rows)
    ratio = facts[RANKED]["rate"] / facts[OWN]["rate"]
    report("tasks.speech", ratio, ways=facts, seconds=seconds, floor_met=ratio < 1, goal_met=ratio <= 1 / 2, **told)


def _seconds(path: Path) -> float:
    with wave.open(str(path)) as recording:
        return float(recording.getnframes() / recording.getframerate())


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tasks.speech", description="word error rates")
    parser.add_argument("--quick", action="store_true", help="a little text, three steps: it shows it works")
    parser.add_argument("--data", type=Path, help="folder with recordings and their transcription")
    parser.add_argument("--novels", type=Path, help="folder with training texts")
    parser.add_argument("--minutes", type=float, default=12.0, help="of the network's training")
    parser.add_argument("--order", type=int, default=4, help="of the n-gram that searches lattices")
    parser.add_argument("--vocabulary", type=int, default=40_000, help="words that can be heard")
    parser.add_argument("--nbest", type=int, default=50, help="of the recogniser")
    parser.add_argument("--beam", type=int, default=60, help="beginnings kept at each node of a lattice")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
