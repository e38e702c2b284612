"""Training that begins with a model, leaves parts of it as they are, or learns a change of it alone."""

import dataclasses
import mmap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.fakes.jobs import GRADIENT_FAMILIES, VOCABULARY, Recorder, fit, job, same_weights, weights
from ziggurat.core.errors import DamagedError, InterruptedRunError, UnknownNameError, UsageError
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.lora import AdaptedLinear, merge
from ziggurat.models.decoder import DecoderConfig
from ziggurat.models.registry import FAMILIES
from ziggurat.training import gradient, optimisers
from ziggurat.training.checkpoints import BEST, NEWEST, read_checkpoint
from ziggurat.training.frozen import freeze, frozen_names
from ziggurat.training.job import Fitted, Job, Start
from ziggurat.training.loop import run as loop
from ziggurat.training.memory import holdings, peak_bytes, reset_peak
from ziggurat.training.optimisers import adamw

SMALL = DecoderConfig(layers=2, width=12, heads=3, head_width=4, feedforward=17, context=19)


def decoder_job(folder: Path | None = None, **keys: Any) -> Job:
    return dataclasses.replace(job("decoder", folder, **keys), model_config=SMALL)


def started(wanted: Job, first: Fitted, arrays: str = "a hash") -> Job:
    return dataclasses.replace(wanted, start=Start(lambda: first.model, arrays))


# -- a model that is trained on ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", GRADIENT_FAMILIES)
def test_training_begins_with_the_weights_that_it_is_given(family: str) -> None:
    first = fit(job(family, steps=5))
    still = fit(started(job(family, steps=1, learning_rate=0.0, seed=99), first))
    assert same_weights(first, still)
    on = fit(started(job(family, steps=3, warmup_steps=0), first))
    assert not same_weights(first, on)
    # the model that was given stays as it was
    assert same_weights(first, still)


def test_trained_on_it_is_better_than_begun_anew() -> None:
    first = gradient.fit(decoder_job(steps=60, learning_rate=0.01))
    on = gradient.fit(started(decoder_job(steps=7, learning_rate=0.001), first))
    anew = gradient.fit(decoder_job(steps=7, learning_rate=0.001))
    assert on.facts["dev_loss"] < anew.facts["dev_loss"] - 0.3


def test_a_model_may_know_more_ids_than_its_tokenizer_has() -> None:
    large = FAMILIES.get("decoder").build(SMALL, dataclasses.replace(VOCABULARY, size=17), seed=3)
    fitted = gradient.fit(dataclasses.replace(decoder_job(steps=2), start=Start(lambda: large, "")))
    assert fitted.model.vocabulary.size == 17


def test_a_model_without_a_network_can_t_begin_one() -> None:
    counted = FAMILIES.get("ngram").tiny(seed=0)
    with pytest.raises(UsageError, match="start: a decoder model is no network"):
        gradient.fit(dataclasses.replace(decoder_job(steps=1), start=Start(lambda: counted, "")))


def interrupted(wanted: Job, step: int) -> None:
    """Run a job until its last step before ``step`` was saved, then stop as a kill would."""

    def stop(event: Any) -> None:
        if event["event"] == "checkpoint" and event["step"] >= step:
            raise KeyboardInterrupt

    with pytest.raises((KeyboardInterrupt, InterruptedRunError)):
        gradient.fit(dataclasses.replace(wanted, listener=Recorder(stop)))


@pytest.mark.parametrize("keys", [{}, {"frozen": ["stack.layers.0"]}, {"lora_rank": 2, "lora_dropout": 0.3}], ids=str)
def test_a_resumed_run_ends_with_the_same_weights(tmp_path: Path, keys: dict[str, Any]) -> None:
    first = gradient.fit(decoder_job(steps=3))
    plain = {"steps": 9, "checkpoint_steps": 2, **keys}
    whole = gradient.fit(started(decoder_job(tmp_path / "whole", **plain), first))
    interrupted(started(decoder_job(tmp_path / "cut", **plain), first), step=4)
    resumed = gradient.fit(started(decoder_job(tmp_path / "cut", **plain), first))
    assert same_weights(whole, resumed)


def test_a_run_does_not_go_on_from_another_start(tmp_path: Path) -> None:
    first = gradient.fit(decoder_job(steps=3))
    keys: dict[str, Any] = {"steps": 9, "checkpoint_steps": 2, "frozen": ["embed_tokens"]}
    interrupted(started(decoder_job(tmp_path, **keys), first, "one"), step=2)
    with pytest.raises(DamagedError, match="checkpoint of another model or recipe"):
        gradient.fit(started(decoder_job(tmp_path, **keys), first, "another"))


# -- parts that stay as they are --------------------------------------------------------------------------------------


def some_parts(family: str) -> tuple[list[str], set[str]]:
    """Two parts of a family's network, one of them named with a star, and the weights in them."""
    asked = job(family, steps=1)
    network: Any = FAMILIES.get(family).build(asked.model_config, VOCABULARY, seed=0)
    names = [name for name, _ in network.network.named_parameters()]
    first, middle = names[0].partition(".")[0], names[len(names) // 2].rpartition(".")[0]
    inside = (f"{first}.", f"{middle}.") if middle else (f"{first}.",)
    found = {name for name in names if name == first or name.startswith(inside)}
    return [first, *([f"{middle}.*"] if middle else [])], found


@pytest.mark.parametrize("family", GRADIENT_FAMILIES)
def test_frozen_parts_stay_to_the_last_bit_and_nothing_is_kept_of_them(family: str, tmp_path: Path) -> None:
    parts, frozen = some_parts(family)
    first = fit(job(family, steps=2))
    fitted = fit(started(job(family, tmp_path, steps=5, warmup_steps=0, checkpoint_steps=2, frozen=parts), first))
    before, after = weights(first), weights(fitted)
    assert 0 < len(frozen) < len(before)
    for name in before:
        assert np.array_equal(before[name], after[name]) == (name in frozen), name
    for file in (NEWEST, BEST):
        kept = {name.removeprefix("model.") for name in read_checkpoint(tmp_path / file).tensors}
        assert not frozen & kept
        assert (before.keys() - frozen) <= kept
    newest = read_checkpoint(tmp_path / NEWEST).tensors
    assert sum(name.endswith(".exp_avg") for name in newest) == len(before) - len(frozen)


def test_frozen_weights_can_be_trained_later() -> None:
    fitted = gradient.fit(decoder_job(steps=1, frozen=["embed_tokens"]))
    assert all(weight.requires_grad for weight in fitted.model.network.parameters())  # type: ignore[attr-defined]


def test_a_part_is_named_by_its_place_and_stars() -> None:
    network = FAMILIES.get("decoder").build(SMALL, Vocabulary(size=13, bos=0, eos=0), seed=0).network  # type: ignore[attr-defined]
    freeze(network, ["stack.layers.*.mlp", "stack.norm.weight"])
    expected = {f"stack.layers.{n}.mlp.{part}_proj.weight" for n in (0, 1) for part in ("gate", "up", "down")}
    assert frozen_names(network) == expected | {"stack.norm.weight"}
    # "stack.layers.1" is no beginning of "stack.layers.10": names are compared word by word
    freeze(network, ["stack.layers.1"])
    assert not any(name.startswith("stack.layers.0.self_attn") for name in frozen_names(network))


def test_wrong_parts_are_refused() -> None:
    with pytest.raises(
        UnknownNameError, match=r"frozen: unknown part of the model 'embed_token'; did you mean 'embed_t"
    ):
        gradient.fit(decoder_job(steps=1, frozen=["embed_token"]))
    with pytest.raises(UnknownNameError, match=r"'stack.layers.2'"):
        gradient.fit(decoder_job(steps=1, frozen=["stack.layers.2"]))
    with pytest.raises(UsageError, match="no part of the model is left to be trained"):
        gradient.fit(decoder_job(steps=1, frozen=["*"]))
    wrong: tuple[tuple[str, Any], ...] = (("lora_on", ["up_proj"]), ("lora_alpha", 7.0), ("lora_dropout", 0.3))
    for key, value in wrong:
        with pytest.raises(UsageError, match=f"{key}: there is no change to train without lora_rank"):
            decoder_job(steps=1, **{key: value})
    with pytest.raises(UsageError, match="leave frozen out"):
        decoder_job(steps=1, frozen=["embed_tokens"], lora_rank=2)


# -- a change alone ---------------------------------------------------------------------------------------------------


def test_lora_changes_the_chosen_projections_by_what_the_adapter_says() -> None:
    first = gradient.fit(decoder_job(steps=2))
    fitted = gradient.fit(
        started(decoder_job(steps=5, warmup_steps=0, lora_rank=2, lora_alpha=6.0, lora_on=["up_proj"]), first)
    )
    adapter = fitted.adapter
    assert adapter is not None
    assert set(adapter.pairs) == {"stack.layers.0.mlp.up_proj", "stack.layers.1.mlp.up_proj"}
    before, after = weights(first), weights(fitted)
    assert before.keys() == after.keys()
    for name in before:
        pair = adapter.pairs.get(name.removesuffix(".weight"))
        change = 0 if pair is None else 6.0 / 2 * pair.up @ pair.down
        np.testing.assert_allclose(after[name], before[name] + change, atol=1e-6)
        assert np.array_equal(before[name], after[name]) == (pair is None)


def test_the_best_step_s_change_is_kept(tmp_path: Path) -> None:
    first = gradient.fit(decoder_job(steps=2))
    keys: dict[str, Any] = {"steps": 6, "evaluate_steps": 1, "lora_rank": 2, "learning_rate": 3.0, "warmup_steps": 0}
    recorder = Recorder()
    fitted = gradient.fit(dataclasses.replace(started(decoder_job(tmp_path, **keys), first), listener=recorder))
    losses = [event["loss"] for event in recorder.of("eval")]
    assert fitted.facts["kept_step"] == 1 + int(np.argmin(losses))
    assert fitted.facts["dev_loss"] == min(losses)


def test_no_weight_is_copied_when_a_run_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []

    def merging(network: Any, **options: Any) -> None:
        merge(network, **options)
        kept.extend(each.kept for each in network.modules() if isinstance(each, AdaptedLinear))

    monkeypatch.setattr(loop, "merge", merging)
    gradient.fit(decoder_job(steps=1, lora_rank=2))
    assert kept == [None] * 4  # two blocks, two projections


def test_an_encoder_learns_a_change_too() -> None:
    first = fit(job("encoder", steps=2))
    fitted = fit(started(job("encoder", steps=4, warmup_steps=0, lora_rank=2), first))
    assert fitted.adapter is not None
    assert all(name.endswith(("q_proj", "v_proj")) for name in fitted.adapter.pairs)
    changed = {name for name, value in weights(fitted).items() if not np.array_equal(value, weights(first)[name])}
    assert changed == {f"{name}.weight" for name in fitted.adapter.pairs}


# -- memory -----------------------------------------------------------------------------------------------------------


def test_memory_is_counted_in_weights_gradients_and_means() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Linear(5, 7, bias=False))
    network[0].requires_grad_(requires_grad=False)
    # weights 3·5 + 5 + 5·7 = 55, of which 35 are trained; 4 bytes each, and two means
    found = holdings(network)
    assert (found.parameters, found.trainable) == (55, 35)
    assert (found.weights_bytes, found.gradients_bytes, found.optimiser_bytes) == (220, 140, 280)


@pytest.mark.parametrize("keys", [{}, {"frozen": ["embed_tokens"]}, {"lora_rank": 2}], ids=str)
def test_the_optimiser_holds_what_was_said(keys: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[torch.optim.Optimizer] = []

    def make(*args: Any, **options: Any) -> torch.optim.Optimizer:
        made.append(adamw(*args, **options))
        return made[-1]

    monkeypatch.setattr(optimisers, "adamw", make)
    recorder = Recorder()
    fitted = gradient.fit(dataclasses.replace(decoder_job(steps=2, **keys), listener=recorder))
    held = sum(value.nbytes for moments in made[0].state.values() for name, value in moments.items() if name != "step")
    said = recorder.of("start")[0]
    assert said["optimiser_bytes"] == held == fitted.facts["optimiser_bytes"]


def test_lora_s_optimiser_state_is_as_small_as_it_should_be() -> None:
    recorder = Recorder()
    gradient.fit(dataclasses.replace(decoder_job(steps=1, lora_rank=2), listener=recorder))
    said = recorder.of("start")[0]
    # of each block queries and values, 12 to 12: 2·(12 + 12) numbers each; two blocks, two projections
    assert said["trainable"] == 2 * 2 * 2 * (12 + 12)
    # two means of 4 bytes
    assert said["optimiser_bytes"] == 2 * 4 * 192
    whole = Recorder()
    gradient.fit(dataclasses.replace(decoder_job(steps=1), listener=whole))
    assert whole.of("start")[0]["trainable"] == whole.of("start")[0]["parameters"]
    assert said["parameters"] == int(whole.of("start")[0]["parameters"]) + 192


def test_the_peak_is_measured_from_where_it_was_reset() -> None:
    # pages of the system's own: what the C library was told to keep of freed memory is no matter
    with mmap.mmap(-1, 72_000_000) as large:
        large.write(b"1" * len(large))
    reset_peak()
    before = peak_bytes()
    with mmap.mmap(-1, 56_000_000) as other:
        for place in range(0, len(other), mmap.PAGESIZE):
            other[place] = 1
        risen = peak_bytes() - before
    assert 50_000_000 < risen < 70_000_000


def test_an_end_tells_the_peak() -> None:
    recorder = Recorder()
    fitted = gradient.fit(dataclasses.replace(decoder_job(steps=1), listener=recorder))
    assert recorder.of("end")[0]["peak_bytes"] == fitted.facts["peak_bytes"] > 50_000_000
