"""What a model is made of, part by part, and what follows from that by arithmetic alone: size, operations, memory.

*Idea.* A family says of each part how many numbers it holds, how many multiply–adds it makes for a token and for a
pair of tokens, and what it keeps (`ziggurat.core.protocols.Dissects`). Everything else is sums over the tree, so that
a decoder, an encoder, a pair of both and an LSTM are counted by the same few lines.

*Maths.* A multiply–add is two operations. A matrix of N numbers costs 2·N operations a token (Kaplan et al. 2020,
section 2.1: C ≈ 2·N forward, and twice that backward); attention costs, for every pair of a query and a key, 2·d_k for
q·k and 2·d_k for the weighted sum in each of its h heads (the same section counts them for its table 1; here each
query is paired with every key that stands in memory, masked or not, as kernels and counters do).

*Departs.* Kaplan et al. leave embeddings and biases out of N; here every number is a parameter. Norms, activations,
softmax and positions are not counted as operations: they are of the order of d, products of d².
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

__all__ = ["NUMBER_BYTES", "Anatomy", "Counted", "Load", "Part", "Precision", "Saved", "Sizes", "Stream"]

Stream: TypeAlias = Literal["text", "source", "picked", "once"]
"""Which tokens a part works on: those of the text, those of what a decoder translates, the picked ones that a masked
language model guesses, or one of each row."""

Precision: TypeAlias = Literal["f32", "bf16"]

NUMBER_BYTES = 4
"""Bytes of a number in 32-bit."""
HALF_BYTES = 2

OPENED = ("tower", "block", "half", "model")
"""Kinds of parts that are nothing beside their parts."""

USUAL_WINDOW = 256
"""Tokens that are read at once where neither a context nor anybody says how many."""


@dataclass(frozen=True)
class Load:
    """How much is read at once."""

    rows: int = 1
    text: int = 1
    """Tokens of each row."""
    source: int = 0
    """Tokens of each row's source, where the model translates."""
    picked: int | None = None
    """Tokens of each row that are predicted, where these are not all of them."""

    def tokens(self, stream: Stream) -> int:
        """Return the tokens of one row in ``stream``."""
        picked = self.text if self.picked is None else self.picked
        return {"text": self.text, "source": self.source, "picked": picked, "once": 1}[stream]


@dataclass(frozen=True)
class Sizes:
    """How much is to be read, written and trained on at once; what is None follows from the model and its recipe."""

    rows: int | None = None
    window: int | None = None
    source: int | None = None
    batch: int = 1
    length: int | None = None


@dataclass(frozen=True)
class Saved:
    """Bytes that a part keeps of its forward pass for the backward pass, in training."""

    f32: int = 0
    """For each token, where products are made in 32-bit."""
    bf16: int = 0
    """For each token, where products are made in 16-bit (autocast)."""
    pair: int = 0
    """For each pair of a query and a key, in 16-bit and where `pairs_from_formula` says so."""
    short: int = 0
    """What stands in place of `bf16` then."""
    pairs_from_formula: int = 0
    """Up to so many pairs of a row the weights of all pairs are kept, in 16-bit."""
    row_f32: int = 0
    """For each row, however long."""
    row_bf16: int = 0
    once_f32: int = 0
    """For all of a batch."""
    once_bf16: int = 0
    later_f32: int = 0
    """What of `f32` is only set aside: nothing is written there before the backward pass comes to this part."""
    later_bf16: int = 0
    working_f32: int = 0
    """What the backward pass takes beside, for as long as it is at one such part."""
    working_bf16: int = 0

    def bytes_of(self, rows: int, tokens: int, pairs: int, *, precision: Precision) -> int:
        """Return the bytes for ``rows`` rows of ``tokens`` tokens and ``pairs`` pairs each."""
        if precision == "f32":
            return rows * (tokens * self.f32 + self.row_f32) + self.once_f32
        each = tokens * self.bf16
        if 0 < pairs <= self.pairs_from_formula:
            each = tokens * self.short + pairs * self.pair
        return rows * (each + self.row_bf16) + self.once_bf16


@dataclass(frozen=True)
class Part:
    """One part of a model, or several alike, one upon another."""

    name: str
    """What it is called in the field, in English."""
    kind: str
    """What it is: embedding, positions, norm, attention, cross, feedforward, cells, output, half, block, tower …"""
    formula: str = ""
    """Its parameters in symbols."""
    sizes: tuple[tuple[str, int], ...] = ()
    """The symbols and their values."""
    gives: str = ""
    """Shape of what it gives, in symbols."""
    parameters: int = 0
    """Numbers that it holds itself."""
    products: int = 0
    """Multiply–adds with its matrices for each token that it works on."""
    forward_products: int = 0
    """Of these, those that no gradient goes through: training makes them forward only."""
    pair_products: int = 0
    """Multiply–adds for each pair of a token that it works on and one that it looks at."""
    reads: Stream = "text"
    """Which tokens it works on."""
    sees: Stream | None = None
    """Which tokens each of those looks at."""
    cached: int = 0
    """Numbers that it remembers of each token it has worked on, while text is generated."""
    held: int = 0
    """Numbers that it remembers of each row, however long."""
    saved: Saved = field(default_factory=Saved)
    times: int = 1
    """How many of it there are."""
    parts: tuple["Part", ...] = ()
    """What it is made of, from the bottom up."""

    def walk(self, times: int = 1) -> Iterator[tuple["Part", int]]:
        """Yield this part and all parts in it, each with how often it is there."""
        times *= self.times
        yield self, times
        for part in self.parts:
            yield from part.walk(times)

    @property
    def total(self) -> int:
        """Parameters of all of it."""
        return sum(times * part.parameters for part, times in self.walk())

    @property
    def each(self) -> int:
        """Parameters of one of it, where there are several alike."""
        return self.total // self.times

    def opened(self, times: int = 1) -> Iterator[tuple["Part", int]]:
        """Yield the parts that hold or multiply something, from the top down, each with how often it is there."""
        if self.kind not in OPENED:
            if self.total or self.products:
                yield self, times * self.times
            return
        for inner in reversed(self.parts):
            yield from inner.opened(times * self.times)

    def reading_flops(self, load: Load) -> int:
        """Return the operations for reading one row of ``load``.

        *Maths.* 2·(products·n + pair_products·n·m): n tokens that look at m.
        """
        total = 0
        for part, times in self.walk():
            tokens = load.tokens(part.reads)
            pairs = 0 if part.sees is None else tokens * load.tokens(part.sees)
            total += times * 2 * (part.products * tokens + part.pair_products * pairs)
        return total

    def step_flops(self, load: Load) -> int:
        """Return the operations for the last token of a row of ``load.text``, all before it being remembered."""
        total = 0
        for part, times in self.walk():
            if part.reads != "source":
                seen = 0 if part.sees is None else load.tokens(part.sees)
                total += times * 2 * (part.products + part.pair_products * seen)
        return total

    def saved_bytes(self, load: Load, *, precision: Precision) -> int:
        """Return what it keeps for the backward pass over ``load``."""
        total = 0
        for part, times in self.walk():
            tokens = load.tokens(part.reads)
            pairs = 0 if part.sees is None else tokens * load.tokens(part.sees)
            total += times * part.saved.bytes_of(load.rows, tokens, pairs, precision=precision)
        return total

    def later_bytes(self, load: Load, *, precision: Precision) -> tuple[int, int]:
        """Return what of `saved_bytes` is only set aside until the backward pass comes to it, and the most in use."""
        total = most = 0
        for part, times in self.walk():
            f32 = precision == "f32"
            each = part.saved.later_f32 if f32 else part.saved.later_bf16
            aside = load.rows * load.tokens(part.reads) * each
            total += times * aside
            most = max(most, aside + (part.saved.working_f32 if f32 else part.saved.working_bf16))
        return total, most

    def cache_bytes(self, load: Load) -> int:
        """Return what it remembers of ``load`` while it generates, in 32-bit."""
        each = sum(times * (part.cached * load.tokens(part.reads) + part.held) for part, times in self.walk())
        return NUMBER_BYTES * load.rows * each

    def to_mapping(self, load: Load | None = None) -> dict[str, Any]:
        """Return it as JSON holds it: with the operations of reading one row of ``load``, where one is given."""
        found: dict[str, Any] = {"name": self.name, "kind": self.kind, "times": self.times, "parameters": self.total}
        found |= {"formula": self.formula, "sizes": dict(self.sizes)} if self.formula else {}
        found |= {"gives": self.gives} if self.gives else {}
        if load is not None:
            found["reading_flops"] = self.reading_flops(load)
        if self.parts:
            found["parts"] = [part.to_mapping(load) for part in self.parts]
        return found


@dataclass(frozen=True)
class Counted:
    """N-gram counts that a model stands on. They are no weights: how large they are follows from the text."""

    order: int
    """Words in the longest n-gram."""
    ids: int
    """Of the vocabulary."""
    told: int
    """Numbers that they hand to the network for each position."""
    entry_bytes: int
    """Of an n-gram below the longest."""
    longest_bytes: int
    """Of one of the longest."""

    def bytes_of(self, tokens: float, *, ngrams: Callable[[int, float], float] | None = None) -> float:
        """Return the bytes of counts of so many tokens; of a text that is not known, the most that there can be.

        *Maths.* T tokens begin at most T n-grams of k words, and with V ids there are no more than V^k. ``ngrams``
        says how many different ones a text has, from k and T.
        """
        counts: list[float] = [self.ids]
        for words in range(2, self.order + 1):
            most = min(tokens, self.ids**words)
            counts.append(most if ngrams is None else min(most, ngrams(words, tokens)))
        return self.entry_bytes * sum(counts[:-1]) + self.longest_bytes * counts[-1]


@dataclass(frozen=True)
class Anatomy:
    """A whole model: its towers, each from the ids at its bottom to what it gives at its top."""

    towers: tuple[Part, ...]
    """One; or an encoder and the decoder that looks at it."""
    symbols: tuple[tuple[str, int], ...]
    """The sizes that all formulas are written in."""
    context: int | None = None
    """Longest sequence that it can read at once; None where there is no limit."""
    generates: bool = True
    """Whether it can write, token by token."""
    picks: float | None = None
    """Which part of the tokens it predicts in training, where these are not all."""
    counted: Counted | None = None
    """The counts that it stands on, where it does."""

    @property
    def whole(self) -> Part:
        """All towers as one part."""
        return Part("model", "model", parts=self.towers)

    @property
    def parameters(self) -> int:
        """Numbers in all weights, those that two places share counted once."""
        return self.whole.total

    @property
    def multiplies(self) -> bool:
        """Whether anything in it makes products, so that gradients train it."""
        return any(part.products for part, _ in self.whole.walk())

    @property
    def weight_bytes(self) -> int:
        """Bytes of all weights in 32-bit."""
        return NUMBER_BYTES * self.parameters

    def cache_bytes(self, load: Load) -> int:
        """Return what it remembers of ``load`` while it generates, in 32-bit; nothing where it can't."""
        return self.whole.cache_bytes(load) if self.generates else 0

    def generation_bytes(self, load: Load) -> int:
        """Return the bytes that stand in memory while it generates: its weights, and what it remembers of ``load``."""
        return self.weight_bytes + self.cache_bytes(load)

    @property
    def translates(self) -> bool:
        """Whether it reads a source beside its text."""
        return any(part.reads == "source" for part, _ in self.whole.walk())

    def reading_flops(self, load: Load) -> int:
        """Return the operations for reading one row of ``load``: matrix products, two for each multiply–add."""
        return self.whole.reading_flops(load)

    def reading_flops_per_token(self, load: Load) -> float:
        """Return `reading_flops` divided among the tokens of a row."""
        return self.reading_flops(load) / load.text

    def step_flops(self, load: Load) -> int:
        """Return the operations for generating one token more at the position ``load.text``, with the cache."""
        return self.whole.step_flops(load)

    def training_flops(self, load: Load) -> int:
        """Return the operations of one training step on all rows of ``load``.

        *Maths.* 3 × reading: the backward pass makes two products for each of the forward pass, one for the gradient of
        what came in and one for that of the weight (Kaplan et al. 2020, section 2.1); none for those that no gradient
        goes through.
        """
        forward = sum(times * part.forward_products * load.tokens(part.reads) for part, times in self.whole.walk())
        return load.rows * (3 * self.reading_flops(load) - 2 * 2 * forward)

    def weight_copies_bytes(self) -> int:
        """Return the bytes of the 16-bit copies of the matrices that products under autocast are made with."""
        return HALF_BYTES * sum(times * part.products for part, times in self.whole.walk())

    def drawn_for(self, text: int, *, rows: int = 1, source: int | None = None) -> Load:
        """Return the load of ``rows`` rows of ``text`` tokens: with a source as long, where it reads one."""
        given = text if source is None else source
        picked = None if self.picks is None else max(1, round(self.picks * text))
        return Load(rows, text, given if self.translates else 0, picked)

    def loads(self, sizes: Sizes, *, window: int | None, rows: int | None) -> tuple[Load, Load]:
        """Return a batch of training, and what is written at once.

        What ``sizes`` leaves open is the recipe's ``window`` and ``rows`` within the context, or where there are none
        `USUAL_WINDOW` and 1; written is up to the context, or as much as the window that was asked for.
        """
        usual = window or USUAL_WINDOW
        if self.context is not None:
            usual = min(usual, self.context)
        read = sizes.window or usual
        batch = self.drawn_for(read, rows=sizes.rows or rows or 1, source=sizes.source)
        length = sizes.length or (self.context if self.context is not None else max(read, USUAL_WINDOW))
        written = self.drawn_for(length, rows=sizes.batch, source=sizes.source)
        if sizes.length is None and sizes.window is not None:
            written = replace(written, text=read, source=batch.source)
        return batch, written
