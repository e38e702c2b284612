"""Networks with tables of n-grams in training: they learn what pairs decide, resume exactly, and stay frozen."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from tests.fakes.jobs import VOCABULARY, Recorder, fit, job, same_weights, weights
from tests.fakes.token_streams import MemoryStream
from ziggurat.models.blocks.ngram_tables import NgramTables
from ziggurat.models.registry import FAMILIES
from ziggurat.training.checkpoints import NEWEST, read_checkpoint
from ziggurat.training.job import Job

FAMILIES_WITH_TABLES = ("decoder", "recurrent")
TABLES: dict[str, Any] = {"ngram_orders": (2, 3), "ngram_rows": 211}


class KilledError(Exception):
    """What ends a run as hard as a test can."""


def killed(event: Any) -> None:
    if event["event"] == "checkpoint" and int(event["step"]) >= 4:
        raise KilledError


def with_tables(wanted: Job, **keys: Any) -> Job:
    return dataclasses.replace(wanted, model_config=dataclasses.replace(wanted.model_config, **{**TABLES, **keys}))


def pairs_decide(documents: int, *, seed: int) -> MemoryStream:
    """Documents in which the two ids before tell the next one, and neither of them alone says anything."""
    dice = np.random.default_rng(seed)
    following = np.random.default_rng(3).permuted(np.tile(np.arange(1, 13), (12, 1)), axis=1)
    found = []
    for _ in range(documents):
        ids = [int(one) for one in dice.integers(1, 13, size=2)]
        for _ in range(29):
            ids.append(int(following[ids[-2] - 1, ids[-1] - 1]))
        found.append(ids)
    return MemoryStream.of(found, VOCABULARY)


@pytest.mark.parametrize("family", FAMILIES_WITH_TABLES)
def test_what_pairs_decide_is_learnt_sooner_with_tables(family: str) -> None:
    keys: dict[str, Any] = {"steps": 120, "learning_rate": 0.003, "rows": 16, "window": 29}
    text: dict[str, Any] = {"train": pairs_decide(101, seed=5), "dev": pairs_decide(11, seed=7)}
    plain = fit(dataclasses.replace(job(family, **keys), **text))
    tabled = fit(dataclasses.replace(with_tables(job(family, **keys)), **text))
    assert tabled.facts["dev_loss"] < plain.facts["dev_loss"] - 0.15


@pytest.mark.parametrize("narrow", [None, 3])
@pytest.mark.parametrize("family", FAMILIES_WITH_TABLES)
def test_a_killed_run_ends_with_the_same_weights(family: str, narrow: int | None, tmp_path: Path) -> None:
    keys: dict[str, Any] = {"steps": 9, "checkpoint_steps": 2}
    whole = fit(with_tables(job(family, tmp_path / "whole", **keys), ngram_width=narrow))
    with pytest.raises(KilledError):
        fit(with_tables(job(family, tmp_path / "killed", listener=killed, **keys), ngram_width=narrow))
    if family == "recurrent":
        held = read_checkpoint(tmp_path / "killed" / NEWEST).tensors
        (ids,) = (array for name, array in held.items() if name.startswith("carried.") and array.dtype == np.int64)
        assert ids.shape == (3, 2)  # three rows, of which two ids stand before what comes
        assert int(np.min(ids)) >= 0
    recorder = Recorder()
    again = fit(with_tables(job(family, tmp_path / "killed", listener=recorder, **keys), ngram_width=narrow))
    assert [event["step"] for event in recorder.of("resume")] == [4]
    assert same_weights(whole, again)


@pytest.mark.parametrize("family", FAMILIES_WITH_TABLES)
def test_only_rows_that_were_read_are_changed(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables begin at 0; the first row of each stands for what reaches too far, and gets gradient 0 for it."""
    read: set[int] = set()
    places = NgramTables.places

    def watched(self: NgramTables, ids: Tensor, before: Tensor | None = None) -> tuple[Tensor, Tensor]:
        found, known = places(self, ids, before)
        if self.training:
            read.update(found[known].tolist())
        return found, known

    monkeypatch.setattr(NgramTables, "places", watched)
    fitted = fit(with_tables(job(family, steps=3, keep="last")))
    changed = weights(fitted)["embed_ngrams.weight"].any(axis=1)
    assert set(np.flatnonzero(changed).tolist()) == read
    assert 5 < len(read) < 196 + 211  # rows that there are: a pair of 14 ids has one of its own


@pytest.mark.parametrize("family", FAMILIES_WITH_TABLES)
def test_frozen_tables_stay_as_they_are(family: str) -> None:
    fitted = fit(with_tables(job(family, steps=3, frozen=["embed_ngrams"])))
    assert not weights(fitted)["embed_ngrams.weight"].any()


def test_a_low_rank_change_leaves_tables_as_they_are() -> None:
    fitted = fit(with_tables(job("decoder", steps=3, lora_rank=2)))
    assert fitted.adapter is not None
    assert not any("ngram" in name for name in fitted.adapter.pairs)
    assert not weights(fitted)["embed_ngrams.weight"].any()


@pytest.mark.parametrize("family", FAMILIES_WITH_TABLES)
def test_sizes_are_those_of_the_network_without_tables(family: str) -> None:
    chosen: Any = FAMILIES.get(family)
    assert chosen.sized(100_000).ngram_orders == ()
