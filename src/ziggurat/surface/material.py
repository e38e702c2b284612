"""What a recipe's family learns from and a model is measured on: documents, or pairs of a source and a target."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from ziggurat.artefacts.bundle import Bundle
from ziggurat.artefacts.recipe import Recipe
from ziggurat.artefacts.runs import Run
from ziggurat.core.errors import ArtefactError, TooLittleTextError
from ziggurat.core.protocols import ConditionalModel, ReadsPairs
from ziggurat.core.types import Document, Listener, Pair
from ziggurat.core.workers import HERE, Workers
from ziggurat.models.registry import FAMILIES
from ziggurat.surface.documents import cut_where_few, read_documents
from ziggurat.text.corpus import Corpus, open_corpus, prepare
from ziggurat.text.pairs import read_pairs, resolve_pairs
from ziggurat.text.parallel import ParallelCorpus, open_pairs, prepare_pairs
from ziggurat.text.sources import resolve
from ziggurat.use.scoring import Scored, Unit, score_pairs, score_texts

__all__ = ["check_sources", "entries", "prepared", "scores"]


def check_sources(recipe: Recipe, names: Sequence[str]) -> None:
    """Check that there are sources behind ``names`` of the kind that the recipe's family reads.

    Raises:
        InputError: a path does not exist; the message names the nearest.
    """
    if isinstance(FAMILIES.get(recipe.family), ReadsPairs):
        resolve_pairs(names)
    else:
        resolve(names)


def prepared(run: Run, listener: Listener, workers: Workers = HERE) -> Corpus | ParallelCorpus:
    """Return a run's prepared text; prepare it where that has not been done."""
    folder, recipe = run.folder / "text", run.recipe
    pairs = isinstance(FAMILIES.get(recipe.family), ReadsPairs)
    with suppress(ArtefactError):
        return open_pairs(folder) if pairs else open_corpus(folder)
    listener({"event": "stage", "stage": "text"})
    read = prepare_pairs if pairs else prepare
    return read(recipe.sources, recipe.text, folder=folder, listener=listener, workers=workers)


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
