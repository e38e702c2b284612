"""The parts of a Transformer and what each holds, multiplies and keeps, from its configuration alone.

*Maths.* Symbols as in Vaswani et al. 2017 (sections 3.1 to 3.4; table 3 has their values): d_model the width of the
vectors between layers, h heads of width d_k, d_ff the hidden width of the feed-forward layers; beside them h_kv the
heads of keys and values (Ainslie et al. 2023), V the ids, n the tokens that are read at once.

What a part keeps for the backward pass is derived from our own blocks, tensor by tensor, as Korthikanti et al. 2022
(section 4.1) do for theirs: an operation keeps what its gradient is made of, and two that need the same tensor share
it. In 32-bit a product keeps its input; under autocast each product keeps a 16-bit copy of its own. Figures are those
of torch on a CPU, where attention is fused and keeps no scores, but for short windows in 16-bit
(`ziggurat.models.blocks.attention.attend`).
"""

from ziggurat.core.anatomy import NUMBER_BYTES, Part, Saved, Stream
from ziggurat.models.blocks.attention import FORMULA_PAIRS
from ziggurat.models.blocks.transformer import TransformerConfig

__all__ = [
    "embedding_part",
    "memory_part",
    "norm_part",
    "output_part",
    "position_parts",
    "stack_parts",
    "symbols_of",
    "value_parts",
]

FULL, HALF = NUMBER_BYTES, 2
ID_BYTES = 8
NAMES = {
    "swiglu": "SwiGLU",
    "gelu": "GELU",
    "gelu_tanh": "GELU (tanh)",
    "relu": "ReLU",
    "relu2": "squared ReLU",
    "silu": "SiLU",
}
COUNTS: dict[Stream, str] = {"text": "n", "source": "m", "picked": "picked", "once": "1"}
"""How many tokens of each stream there are, in symbols."""
KEPT_INSIDE = {"swiglu": 4, "gelu": 2, "gelu_tanh": 2, "relu": 1, "relu2": 2, "silu": 2}
"""Vectors of width d_ff that a feed-forward layer keeps for each token: SwiGLU both factors before and after the
activation and their product; GELU what goes in and out; ReLU only what comes out, which tells both."""


def symbols_of(config: TransformerConfig, vocabulary_size: int) -> tuple[tuple[str, int], ...]:
    """Return the symbols of a Transformer's formulas and their values."""
    heads, groups = config.heads, config.resolved_key_heads
    return (
        ("L", config.layers),
        ("d_model", config.width),
        ("h", heads),
        *((("h_kv", groups),) if groups != heads else ()),
        ("d_k", config.resolved_head_width),
        ("d_ff", config.resolved_feedforward),
        ("V", vocabulary_size),
        *((("n_max", config.context),) if config.positions == "learned" else ()),
    )


def embedding_part(
    config: TransformerConfig, vocabulary_size: int, *, reads: Stream = "text", own: bool = True
) -> Part:
    """Return the matrix that turns ids into vectors; ``own`` is False where another part holds it already."""
    mask = FULL * config.width * bool(config.dropout)
    return Part(
        name="token embeddings" if own else "token embeddings, shared",
        kind="embedding",
        formula="V·d_model" if own else "",
        sizes=(("V", vocabulary_size), ("d_model", config.width)),
        gives=f"{COUNTS[reads]} × d_model",
        parameters=vocabulary_size * config.width if own else 0,
        reads=reads,
        saved=Saved(f32=ID_BYTES + mask, bf16=ID_BYTES + mask),
    )


def position_parts(config: TransformerConfig, *, reads: Stream = "text") -> tuple[Part, ...]:
    """Return the vectors that are added to tell the order; none where queries and keys are turned instead."""
    if config.positions == "rotary":
        return ()
    learned = config.positions == "learned"
    return (
        Part(
            name="learned positions" if learned else "sinusoidal positions",
            kind="positions",
            formula="n_max·d_model" if learned else "",
            sizes=(("n_max", config.context), ("d_model", config.width)),
            gives=f"{COUNTS[reads]} × d_model",
            parameters=config.context * config.width if learned else 0,
            reads=reads,
        ),
    )


def value_parts(config: TransformerConfig, vocabulary_size: int, count: int) -> tuple[Part, ...]:
    """Return the ``count`` embeddings that are added to values of attention; none where there are none.

    A look-up keeps the ids, which the embedding of tokens keeps already, and a sum keeps nothing.
    """
    groups = "h_kv" if config.resolved_key_heads != config.heads else "h"
    sizes = (("V", vocabulary_size), (groups, config.resolved_key_heads), ("d_k", config.resolved_head_width))
    part = Part(
        name="value embeddings",
        kind="tables",
        formula=f"n_v·V·{groups}·d_k",
        sizes=(("n_v", count), *sizes),
        gives=f"n × {groups}·d_k",
        parameters=count * vocabulary_size * config.resolved_key_heads * config.resolved_head_width,
    )
    return (part,) if count else ()


def norm_part(config: TransformerConfig, *, reads: Stream = "text") -> Part:
    """Return a norm: a gain for each coordinate, and a shift with LayerNorm.

    *Maths.* RMSNorm keeps its input, the normalised vector and 1/RMS; LayerNorm its input, the mean and 1/σ; both in
    32-bit under autocast too.
    """
    width, rms = config.width, config.norm == "rms"
    kept = FULL * (2 * width + 1 if rms else width + 2)
    return Part(
        name="RMSNorm" if rms else "LayerNorm",
        kind="norm",
        formula="d_model" if rms else "2·d_model",
        sizes=(("d_model", width),),
        gives=f"{COUNTS[reads]} × d_model",
        parameters=width if rms else 2 * width,
        reads=reads,
        saved=Saved(f32=kept, bf16=kept),
    )


def stack_parts(
    config: TransformerConfig,
    *,
    layers: int | None = None,
    crosses: bool = False,
    reads: Stream = "text",
    generates: bool = True,
) -> tuple[Part, ...]:
    """Return the blocks and, with pre-norm, the norm behind the last.

    Args:
        config: The Transformer.
        layers: Blocks, where these are not those of ``config``.
        crosses: Whether each block also looks at a source.
        reads: Which tokens the blocks work on.
        generates: Whether keys and values are remembered.
    """
    branches = [_self_attention(config, reads=reads, generates=generates)]
    branches += [_cross_attention(config)] if crosses else []
    branches += [_feedforward(config, reads=reads)]
    norm = norm_part(config, reads=reads)
    pre = config.norm_place == "pre"
    halves = tuple(
        Part(f"{branch.name} half", "half", parts=(norm, branch) if pre else (branch, norm)) for branch in branches
    )
    block = Part(
        "Transformer block", "block", times=layers or config.layers, gives=f"{COUNTS[reads]} × d_model", parts=halves
    )
    return (block, norm) if pre else (block,)


def output_part(config: TransformerConfig, vocabulary_size: int, *, tied: bool, reads: Stream = "text") -> Part:
    """Return the products of a vector with each id's output vector; the logits themselves are the loss's to count."""
    width = config.width
    return Part(
        name="output, tied to the embeddings" if tied else "output",
        kind="output",
        formula="" if tied else "V·d_model",
        sizes=(("V", vocabulary_size), ("d_model", width)),
        gives=f"{COUNTS[reads]} × V",
        parameters=0 if tied else vocabulary_size * width,
        products=vocabulary_size * width,
        reads=reads,
        saved=Saved(f32=FULL * width + ID_BYTES, bf16=HALF * width + ID_BYTES),
    )


def memory_part(config: TransformerConfig) -> Part:
    """Return what an encoder gives a decoder: vectors that the keys and values of all its blocks are made of."""
    return Part("memory", "memory", gives="m × d_model", reads="source", saved=Saved(f32=FULL * config.width))


def _self_attention(config: TransformerConfig, *, reads: Stream, generates: bool) -> Part:
    """Return attention of a sequence to itself.

    *Maths.* Parameters d_model·h·d_k each for W^Q and W^O, d_model·h_kv·d_k each for W^K and W^V, with biases as
    configured and d_k each for the norms of queries and keys. For each pair: h·d_k for q·k, h·d_k for the sum of v.
    """
    width, group_width = config.width, config.resolved_key_heads * config.resolved_head_width
    all_width = config.heads * config.resolved_head_width
    projections, biases = _projections(config)
    norms = 2 * config.resolved_head_width if config.query_norm else 0
    heads, groups = config.heads, config.resolved_key_heads
    normed = FULL * (2 * (all_width + group_width) + heads + groups) if config.query_norm else 0
    mask = width * bool(config.dropout)
    # where queries are turned they come as (B, H, T, K) and so does what attention gives: joining the heads copies it
    joined = all_width * (config.positions == "rotary")
    attended = 2 * all_width + 2 * group_width + joined  # queries, what they gathered, keys, values
    grouped = heads != groups
    parts = tuple(_turned(config)) if config.positions == "rotary" else ()
    return Part(
        name="attention",
        kind="attention",
        formula=_attention_formula(config, grouped=grouped),
        sizes=_attention_sizes(config, grouped=grouped),
        gives=f"{COUNTS[reads]} × d_model",
        parameters=projections + biases + norms,
        products=projections,
        pair_products=2 * all_width,
        reads=reads,
        sees=reads,
        cached=2 * group_width if generates else 0,
        saved=Saved(
            f32=normed + FULL * (width + attended + heads + mask),
            bf16=normed + HALF * (3 * width + attended + mask) + FULL * heads,
            short=normed + HALF * (3 * width + 2 * all_width + 2 * group_width + mask),
            pair=HALF * heads,
            pairs_from_formula=FORMULA_PAIRS,
        ),
        parts=parts,
    )


def _turned(config: TransformerConfig) -> list[Part]:
    """Return the rotary positions, which hold nothing: they turn queries and keys."""
    return [Part("rotary positions", "rotary", sizes=(("d_k", config.resolved_head_width),))]


def _cross_attention(config: TransformerConfig) -> Part:
    """Return attention of a text to a source: queries come from the text, keys and values from the source."""
    width, heads = config.width, config.heads
    all_width = heads * config.resolved_head_width
    group_width = config.resolved_key_heads * config.resolved_head_width
    inward, outward = config.bias != "none", config.bias == "all"
    query_norm = config.resolved_head_width if config.query_norm else 0
    normed_queries = FULL * (2 * all_width + heads) * config.query_norm
    normed_keys = FULL * (2 * group_width + config.resolved_key_heads) * config.query_norm
    mask = width * bool(config.dropout)
    asking = Part(
        name="queries and output",
        kind="asking",
        formula="2·d_model·h·d_k",
        parameters=2 * width * all_width + all_width * inward + width * outward + query_norm,
        products=2 * width * all_width,
        pair_products=2 * all_width,
        sees="source",
        saved=Saved(
            f32=normed_queries + FULL * (width + 2 * all_width + heads + mask),
            bf16=normed_queries + HALF * (width + 2 * all_width + mask) + FULL * heads,
            short=normed_queries + HALF * (width + 2 * all_width + mask),
            pair=HALF * heads,
            pairs_from_formula=FORMULA_PAIRS,
        ),
    )
    kept = HALF * (2 * width + 2 * group_width)
    answering = Part(
        name="keys and values",
        kind="answering",
        formula="2·d_model·h_kv·d_k" if heads != config.resolved_key_heads else "2·d_model·h·d_k",
        parameters=2 * width * group_width + 2 * group_width * inward + query_norm,
        products=2 * width * group_width,
        reads="source",
        cached=2 * group_width,
        saved=Saved(f32=normed_keys + FULL * 2 * group_width, bf16=normed_keys + kept),
    )
    grouped = heads != config.resolved_key_heads
    return Part(
        name="cross-attention",
        kind="cross",
        formula=_attention_formula(config, grouped=grouped),
        sizes=_attention_sizes(config, grouped=grouped),
        gives="n × d_model",
        parts=(asking, answering),
    )


def _feedforward(config: TransformerConfig, *, reads: Stream) -> Part:
    """Return the position-wise half: two matrices, or three where it is gated."""
    width, hidden, gated = config.width, config.resolved_feedforward, config.activation == "swiglu"
    matrices = 3 if gated else 2
    biases = ((matrices - 1) * hidden + width) * (config.bias == "all")
    inside, mask = KEPT_INSIDE[config.activation] * hidden, width * bool(config.dropout)
    return Part(
        name=f"feed-forward, {NAMES[config.activation]}",
        kind="feedforward",
        formula=f"{matrices}·d_model·d_ff" + _plus(biases, f"{'2·' if gated else ''}d_ff + d_model"),
        sizes=(("d_model", width), ("d_ff", hidden)),
        gives=f"{COUNTS[reads]} × d_model",
        parameters=matrices * width * hidden + biases,
        products=matrices * width * hidden,
        reads=reads,
        saved=Saved(
            f32=FULL * (width + inside + mask),
            bf16=HALF * ((matrices - 1) * width + inside + mask),
        ),
    )


def _projections(config: TransformerConfig) -> tuple[int, int]:
    """Return the numbers in the four matrices of attention, and in their biases."""
    width, group_width = config.width, config.resolved_key_heads * config.resolved_head_width
    all_width = config.heads * config.resolved_head_width
    biases = (all_width + 2 * group_width) * (config.bias != "none") + width * (config.bias == "all")
    return 2 * width * (all_width + group_width), biases


def _attention_formula(config: TransformerConfig, *, grouped: bool) -> str:
    matrices = "2·d_model·(h + h_kv)·d_k" if grouped else "4·d_model·h·d_k"
    inward = "(h + 2·h_kv)·d_k" if grouped else "3·h·d_k"
    biases = {"none": "", "qkv": inward, "all": f"{inward} + d_model"}[config.bias]
    return matrices + _plus(bool(biases), biases) + _plus(config.query_norm, "2·d_k")


def _attention_sizes(config: TransformerConfig, *, grouped: bool) -> tuple[tuple[str, int], ...]:
    groups = (("h_kv", config.resolved_key_heads),) if grouped else ()
    return (("d_model", config.width), ("h", config.heads), *groups, ("d_k", config.resolved_head_width))


def _plus(there: object, formula: str) -> str:
    return f" + {formula}" if there else ""
