"""The climb: train every family within a budget, measure all on the same held-out documents, say which to use."""

import os
import platform
from collections.abc import Mapping, Sequence
from typing import Any

from ziggurat.artefacts.bundle import Bundle, record
from ziggurat.artefacts.fit import Material, prepare_material
from ziggurat.core.files import write_text
from ziggurat.core.types import Document, Listener
from ziggurat.core.version import VERSION
from ziggurat.core.workers import HERE, Workers
from ziggurat.judge import compressors
from ziggurat.judge.evaluate import Evaluation, evaluate
from ziggurat.judge.ranking import Pair, Ranking, rank
from ziggurat.study.clock import Clock
from ziggurat.study.entrants import TOGETHER, Entry, Trained, describe, train_all, try_vectors
from ziggurat.study.probing import Chosen, probe
from ziggurat.study.result import Climb, Comparison, Entrant, Sample, Yardstick
from ziggurat.study.word_space import learn_words
from ziggurat.text.corpus import Corpus, prepare
from ziggurat.tokens.store import Store
from ziggurat.use.completion import GenerationConfig, generate

__all__ = ["RESULT", "climb", "evaluate_bundles"]

RESULT = "climb.json"
SAMPLING = GenerationConfig(temperature=0.8, top_p=0.95, max_tokens=80)
PROMPTS = 2
PROMPT_CHARACTERS = 60
COMPRESSED_TRAINING_BYTES = 12_000_000
"""Training text up to which ``xz`` is also given it: beyond, it would take longer than the models."""


def climb(entry: Entry, *, listener: Listener, workers: Workers = HERE) -> Climb:
    """Run the climb and leave the bundles and ``climb.json`` in the entry's folder; the ``workers`` prepare the text.

    Raises:
        InputError: a source can't be used, or there is too little text.
        UsageError: the budget is too short for anything.
        InterruptedRunError: the user stopped it; the same command goes on.
    """
    clock = Clock(60 * entry.minutes)
    with workers:
        corpus, chosen, material = _material(entry, clock, listener, workers)
    with clock.stage("compressors"):
        yardsticks = _yardsticks(corpus)
    with clock.stage("words"):
        listener({"event": "stage", "stage": "words"})
        word_space = learn_words(entry, corpus, clock, listener)
    trained = train_all(entry, material, clock, order=chosen.order, listener=listener)
    entrants, ranking = _measured(entry, corpus, trained, material.dev or material.train, clock, listener)
    result = Climb(
        title=entry.title,
        sources=entry.sources,
        command=entry.command,
        seed=entry.seed,
        budget_seconds=clock.budget_seconds,
        seconds=clock.elapsed_seconds,
        spent=clock.spent(),
        corpus=corpus.facts(),
        tokenizer=_tokenizer_facts(material),
        probes=chosen.probes,
        held_out_documents=len(corpus.test),
        held_out_bytes=corpus.test.size_bytes,
        entrants=tuple(entrants[name] for name in ranking.names),
        comparisons=tuple(_comparison(pair) for pair in ranking.pairs),
        yardsticks=yardsticks,
        recommended=ranking.names[0],
        best_single=next(name for name in ranking.names if name != TOGETHER),
        sampling={"temperature": SAMPLING.temperature, "top_p": SAMPLING.top_p, "tokens": SAMPLING.max_tokens},
        machine={"version": VERSION, "python": platform.python_version(), "cores": os.cpu_count() or 1},
        word_space=word_space,
        trial=try_vectors(trained, clock),
    )
    write_text(entry.folder / RESULT, result.to_json())
    return result


def _material(entry: Entry, clock: Clock, listener: Listener, workers: Workers) -> tuple[Corpus, Chosen, Material]:
    """Prepare the text, choose a tokenizer, and write the splits as its ids."""
    with clock.stage("text"):
        listener({"event": "stage", "stage": "text"})
        folder = entry.folder / "corpus"
        corpus = prepare(entry.sources, entry.text, folder=folder, listener=listener, workers=workers)
    with clock.stage("tokenizer"):
        listener({"event": "stage", "stage": "probing"})
        chosen = probe(corpus)
        folder = entry.folder / "material"
        material = prepare_material(corpus, chosen.kind, chosen.config, folder, listener=listener, workers=workers)
    return corpus, chosen, material


def _measured(
    entry: Entry, corpus: Corpus, trained: Sequence[Trained], dev: Store, clock: Clock, listener: Listener
) -> tuple[dict[str, Entrant], Ranking]:
    """Score held-out documents with every model, let each write, and record the figures in its bundle."""
    documents = list(corpus.test)
    bundles = {one.recipe.name: one.bundle for one in trained}
    with clock.stage("evaluate"):
        listener({"event": "stage", "stage": "evaluate"})
        evaluations = evaluate_bundles(bundles, documents)
        ranking = rank(evaluations, seed=entry.seed)
    with clock.stage("samples"):
        listener({"event": "stage", "stage": "samples"})
        samples = {name: _samples(bundle, documents, seed=entry.seed) for name, bundle in bundles.items()}
    entrants = {}
    for one in trained:
        name = one.recipe.name
        entrants[name] = describe(entry, one, evaluations[name], samples[name], corpus, dev)
        record(entry.folder / entrants[name].bundle, {"test": evaluations[name].figures(seed=entry.seed)})
    return entrants, ranking


def evaluate_bundles(bundles: Mapping[str, Bundle], documents: Sequence[Document]) -> dict[str, Evaluation]:
    """Score the same documents with every bundle."""
    return {name: evaluate(bundle.language_model, bundle.tokenizer, documents) for name, bundle in bundles.items()}


def _yardsticks(corpus: Corpus) -> tuple[Yardstick, ...]:
    found = [Yardstick(name, value) for name, value in compressors.alone(corpus.test).items()]
    if corpus.train.size_bytes <= COMPRESSED_TRAINING_BYTES:
        value = compressors.given_training_text(corpus.train, corpus.test)
        found.append(Yardstick("xz -9e after the training text", value))
    return tuple(found)


def _samples(bundle: Bundle, documents: Sequence[Document], *, seed: int) -> tuple[Sample, ...]:
    prompts = [_beginning(document.text) for document in documents[:PROMPTS]]
    written = generate(bundle.language_model, bundle.tokenizer, prompts, SAMPLING, seed=seed)
    return tuple(Sample(prompt, one.text) for prompt, one in zip(prompts, written, strict=True))


def _beginning(text: str) -> str:
    """Return the first words of a text."""
    head = text[:PROMPT_CHARACTERS]
    return head[: head.rfind(" ")] if " " in head[PROMPT_CHARACTERS // 2 :] else head[: PROMPT_CHARACTERS // 3]


def _tokenizer_facts(material: Material) -> dict[str, Any]:
    store = material.dev or material.train
    tokenizer = material.tokenizer
    return {
        "kind": tokenizer.kind,
        "vocabulary": tokenizer.vocabulary.size,
        "bytes_per_token": store.size_bytes / max(1, len(store.tokens)),
        "fingerprint": tokenizer.fingerprint,
    }


def _comparison(pair: Pair) -> Comparison:
    difference = pair.difference
    return Comparison(
        better=pair.better,
        worse=pair.worse,
        difference=difference.value,
        low=difference.low,
        high=difference.high,
        p_value=pair.corrected_p_value,
        distinguishable=pair.distinguishable,
        smallest_detectable=difference.smallest_detectable,
        text_factor=difference.text_factor,
    )
