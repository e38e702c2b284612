"""The parts of a tagger around what reads a sentence: the spelling of words below it, labels and CRF above it."""

from ziggurat.core.anatomy import Part, Saved
from ziggurat.models.blocks.character_cnn import SpellingKeys

__all__ = ["label_parts", "spelling_parts", "spelling_symbols"]

ID_BYTES, FULL, DOUBLE = 8, 4, 8
WORD_CHARACTERS = 8
"""Characters of a word for which operations are counted."""


def spelling_symbols(config: SpellingKeys) -> tuple[tuple[str, int], ...]:
    """Return the symbols of the spelling of words, and their values; none where words are not spelled."""
    if not config.character_filters:
        return ()
    width, window = config.character_embedding, config.character_window
    return (("c", config.character_rows), ("e", width), ("w", window), ("f", config.character_filters))


def spelling_parts(config: SpellingKeys) -> tuple[Part, ...]:
    """Return the convolution over characters, where there is one; it works on `WORD_CHARACTERS` of each word."""
    if not config.character_filters:
        return ()
    width, filters = config.character_embedding, config.character_filters
    filtered = config.character_window * width * filters
    kept = WORD_CHARACTERS * (ID_BYTES + FULL * (width * (1 + config.character_window) + 2 * filters))
    return (
        Part(
            name="characters",
            kind="tables",
            formula="c·e + w·e·f + f",
            sizes=spelling_symbols(config),
            gives="n × f",
            parameters=config.character_rows * width + filtered + filters,
            products=WORD_CHARACTERS * filtered,
            saved=Saved(f32=kept, bf16=kept),
        ),
    )


def label_parts(labels: int, read: str, sizes: tuple[tuple[str, int], ...], width: int) -> tuple[Part, Part]:
    """Return what makes scores of ``labels`` labels, and what makes probabilities of them.

    It reads ``width`` numbers of a word, which are ``read`` in symbols of these ``sizes``.
    """
    output = Part(
        name="output",
        kind="output",
        formula=f"{read}·Y + Y",
        sizes=(*sizes, ("Y", labels)),
        gives="n × Y",
        parameters=(width + 1) * labels,
        products=width * labels,
        saved=Saved(f32=FULL * width, bf16=FULL * width),
    )
    chain = Part(
        name="CRF",
        kind="output",
        formula="Y² + 2·Y",
        sizes=(("Y", labels),),
        gives="n × Y",
        parameters=labels * (labels + 2),
        products=labels**2,
        saved=Saved(f32=4 * DOUBLE * labels, bf16=4 * DOUBLE * labels),
    )
    return output, chain
