"""What a recipe's family learns from and a model is measured on: documents, pairs of texts, or texts with labels."""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ziggurat.artefacts.bundle import Bundle
from ziggurat.artefacts.fit import Texts
from ziggurat.artefacts.recipe import Recipe
from ziggurat.artefacts.runs import Run
from ziggurat.core.errors import ArtefactError, TooLittleTextError
from ziggurat.core.protocols import ConditionalModel, ReadsLabels, ReadsMarks, ReadsPairs, ReadsTags
from ziggurat.core.types import Document, Listener, Pair
from ziggurat.core.workers import HERE, Workers
from ziggurat.models.registry import FAMILIES
from ziggurat.surface.documents import cut_where_few, read_documents
from ziggurat.text.corpus import open_corpus, prepare
from ziggurat.text.labelled_corpus import (
    open_labelled,
    prepare_labelled,
    prepare_roles,
    prepare_tagged,
    resolve_labelled,
)
from ziggurat.text.pairs import read_pairs, resolve_pairs
from ziggurat.text.parallel import open_pairs, prepare_pairs
from ziggurat.text.questions import QUERIES, open_questions, prepare_questions, resolve_questions
from ziggurat.text.sources import resolve
from ziggurat.use.scoring import Scored, Unit, score_pairs, score_texts

__all__ = ["check_sources", "entries", "prepared", "scores"]


def check_sources(recipe: Recipe, names: Sequence[str]) -> None:
    """Check that there are sources behind ``names`` of the kind that the recipe's family reads.

    Raises:
        InputError: a path does not exist; the message names the nearest.
    """
    _kind(recipe).resolve(names)


def prepared(run: Run, listener: Listener, workers: Workers = HERE) -> Texts:
    """Return a run's prepared text; prepare it where that has not been done."""
    folder, recipe = run.folder / "text", run.recipe
    kind = _kind(recipe)
    with suppress(ArtefactError):
        return kind.open(folder)
    listener({"event": "stage", "stage": "text"})
    return kind.prepare(recipe.sources, recipe.text, folder=folder, listener=listener, workers=workers)


class _Kind(NamedTuple):
    """How texts of one kind are found, prepared and opened again."""

    resolve: Callable[[Sequence[str]], object]
    prepare: Callable[..., Texts]
    open: Callable[[Path], Texts]


def _kind(recipe: Recipe) -> _Kind:
    """Return what a recipe's family learns from: documents unless it says otherwise, or the recipe."""
    family = FAMILIES.get(recipe.family)
    if isinstance(family, ReadsPairs) and recipe.text.format == QUERIES:
        return _Kind(resolve_questions, prepare_questions, open_questions)
    if isinstance(family, ReadsPairs):
        return _Kind(resolve_pairs, prepare_pairs, open_pairs)
    if isinstance(family, ReadsLabels):
        return _Kind(resolve_labelled, prepare_labelled, open_labelled)
    if isinstance(family, ReadsTags):
        if isinstance(recipe.model, ReadsMarks) and recipe.model.reads_marks:
            return _Kind(resolve_labelled, prepare_roles, open_labelled)
        scheme = "auto" if recipe.start else recipe.model.scheme
        return _Kind(resolve_labelled, functools.partial(prepare_tagged, scheme=scheme), open_labelled)
    return _Kind(resolve, prepare, open_corpus)


def entries(bundle: Bundle, names: Sequence[str], *, whole: bool = False) -> Iterator[Document] | Iterator[Pair]:
    """Yield what a bundle is measured on: texts, those that are few cut into blocks unless ``whole``; or pairs.

    Raises:
        InputError: a file can't be used; the message names file and line.
    """
    if isinstance(bundle.model, ConditionalModel):
        return read_pairs(names)
    documents = read_documents(names)
    return documents if whole else cut_where_few(documents)


def scores(bundle: Bundle, names: Sequence[str], *, by: Unit, lines: bool = False) -> list[list[Scored]]:
    """Score the texts in files, or each of their ``lines``; where the model reads pairs, score their targets.

    Raises:
        InputError: a file can't be used; the message names file and line.
        TooLittleTextError: there is nothing in them.
        UsageError: the model predicts nothing, or a source is longer than it can read.
    """
    if isinstance(bundle.model, ConditionalModel):
        pairs = list(read_pairs(names))
        if not pairs:
            raise TooLittleTextError(f"{', '.join(names[:3])}: no pairs in it")
        return score_pairs(bundle.model, bundle.tokenizer, pairs, by=by)
    texts = [document.text for document in read_documents(names)]
    if lines:
        texts = [line for text in texts for line in text.splitlines() if line.strip()]
    return score_texts(bundle.scorer, bundle.tokenizer, texts, by=by)
