"""The recurrent encoder–decoder as two towers of parts (`ziggurat.models.recurrent_seq2seq`)."""

from dataclasses import replace

from ziggurat.core.anatomy import NUMBER_BYTES, Anatomy, Part, Saved, Stream
from ziggurat.models.blocks.lstm_parts import lstm_parts

__all__ = ["recurrent_translating_anatomy"]

FULL, HALF = NUMBER_BYTES, 2
ID_BYTES = 8


def recurrent_translating_anatomy(
    vocabulary_size: int, *, embedding: int, cells: int, layers: int, copies: bool
) -> Anatomy:
    """Return an encoder of ``layers`` bidirectional LSTMs, and a decoder of two that look at what it read.

    *Maths.* With D numbers of an embedding, C cells of the decoder and M = 2·⌊C/2⌋ of the encoder: two layers begin
    from M·C + C each; each look has C·M; what is written comes from (C + M)·D + D; the gate has C + M + D + 1. A look
    multiplies twice for each pair: M for the score, M for the sum.
    """
    half = cells // 2
    read = 2 * half
    encoder = [
        replace(lstm_parts([width, half], dropped_between=True)[0], times=2, reads="source", held=0)
        for width in (embedding, *[read] * (layers - 1))
    ]
    begins = Part(
        name="first cells",
        kind="feedforward",
        formula="2·(M·C + C)",
        sizes=(("M", read), ("C", cells)),
        gives="2 × C",
        parameters=2 * (read * cells + cells),
        products=2 * read * cells,
        reads="once",
    )
    (lower,) = lstm_parts([embedding, cells], dropped_between=True)
    (upper,) = lstm_parts([cells + read, cells], dropped_between=True)
    look = _look(cells, read)
    decoder = (
        _embedding(vocabulary_size, embedding, reads="text", own=False),
        *(lower, look, upper, replace(look, saved=replace(look.saved, f32=look.saved.f32 + FULL * read))),
        _writing(cells + read, embedding),
        *_gate(cells + read + embedding, vocabulary_size, copies=copies),
        _output(vocabulary_size, embedding),
    )
    symbols = (("L_enc", layers), ("D", embedding), ("C", cells), ("M", read), ("V", vocabulary_size))
    below = (_embedding(vocabulary_size, embedding, reads="source"), *encoder, begins)
    return Anatomy((Part("LSTM encoder", "tower", parts=below), Part("LSTM decoder", "tower", parts=decoder)), symbols)


def _embedding(size: int, width: int, *, reads: Stream, own: bool = True) -> Part:
    return Part(
        name="token embeddings" if own else "token embeddings, shared",
        kind="embedding",
        formula="V·D" if own else "",
        sizes=(("V", size), ("D", width)),
        gives="m × D" if reads == "source" else "n × D",
        parameters=size * width if own else 0,
        reads=reads,
        saved=Saved(f32=ID_BYTES + FULL * width, bf16=ID_BYTES + FULL * width),
    )


def _look(cells: int, read: int) -> Part:
    """Return attention to the source: its query, and its weights, which are kept for each pair."""
    return Part(
        name="attention to the source",
        kind="cross",
        formula="C·M",
        sizes=(("C", cells), ("M", read)),
        gives="n × M",
        parameters=cells * read,
        products=cells * read,
        pair_products=2 * read,
        sees="source",
        saved=Saved(f32=FULL * (cells + 2 * read), bf16=HALF * (cells + 2 * read)),
    )


def _writing(width: int, embedding: int) -> Part:
    return Part(
        name="dense layer of the output",
        kind="feedforward",
        formula="(C + M)·D + D",
        sizes=(("(C + M)", width), ("D", embedding)),
        gives="n × D",
        parameters=width * embedding + embedding,
        products=width * embedding,
        saved=Saved(f32=FULL * (width + 2 * embedding), bf16=HALF * (width + 2 * embedding)),
    )


def _gate(width: int, size: int, *, copies: bool) -> tuple[Part, ...]:
    if not copies:
        return ()
    return (
        Part(
            name="copying",
            kind="output",
            formula="(C + M + D) + 1",
            sizes=(("(C + M + D)", width), ("V", size)),
            gives="n × V",
            parameters=width + 1,
            products=width,
            saved=Saved(f32=FULL * (width + 3 * size), bf16=HALF * width + FULL * 3 * size),
        ),
    )


def _output(size: int, embedding: int) -> Part:
    return Part(
        name="output, tied to the embeddings",
        kind="output",
        formula="V",
        sizes=(("V", size),),
        gives="n × V",
        parameters=size,
        products=size * embedding,
        saved=Saved(f32=FULL * embedding + ID_BYTES, bf16=HALF * embedding + ID_BYTES),
    )
