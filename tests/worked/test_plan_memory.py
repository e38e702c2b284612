"""Bytes on a device, and bytes between devices, counted by hand."""

import pytest

from ziggurat.core.anatomy import Anatomy, Load, Part, Saved
from ziggurat.study.planning.hardware import named
from ziggurat.study.planning.memory import held, largest_gathered, share
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
    # 2·35 of two blocks, 55 outside all, and the gradients of the larger of both; 4 bytes each, or 2
    assert held(work(), "fsdp", 7).gathered == 4 * (70 + 55 + 55)
    halved = held(work("bf16"), "fsdp", 7)
    assert (halved.gathered, halved.footprint.copies) == (2 * (70 + 55 + 55), 0)
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
        ("fsdp", "bf16", 1, 3 / 4 * (2 * 320 + 640)),
        ("fsdp", "bf16", 5, 5 * 3 / 4 * (2 * 320 + 640)),
    ],
)
def test_what_four_devices_send(strategy: str, precision: str, accumulate: int, bytes_sent: float) -> None:
    assert sent_bytes(work(precision, accumulate), strategy, 4) == pytest.approx(bytes_sent)  # type: ignore[arg-type]


def test_what_is_not_hidden_is_waited_for() -> None:
    pair = named("own", devices=4, changes={"per_node": 4, "link_gb": 1e-6})
    # 960 bytes at 1000 bytes a second: 0.96 s; behind the backward pass of 0.6 s hide 0.4
    found = traffic(work(), "ddp", pair, computing=0.6)
    assert (found.seconds, found.exposed) == (pytest.approx(0.96), pytest.approx(0.56))
    # 0.96 s = 2/3 · 0.1 s · tokens
    assert hidden_from_tokens(work(), "ddp", pair, seconds_per_token=0.1) == pytest.approx(14.4)
    assert traffic(work(), "one", named("h100-sxm"), computing=1.0).sent == 0
