"""Vectors of many dimensions laid out in two, with the loss said: what a map of words is drawn from.

*Idea.* No picture keeps what a hundred dimensions hold. Principal components keep distances as well as two straight
axes can, which is best for few words; t-SNE keeps who is near whom, which is best for many, and gives up sizes and
distances of groups for it. Each layout says how much it kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import MissingExtraError, UsageError
from ziggurat.core.types import FloatArray, IdArray
from ziggurat.use.closest import scaled

if TYPE_CHECKING:
    from ziggurat.use.vectors import Vectors

__all__ = ["METHODS", "Layout", "Selection", "cluster", "frequent", "neighbourhoods", "project", "trustworthiness"]

Method: TypeAlias = Literal["auto", "pca", "tsne"]
METHODS: tuple[Method, ...] = ("auto", "pca", "tsne")
FEW_WORDS = 30
"""Up to so many, straight axes are chosen."""
MOST_WORDS = 10_000
NEIGHBOURS = 10


@dataclass(frozen=True)
class Layout:
    """Where each vector lies in the plane, and what was kept of the space."""

    places: npt.NDArray[np.float64]
    """(N, 2)"""
    method: Literal["pca", "tsne"]
    explained: float
    """Part of the variance that two principal components hold; what is drawn holds it where these were drawn."""
    trust: float
    """Trustworthiness of neighbourhoods, 0 to 1: 1 where nobody is drawn near who is far (see `trustworthiness`)."""
    neighbours: int
    """How many neighbours ``trust`` looks at."""


@dataclass(frozen=True)
class Selection:
    """Words chosen for a map, each in one group."""

    words: list[str]
    groups: list[str]
    """The group of each word: the word whose neighbour it is; empty where there are no groups."""


def project(vectors: FloatArray, *, method: Method = "auto", aspect: float = 1.0, seed: int = 0) -> Layout:
    """Lay the directions of ``vectors`` (N, D) out in the plane.

    ``aspect`` is the width of the picture for a height of 1: t-SNE, whose distances between groups have no meaning, is
    spread to fill it; principal components keep one scale for both axes.

    *Cost.* Principal components: milliseconds. t-SNE (van der Maaten & Hinton 2008): some seconds for a thousand.

    Raises:
        UsageError: fewer than three vectors, or more than 10,000.
        MissingExtraError: t-SNE needs the extra ``report``.
    """
    count = len(vectors)
    if not 3 <= count <= MOST_WORDS:
        raise UsageError(f"a map has from 3 to {MOST_WORDS:,} words, not {count:,}")
    units = scaled(vectors).astype(np.float64)
    components, explained = _principal(units)
    chosen: Literal["pca", "tsne"] = ("pca" if count <= FEW_WORDS else "tsne") if method == "auto" else method
    places = components if chosen == "pca" else _neighbour_embedding(units, components, seed=seed)
    places = places if chosen == "pca" else _spread(places) * (aspect, 1.0)
    neighbours = max(1, min(NEIGHBOURS, (count - 1) // 2))
    trust = trustworthiness(units, places, neighbours=neighbours)
    return Layout(places, chosen, explained, trust, neighbours)


def trustworthiness(vectors: npt.NDArray[Any], places: npt.NDArray[Any], *, neighbours: int) -> float:
    """Return how far neighbours in the plane are neighbours in space too, from 0 to 1.

    *Maths.* 1 − 2 ⁄ (N k (2N − 3k − 1)) · Σᵢ Σ_{j ∈ U(i)} (r(i, j) − k), where U(i) are those of i's k nearest in the
    plane that are not among the k nearest in space, and r(i, j) is j's rank there (Venna & Kaski 2001, eq. 1).

    *Cost.* N² distances.
    """
    count = len(vectors)
    surplus = 0
    for start in range(0, count, 1024):
        rows = np.arange(start, min(start + 1024, count))
        ranks = np.empty((len(rows), count), np.int64)
        order = np.argsort(_distances(vectors, rows), axis=1, kind="stable")
        np.put_along_axis(ranks, order, np.arange(count)[None].repeat(len(rows), axis=0), axis=1)
        near = np.argsort(_distances(places, rows), axis=1, kind="stable")[:, 1 : neighbours + 1]
        surplus += int(np.maximum(np.take_along_axis(ranks, near, axis=1) - neighbours, 0).sum())
    return 1 - 2 * surplus / (count * neighbours * (2 * count - 3 * neighbours - 1))


def neighbourhoods(vectors: "Vectors", words: Sequence[str], *, count: int, restrict: int | None = None) -> Selection:
    """Choose words and the ``count`` nearest of each; a word near several belongs to the one nearest to it.

    Raises:
        UnknownWordError: a word has no vector.
    """
    seeds = list(dict.fromkeys(words))
    best: dict[str, tuple[float, str]] = {seed: (np.inf, seed) for seed in seeds}
    answers = vectors.answers([([seed], []) for seed in seeds], count, restrict=restrict) if count else []
    for seed, near in zip(seeds, answers, strict=False):
        for word, similarity in near:
            if word not in best or similarity > best[word][0]:
                best[word] = (similarity, seed)
    return Selection(list(best), [seed for _, seed in best.values()])


def frequent(vectors: "Vectors", count: int) -> Selection:
    """Choose the ``count`` most frequent words that have a letter in them: numbers and signs say little on a map."""
    words = map(vectors.index.word, range(vectors.first_word, len(vectors.index)))
    found = list(islice((word for word in words if any(map(str.isalpha, word))), count))
    return Selection(found, [""] * len(found))


def cluster(vectors: FloatArray, groups: int, *, seed: int = 0) -> IdArray:
    """Return (N,): the group of each vector by k-means over directions; group 0 is the largest.

    Raises:
        MissingExtraError: it needs the extra ``report``.
    """
    try:
        from sklearn.cluster import KMeans
    except ImportError as error:
        raise MissingExtraError("grouping words", "report") from error
    found = KMeans(n_clusters=min(groups, len(vectors)), n_init=10, random_state=seed).fit_predict(scaled(vectors))
    sizes = np.bincount(found)
    order = np.argsort(np.argsort(-sizes, kind="stable"), kind="stable")
    return np.asarray(order[found], np.int32)


def _principal(units: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], float]:
    """Return (N, 2) coordinates on the first two principal axes, and the part of the variance that they hold."""
    centred = units - units.mean(axis=0)
    left, lengths, axes = np.linalg.svd(centred, full_matrices=False)
    total = float((lengths**2).sum())
    largest = axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)]
    signs = np.where(largest < 0, -1, 1)  # an axis has no direction of its own; this one is the same on every machine
    places = np.zeros((len(units), 2))
    kept = min(2, len(lengths))
    places[:, :kept] = (left * lengths * signs)[:, :kept]
    return places, float((lengths[:2] ** 2).sum()) / total if total else 1.0


def _neighbour_embedding(
    units: npt.NDArray[np.float64], components: npt.NDArray[np.float64], *, seed: int
) -> npt.NDArray[np.float64]:
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise MissingExtraError("a map of many words", "report") from error
    spread = components[:, 0].std() or 1.0
    begin = (components / spread * 1e-4).astype(
        np.float32
    )  # the same beginning in every run, and the large picture kept
    perplexity = min(30.0, (len(units) - 1) / 3)
    drawn = TSNE(perplexity=perplexity, init=begin, random_state=seed, learning_rate="auto").fit_transform(units)
    return np.asarray(drawn, np.float64)


def _spread(places: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return places in the unit square, half-way on each axis to being evenly filled: no order changes, gaps shrink."""
    low, high = places.min(axis=0), places.max(axis=0)
    scaled_places = (places - low) / np.where(high > low, high - low, 1)
    ranks = np.argsort(np.argsort(places, axis=0, kind="stable"), axis=0, kind="stable") / (len(places) - 1)
    return np.asarray((scaled_places + ranks) / 2)


def _distances(points: npt.NDArray[Any], rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Return (R, N) squared distances of some points to all; each point is nearest to itself."""
    squares = np.einsum("nd,nd->n", points, points)
    found = squares[rows, None] + squares - 2 * points[rows] @ points.T
    found[np.arange(len(rows)), rows] = -np.inf
    return np.asarray(found)
