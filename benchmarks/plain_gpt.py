"""The peer network: GPT-2's architecture as nanoGPT describes its own, in plain torch modules, and its training.

Written from the published description, not from the source: learned positions, pre-norm blocks with LayerNorm, exact
GELU, four times as wide inside, no biases, the output matrix tied to the embedding; weights from N(0, 0.02), those
that end a residual branch from N(0, 0.02 / √(2L)) (Radford et al. 2019, section 2.3). AdamW with decay on matrices
alone, a linear warm-up, a cosine down to a tenth, gradients clipped at 1, windows drawn at random, single precision.

Shape suffixes: **B** batch, **T** time, **V** vocabulary, **D** width, **H** heads, **K** head width.
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ziggurat.core.types import FloatArray, IdArray

__all__ = ["PlainGPT", "Shape", "Training", "decay_groups", "load", "reader", "save", "train"]

FIRST_STD = 0.02


@dataclass(frozen=True)
class Shape:
    """How large the network is; the defaults are the published recipe for a processor."""

    layers: int = 4
    heads: int = 4
    width: int = 128
    block: int = 64
    """Ids that it reads at once."""


@dataclass(frozen=True)
class Training:
    """How it is trained; the defaults are the published recipe for a processor. One budget: steps, or seconds."""

    steps: int | None = 2000
    seconds: float | None = None
    batch: int = 12
    learning_rate: float = 1e-3
    least_rate: float = 1e-4
    warmup: int = 100
    weight_decay: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.99
    clip: float = 1.0

    def rate(self, step: int, fraction: float) -> float:
        """Return the learning rate of a step; ``fraction`` is the part of the cosine that lies behind it."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / (self.warmup + 1)
        height = 0.5 * (1 + math.cos(math.pi * min(1.0, max(0.0, fraction))))
        return self.least_rate + height * (self.learning_rate - self.least_rate)


class _Block(nn.Module):
    """Attention, then a feed-forward layer, each added to what it read."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.heads = shape.heads
        self.norm_attention = nn.LayerNorm(width, bias=False)
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.attention_out = nn.Linear(width, width, bias=False)
        self.norm_feedforward = nn.LayerNorm(width, bias=False)
        self.widen = nn.Linear(width, 4 * width, bias=False)
        self.feedforward_out = nn.Linear(4 * width, width, bias=False)

    def forward(self, x_BTD: Tensor) -> Tensor:
        parts = self.query_key_value(self.norm_attention(x_BTD)).chunk(3, dim=-1)
        q_BHTK, k_BHTK, v_BHTK = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        seen_BHTK = F.scaled_dot_product_attention(q_BHTK, k_BHTK, v_BHTK, is_causal=True)
        x_BTD = x_BTD + self.attention_out(seen_BHTK.transpose(1, 2).flatten(2))
        read: Tensor = x_BTD + self.feedforward_out(F.gelu(self.widen(self.norm_feedforward(x_BTD))))
        return read


class PlainGPT(nn.Module):
    """The network: (B, T) ids in, (B, T, V) logits of each next id out."""

    def __init__(self, shape: Shape, vocabulary: int) -> None:
        """Draw first weights from torch's generator."""
        super().__init__()
        self.shape, self.vocabulary = shape, vocabulary
        self.tokens = nn.Embedding(vocabulary, shape.width)
        self.positions = nn.Embedding(shape.block, shape.width)
        self.blocks = nn.ModuleList(_Block(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width, bias=False)
        for name, weight in self.named_parameters():
            if weight.dim() > 1:
                ends_branch = name.endswith("_out.weight")
                nn.init.normal_(weight, std=FIRST_STD / math.sqrt(2 * shape.layers) if ends_branch else FIRST_STD)

    def forward(self, ids: Tensor) -> Tensor:
        """Return the logits."""
        x_BTD = self.tokens(ids) + self.positions.weight[: ids.shape[1]]
        for block in self.blocks:
            x_BTD = block(x_BTD)
        return F.linear(self.norm(x_BTD), self.tokens.weight)

    @property
    def parameter_count(self) -> int:
        """All numbers that are learnt, positions included."""
        return sum(weight.numel() for weight in self.parameters())


def decay_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return AdamW's groups: matrices and embeddings are pulled towards zero, gains are not."""
    weights = list(network.parameters())
    return [
        {"params": [weight for weight in weights if weight.dim() > 1], "weight_decay": weight_decay},
        {"params": [weight for weight in weights if weight.dim() <= 1], "weight_decay": 0.0},
    ]


def train(
    network: PlainGPT,
    ids: npt.NDArray[np.integer[Any]],
    training: Training,
    *,
    seed: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Train on windows of ``ids`` drawn at random; return seconds of the loop, steps, predicted tokens and last loss.

    The loop evaluates nothing and saves nothing. A budget in seconds lets the cosine follow the clock, so that it
    ends with the budget whatever the pace.
    """
    torch.manual_seed(seed)
    block = network.shape.block
    if len(ids) <= block + 1:
        raise SystemExit(f"{len(ids)} ids to train on: too few for windows of {block}")
    betas = (training.beta1, training.beta2)
    optimiser = torch.optim.AdamW(decay_groups(network, training.weight_decay), lr=0.0, betas=betas)
    network.train()
    began = clock()
    warm, step, spent, loss = 0.0, 0, 0.0, torch.zeros(())
    while not _over(training, step, spent):
        warm = spent if step <= training.warmup else warm
        rate = training.rate(step, _fraction(training, step, spent, warm))
        for group in optimiser.param_groups:
            group["lr"] = rate
        windows = _windows(ids, block, training.batch)
        logits = network(windows[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), training.clip)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        step += 1
        spent = clock() - began
    network.eval()
    return {"seconds": spent, "steps": step, "tokens": step * training.batch * block, "train_loss": loss.item()}


def reader(network: PlainGPT) -> Callable[[IdArray, IdArray], FloatArray]:
    """Return what `ziggurat.models.windows.document_scores` reads with: (1, B, T − 1) nats of (B, T) ids."""

    def read(ids: IdArray, lengths: IdArray) -> FloatArray:
        del lengths  # what stands behind a row's end can't be seen from before it
        told = torch.from_numpy(ids).long()
        with torch.inference_mode():
            logprobs = network(told[:, :-1]).log_softmax(-1)
            found = logprobs.gather(-1, told[:, 1:, None])[..., 0]
        return np.asarray(found.numpy(), dtype=np.float32)[None]

    return read


def save(network: PlainGPT, path: Path) -> None:
    """Write the network to one file."""
    from safetensors.torch import save_file

    metadata = {"shape": json.dumps(asdict(network.shape)), "vocabulary": str(network.vocabulary)}
    save_file(network.state_dict(), path, metadata=metadata)


def load(path: Path) -> PlainGPT:
    """Open what `save` wrote."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        network = PlainGPT(Shape(**json.loads(metadata["shape"])), int(metadata["vocabulary"]))
        network.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    return network.eval()


def _over(training: Training, step: int, spent: float) -> bool:
    if training.seconds is not None:
        return spent >= training.seconds
    return step >= (training.steps or 0)


def _fraction(training: Training, step: int, spent: float, warm: float) -> float:
    """Return the part of the cosine that is over: by steps, or by the clock since warm-up ended at ``warm``."""
    if training.seconds is not None:
        return (spent - warm) / max(1e-9, training.seconds - warm)
    return (step - training.warmup) / max(1, (training.steps or 0) - training.warmup)


def _windows(ids: npt.NDArray[np.integer[Any]], block: int, batch: int) -> Tensor:
    starts = torch.randint(len(ids) - block, (batch,)).tolist()
    return torch.from_numpy(np.stack([ids[start : start + block + 1] for start in starts]).astype(np.int64))
