"""A capped sample of a corpus to learn pieces from: time and memory stay small whatever the corpus."""

import hashlib
import heapq
from collections.abc import Iterable, Iterator

__all__ = ["sample"]

PIECE_CHARACTERS = 8192


def sample(texts: Iterable[str], limit_bytes: int) -> list[str]:
    """Return pieces of ``texts`` of about ``limit_bytes`` UTF-8 bytes together, drawn over all of them.

    *Idea.* Learning a BPE on all of a large corpus takes minutes and gigabytes and changes hardly a merge. Texts are
    cut into pieces of some thousand characters at line ends; the pieces with the smallest hashes are kept, so the
    sample is spread over the corpus, is the same on every machine, and does not depend on the order of files.

    *Cost.* One pass, memory of the sample only. Pieces come back in the order of the corpus.
    """
    kept: list[tuple[int, int, str, int]] = []
    total = 0
    least_dropped = 1 << 64  # what follows a dropped piece is dropped too, or the order of files would matter
    for number, piece in enumerate(_pieces(texts)):
        raw = piece.encode()
        digest = int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "little")
        if digest >= least_dropped:
            continue
        heapq.heappush(kept, (-digest, number, piece, len(raw)))
        total += len(raw)
        while total > limit_bytes and len(kept) > 1:
            dropped = heapq.heappop(kept)
            least_dropped = -dropped[0]
            total -= dropped[3]
    return [piece for _, _, piece, _ in sorted(kept, key=lambda entry: entry[1])]


def _pieces(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        start = 0
        while len(text) - start > PIECE_CHARACTERS:
            end = text.rfind("\n", start, start + PIECE_CHARACTERS) + 1
            end = end if end > start else start + PIECE_CHARACTERS
            yield text[start:end]
            start = end
        if start < len(text):
            yield text[start:]
