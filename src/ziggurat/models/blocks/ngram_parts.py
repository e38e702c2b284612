"""Tables of n-grams as a part of a model: what they hold, multiply and keep."""

from ziggurat.core.anatomy import NUMBER_BYTES, Part, Saved
from ziggurat.models.blocks.ngram_tables import NgramTableKeys, table_rows

__all__ = ["ngram_parts", "ngram_symbols"]

FULL, HALF = NUMBER_BYTES, 2
PLACE_BYTES = 8
BAG_BYTES = 24
"""Bytes that torch keeps of a bag of rows that are added up: where it begins, its size, and a place for its largest."""


def ngram_parts(config: object, vocabulary_size: int, width: tuple[str, int]) -> tuple[Part, ...]:
    """Return the tables of a model's configuration, which may have none, that give vectors of ``width``.

    ``width`` is a symbol and its value.

    *Maths.* R rows in all tables together, of d_model numbers, or of W ones that a matrix of k·W·d_model widens, k the
    number of tables. A look-up is no product. For the backward pass are kept, for each token, its k rows, a weight for
    each that is 1 or 0, and of each bag of rows `BAG_BYTES`; and what the matrix widened.
    """
    if not isinstance(config, NgramTableKeys) or not config.ngram_orders:
        return ()
    rows, orders, (symbol, wide) = sum(table_rows(config, vocabulary_size)), len(config.ngram_orders), width
    narrow = config.ngram_width
    matrix = 0 if narrow is None else orders * narrow * wide
    bags = 1 if narrow is None else orders
    kept = (PLACE_BYTES + FULL) * orders + BAG_BYTES * bags
    widened = 0 if narrow is None else orders * narrow
    return (
        Part(
            name="n-gram tables",
            kind="tables",
            formula=f"R·{symbol}" if narrow is None else f"R·W + k·W·{symbol}",
            sizes=(*ngram_symbols(config, vocabulary_size), (symbol, wide)),
            gives=f"n × {symbol}",
            parameters=rows * (narrow or wide) + matrix,
            products=matrix,
            saved=Saved(f32=kept + FULL * widened, bf16=kept + HALF * widened),
        ),
    )


def ngram_symbols(config: object, vocabulary_size: int) -> tuple[tuple[str, int], ...]:
    """Return the symbols of `ngram_parts` and their values; none where there are no tables."""
    if not isinstance(config, NgramTableKeys) or not config.ngram_orders:
        return ()
    narrow = () if config.ngram_width is None else (("k", len(config.ngram_orders)), ("W", config.ngram_width))
    return (("R", sum(table_rows(config, vocabulary_size))), *narrow)
