"""What a plan charges beside products: Muon, frozen parts, evaluations, failures, and processes on one machine."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.fakes.machines import MACHINE, RATES
from tests.worked.test_plan_memory import work
from ziggurat.core.config import from_mapping
from ziggurat.core.types import Vocabulary
from ziggurat.models.registry import FAMILIES
from ziggurat.study.planning.budget import Budget
from ziggurat.study.planning.hardware import Hardware, as_measured, named
from ziggurat.study.planning.plan import Asked, checkpoint_bytes, make
from ziggurat.study.planning.step import POLYNOMIALS, from_sheet, measured, orthogonal_flops
from ziggurat.study.planning.traffic import sent_bytes
from ziggurat.study.planning.work import Work
from ziggurat.training import optimisers
from ziggurat.training.footprint import Trained, trained_of
from ziggurat.training.scratch import memory_here

OWN = {"memory_gb": 1.0, "bandwidth_gb": 1e-3, "f32_tflops": 1e-6, "per_node": 8, "link_gb": 1e-3}
SHAPES = ((5, 7, 3), (5, 5, 4))
"""Three matrices of 5 × 7 and four of 5 × 5: 205 numbers."""
VOCABULARY = Vocabulary(size=17, bos=0, eos=1, mask=2)
DECODER = {"layers": 2, "width": 10, "heads": 1, "feedforward": 7, "context": 19}
STEPS = Asked(Budget("steps", 1000), reached=0.5)


def own(devices: int = 1, **changes: float) -> Hardware:
    return named("own", devices=devices, changes={**OWN, **changes})


def with_trained(trained: Trained, precision: str = "f32") -> Work:
    return replace(work(precision), trained=trained)


# -- Muon --------------------------------------------------------------------------------------------------------------


def test_operations_of_orthogonal_steps_are_those_that_torch_counts() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    for rows, columns in ((5, 7), (7, 5), (6, 6)):
        counter = FlopCounterMode(display=False)
        with counter:
            optimisers.orthogonal(torch.ones(3, rows, columns))
        assert counter.get_total_flops() == orthogonal_flops(min(rows, columns), max(rows, columns), 3)
    assert len(optimisers.POLYNOMIALS) == POLYNOMIALS


def test_each_device_makes_its_share_of_the_matrices() -> None:
    one = 4 * 2 * (2 * 25 * 7 + 125)
    assert orthogonal_flops(5, 7, 3) == 3 * one
    assert [orthogonal_flops(5, 7, 3, devices=many) for many in (2, 3, 64)] == [2 * one, one, one]


@pytest.mark.parametrize("devices", [1, 2])
def test_muon_takes_its_time_once_a_step(devices: int) -> None:
    plain, muon = (with_trained(Trained(160, orthogonal=shapes)) for shapes in ((), SHAPES))
    flops = [orthogonal_flops(*shape, devices=devices) for shape in SHAPES]
    for accumulate in (1, 3):
        many = [replace(one, accumulate=accumulate) for one in (plain, muon)]
        before, after = (from_sheet(one, own(devices), reached=0.5) for one in many)
        assert after.update - before.update == pytest.approx(sum(flops) / 0.5e6)
        assert after.computing == before.computing
        before, after = (measured(one, MACHINE, devices=devices) for one in many)
        assert after.update - before.update == pytest.approx(sum(flops) / 1e9)  # such small ones are at a curve's end


def test_muon_multiplies_16_bit_numbers_where_a_device_can() -> None:
    muon = with_trained(Trained(160, orthogonal=SHAPES))
    slow, fast = (from_sheet(muon, own(bf16_tflops=peak), reached=0.5) for peak in (0.0, 7e-6))
    flops = sum(orthogonal_flops(*shape) for shape in SHAPES)
    assert slow.update - fast.update == pytest.approx(flops / 0.5e6 * 6 / 7)


def test_muon_s_steps_are_sent_to_the_others() -> None:
    plain, muon = (with_trained(Trained(160, orthogonal=shapes)) for shapes in ((), SHAPES))
    more = {one: sent_bytes(muon, one, 4) - sent_bytes(plain, one, 4) for one in ("ddp", "fsdp")}
    # under FSDP gradients are gathered too, since a device has only rows of each
    assert more == {"ddp": pytest.approx(3 / 4 * 4 * 205), "fsdp": pytest.approx(2 * 3 / 4 * 4 * 205)}


@pytest.mark.parametrize(
    ("family", "config"), [("decoder", DECODER), ("recurrent", {"layers": 2, "hidden": 10, "embedding": 6})]
)
def test_the_matrices_of_muon_are_those_of_the_network(family: str, config: dict[str, int]) -> None:
    chosen: Any = FAMILIES.get(family)
    made = from_mapping(chosen.config, config, where="test")
    found = trained_of(chosen, made, VOCABULARY, {"optimiser": "muon"})
    assert found is not None
    network = chosen.build(made, VOCABULARY, seed=1).network
    matrices = optimisers.matrices(network)
    numbers = sum(short * long * many for short, long, many in found.orthogonal)
    assert numbers == sum(matrix.numel() for matrix, _ in matrices) > 0
    assert sum(many for _, _, many in found.orthogonal) == sum(held for _, held in matrices)
    assert all(short <= long for short, long, _ in found.orthogonal)
    assert found.still == 0


# -- frozen parts ------------------------------------------------------------------------------------------------------


def test_frozen_matrices_need_no_gradient_of_their_own() -> None:
    whole, half = work(), with_trained(Trained(80, still=0.5))
    # 5760 operations, a third of them for gradients of matrices
    assert (whole.model_flops, half.model_flops) == (5760, pytest.approx(5760 - 960))
    assert half.done_flops(recompute=False) == pytest.approx(5760 - 960)
    assert measured(half, MACHINE).products == pytest.approx(5 / 6 * measured(whole, MACHINE).products)


def test_how_much_of_the_matrices_is_frozen() -> None:
    chosen: Any = FAMILIES.get("decoder")
    made = from_mapping(chosen.config, {**DECODER, "tied": False}, where="test")

    def still(keys: dict[str, Any], *, tied: bool = False) -> float:
        found = trained_of(chosen, replace(made, tied=tied), VOCABULARY, keys)
        assert found is not None
        return found.still

    network = chosen.build(made, VOCABULARY, seed=1).network
    counts = {name: one.numel() for name, one in network.named_parameters() if one.dim() == 2 and "embed" not in name}
    first = sum(count for name, count in counts.items() if name.startswith("stack.layers.0."))
    assert 0 < first < sum(counts.values())
    assert still({"frozen": ("stack.layers.0",)}) == pytest.approx(first / sum(counts.values()))
    assert still({"frozen": ("embed_tokens",)}) == 0  # it multiplies nothing, but where it is the output too
    assert still({"frozen": ("embed_tokens",)}, tied=True) == pytest.approx(170 / sum(counts.values()))
    assert 0.5 < still({"lora_rank": 1, "lora_on": ("all",)}) < 1


def test_a_checkpoint_holds_what_the_optimiser_keeps() -> None:
    assert checkpoint_bytes(with_trained(Trained(100))) == 4 * (160 + 200)
    assert checkpoint_bytes(with_trained(Trained(100, added=7, moments=130))) == 4 * (160 + 7 + 130)


# -- evaluations and failures ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_more_devices_make_no_evaluation_faster(strategy: Any) -> None:
    asked = replace(STEPS, evaluation_tokens=90, strategy=strategy)
    alone = make(work(), own(), replace(asked, strategy=None))
    many = make(work(), own(7), asked)
    assert many.evaluation_seconds == pytest.approx(alone.evaluation_seconds) == pytest.approx(90 * 11.52e-3 / 6 / 3)


def test_nothing_is_computed_again_for_an_evaluation() -> None:
    asked = replace(STEPS, evaluation_tokens=90, recompute=True)
    assert make(work(), own(), asked).evaluation_seconds == pytest.approx(90 * 11.52e-3 / 6 / 3)


def test_minutes_are_kept_where_devices_fail() -> None:
    minute = Asked(Budget("minutes", 1), reached=0.5)
    calm, stormy = (make(work(), own(), one) for one in (minute, replace(minute, mtbf_hours=0.01, storage_gb=1e-6)))
    assert calm.failures is None
    assert stormy.failures is not None
    assert stormy.seconds == pytest.approx(calm.seconds) == pytest.approx(60)
    assert stormy.tokens == pytest.approx(calm.tokens * (1 - stormy.failures.lost_part))
    # a failure every 36 s comes in what is lost too
    assert stormy.failures.expected == pytest.approx(60 / 36)


# -- processes on one machine ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("threads", "cores", "slower"), [(1, 4, 1.0), (1, 2, 1.5), (4, 4, 3.0), (2, 4, 1.5)])
def test_processes_share_the_cores_of_a_machine(threads: int, cores: int, slower: float) -> None:
    machine = replace(MACHINE, threads=threads)
    three = as_measured(machine, devices=3, cores=cores)
    assert three.machine is not None
    assert three.peak("f32") == pytest.approx(8e9 / slower)
    assert three.bandwidth == pytest.approx(1e10 / 3)
    one, other = measured(work(), machine), measured(work(), three.machine)
    for name in ("products", "attention", "logits", "moved", "update"):
        assert getattr(other, name) == pytest.approx(slower * getattr(one, name)), name


def test_one_process_has_the_machine_as_it_was_measured() -> None:
    assert as_measured(MACHINE, cores=1).machine == MACHINE
    assert RATES.slowed(1.0) == RATES


def test_an_update_that_is_shared_out_is_faster_here_too() -> None:
    here = as_measured(MACHINE, devices=4, cores=4)
    whole, shared = (make(work(), here, replace(STEPS, strategy=one)).step for one in ("ddp", "fsdp"))
    assert shared.update == pytest.approx(whole.update / 4)


def test_the_memory_of_a_container_is_its_limit(tmp_path: Any) -> None:
    limit, whole = tmp_path / "memory.max", memory_here(tmp_path / "nowhere")
    limit.write_text("4096\n", encoding="ascii")
    assert memory_here(limit) == 4096
    limit.write_text("max\n", encoding="ascii")
    assert memory_here(limit) == whole > 4096
