"""The keys of the loop that trains every neural family."""

from dataclasses import dataclass
from typing import Literal

from ziggurat.core.config import option
from ziggurat.core.errors import UsageError

__all__ = ["APART", "QUICK_TOKENS", "TABLE_RATE", "Config"]

APART = 5
"""An evaluation waits until so many times its tokens were learnt since the last: it takes a fifteenth of the time then,
since reading costs a third of learning."""
QUICK_TOKENS = 10_000
"""An evaluation of so few tokens need not wait."""
TABLE_RATE = 10.0
"""Learning rate of n-gram tables, in multiples of the others'."""


@dataclass(frozen=True)
class Config:
    """The ``[training]`` keys of neural models. Exactly one of minutes, steps, tokens and epochs is the budget."""

    minutes: float | None = option(None, "budget in minutes of training", low=0.0)
    steps: int | None = option(None, "budget in optimiser steps", low=1)
    tokens: int | None = option(None, "budget in predicted tokens", low=1)
    epochs: float | None = option(None, "budget in passes over the training text", low=0.0)
    rows: int = option(16, "sequences in a batch", low=1)
    window: int = option(128, "tokens of each sequence", low=1)
    accumulate: int = option(1, "batches whose gradients are added up before a step", low=1)
    learning_rate: float = option(3e-3, "peak learning rate", low=0.0)
    new_rate: float = option(
        1.0, "learning rate of weights that did not come with start, in multiples of learning_rate", low=0.0
    )
    schedule: Literal["wsd", "cosine", "linear", "constant", "noam"] = option(
        "wsd", "wsd (warm up, hold, decay) and others"
    )
    warmup_steps: int = option(50, "steps in which the learning rate rises to its peak", low=0)
    decay_fraction: float = option(0.3, "last part of the budget in which the rate decays (wsd)", low=0.0, high=1.0)
    decay_steps: int | None = option(None, "the same in steps; to run a budget in minutes again step for step", low=0)
    optimiser: Literal["adamw", "muon"] = option(
        "adamw", "adamw, or muon for the matrices between layers and adamw for the rest"
    )
    table_rate: float = option(TABLE_RATE, "learning rate of n-gram tables, in multiples of learning_rate", low=0.0)
    weight_decay: float = option(0.1, "pull of matrices towards zero per unit of learning rate", low=0.0)
    beta1: float = option(0.9, "memory of the gradient's mean", low=0.0, high=0.9999)
    beta2: float = option(0.95, "memory of the gradient's square", low=0.0, high=0.99999)
    clip_norm: float = option(1.0, "longest gradient; longer ones are shortened; 0 never", low=0.0)
    spread: Literal["auto", "ddp", "fsdp"] = option(
        "auto", "over several processes (torchrun): ddp, all have the whole model, or fsdp, each a part; auto: ddp"
    )
    device: Literal["auto", "cpu", "cuda"] = option("auto", "where it computes: a GPU where there is one, or fixed")
    recompute: bool = option(
        False, "keep only what enters each Transformer block, and make the rest again for gradients"
    )
    compiled: bool = option(
        False, "compile Transformer blocks with torch.compile: minutes at first, faster steps after"
    )
    precision: Literal["auto", "f32", "bf16"] = option("auto", "numbers of products: bf16 where it pays, or fixed")
    evaluations: int = option(12, "most evaluations on dev in a run; fewer where they would take long", low=1)
    evaluate_steps: int | None = option(None, "steps between evaluations, instead", low=1)
    evaluate_tokens: int = option(50_000, "dev tokens of an evaluation while training", low=2)
    patience: int = option(0, "stop after so many evaluations without a better one; 0 never", low=0)
    average: Literal["none", "ema", "tail"] = option(
        "none", "a mean of weights, kept where better on dev: ema of all steps, tail of those in which the rate decays"
    )
    keep: Literal["best", "last"] = option("best", "which weights become the model: best on dev, or last")
    checkpoint_seconds: float = option(60.0, "seconds between checkpoints", low=0.0)
    checkpoint_steps: int | None = option(None, "steps between checkpoints, besides", low=1)
    keep_vectors: bool = option(False, "embeddings that begin with vectors stay as they are")
    frozen: tuple[str, ...] = option(
        (), 'parts of the model that stay as they are: "embed_tokens", "stack.layers.0", "stack.layers.*.mlp"'
    )
    lora_rank: int = option(
        0, "train a change of this rank beside each of lora_on, and nothing else (LoRA); 0: no", low=0
    )
    lora_alpha: float = option(16.0, "the change is scaled by lora_alpha / lora_rank", low=0.0)
    lora_on: tuple[str, ...] = option(("q_proj", "v_proj"), 'projections of the blocks that change; ["all"]: all')
    lora_dropout: float = option(0.0, "part of the input that is dropped on its way to the change", low=0, high=0.95)

    def __post_init__(self) -> None:
        """Check what keys must be to each other."""
        given = [name for name in ("minutes", "steps", "tokens", "epochs") if getattr(self, name) is not None]
        if len(given) > 1:
            raise UsageError(f"{' and '.join(given)}: give one budget, not {len(given)}")
        if self.minutes is not None and self.schedule in ("cosine", "linear"):
            raise UsageError(f"schedule {self.schedule} needs to know its steps: give steps, or use wsd with minutes")
        if self.new_rate != 1 and self.optimiser == "muon":
            raise UsageError("new_rate: only adamw has two rates; leave it out, or set optimiser to adamw")
        if self.minutes is not None and self.decay_steps is not None:
            raise UsageError(
                "decay_steps: the steps of a budget in minutes are not known; give decay_fraction, or steps"
            )
        if self.average == "tail" and (self.decay_fraction == 0 or self.decay_steps == 0):
            raise UsageError("average tail is of the steps in which the rate decays, and there are none: use ema")
        if self.lora_rank and self.frozen:
            raise UsageError("frozen: with lora_rank everything stays as it is but the change; leave frozen out")
        for key in ("lora_alpha", "lora_on", "lora_dropout"):
            if not self.lora_rank and getattr(self, key) != type(self).__dataclass_fields__[key].default:
                raise UsageError(
                    f"{key}: there is no change to train without lora_rank; set it too, or leave {key} out"
                )
