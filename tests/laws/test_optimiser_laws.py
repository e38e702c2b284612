"""What is true of every rule that changes weights, for every family that gradients train."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.anatomy_measures import storage_bytes
from tests.fakes.jobs import (
    EACH_KIND,
    NEXT_TOKEN_FAMILIES,
    VOCABULARY,
    Recorder,
    choices,
    enough,
    fit,
    job,
    same_weights,
)
from ziggurat.core.anatomy import Load
from ziggurat.core.protocols import Dissects, ReadsLabels
from ziggurat.models.registry import FAMILIES
from ziggurat.training.checkpoints import NEWEST, read_checkpoint
from ziggurat.training.footprint import trained_of, training_footprint
from ziggurat.training.job import Job
from ziggurat.training.objectives.next_token import next_token
from ziggurat.training.optimisers import matrices, optimiser

RULES = ("adamw", "muon")
TABLES: dict[str, Any] = {"ngram_orders": (2, 3), "ngram_rows": 101}
pytestmark = [
    pytest.mark.parametrize("rule", RULES),
    pytest.mark.parametrize("family", EACH_KIND),
]


class KilledError(Exception):
    """What ends a run as hard as a test can."""


def wanted(family: str, rule: str, folder: Path | None = None, **keys: Any) -> Job:
    """A job with tables, where the family has them."""
    found = job(family, folder, optimiser=rule, **keys)
    if hasattr(found.model_config, "ngram_orders"):
        found = dataclasses.replace(found, model_config=dataclasses.replace(found.model_config, **TABLES))
    return found


def killed(event: Any) -> None:
    if event["event"] == "checkpoint" and event["step"] >= 4:
        raise KilledError


def test_it_learns(family: str, rule: str) -> None:
    asked = wanted(family, rule, **enough(family))
    if rule == "adamw" and not hasattr(asked.model_config, "ngram_orders"):
        pytest.skip("the laws of training say so of the usual rule")
    recorder = Recorder()
    facts = fit(dataclasses.replace(asked, listener=recorder)).facts
    # five held-out texts are too few to say whether their labels are told
    labels = isinstance(FAMILIES.get(family), ReadsLabels)
    loss = float(recorder.of("step")[-1]["loss"]) if labels else facts["dev_loss"]
    assert loss < 0.85 * np.log(choices(family))


def test_a_killed_run_ends_with_the_same_weights(family: str, rule: str, tmp_path: Path) -> None:
    keys: dict[str, Any] = {"steps": 9, "checkpoint_steps": 2}
    whole = fit(wanted(family, rule, tmp_path / "whole", **keys))
    with pytest.raises(KilledError):
        fit(dataclasses.replace(wanted(family, rule, tmp_path / "killed", **keys), listener=killed))
    recorder = Recorder()
    again = fit(dataclasses.replace(wanted(family, rule, tmp_path / "killed", **keys), listener=recorder))
    assert [event["step"] for event in recorder.of("resume")] == [4]
    assert same_weights(whole, again)


def test_it_holds_what_was_said_before(family: str, rule: str, tmp_path: Path) -> None:
    recorder = Recorder()
    asked = dataclasses.replace(wanted(family, rule, tmp_path, steps=3, checkpoint_steps=2), listener=recorder)
    fit(asked)
    arrays = read_checkpoint(tmp_path / NEWEST).tensors
    kept = [array for name, array in arrays.items() if name.startswith("optimiser.") and not name.endswith(".step")]
    (said,) = recorder.of("start")
    assert said["optimiser_bytes"] == sum(array.nbytes for array in kept)
    chosen = asked.family
    if not isinstance(chosen, Dissects):
        pytest.skip("nothing is said of its size before there is one")
    anatomy = chosen.anatomy(asked.model_config, VOCABULARY)
    trained = trained_of(chosen, asked.model_config, VOCABULARY, vars(asked.config))
    told = training_footprint(anatomy, VOCABULARY.size, Load(rows=2, text=7), half=False, trained=trained)
    assert (told.weights, told.moments) == (said["weights_bytes"], said["optimiser_bytes"])
    read = 0 if trained is None else 2 * 7 * trained.read_bytes
    assert told.gradients == int(said["gradients_bytes"]) + read


def test_gradients_take_what_was_said_before(family: str, rule: str) -> None:
    chosen: Any = FAMILIES.get(family)
    asked = wanted(family, rule)
    if not hasattr(asked.model_config, "ngram_orders") or family not in NEXT_TOKEN_FAMILIES:
        pytest.skip("has no tables, whose gradients would follow the batch, or learns no next tokens")
    import torch

    ids = torch.arange(24).view(3, 8) % 12
    network = chosen.build(asked.model_config, VOCABULARY, seed=3).network.train()
    network.sparse_tables(True)
    loss = next_token(network, ids, None)[0] if asked.labels is None else network(ids[:, :7], torch.full((3,), 7)).sum()
    loss.backward()
    held = 0
    for weight in network.parameters():
        if weight.grad.is_sparse:
            held += storage_bytes(weight.grad._indices()) + weight.grad._values().nbytes
        else:
            held += weight.grad.nbytes
    trained = trained_of(chosen, asked.model_config, VOCABULARY, vars(asked.config))
    anatomy = chosen.anatomy(asked.model_config, VOCABULARY)
    told = training_footprint(anatomy, VOCABULARY.size, Load(rows=3, text=7), half=False, trained=trained)
    assert told.gradients == held


def test_every_matrix_of_blocks_is_muon_s_and_no_other(family: str, rule: str) -> None:
    chosen: Any = FAMILIES.get(family)
    network = chosen.tiny(seed=3).network
    made = optimiser(network, rule, learning_rate=0.1, weight_decay=0.0, betas=(0.9, 0.95))  # type: ignore[arg-type]
    kinds = {type(one).__name__: one for one in made.rules}
    assert ("Muon" in kinds) == (rule == "muon")
    inside = {name for name, weight in network.named_parameters() if "layers." in name and weight.dim() == 2}
    names = {id(weight): name for name, weight in network.named_parameters()}
    assert {names[id(matrix)] for matrix, _ in matrices(network)} == inside
