"""Families that stand on counts: what is saved and comes back, what of damage is refused, and what trains them on."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from tests.fakes.jobs import VOCABULARY, fit, job, same_weights, weights
from ziggurat.core.config import options
from ziggurat.core.errors import ArtefactError, UnknownNameError, UsageError
from ziggurat.core.types import FloatArray
from ziggurat.models.blocks.counted import CountedNetwork
from ziggurat.models.counted_decoder import FAMILY as DECODER
from ziggurat.models.counted_decoder import CountedDecoderConfig
from ziggurat.models.counted_recurrent import FAMILY as RECURRENT
from ziggurat.models.counting import CountedFamily, counted_by
from ziggurat.models.decoder import FAMILY as PLAIN_DECODER
from ziggurat.models.ngram_random import random_trie
from ziggurat.models.ngram_reading import LEAST_LOGPROB, NgramReader
from ziggurat.models.recurrent import FAMILY as PLAIN_RECURRENT
from ziggurat.training import counted
from ziggurat.training.job import Fitted, Job, Start

FAMILIES = [DECODER, RECURRENT]
INSIDE: dict[str, Any] = {"counted_decoder": PLAIN_DECODER, "counted_recurrent": PLAIN_RECURRENT}
TEXT = np.array([[0, 3, 5, 1, 7], [0, 2, 2, 9, 4]], np.int32)
LENGTHS = np.array([5, 5], np.int32)


@pytest.fixture(params=FAMILIES, ids=lambda family: family.name)
def family(request: pytest.FixtureRequest) -> CountedFamily:
    found = request.param
    assert isinstance(found, CountedFamily)
    return found


def network_of(model: Any) -> CountedNetwork:
    network = model.network
    assert isinstance(network, CountedNetwork)
    return network


def said(model: Any) -> FloatArray:
    found: FloatArray = model.token_logprobs(TEXT, LENGTHS)
    return found


# -- there and back ----------------------------------------------------------------------------------------------------


def test_counts_and_weights_come_back_to_the_bit(family: CountedFamily) -> None:
    model = family.tiny(seed=5)
    config, tensors = family.state(model)
    again = family.restore(config, tensors)
    np.testing.assert_array_equal(said(again), said(model))
    once, twice = tensors, family.state(again)[1]
    assert once.keys() == twice.keys()
    assert all(np.array_equal(once[name], twice[name]) for name in once)


def test_counts_stand_apart_from_weights(family: CountedFamily) -> None:
    model = family.tiny(seed=5)
    _, tensors = family.state(model)
    counts = {name for name in tensors if name.startswith("counts.")}
    assert counts == {f"counts.{name}" for name in random_trie(np.random.default_rng(1), size=11, order=3).state()}
    assert tensors.keys() - counts == set(network_of(model).state_dict())
    # they are no parameters: what is told of a model's size is what it learnt
    assert network_of(model).parameter_count == sum(tensors[name].size for name in tensors.keys() - counts)


def test_counts_are_read_from_a_memory_map_as_they_are(family: CountedFamily, tmp_path: Any) -> None:
    model = family.tiny(seed=5)
    config, tensors = family.state(model)
    mapped = {}
    for name, array in tensors.items():
        file = tmp_path / f"{name}.npy"
        np.save(file, array)
        mapped[name] = np.load(file, mmap_mode="r" if name.startswith("counts.") else None)
    again = family.restore(config, mapped)
    np.testing.assert_array_equal(said(again), said(model))
    reader = network_of(again).counts
    assert isinstance(reader, NgramReader)
    for array in (reader.trie.words, reader.trie.logprobs, reader.trie.backoffs):
        assert isinstance(array, np.memmap) or isinstance(array.base, np.memmap)


def test_what_is_said_follows_the_counts(family: CountedFamily) -> None:
    model = family.tiny(seed=5)
    before = said(model)
    counted_by(
        network_of(model), random_trie(np.random.default_rng(9), size=network_of(model).vocabulary.size, order=3)
    )
    assert not np.allclose(said(model), before, atol=1e-2)


# -- damage ------------------------------------------------------------------------------------------------------------


def test_a_count_that_is_missing_is_said(family: CountedFamily) -> None:
    config, tensors = family.state(family.tiny(seed=5))
    for name in [name for name in tensors if name.startswith("counts.")]:
        fewer = {key: array for key, array in tensors.items() if key != name}
        with pytest.raises(ArtefactError):
            family.restore(config, fewer)


@pytest.mark.parametrize("name", ["trust.weight", "trust.bias", "expected.weight"])
def test_a_weight_that_is_missing_or_of_another_shape_is_named(name: str, family: CountedFamily) -> None:
    config, tensors = family.state(family.tiny(seed=5))
    with pytest.raises(ArtefactError, match=name):
        family.restore(config, {key: array for key, array in tensors.items() if key != name})
    with pytest.raises(ArtefactError, match=name):
        family.restore(config, {**tensors, name: np.zeros((2, 2, 2), np.float32)})


@pytest.mark.parametrize("key", ["model", "vocabulary"])
def test_a_configuration_without_a_part_is_refused(key: str, family: CountedFamily) -> None:
    config, tensors = family.state(family.tiny(seed=5))
    with pytest.raises(ArtefactError, match=rf"config\.json does not describe a {family.name}: .*{key}"):
        family.restore({part: value for part, value in config.items() if part != key}, tensors)


@pytest.mark.parametrize(
    "changes", [{"order": 0}, {"orders": [3, 2]}, {"orders": [7]}, {"order": "three"}, {"ordre": 3}]
)
def test_keys_that_can_not_be_are_refused_as_damage(changes: dict[str, Any], family: CountedFamily) -> None:
    config, tensors = family.state(family.tiny(seed=5))
    with pytest.raises((ArtefactError, UnknownNameError)) as caught:
        family.restore({**config, "model": {**config["model"], **changes}}, tensors)
    assert "config.json" in str(caught.value)


def test_more_orders_than_weights_are_refused(family: CountedFamily) -> None:
    config, tensors = family.state(family.tiny(seed=5))
    with pytest.raises(ArtefactError, match="trust"):
        family.restore({**config, "model": {**config["model"], "orders": [1, 2, 3]}}, tensors)


def test_counts_of_another_vocabulary_are_refused(family: CountedFamily) -> None:
    config, tensors = family.state(family.tiny(seed=5))
    other = random_trie(np.random.default_rng(1), size=network_of(family.tiny(seed=5)).vocabulary.size - 2, order=3)
    wrong = {**tensors, **{f"counts.{name}": array for name, array in other.state().items()}}
    with pytest.raises(ArtefactError):
        family.restore(config, wrong)


# -- sizes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parameters", [1_000, 100_000, 3_000_000])
def test_a_size_is_that_of_the_network_inside(parameters: int, family: CountedFamily) -> None:
    inner = INSIDE[family.name].sized(parameters)
    found = family.sized(parameters)
    assert all(getattr(found, field.name) == getattr(inner, field.name) for field in dataclasses.fields(inner))
    assert (found.order, found.orders) == (6, ())


def test_every_key_of_the_network_inside_is_a_key_and_three_more(family: CountedFamily) -> None:
    inside = options(INSIDE[family.name].config)
    assert set(options(family.config)) == {*inside, "order", "orders", "recall"}


def test_until_something_is_counted_all_ids_are_alike_to_the_counts(family: CountedFamily) -> None:
    built = network_of(family.build(family.sized(1000), VOCABULARY, seed=3))
    read = built.counts.read(np.zeros((2, 5), np.int32), np.zeros((2, 3), np.int32))
    assert read.shape == (2, 3, 3, VOCABULARY.size)  # orders 2, 4 and 6
    np.testing.assert_allclose(np.exp(read).sum(-1), 1.0, rtol=1e-5)
    assert read.dtype == np.float32
    assert (read > LEAST_LOGPROB).all()


# -- what is trained, and from what ------------------------------------------------------------------------------------


def small(**keys: Any) -> Job:
    model = CountedDecoderConfig(layers=2, width=12, heads=3, head_width=4, feedforward=17, context=19, order=3)
    return dataclasses.replace(job("counted_decoder", folds=2, **keys), model_config=model)


def started(wanted: Job, first: Fitted) -> Job:
    return dataclasses.replace(wanted, start=Start(lambda: first.model, "a hash"))


@pytest.fixture(scope="module")
def base() -> Fitted:
    return fit(small(steps=3))


def test_a_start_trains_on_and_counts_anew(base: Fitted) -> None:
    still = fit(started(small(steps=1, learning_rate=0.0), base))
    assert same_weights(base, still)
    # the same text: the same counts, so it says the same
    np.testing.assert_array_equal(said(still.model), said(base.model))
    on = fit(started(small(steps=5, warmup_steps=0), base))
    assert not same_weights(base, on)
    first, second = network_of(base.model).counts, network_of(on.model).counts
    assert isinstance(first, NgramReader)
    assert isinstance(second, NgramReader)
    assert second is not first  # the model that was given keeps its own
    assert first.trie.counts() == second.trie.counts()


def test_trained_on_another_text_it_stands_on_the_counts_of_that(base: Fitted) -> None:
    from tests.fakes.jobs import stream

    other = dataclasses.replace(started(small(steps=1, learning_rate=0.0), base), train=stream(23, seed=9))
    moved = fit(other)
    assert same_weights(base, moved)
    alone = fit(dataclasses.replace(small(steps=1), train=stream(23, seed=9)))
    reader, expected = network_of(moved.model).counts, network_of(alone.model).counts
    assert isinstance(reader, NgramReader)
    assert isinstance(expected, NgramReader)
    ids = TEXT[:, :4]
    before = np.full((2, 2), -1, np.int32)
    np.testing.assert_array_equal(reader.read(before, ids), expected.read(before, ids))


def test_a_change_of_low_rank_reaches_the_network_inside(base: Fitted) -> None:
    fitted = fit(started(small(steps=5, warmup_steps=0, lora_rank=2, lora_alpha=6.0, lora_on=["up_proj"]), base))
    adapter = fitted.adapter
    assert adapter is not None
    assert set(adapter.pairs) == {f"network.stack.layers.{block}.mlp.up_proj" for block in (0, 1)}
    before, after = weights(base), weights(fitted)
    assert before.keys() == after.keys()
    for name in before:
        pair = adapter.pairs.get(name.removesuffix(".weight"))
        change = 0 if pair is None else 6.0 / 2 * pair.up @ pair.down
        np.testing.assert_allclose(after[name], before[name] + change, atol=1e-6)
        assert np.array_equal(before[name], after[name]) == (pair is None)


@pytest.mark.parametrize(
    ("parts", "stay"),
    [
        (["network"], lambda name: name.startswith("network.")),
        (["trust", "expected"], lambda name: name.startswith(("trust.", "expected."))),
        (["network.stack.layers.*.mlp"], lambda name: ".mlp." in name),
    ],
)
def test_parts_of_the_whole_can_stay_as_they_are(parts: list[str], stay: Any, base: Fitted) -> None:
    fitted = fit(started(small(steps=3, warmup_steps=0, frozen=parts), base))
    before, after = weights(base), weights(fitted)
    kept = {name for name in before if np.array_equal(before[name], after[name])}
    assert kept == {name for name in before if stay(name)}


def test_a_part_that_is_not_there_is_named(base: Fitted) -> None:
    with pytest.raises(UsageError, match="network"):
        fit(small(steps=1, frozen=["stack.layers.0"]))


def test_a_model_without_counts_beneath_it_is_not_for_this_trainer() -> None:
    plain = job("decoder", steps=1)
    config = counted.Config(steps=1, rows=3, window=11, folds=2)
    ordered: Any = _Ordered()
    odd = dataclasses.replace(plain, family=ordered, model_config=small().model_config, config=config)
    with pytest.raises(UsageError, match="a decoder model does not stand on counts: train it by another trainer"):
        counted.fit(odd)


class _Ordered:
    """A family that has an order and no counts."""

    name = "decoder"
    embedding_key = "width"

    def build(self, config: Any, vocabulary: Any, *, seed: int) -> Any:
        del config
        return PLAIN_DECODER.build(PLAIN_DECODER.sized(1000), vocabulary, seed=seed)


def test_the_first_step_changes_what_is_above_the_counts_and_not_the_counts(base: Fitted) -> None:
    network = network_of(base.model)
    reader = network.counts
    assert isinstance(reader, NgramReader)
    for array in (reader.trie.words, reader.trie.logprobs, reader.trie.backoffs):
        assert not array.flags.writeable
    logits, _ = network(torch.from_numpy(TEXT.astype(np.int64)))
    logits.square().mean().backward()
    assert all(weight.grad is not None for weight in network.parameters())
    network.zero_grad()
