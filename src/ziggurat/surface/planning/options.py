"""What a plan may be asked for."""

from dataclasses import dataclass
from typing import Literal

from ziggurat.core.config import option

__all__ = ["PlanOptions"]


@dataclass(frozen=True)
class PlanOptions:
    """On what is trained, how, and how much."""

    hardware: str = option("here", "here (measured, once), own (by your numbers), or the name of a data sheet")
    devices: int = option(1, "devices that train together", low=1, high=1_000_000)
    memory: float | None = option(None, "GB of a device's memory", low=0.001)
    bandwidth: float | None = option(None, "GB/s of a device's memory", low=0.001)
    bf16_tflops: float | None = option(None, "TFLOP/s of 16-bit matrix products, dense", low=1e-6)
    f32_tflops: float | None = option(None, "TFLOP/s of 32-bit matrix products", low=1e-6)
    per_node: int | None = option(None, "devices of a node", low=1)
    link: float | None = option(None, "GB/s between devices of a node, one direction", low=1e-6)
    network: float | None = option(None, "GB/s between nodes for each device, one direction", low=1e-6)
    watts: float | None = option(None, "power of a device in watts", low=0)
    price: float | None = option(None, "price of a device and hour, in your currency", low=0)
    pue: float = option(1.0, "power of the building for that of the devices", low=1)
    strategy: Literal["ddp", "zero1", "zero2", "fsdp"] | None = option(
        None, "ddp, zero1, zero2 or fsdp; unless told, the faster of ddp and fsdp that fits"
    )
    recompute: Literal["yes", "no"] | None = option(
        None,
        "yes or no: compute blocks again in the backward pass; unless told, where that is faster, or nothing fits "
        "without",
    )
    precision: Literal["f32", "bf16"] | None = option(None, "f32 or bf16; unless told, as the recipe trains")
    mfu: float = option(0.4, "part of a data sheet's peak that products reach", low=0.001, high=1)
    usable: float = option(0.9, "part of the memory that is counted on", low=0.01, high=1)
    rows: int | None = option(
        None, "sequences of a batch on each device; unless told, its share of the recipe's", low=1
    )
    window: int | None = option(None, "tokens of each that are read at once; unless told, the recipe's", low=1)
    text_tokens: float | None = option(None, "tokens of the training text, where no files are named", low=1)
    text_bytes: float | None = option(None, "bytes of the training text, where no files are named", low=1)
    bytes_per_token: float = option(4.0, "bytes of a token, where only bytes are known", low=0.1)
    tokens: float | None = option(None, "budget in tokens that are read", low=1)
    steps: int | None = option(None, "budget in optimiser steps", low=1)
    epochs: float | None = option(None, "budget in passes over the text", low=0)
    minutes: float | None = option(None, "budget in minutes of training", low=0)
    optimal: bool = option(False, "budget of 20 tokens a parameter, where compute is spent best")
    mtbf: float | None = option(None, "hours between two failures of a device; says how often to save", low=0.001)
    storage: float = option(1.0, "GB/s that a checkpoint is written with", low=1e-6)
    loss: float | None = option(None, "nats a token that are expected at the end; says the critical batch", low=0.01)
    measure: bool = option(False, "measure this machine anew")
    json: bool = option(False, "print JSON")
    quiet: bool = option(False, "say nothing but warnings")
