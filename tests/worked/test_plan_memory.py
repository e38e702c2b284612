"""Bytes on a device, and bytes between devices, counted by hand."""

import math

import pytest

from tests.fakes.machines import MACHINE
from ziggurat.core.anatomy import Anatomy, Load, Part, Saved
from ziggurat.study.planning.hardware import as_measured, named
from ziggurat.study.planning.memory import Strategy, held, largest_gathered, share
from ziggurat.study.planning.traffic import hidden_from_tokens, sent_bytes, traffic
from ziggurat.study.planning.work import Work, block_flops, kept_inputs, recomputes

# V = 11 ids of width D = 5: 55 numbers; three blocks of a 5 × 7 matrix each, 35 numbers; the output is tied.
EMBEDDING = Part("embeddings", "embedding", gives="n × d", parameters=55, saved=Saved(f32=8, bf16=8))
INNER = Part(
    "matrix", "feedforward", sizes=(("d", 5), ("f", 7)), parameters=35, products=35, saved=Saved(f32=48, bf16=24)
)
HALF = Part("half", "half", parts=(INNER,))
BLOCK = Part("block", "block", times=3, gives="n × d", parts=(HALF,))
OUTPUT = Part("output", "output", sizes=(("V", 11), ("d", 5)), products=55, saved=Saved(f32=28, bf16=18))
ANATOMY = Anatomy(
    (Part("tower", "tower", parts=(EMBEDDING, BLOCK, OUTPUT)),), (("d", 5), ("f", 7), ("V", 11)), context=13
)
LOAD = Load(rows=2, text=3)
PARAMETERS = 55 + 3 * 35


def work(precision: str = "f32", accumulate: int = 1) -> Work:
    return Work(ANATOMY, 11, LOAD, precision, accumulate)  # type: ignore[arg-type]


def test_the_example_has_the_numbers_that_are_counted_with() -> None:
    assert ANATOMY.parameters == PARAMETERS == 160
    assert largest_gathered(work()) == (35, 55)
    assert recomputes(ANATOMY)
    assert block_flops(ANATOMY, LOAD) == 3 * 2 * 35 * 3
    assert kept_inputs(ANATOMY, LOAD) == 3 * 4 * 5 * 2 * 3  # blocks · bytes · width · rows · tokens


def test_ddp_keeps_all_of_it() -> None:
    one = held(work(), "ddp", 7).footprint
    assert (one.weights, one.gradients, one.moments) == (640, 640, 1280)
    # 6 tokens · (8 + 3·48 + 28) bytes; 6 tokens · 11 ids · 4 bytes
    assert (one.activations, one.logits) == (1080, 264)


@pytest.mark.parametrize(
    ("strategy", "weights", "gradients", "moments"),
    [("zero1", 640, 640, 183), ("zero2", 640, 92, 183), ("fsdp", 92, 92, 183)],
)
def test_zero_shares_out_stage_by_stage(strategy: str, weights: int, gradients: int, moments: int) -> None:
    one = held(work(), strategy, 7).footprint  # type: ignore[arg-type]
    # 1280 / 7 = 182.9, 640 / 7 = 91.4: the largest share is the next whole one
    assert (one.weights, one.gradients, one.moments) == (weights, gradients, moments)
    assert one.activations == 1080
    assert share(21, 7) == 3


def test_fsdp_has_two_blocks_and_what_is_outside_at_once() -> None:
    # 2·35 of two blocks, 55 outside all, and the gradients of the larger of both; 4 bytes each, under autocast too
    assert held(work(), "fsdp", 7).gathered == 4 * (70 + 55 + 55)
    halved = held(work("bf16"), "fsdp", 7)
    # and copies of all 160 numbers of matrices, which autocast remembers until the forward pass ends
    assert (halved.gathered, halved.footprint.copies) == (4 * (70 + 55 + 55), 2 * 160)
    assert held(work("bf16"), "fsdp", 7, recompute=True).footprint.copies == 2 * 160
    assert held(work(), "fsdp", 1).gathered == 0


def test_recomputing_keeps_inputs_and_one_block() -> None:
    one = held(work(), "one", 1, recompute=True)
    # 6 · (8 + 28) outside the blocks, and 360 of their inputs; one block has 6 · 48 while it is computed
    assert one.footprint.activations == 216 + 360
    assert one.footprint.latest == 288
    # 640 + 1280 + the largest of 576 + 3·264, 576 + 288 and 640
    assert one.peak == 640 + 1280 + 576 + 792


def test_gradients_that_wait_stand_beside_activations() -> None:
    # the peak without: 640 + 1280 + 1080 + 3·264 = 3792, and no gradient is there; with: 640 more
    assert held(work(), "one", 1).peak == 3792
    assert held(work(accumulate=2), "one", 1).peak == 3792 + 640


@pytest.mark.parametrize(
    ("strategy", "precision", "accumulate", "bytes_sent"),
    [
        ("ddp", "f32", 1, 2 * 3 / 4 * 640),
        ("ddp", "bf16", 5, 2 * 3 / 4 * 640),
        ("zero1", "f32", 1, 2 * 3 / 4 * 640),
        ("zero2", "bf16", 1, 2 * 3 / 4 * 640),
        ("fsdp", "f32", 1, 3 / 4 * (2 * 640 + 640)),
        ("zero1", "bf16", 5, 2 * 3 / 4 * 640),
        ("zero2", "bf16", 5, 3 / 4 * (5 * 640 + 640)),  # sums of five batches, and the new weights
        ("fsdp", "bf16", 1, 3 / 4 * (2 * 640 + 640)),
        ("fsdp", "bf16", 5, 5 * 3 / 4 * (2 * 640 + 640)),
    ],
)
def test_what_four_devices_send(strategy: str, precision: str, accumulate: int, bytes_sent: float) -> None:
    assert sent_bytes(work(precision, accumulate), strategy, 4) == pytest.approx(bytes_sent)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("strategy", "accumulate", "computing", "exposed"),
    [
        ("ddp", 1, 99.0, 0.96),  # summed behind the backward pass: nothing hides
        ("zero1", 1, 0.6, 0.48 + 0.48 - 0.4),  # gradients behind two thirds; the new weights wait for the update
        ("zero1", 1, 99.0, 0.48),
        ("zero1", 3, 0.6, 0.48 + 0.48 - 0.4 / 3),  # only those of the last batch are sent
        ("zero2", 3, 0.6, 0.48 + 3 * 0.48 - 0.4),
        ("fsdp", 1, 0.6, 3 * 0.48 - 0.6),
        ("fsdp", 1, 2.0, 0.0),
    ],
)
def test_what_is_not_hidden_is_waited_for(
    strategy: Strategy, accumulate: int, computing: float, exposed: float
) -> None:
    # 3/4 of 640 bytes at 1000 bytes a second: 0.48 s each time that they go round
    four = named("own", devices=4, changes={"per_node": 4, "link_gb": 1e-6})
    found = traffic(work(accumulate=accumulate), strategy, four, computing=computing)
    assert found.exposed == pytest.approx(exposed)
    assert found.seconds == pytest.approx(found.sent / 1000)


def test_only_fsdp_hides_all_that_it_sends() -> None:
    four = named("own", devices=4, changes={"per_node": 4, "link_gb": 1e-6})
    for accumulate in (1, 3):  # 1.44 s of a batch = 0.1 s · tokens
        found = hidden_from_tokens(work(accumulate=accumulate), "fsdp", four, seconds_per_token=0.1)
        assert found == pytest.approx(14.4)
    others: tuple[Strategy, ...] = ("ddp", "zero1", "zero2")
    assert all(hidden_from_tokens(work(), one, four, seconds_per_token=0.1) == math.inf for one in others)
    alone = named("h100-sxm")
    assert traffic(work(), "one", alone, computing=1.0).sent == 0
    assert hidden_from_tokens(work(), "one", alone, seconds_per_token=0.1) == 0


def test_processes_of_one_machine_send_by_the_cores_that_compute() -> None:
    here = as_measured(MACHINE, devices=4, cores=4)
    found = traffic(work(), "fsdp", here, computing=99.0)
    assert found.exposed == found.seconds > 0
    assert hidden_from_tokens(work(), "fsdp", here, seconds_per_token=0.1) == math.inf
