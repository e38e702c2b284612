"""From a recipe and a corpus to a bundle, stage by stage; what is done already is not done again.

*Idea.* Each stage leaves its result in the run's folder together with a key: a hash of everything that decided it. A
later run finds the key and goes on behind it. The stages are: tokenizer (from the training split only), token stores,
parts (for a model made of others), vectors (where embeddings begin with some), training, bundle.
"""

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.artefacts.adapters import ADAPTER, write_adapter
from ziggurat.artefacts.beginning import Beginning, first_vectors
from ziggurat.artefacts.bundle import TENSORS, Bundle, bundle_folder, chat_template, load, read_manifest, save
from ziggurat.artefacts.manifest import NAME, Provenance
from ziggurat.artefacts.recipe import Recipe
from ziggurat.artefacts.runs import METRICS
from ziggurat.core.config import to_mapping
from ziggurat.core.errors import ArtefactError, TooLittleTextError, UsageError
from ziggurat.core.files import write_text
from ziggurat.core.protocols import HidesWords, ReadsLabels, ReadsTags, Spells, Tokenizer
from ziggurat.core.schemes import scheme_of_sequences
from ziggurat.core.types import Event, Listener
from ziggurat.core.workers import HERE, Workers
from ziggurat.models.registry import FAMILIES
from ziggurat.text.corpus import Corpus
from ziggurat.text.labelled_corpus import ExampleSet, LabelledCorpus
from ziggurat.text.parallel import ParallelCorpus
from ziggurat.text.questions import QuestionCorpus
from ziggurat.tokens import chinese
from ziggurat.tokens.loading import load_tokenizer, token_texts, train_tokenizer
from ziggurat.tokens.store import Store, open_store, write_store
from ziggurat.tokens.word_marks import open_marks, write_marks
from ziggurat.training.events import metrics_file, several
from ziggurat.training.job import Fitted, Job, Labels, Spelling, Spreads, Start, Tags, WordMarks, Words, silent, trainer
from ziggurat.training.torchrun import current

__all__ = ["Material", "Texts", "fit", "prepare_material", "recipe_material"]

Texts: TypeAlias = Corpus | ParallelCorpus | LabelledCorpus | QuestionCorpus
"""What a model is made from: documents, pairs of them, examples with labels, or questions with queries."""


@dataclass(frozen=True)
class Material:
    """A corpus made ready for training: a tokenizer and the splits as ids."""

    tokenizer: Tokenizer
    train: Store
    dev: Store | None
    corpus: Mapping[str, Any]
    """What a manifest says of the text."""
    key: str
    """Hash of everything that decided it."""
    train_sources: Store | None = None
    """What each document of `train` follows from, where the corpus is one of pairs."""
    dev_sources: Store | None = None
    """The same of `dev`."""
    words: WordMarks | None = None
    """Which tokens belong to one word, where that was asked for."""
    labels: Labels | None = None
    """Which label each document has, where the corpus is one of texts with labels."""
    tags: Tags | None = None
    """Which label each word has, where the corpus is one of sentences of labelled words."""


def prepare_material(
    corpus: Texts,
    kind: str,
    config: Any,
    folder: Path,
    *,
    listener: Listener = silent,
    tokenizer: Tokenizer | None = None,
    workers: Workers = HERE,
) -> Material:
    """Train a tokenizer of ``kind`` on the training split and write the splits as ids below ``folder``.

    Sources and targets of pairs share one tokenizer, trained on both (Vaswani et al. 2017, section 5.1). Where a
    ``tokenizer`` is given it is used as it is, and none is trained. The ``workers`` tokenize; what is
    written does not depend on who they are.

    Raises:
        TooLittleTextError: the training split is empty.
        DiskFullError: the disk is full.
    """
    if not len(corpus.train):
        raise TooLittleTextError("the training split is empty: give more text")
    if tokenizer is None:
        key = _key(corpus.fingerprint, kind, to_mapping(config))
        tokenizer = _own_tokenizer(corpus, kind, config, folder, key, listener)
    else:
        key = _key(corpus.fingerprint, tokenizer.fingerprint)
    stores = {}
    for split, entries in (("train", corpus.train), ("dev", corpus.dev)):
        for side, documents in entries.sides.items() if len(entries) else ():
            name = f"{split}-{side}" if side else split
            stores[name] = _store(tokenizer, documents, folder / name, key, (listener, workers))
    listener(_compression(stores["train"]))
    sources = [stores.get(f"{split}-source") for split in ("train", "dev")]
    material = Material(tokenizer, stores["train"], stores.get("dev"), corpus.facts(), key, sources[0], sources[1])
    if not isinstance(corpus, LabelledCorpus):
        return material
    if corpus.of_words:
        return dataclasses.replace(material, tags=_tags(corpus, tokenizer))
    return dataclasses.replace(material, labels=_labels(corpus))


def recipe_material(
    recipe: Recipe, corpus: Texts, folder: Path, *, listener: Listener = silent, workers: Workers = HERE
) -> Material:
    """Do `prepare_material` for a recipe: with a tokenizer of its own, or that of the bundle which it begins with.

    Where whole words are hidden in training, find out which tokens belong to one (`ziggurat.tokens.word_marks`).

    Raises:
        TooLittleTextError, DiskFullError: as `prepare_material`.
        MissingExtraError: words of Chinese are asked for, and what cuts it is not installed.
    """
    material = prepare_material(
        corpus,
        recipe.tokenizer,
        recipe.tokens,
        folder,
        listener=listener,
        tokenizer=load(Path(recipe.reads_with)).tokenizer if recipe.reads_with else None,
        workers=workers,
    )
    if not isinstance(recipe.training, HidesWords) or not recipe.training.whole_words:
        return material
    found = {
        split: _marks(material, entries.sides[""], store, folder / f"{split}-words", listener)
        for split, entries, store in (
            ("train", corpus.train, material.train),
            ("dev", corpus.dev, material.dev),
        )
        if store is not None
    }
    return dataclasses.replace(material, words=WordMarks(found["train"], found.get("dev")))


def fit(
    recipe: Recipe,
    material: Material,
    folder: Path,
    *,
    listener: Listener = silent,
    parts: Sequence[Bundle] = (),
    workers: Workers = HERE,
) -> Bundle:
    """Train the recipe's model and return its bundle, ``folder/bundle``; go on where an earlier run stopped.

    ``parts`` are models for the recipe's parts that are trained already; otherwise they are trained here. The
    ``workers`` count where a trainer counts n-grams; the model does not depend on who they are.

    Raises:
        InterruptedRunError: the user stopped it; a checkpoint is saved.
        DiskFullError: the disk is full.
    """
    start = bundle_folder(Path(recipe.start)) if recipe.start else None
    arrays = "" if start is None else str(read_manifest(start).files[TENSORS]["sha256"])
    key = _key(material.key, recipe.to_mapping() | {"sources": []}, *([arrays] if arrays else []))
    processes = current()
    if processes.told(_is_done(folder, "bundle", key) and (folder / "bundle" / NAME).is_file()):
        return load(folder / "bundle")
    parts = parts or [
        fit(part, material, folder / "parts" / part.name, listener=_named(part.name, listener), workers=workers)
        for part in recipe.parts
    ]
    begun = _beginning(recipe, material, folder, listener)
    listener = several((metrics_file(folder / METRICS), listener)) if processes.rank == 0 else silent
    if begun is not None:
        listener({"event": "vectors", **begun.facts})
    listener({"event": "stage", "stage": "training", "recipe": recipe.name})
    job = dataclasses.replace(
        _job(recipe, material, listener),
        folder=folder / "checkpoints",
        parts=tuple(part.model for part in parts),
        part_families=tuple(part.manifest.family for part in parts),
        first_vectors=None if begun is None else begun.first,
        workers=workers,
        start=None if start is None else Start(lambda: load(start).model, arrays),
    )
    train = trainer(job.family, recipe.trainer).fit
    fitted = train(job) if isinstance(recipe.training, Spreads) else None
    with processes.first_alone():
        if processes.rank:
            return load(folder / "bundle")
        found = {} if start is None else {"from": str(start), "arrays": arrays}
        fitted = _in_all(fitted or train(job), parts)
        _write(recipe, material, folder, fitted, listener, begun=begun, start=found)
        _finish(folder, "bundle", key)
    return load(folder / "bundle")


def _in_all(fitted: Fitted, parts: Sequence[Bundle]) -> Fitted:
    """Return what was fitted with the seconds of its parts' training among its own."""
    spent = sum(float(part.manifest.training.get("seconds", 0.0)) for part in parts)
    if not spent:
        return fitted
    return dataclasses.replace(fitted, facts={**fitted.facts, "seconds": fitted.facts.get("seconds", 0.0) + spent})


def _write(
    recipe: Recipe,
    material: Material,
    folder: Path,
    fitted: Fitted,
    listener: Listener,
    *,
    begun: Beginning | None,
    start: dict[str, str],
) -> Bundle:
    """Write the bundle of a fitted model, and the change beside it where that alone was learnt."""
    if fitted.adapter is not None:
        write_adapter(folder / ADAPTER, fitted.adapter, fitted.model, recipe)
    listener({"event": "stage", "stage": "bundle", "recipe": recipe.name})
    facts = dict(fitted.facts) if begun is None else {**fitted.facts, "vectors": begun.facts}
    if start:
        facts["start"] = start
    provenance = Provenance(recipe.to_mapping(), recipe.seed, material.corpus, facts)
    return save(
        folder / "bundle",
        family=recipe.family,
        model=fitted.model,
        tokenizer=material.tokenizer,
        provenance=provenance,
        chat_template=chat_template(Path(start["from"])) if start else "",
    )


def _job(recipe: Recipe, material: Material, listener: Listener) -> Job:
    """Return what recipe and material say of the training; what it begins with comes in later."""
    return Job(
        family=FAMILIES.get(recipe.family),
        model_config=_told_labels(recipe, material),
        config=recipe.training,
        train=material.train,
        dev=material.dev,
        seed=recipe.seed,
        listener=listener,
        spelling=_spelling(recipe.model, material.tokenizer),
        train_sources=material.train_sources,
        dev_sources=material.dev_sources,
        words=material.words,
        labels=material.labels,
        tags=material.tags,
    )


def _labels(corpus: LabelledCorpus) -> Labels:
    """Return the places of all labels among those of the training split."""
    names = corpus.names
    places = {name: place for place, name in enumerate(names)}
    train, dev = (
        np.array([places.get(entry.answer, -1) for entry in split.entries], np.int32)
        for split in (corpus.train, corpus.dev)
    )
    return Labels(names, train, dev if len(dev) else None)


def _tags(corpus: LabelledCorpus, tokenizer: Tokenizer) -> Tags:
    """Return the words of the splits as arrays, with the places of their labels among those of the training split."""
    from ziggurat.tokens.word_characters import word_arrays

    names = corpus.names
    places = {name: place for place, name in enumerate(names)}

    def words(split: ExampleSet) -> Words:
        starts, firsts, characters = word_arrays(tokenizer, [entry.input for entry in split.entries])
        read = list(split.readings())
        labels = np.array([places.get(label, -1) for _, reading in read for label in reading.labels], np.int32)
        lines = tuple(entry.id for entry in split.entries)
        if not any(reading.marked for _, reading in read):
            return Words(starts, labels, firsts, characters, places=lines)
        documents = np.array([number for number, _ in read], np.int32)
        counts = np.diff(starts)[documents]
        begins = np.concatenate([[0], np.cumsum(counts)])
        rows = np.arange(begins[-1]) + np.repeat(starts[documents] - begins[:-1], counts)
        marks = np.zeros(len(rows), np.int32)
        for begin, (_, reading) in zip(begins.tolist(), read, strict=False):
            marks[begin + reading.marked.start : begin + reading.marked.stop] = 1
        return Words(begins, labels, firsts[rows], characters[rows], documents, marks, lines)

    return Tags(names, words(corpus.train), words(corpus.dev) if len(corpus.dev) else None)


def _told_labels(recipe: Recipe, material: Material) -> Any:
    """Return the configuration of a model that tells labels, with their names; any other as it is.

    A scheme that the recipe names is kept. What a bundle to start from says holds where its labels are the same.

    Raises:
        UsageError: the recipe names labels, and the training text has others.
    """
    config, family = recipe.model, FAMILIES.get(recipe.family)
    if material.labels is not None and isinstance(family, ReadsLabels):
        return dataclasses.replace(config, labels=_obeyed(recipe, material.labels.names))
    if material.tags is None or not isinstance(family, ReadsTags):
        return config
    names, train = _obeyed(recipe, material.tags.names), material.tags.train
    if config.scheme != "auto" and (not recipe.start or config.labels == names):
        return dataclasses.replace(config, labels=names)
    stretches = itertools.pairwise(train.starts.tolist())
    scheme = scheme_of_sequences([[names[place] for place in train.labels[a:b].tolist()] for a, b in stretches])
    return dataclasses.replace(config, labels=names, scheme=scheme or "none")


def _obeyed(recipe: Recipe, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the labels of the training text, which those that a recipe names must be."""
    named = recipe.model.labels
    if named and named != names and not recipe.start:
        shown = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
        raise UsageError(
            f"model.labels: the labels of the training text, in order, are {shown}; leave model.labels out"
        )
    return names


def _beginning(recipe: Recipe, material: Material, folder: Path, listener: Listener) -> Beginning | None:
    """Return what the embeddings begin with: vectors of a bundle, or of a recipe that is trained here first."""
    if isinstance(recipe.vectors, Recipe):
        below = folder / "vectors"
        bundle = fit(recipe.vectors, material, below, listener=_named(recipe.vectors.name, listener))
    elif recipe.vectors:
        bundle = load(Path(recipe.vectors))
    else:
        return None
    return first_vectors(recipe, bundle, material.tokenizer)


def _spelling(config: Any, tokenizer: Tokenizer) -> Spelling | None:
    """Return the character n-grams of the tokenizer's words, where the model is to learn them."""
    if not isinstance(config, Spells) or not config.spells:
        return None
    from ziggurat.tokens.character_ngrams import spelling_table

    words = token_texts(tokenizer)
    for special in tokenizer.vocabulary.special:
        words[special] = ""
    return Spelling(*spelling_table(words, config))


def _store(tokenizer: Tokenizer, documents: Any, path: Path, key: str, around: tuple[Listener, Workers]) -> Store:
    if _is_done(path.parent, path.name, key):
        with suppress(ArtefactError):  # a store that is damaged is written again
            return open_store(path)
    listener, workers = around
    listener({"event": "stage", "stage": "ids", "split": path.name})
    store = write_store(tokenizer, documents, path, workers=workers)
    _finish(path.parent, path.name, key)
    return store


def _own_tokenizer(corpus: Texts, kind: str, config: Any, folder: Path, key: str, listener: Listener) -> Tokenizer:
    """Return the tokenizer that is trained on the training split; the one that is there, where it has this key."""
    tokenizer = _done_tokenizer(folder, key)
    if tokenizer is None:
        listener({"event": "stage", "stage": "tokenizer", "kind": kind})
        tokenizer = train_tokenizer(corpus.train.texts(), kind, config)
        write_text(folder / "tokenizer.json", tokenizer.to_json())
        _finish(folder, "tokenizer", key)
    return tokenizer


def _marks(material: Material, documents: Any, store: Store, path: Path, listener: Listener) -> npt.NDArray[np.bool_]:
    own = _key(material.key, chinese.versions())
    if _is_done(path.parent, path.name, own):
        with suppress(ArtefactError):
            return open_marks(path, store)
    listener({"event": "stage", "stage": "word_marks", "split": store.path.name})
    marks = write_marks(material.tokenizer, documents, path, store)
    _finish(path.parent, path.name, own)
    return marks


def _done_tokenizer(folder: Path, key: str) -> Tokenizer | None:
    if _is_done(folder, "tokenizer", key):
        with suppress(ArtefactError, OSError, ValueError):
            return load_tokenizer((folder / "tokenizer.json").read_text(encoding="utf-8"))
    return None


def _compression(store: Store) -> Event:
    tokens = len(store.tokens)
    size = store.size_bytes
    return {"event": "ids", "tokens": tokens, "bytes": size, "documents": len(store), "bytes_per_token": size / tokens}


def _named(name: str, listener: Listener) -> Listener:
    """Return a listener that says of which part each event is."""

    def listen(event: Event) -> None:
        listener({**event, "part": name})

    return listen


def _key(*deciding: Any) -> str:
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


def _finish(folder: Path, stage: str, key: str) -> None:
    write_text(folder / f".{stage}.done", key)


def _is_done(folder: Path, stage: str, key: str) -> bool:
    with suppress(OSError):
        return (folder / f".{stage}.done").read_text(encoding="utf-8") == key
    return False
