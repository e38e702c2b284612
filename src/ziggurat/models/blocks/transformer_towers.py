"""The forms of the Transformer as towers of parts: what only reads, what writes, and what translates.

All three are the same parts (`ziggurat.models.blocks.transformer_parts`); they differ in what stands below and above
the blocks, and in which tokens a part works on.
"""

from ziggurat.core.anatomy import NUMBER_BYTES, Anatomy, Part, Saved
from ziggurat.models.blocks.ngram_parts import ngram_parts, ngram_symbols
from ziggurat.models.blocks.transformer import TransformerConfig
from ziggurat.models.blocks.transformer_parts import (
    embedding_part,
    memory_part,
    norm_part,
    output_part,
    position_parts,
    stack_parts,
    symbols_of,
    value_parts,
)

__all__ = ["decoder_anatomy", "encoder_anatomy", "translating_anatomy"]

FULL, HALF = NUMBER_BYTES, 2
PLACE_BYTES = 16
"""Bytes that say where a vector was picked: its row and its time."""
USUAL_PICKS = 0.15
"""Part of the tokens that a masked language model guesses where no recipe says it (Devlin et al. 2019, 3.1)."""


def decoder_anatomy(config: TransformerConfig, vocabulary_size: int, *, value_embeddings: int = 0) -> Anatomy:
    """Return the one tower of a decoder: embeddings of all kinds, positions, blocks, output."""
    tower = (
        embedding_part(config, vocabulary_size),
        *ngram_parts(config, vocabulary_size, ("d_model", config.width)),
        *value_parts(config, vocabulary_size, value_embeddings),
        *position_parts(config),
        *stack_parts(config),
        output_part(config, vocabulary_size, tied=config.tied),
    )
    symbols = (*symbols_of(config, vocabulary_size), *ngram_symbols(config, vocabulary_size))
    symbols += (("n_v", value_embeddings),) if value_embeddings else ()
    return Anatomy((Part("decoder stack", "tower", parts=tower),), symbols, config.context)


def encoder_anatomy(
    config: TransformerConfig,
    vocabulary_size: int,
    *,
    token_types: int = 0,
    head: bool = True,
    pooler: bool = False,
) -> Anatomy:
    """Return the one tower of an encoder, with the head that guesses hidden tokens and the pooler where it has them.

    *Maths.* The head has d_model² + d_model numbers in its matrix, a norm, and V biases beside the tied matrix; the
    pooler d_model² + d_model (Devlin et al. 2019, as published).
    """
    tower = [
        embedding_part(config, vocabulary_size),
        *_segments(config, token_types),
        *position_parts(config),
        norm_part(config),
        *stack_parts(config, generates=False),
    ]
    if pooler:
        tower.append(_pooler(config))
    if head:
        tower += _head(config, vocabulary_size)
    parts = (Part("encoder stack", "tower", parts=tuple(tower)),)
    symbols = symbols_of(config, vocabulary_size)
    symbols += (("A", token_types),) if token_types else ()
    return Anatomy(parts, symbols, config.context, generates=False, picks=USUAL_PICKS if head else None)


def translating_anatomy(config: TransformerConfig, vocabulary_size: int, *, decoder_layers: int) -> Anatomy:
    """Return the two towers of an encoder–decoder, which share one matrix of embeddings."""
    encoder = (
        embedding_part(config, vocabulary_size, reads="source"),
        *position_parts(config, reads="source"),
        *stack_parts(config, reads="source", generates=False),
        memory_part(config),
    )
    decoder = (
        embedding_part(config, vocabulary_size, own=False),
        *position_parts(config),
        *stack_parts(config, layers=decoder_layers, crosses=True),
        output_part(config, vocabulary_size, tied=config.tied),
    )
    layers = (("L_enc", config.layers), ("L_dec", decoder_layers))
    return Anatomy(
        (Part("encoder stack", "tower", parts=encoder), Part("decoder stack", "tower", parts=decoder)),
        (*layers, *symbols_of(config, vocabulary_size)[1:]),
        config.context,
    )


def _segments(config: TransformerConfig, token_types: int) -> list[Part]:
    if not token_types:
        return []
    return [
        Part(
            name="segment embeddings",
            kind="positions",
            formula="A·d_model",
            sizes=(("A", token_types), ("d_model", config.width)),
            gives="n × d_model",
            parameters=token_types * config.width,
        )
    ]


def _pooler(config: TransformerConfig) -> Part:
    """Return the layer that makes one vector of a text; the loss of hidden tokens does not reach it."""
    width = config.width
    return Part(
        name="pooler",
        kind="pooler",
        formula="d_model² + d_model",
        sizes=(("d_model", width),),
        gives="d_model",
        parameters=width * width + width,
        products=width * width,
        reads="once",
    )


def _head(config: TransformerConfig, vocabulary_size: int) -> list[Part]:
    """Return what guesses a hidden token from its vector: a layer, a norm, and the products with all embeddings."""
    width = config.width
    dense = Part(
        name="dense layer of the head",
        kind="feedforward",
        formula="d_model² + d_model",
        sizes=(("d_model", width),),
        gives="picked × d_model",
        parameters=width * width + width,
        products=width * width,
        reads="picked",
        saved=Saved(f32=FULL * 2 * width + PLACE_BYTES, bf16=HALF * 2 * width + PLACE_BYTES),
    )
    output = output_part(config, vocabulary_size, tied=config.tied, reads="picked")
    biased = Part(
        name=output.name,
        kind=output.kind,
        formula=f"{output.formula} + V" if output.formula else "V",
        sizes=output.sizes,
        gives=output.gives,
        parameters=output.parameters + vocabulary_size,
        products=output.products,
        reads="picked",
        saved=output.saved,
    )
    return [dense, norm_part(config, reads="picked"), biased]
