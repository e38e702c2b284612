"""Which documents say again what another says: exactly, or nearly.

*Idea.* Two documents are near duplicates when their sets of shingles overlap by at least a given Jaccard similarity
(Broder 1997). MinHash signatures find candidates without comparing all pairs: documents that agree in all values of at
least one band of their signatures (Leskovec, Rajaraman & Ullman 2014, section 3.4). Candidates are then compared
exactly.
"""

from collections.abc import Iterator
from functools import partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.seeding import derive
from ziggurat.core.workers import HERE, Workers

__all__ = ["candidate_pairs", "linked", "near_pairs", "twins"]

Places = npt.NDArray[np.int64]
Pairs = npt.NDArray[np.int64]

BINS = 64
BAND_ROWS = 4
LARGEST_GROUP = 64
TASK_BYTES = 4 << 20
"""Text that one task hashes, if no document alone is longer."""

Stretch: TypeAlias = tuple[npt.NDArray[np.uint8], Places, Places]
"""A part of the text, and where in it documents begin and end."""


def near_pairs(
    text: npt.NDArray[np.uint8],
    spans: tuple[Places, Places],
    *,
    width: int,
    similarity: float,
    seed: int,
    rows: int = BAND_ROWS,
    workers: Workers = HERE,
) -> tuple[Pairs, npt.NDArray[np.float64], int]:
    """Return (P, 2) pairs of documents at least ``similarity`` alike, their similarities, and how many were compared.

    ``spans`` are where the documents start and stop in ``text``.

    Signatures and comparisons are tasks of the ``workers``, who get the text that they need; the result does not
    depend on who they are.

    *Cost.* About 500 bytes of memory a document, half of them for its signature, and about a second for 50 MB of
    text. With 16 bands of 4 values, a pair of similarity 0.8 is missed with probability 2e-4.
    """
    starts, stops = spans
    mark = np.uint64(derive(seed, "shingles"))
    if not len(starts):
        return np.zeros((0, 2), dtype=np.int64), np.zeros(0), 0
    found = np.empty((len(starts), BINS), np.uint32)
    order = np.argsort(starts, kind="stable")
    sign = partial(_signatures, width, mark)
    done = 0
    for some in workers.map(sign, _stretches(text, starts[order], stops[order])):
        found[order[done : done + len(some)]] = some
        done += len(some)
    pairs = candidate_pairs(found, rows)
    compared = list(workers.map(partial(_similarities, width), _paired(text, starts, stops, pairs)))
    similarities = np.concatenate(compared) if compared else np.zeros(0)
    near = similarities >= similarity
    return pairs[near], similarities[near], len(pairs)


def candidate_pairs(signature: npt.NDArray[np.uint32], rows: int) -> Pairs:
    """Return (P, 2) pairs, first < second, that agree in at least one band of ``rows`` values.

    A group of very many alike is compared with its first members only: all of them are near those.
    """
    found: list[Pairs] = []
    for band in range(0, signature.shape[1] - rows + 1, rows):
        keys = np.ascontiguousarray(signature[:, band : band + rows]).view(f"V{4 * rows}").ravel()
        order = np.argsort(keys.view(f"S{4 * rows}"), kind="stable")
        same = keys[order][1:] == keys[order][:-1]
        found.extend(_group_pairs(order[start:stop]) for start, stop in _runs(same))
    if not found:
        return np.zeros((0, 2), dtype=np.int64)
    return np.unique(np.concatenate(found), axis=0)


def twins(pairs: Pairs, sizes: Places, digests: npt.NDArray[np.uint64]) -> dict[int, int]:
    """Return ``{removed: kept}`` so that no two documents that remain are a pair.

    Longer documents are kept before shorter ones, equals by their hash; so the result does not depend on the order of
    files.
    """
    neighbours: dict[int, list[int]] = {}
    for first, second in pairs.tolist():
        neighbours.setdefault(first, []).append(second)
        neighbours.setdefault(second, []).append(first)
    removed: dict[int, int] = {}
    kept: set[int] = set()
    for document in sorted(neighbours, key=lambda index: (-int(sizes[index]), int(digests[index]))):
        twin = next((other for other in neighbours[document] if other in kept), None)
        if twin is None:
            kept.add(document)
        else:
            removed[document] = twin
    return removed


def linked(pairs: Pairs, count: int) -> Places:
    """Return (count,) the group of each document, from 0: those that pairs lead to from one another have one number.

    >>> linked(np.array([[0, 3], [3, 4]]), 5).tolist()
    [0, 1, 2, 0, 0]
    """
    parent = list(range(count))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = place = parent[parent[place]]
        return place

    for first, second in pairs.tolist():
        one, other = sorted((root(first), root(second)))
        parent[other] = one
    return np.unique([root(place) for place in range(count)], return_inverse=True)[1].astype(np.int64)


def _signatures(width: int, mark: np.uint64, item: Stretch) -> npt.NDArray[np.uint32]:
    from ziggurat.text.kernels.shingles import signatures

    text, starts, stops = item
    return signatures(_unwritable(text), starts, stops, width, BINS, mark)


def _similarities(width: int, item: tuple[Stretch, Pairs]) -> npt.NDArray[np.float64]:
    from ziggurat.text.kernels.shingles import jaccard

    (text, starts, stops), pairs = item
    return jaccard(_unwritable(text), starts, stops, pairs, width)


def _stretches(text: npt.NDArray[np.uint8], starts: Places, stops: Places) -> Iterator[Stretch]:
    """Cut documents, in the order of their places, into neighbours that span about `TASK_BYTES` of the text."""
    first = 0
    while first < len(starts):
        last = int(np.searchsorted(starts, starts[first] + TASK_BYTES))
        low, high = int(starts[first]), int(stops[first:last].max())
        yield np.asarray(text[low:high]), starts[first:last] - low, stops[first:last] - low
        first = last


def _paired(
    text: npt.NDArray[np.uint8], starts: Places, stops: Places, pairs: Pairs
) -> Iterator[tuple[Stretch, Pairs]]:
    """Cut pairs into tasks, each with the text of its documents, of about `TASK_BYTES` to be hashed."""
    work = np.cumsum((stops - starts)[pairs].sum(axis=1))
    first = 0
    while first < len(pairs):
        before = int(work[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(work, before + TASK_BYTES, "right")))
        documents, places = np.unique(pairs[first:last], return_inverse=True)
        texts = [text[start:stop] for start, stop in zip(starts[documents], stops[documents], strict=True)]
        ends = np.cumsum(stops[documents] - starts[documents])
        begins = ends - (stops[documents] - starts[documents])
        yield (np.concatenate(texts), begins, ends), places.reshape(-1, 2).astype(np.int64)
        first = last


def _unwritable(text: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the text as the kernels are compiled for it, whether it comes from a map of a file or from a message."""
    text = text.view()
    text.flags.writeable = False
    return text


def _runs(same: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield ``[start, stop)`` of each run of two or more equal neighbours."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    for start, end in edges.reshape(-1, 2).tolist():
        yield start, end + 1


def _group_pairs(group: npt.NDArray[np.intp]) -> Pairs:
    members = np.sort(group)
    leaders = members[:LARGEST_GROUP]
    first, second = np.meshgrid(leaders, members, indexing="ij")
    keep = first < second
    return np.stack([first[keep], second[keep]], axis=1).astype(np.int64)
