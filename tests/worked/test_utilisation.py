"""What a run makes of its machine: operations counted by hand, peaks by the names that drivers give."""

from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.jobs import VOCABULARY, Recorder, fit, job
from ziggurat.core.anatomy import Load
from ziggurat.core.protocols import Dissects
from ziggurat.training.loop import run
from ziggurat.training.utilisation import peak_flops, utilisation


@pytest.mark.parametrize(
    ("name", "tera"),
    [
        ("NVIDIA H100 80GB HBM3", 989),
        ("NVIDIA H200", 989),
        ("NVIDIA A100-SXM4-40GB", 312),
        ("NVIDIA A100-PCIE-40GB", 312),
        ("NVIDIA L4", 121),
        ("NVIDIA GeForce RTX 4090", 165.2),
        ("NVIDIA GeForce RTX 4090 D", None),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", None),
        ("NVIDIA H100 PCIe", None),
        ("NVIDIA H200 NVL", None),
        ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", None),
        ("NVIDIA L40S", None),
        ("", None),
    ],
)
def test_peaks_go_by_whole_words(name: str, tera: float | None) -> None:
    assert peak_flops(name) == (None if tera is None else pytest.approx(tera * 1e12))


def test_operations_are_those_of_all_steps_and_the_part_is_of_all_devices() -> None:
    asked = job("decoder", steps=1, accumulate=2)  # batches of 3 rows of 11 tokens
    assert isinstance(asked.family, Dissects)
    step = 2 * asked.family.anatomy(asked.model_config, VOCABULARY).training_flops(Load(rows=3, text=11))
    plain = utilisation(asked, VOCABULARY, steps=7, seconds=0.5, device="", processes=4)
    assert plain == {"flops_per_second": pytest.approx(14 * step)}
    known = utilisation(asked, VOCABULARY, steps=7, seconds=0.5, device="NVIDIA L4", processes=4)
    assert known == {**plain, "mfu": pytest.approx(14 * step / (4 * 121e12))}


def test_of_what_is_not_known_nothing_is_said() -> None:
    keys: dict[str, Any] = {"steps": 1, "seconds": 1.0, "device": "NVIDIA L4", "processes": 1}
    asked = job("decoder", steps=1)
    assert utilisation(replace(asked, family=object()), VOCABULARY, **keys) == {}  # type: ignore[arg-type]
    assert utilisation(job("seq2seq", steps=1), VOCABULARY, **keys) == {}


def test_a_run_tells_what_it_made_of_its_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "device_name", lambda _: "NVIDIA H200")
    recorder = Recorder()
    facts = fit(job("decoder", steps=3, listener=recorder)).facts
    (end,) = recorder.of("end")
    assert facts["mfu"] == pytest.approx(facts["flops_per_second"] / 989e12)
    assert (end["flops_per_second"], end["mfu"]) == (facts["flops_per_second"], facts["mfu"])
    # what is frozen has no gradient, and three times reading would be too much
    assert not {"flops_per_second", "mfu"} & fit(job("decoder", steps=3, lora_rank=1)).facts.keys()
