"""A machine whose rates are round numbers, so that times can be counted by hand."""

from ziggurat.training.rates import Machine, Rates

RATES = Rates(
    products=((8.0, ((16.0, 1e9), (64.0, 4e9))), (128.0, ((16.0, 2e9), (64.0, 8e9)))),
    attention=((8.0, 1e9), (32.0, 4e9)),
    cells=((2.0, ((16.0, 1e9),)), (8.0, ((16.0, 4e9),))),
    moved=((64.0, 1e-9), (4096.0, 1e-9)),
    logit_forward=((1.0, 2e-9),),
    logit_backward=((1.0, 3e-9),),
    part=1e-6,
)
MACHINE = Machine(
    f32=RATES,
    bf16=RATES,
    bandwidth=1e10,
    update=7e-9,
    memory_bytes=1_000_000_000,
    runtime_bytes=100_000_000,
    slack=1.25,
    threads=1,
    counting=5e-7,
    telling=3e-9,
)
