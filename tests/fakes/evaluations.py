"""Evaluations with figures of our choosing."""

from collections.abc import Sequence

from ziggurat.judge.evaluate import Evaluation


def evaluation(
    nats: Sequence[float],
    *,
    size_bytes: Sequence[int] | int = 100,
    tokens: Sequence[int] | int = 25,
    ids: Sequence[str] | None = None,
    lossless: bool = True,
) -> Evaluation:
    """An evaluation of as many documents as there are ``nats``."""
    count = len(nats)
    return Evaluation(
        ids=tuple(ids or [str(number) for number in range(count)]),
        nats=tuple(nats),
        tokens=tuple([tokens] * count if isinstance(tokens, int) else tokens),
        document_bytes=tuple([size_bytes] * count if isinstance(size_bytes, int) else size_bytes),
        fingerprint="f00d",
        lossless=lossless,
        seconds=2.0,
    )
