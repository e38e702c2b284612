"""What a recipe's family learns from: documents, or pairs of a source and a target."""

from collections.abc import Sequence
from contextlib import suppress

from ziggurat.artefacts.recipe import Recipe
from ziggurat.artefacts.runs import Run
from ziggurat.core.errors import ArtefactError
from ziggurat.core.protocols import ReadsPairs
from ziggurat.core.types import Listener
from ziggurat.models.registry import FAMILIES
from ziggurat.text.corpus import Corpus, open_corpus, prepare
from ziggurat.text.pairs import resolve_pairs
from ziggurat.text.parallel import ParallelCorpus, open_pairs, prepare_pairs
from ziggurat.text.sources import resolve

__all__ = ["check_sources", "prepared"]


def check_sources(recipe: Recipe, names: Sequence[str]) -> None:
    """Check that there are sources behind ``names`` of the kind that the recipe's family reads.

    Raises:
        InputError: a path does not exist; the message names the nearest.
    """
    if isinstance(FAMILIES.get(recipe.family), ReadsPairs):
        resolve_pairs(names)
    else:
        resolve(names)


def prepared(run: Run, listener: Listener) -> Corpus | ParallelCorpus:
    """Return a run's prepared text; prepare it where that has not been done."""
    folder, recipe = run.folder / "text", run.recipe
    pairs = isinstance(FAMILIES.get(recipe.family), ReadsPairs)
    with suppress(ArtefactError):
        return open_pairs(folder) if pairs else open_corpus(folder)
    listener({"event": "stage", "stage": "text"})
    read = prepare_pairs if pairs else prepare
    return read(recipe.sources, recipe.text, folder=folder, listener=listener)
