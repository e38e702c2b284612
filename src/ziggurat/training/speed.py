"""Measures what this machine does in a second: the figures of `ziggurat.training.rates`.

*Idea.* What is timed is what the trainer runs: products as a linear layer makes them and its gradient, attention and
the recurrent layer as our blocks have them, the cross-entropy, AdamW with its clipping. All the rest of a block (norms,
activations, turns, sums, copies) is what a block of the usual form takes beyond its products and its attention, set
against the bytes that it keeps for the backward pass: an operation on numbers one by one keeps what it reads or writes,
so its cost follows them.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ziggurat.core.anatomy import Load, Part, Precision
from ziggurat.core.compiled import thread_count
from ziggurat.core.seeding import generator
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.attention import Sight, attend
from ziggurat.models.blocks.lstm import LSTMLayer
from ziggurat.models.blocks.network import CausalNetwork
from ziggurat.models.blocks.transformer import TransformerConfig, TransformerStack, fill_transformer
from ziggurat.models.blocks.transformer_parts import stack_parts
from ziggurat.models.counting import counted_by
from ziggurat.models.ngram_trie import NgramTrie
from ziggurat.models.registry import FAMILIES
from ziggurat.training.allocator import keep_memory
from ziggurat.training.footprint import LOGIT_COUNT
from ziggurat.training.kneser_ney import FALLBACK, smooth
from ziggurat.training.ngram_counting import Budget, count_ngrams
from ziggurat.training.ngram_sorting import Shape
from ziggurat.training.objectives.objective import cross_entropy
from ziggurat.training.optimisers import adamw
from ziggurat.training.rates import Curve, Machine, Rates, Sheet, between, on_sheet
from ziggurat.training.scratch import memory_here
from ziggurat.training.taken import taken

__all__ = ["measure"]

TOKENS = (32, 256, 2048)
WIDTHS = (128, 384, 1024)
SEEN = (64, 256, 512, 576, 1024)
"""Up to 512 tokens attention in 16-bit is made by its formula, beyond by a kernel (`attend`): 512 and 576 are near each
other, so that few sizes are read off the line between the two."""
ROWS = (4, 16)
CELLS = (128, 384, 768)
STEPS = 64
BLOCKS = ((1024, 128), (2048, 256), (4096, 384))
"""Tokens and width of the blocks that are timed whole."""
LOGITS = (1 << 20, LOGIT_COUNT)
IDS = 4096
NUMBERS = 1 << 22
ORDER = 5
COUNTED_TOKENS = 1 << 18
SECONDS = 0.08
"""A measurement goes on at least so long, and makes at least `LEAST` rounds."""
_CLOCK: list[Callable[[], float]] = [time.perf_counter]
"""What counts the seconds; the last one does."""
LEAST = 5


def measure(clock: Callable[[], float] = time.perf_counter) -> Machine:
    """Return what this machine does in a second, with as many threads as training would use.

    ``clock`` counts the seconds: those of the wall, or with one thread `time.process_time`, which leaves out the time
    in which other processes had the core.

    *Cost.* Some twenty seconds on a laptop, eight of them for the processes of `taken`; the first time, half as many
    more in which what counts is compiled. Other work on the machine makes
    the figures worse, as it would make training slower.
    """
    process = taken()
    keep_memory()  # as the trainer does: what is timed shall not wait for pages that it would not wait for
    with torch.random.fork_rng(devices=[]), _counted_by(clock):
        torch.manual_seed(0)
        rates = {half: _rates(half=half) for half in (False, True)}
        counting, telling = _counts()
        return Machine(
            f32=rates[False],
            bf16=rates[True],
            bandwidth=_bandwidth(),
            update=_update(),
            memory_bytes=memory_here(),
            runtime_bytes=process.runtime_bytes,
            slack=process.slack,
            threads=thread_count(),
            counting=counting,
            telling=telling,
        )


def _rates(*, half: bool) -> Rates:
    kind = torch.bfloat16 if half else torch.float32
    products: Sheet = tuple((m, tuple((s, _product(m, s, kind)) for s in WIDTHS)) for m in TOKENS)
    attention: Curve = tuple((seen, _attention(seen, kind)) for seen in SEEN)
    logits = [(count, *_logit(count, half=half)) for count in LOGITS]
    part = _part(half=half)
    return Rates(
        products=products,
        attention=attention,
        cells=tuple((rows, tuple((cells, _cells(rows, cells, half=half)) for cells in CELLS)) for rows in ROWS),
        moved=tuple((m * w, _moved(m, w, products, attention, part, half=half)) for m, w in BLOCKS),
        logit_forward=tuple((count, forward) for count, forward, _ in logits),
        logit_backward=tuple((count, backward) for count, _, backward in logits),
        part=part,
    )


@contextmanager
def _counted_by(clock: Callable[[], float]) -> Iterator[None]:
    _CLOCK.append(clock)
    try:
        yield
    finally:
        _CLOCK.pop()


def _seconds(work: Callable[[], object]) -> float:
    """Return the median seconds of ``work``, which has run once before: as disturbed as training would be."""
    work()
    taken: list[float] = []
    while len(taken) < LEAST or sum(taken) < SECONDS:
        began = _CLOCK[-1]()
        work()
        taken.append(_CLOCK[-1]() - began)
    return statistics.median(taken)


def _product(tokens: int, width: int, kind: torch.dtype) -> float:
    """Return the operations a second of a product of (tokens, width) with (width, width), and of its two gradients."""
    x, weight, above = (torch.randn(size, width).to(kind) for size in (tokens, width, tokens))
    taken = _seconds(lambda: (x @ weight.t(), above @ weight, above.t() @ x))
    return 6 * tokens * width**2 / taken


def _attention(seen: int, kind: torch.dtype) -> float:
    """Return the operations a second of attention, all pairs counted, forward and backward."""
    rows, heads, width = max(1, 1024 // seen), 4, 64
    inputs = [torch.randn(rows, heads, seen, width).to(kind).requires_grad_() for _ in range(3)]
    above = torch.randn(rows, heads, seen, width).to(kind)

    def work() -> None:
        torch.autograd.grad(attend(inputs[0], inputs[1], inputs[2], causal=True), inputs, above)

    return 3 * 4 * rows * heads * width * seen**2 / _seconds(work)


def _cells(rows: int, cells: int, *, half: bool) -> float:
    layer = LSTMLayer(cells, cells)
    layer.fill(seed=0, name="measured")
    x = torch.randn(rows, STEPS, cells, requires_grad=True)
    state = torch.zeros(rows, cells), torch.zeros(rows, cells)

    def work() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            y, _ = layer(x, state)
        _backward(y)

    return 3 * 2 * 8 * cells**2 * rows * STEPS / _seconds(work)


def _logit(count: int, *, half: bool) -> tuple[float, float]:
    """Return the seconds of a log-probability and of its gradient, products aside, where ``count`` are made at once."""
    given = torch.randn(count // IDS, IDS).to(torch.bfloat16 if half else torch.float32).requires_grad_()
    targets = torch.randint(0, IDS, (len(given),))

    def loss() -> Tensor:
        return nn.functional.cross_entropy(given.float(), targets, reduction="sum")

    forward = _seconds(loss)
    both = _seconds(lambda: torch.autograd.grad(loss(), given))
    return forward / count, max(both - forward, 0.1 * forward) / count


def _block(tokens: int, width: int, *, half: bool) -> tuple[Callable[[], None], Part]:
    """Return what runs a usual block over some tokens, in rows of up to 128, and what it is made of."""
    config = TransformerConfig(layers=1, width=width, heads=max(1, width // 64), context=min(tokens, 128))
    stack = TransformerStack(config)
    fill_transformer(stack, seed=0)
    x = torch.randn(max(1, tokens // 128), config.context, width, requires_grad=True)
    sight = Sight(stack.turns(slice(0, config.context)))

    def work() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            y = stack(x, sight)
        _backward(y)
        for weight in stack.parameters():
            weight.grad = None

    return work, Part("block", "model", parts=stack_parts(config))


def _part(*, half: bool) -> float:
    work, anatomy = _block(2, 32, half=half)
    return _seconds(work) / len(list(anatomy.opened()))


def _moved(tokens: int, width: int, products: Sheet, attention: Curve, part: float, *, half: bool) -> float:
    """Return what a block takes beyond products and attention, for a byte that it keeps."""
    work, anatomy = _block(tokens, width, half=half)
    load = Load(rows=max(1, tokens // 128), text=min(tokens, 128))
    rest = _seconds(work)
    for one, times in anatomy.walk():
        rest -= times * 6 * one.products * tokens / on_sheet(products, tokens, width)
        pairs = 0 if one.sees is None else tokens * load.text
        rest -= times * 6 * one.pair_products * pairs / between(attention, load.text)
    rest -= part * len(list(anatomy.opened()))
    precision: Precision = "bf16" if half else "f32"
    kept = anatomy.saved_bytes(load, precision=precision)
    return max(rest, kept / _bandwidth()) / kept


def _backward(y: Tensor) -> None:
    torch.autograd.backward(y, torch.ones_like(y))


def _update() -> float:
    """Return the seconds that AdamW takes for a number, its gradient's norm and the gradient's room included."""
    weights = [nn.Parameter(torch.randn(1024, NUMBERS // 4096)) for _ in range(4)]
    optimiser = adamw(weights, learning_rate=1e-4, weight_decay=0.1, betas=(0.9, 0.95))

    def work() -> None:
        for weight in weights:
            weight.grad = torch.ones_like(weight)
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()

    return _seconds(work) / NUMBERS


def _counts() -> tuple[float, float]:
    """Return the seconds in which a token is counted for an order, and those of a number that counts hand on.

    The text is drawn by Zipf's law, p ∝ 1 / rank. A number's seconds are those by which a step of a network on counts
    is longer than one of the network inside, whose vectors are so short that products with them are next to nothing.
    """
    chances = 1 / torch.arange(1.0, IDS + 1, dtype=torch.float64).numpy()
    text = generator(0, "counts").choice(IDS, COUNTED_TOKENS, p=chances / chances.sum()).astype("int32")
    threads = thread_count()
    budget = Budget(memory_here(), threads, None)

    def count() -> NgramTrie:
        found = count_ngrams(text, Shape(ORDER, IDS, 0, 1), budget, raw=False)
        return smooth(found, discounts=FALLBACK, prune=(0,) * ORDER, threads=threads)[0]

    family: Any = FAMILIES.get("counted_decoder")
    config = family.config(layers=1, width=8, heads=1, context=128, order=ORDER)
    network: Any = family.build(config, Vocabulary(size=IDS, bos=0, eos=1), seed=0).network
    counted_by(network, count())
    ids = torch.from_numpy(text[:1024].reshape(8, 128)).long()
    whole, inside = (_seconds(partial(_learn, one, ids)) for one in (network, network.network))
    return _seconds(count) / (ORDER * text.size), max(whole - inside, 0.1 * whole) / (IDS * ids.numel())


def _learn(network: CausalNetwork, ids: Tensor) -> None:
    """Make the gradient of a batch, with the ids themselves for targets."""
    hidden, _ = network.hidden(ids)
    cross_entropy(network, hidden.flatten(0, 1), ids.flatten()).backward()  # type: ignore[no-untyped-call]
    network.zero_grad()


def _bandwidth() -> float:
    """Return the bytes a second of reading two long vectors and writing a third."""
    one, other, third = (torch.ones(1 << 24) for _ in range(3))
    return 3 * one.nbytes / _seconds(lambda: torch.add(one, other, out=third))
