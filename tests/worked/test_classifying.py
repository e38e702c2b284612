"""Networks that tell labels: how vectors are pooled, by hand; what is saved and comes back; what they begin with."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from tests.fakes.jobs import VOCABULARY, fit, job, weights
from ziggurat.core.config import from_mapping, options
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.protocols import Classifier, Family, ReadsLabels, StandsOn
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.classifying import ClassifierNetwork, NeuralClassifier, Pool, pooled
from ziggurat.models.blocks.lstm import turned
from ziggurat.models.classifying import ClassifierFamily
from ziggurat.models.registry import FAMILIES
from ziggurat.training.job import Fitted, Start

CLASSIFYING = [name for name in FAMILIES.names() if isinstance(FAMILIES.get(name), ClassifierFamily)]
IDS = np.array([[0, 3, 5, 1, 7, 2, 0], [0, 2, 0, 9, 9, 9, 9], [0, 8, 8, 0, 1, 1, 1]], np.int32)
LENGTHS = np.array([7, 3, 4], np.int32)


@pytest.fixture(params=CLASSIFYING)
def family(request: pytest.FixtureRequest) -> Any:
    return FAMILIES.get(request.param)


def small(family: Any, **keys: Any) -> Any:
    """A configuration of three labels that builds in no time."""
    return dataclasses.replace(family.tiny(seed=0).network.config, **keys)


def test_there_is_one_on_an_lstm_an_encoder_and_a_decoder() -> None:
    assert CLASSIFYING == ["decoder_classifier", "encoder_classifier", "recurrent_classifier"]


def test_they_are_what_the_protocols_say(family: Any) -> None:
    model = family.tiny(seed=1)
    for one, kind in ((family, ReadsLabels), (family, StandsOn), (model, Classifier)):
        assert isinstance(one, kind)
    assert model.labels == ("no", "perhaps", "yes")
    assert model.context == model.network.body.context


# -- pooling ----------------------------------------------------------------------------------------------------------

VECTORS = torch.tensor(
    [[[1.0, -3.0], [2.0, -5.0], [9.0, -7.0], [99.0, 99.0]], [[4.0, 6.0], [1.0, 1.0], [1, 1], [1, 1]]]
)


@pytest.mark.parametrize(
    ("pool", "first", "second"),
    [
        ("mean", [4.0, -5.0], [4.0, 6.0]),  # (1 + 2 + 9)/3 and −(3 + 5 + 7)/3; one vector is its own mean
        ("max", [9.0, -3.0], [4.0, 6.0]),  # all of the second column are below 0, and padding's 99 is no maximum
        ("first", [1.0, -3.0], [4.0, 6.0]),
        ("last", [9.0, -7.0], [4.0, 6.0]),  # the third, not the fourth
        ("mean+max", [4.0, -5.0, 9.0, -3.0], [4.0, 6.0, 4.0, 6.0]),
    ],
)
def test_pools_by_hand(pool: Pool, first: list[float], second: list[float]) -> None:
    assert pooled(VECTORS, torch.tensor([3, 1]), pool).tolist() == [first, second]


@pytest.mark.parametrize("pool", ["mean", "max", "first", "last", "mean+max"])
def test_of_no_vectors_nothing_is_made(pool: Pool) -> None:
    assert not pooled(VECTORS, torch.tensor([0, 1]), pool)[0].any()


def test_padding_gets_no_gradient() -> None:
    for pool in ("mean", "max", "first", "last", "mean+max"):
        told = VECTORS.clone().requires_grad_()
        pooled(told, torch.tensor([3, 1]), pool).sum().backward()
        assert told.grad is not None
        assert told.grad[0, :3].any()
        assert not told.grad[0, 3:].any()
        assert not told.grad[1, 1:].any()


def test_a_row_is_turned_and_its_padding_stays() -> None:
    told = torch.tensor([[2, 3, 5, 7, 11], [13, 17, 19, 23, 29], [1, 4, 6, 8, 9]])[..., None]
    found = turned(told, torch.tensor([5, 2, 0]))[..., 0]
    assert found.tolist() == [[11, 7, 5, 3, 2], [17, 13, 19, 23, 29], [1, 4, 6, 8, 9]]


# -- probabilities -----------------------------------------------------------------------------------------------------


def test_the_head_by_hand(family: Any) -> None:
    """softmax(W·pool + b) of a vector that is pooled with nobody near it."""
    network = family.tiny(seed=3).network
    told = NeuralClassifier(network).label_logprobs(IDS, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        with torch.no_grad():
            vector = network.pooled(torch.from_numpy(IDS[row : row + 1, :length]).long(), torch.tensor([length]))[0]
            logits = (network.classifier.weight @ vector + network.classifier.bias).double().numpy()
        expected = logits - np.log(np.exp(logits).sum())
        np.testing.assert_allclose(told[row], expected, rtol=1e-4, atol=1e-5)
    assert np.ptp(np.exp(told)) > 0.1


def test_an_lstm_reads_the_row_from_its_end_too() -> None:
    """With one set of layers for both directions, a row and its mirror image have the same maxima."""
    family: Any = FAMILIES.get("recurrent_classifier")
    network = family.tiny(seed=3).network
    for own, other in zip(network.body.layers, network.turned_layers, strict=True):
        other.load_state_dict(own.state_dict())
    ids, mirrored = torch.tensor([[0, 3, 5, 7, 0, 4]]), torch.tensor([[0, 7, 5, 3, 0, 4]])
    with torch.no_grad():
        one, two = (network.read(row, torch.tensor([5])) for row in (ids, mirrored))
    width = one.shape[-1] // 2
    torch.testing.assert_close(one[:, :5, :width], two[:, :5, width:])
    torch.testing.assert_close(one[:, :5, width:], two[:, :5, :width])
    assert not torch.allclose(one[:, :5], two[:, :5])


def test_one_way_is_half_of_it() -> None:
    family = FAMILIES.get("recurrent_classifier")
    both, one = (family.build(small(family, both_ways=way), VOCABULARY, seed=3) for way in (True, False))
    assert isinstance(both, NeuralClassifier)
    assert isinstance(one, NeuralClassifier)
    assert both.network.width == 2 * one.network.width
    assert not [name for name in one.network.state_dict() if "turned" in name]


def test_only_the_head_drops_what_is_pooled(family: Any) -> None:
    network = family.build(small(family, head_dropout=0.5), Vocabulary(size=11, bos=0, eos=0), seed=3).network.train()
    vectors = torch.ones(401, network.width)
    torch.manual_seed(0)
    assert network.logits(vectors).std(0).min() > 0
    assert network.eval().logits(vectors).std(0).max() < 1e-6


def test_a_text_beyond_the_context_is_refused() -> None:
    model: Any = FAMILIES.get("encoder_classifier").tiny(seed=1)
    ids = np.zeros((1, model.context + 1), np.int32)
    with pytest.raises(UsageError, match="65 ids are more than the model can read at once"):
        model.label_logprobs(ids, np.array([65], np.int32))


def test_no_texts_have_no_labels(family: Any) -> None:
    assert family.tiny(seed=1).label_logprobs(np.zeros((0, 5), np.int32), np.zeros(0, np.int32)).shape == (0, 3)


# -- configurations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"labels": ("a", "b", "a")}, "labels: 'a' is there more than once"),
        ({"labels": ("a",)}, "labels: there is only 'a', and nothing to choose"),
    ],
)
def test_labels_that_can_t_be_told_apart(family: Any, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        from_mapping(family.config, keys, where="recipe.toml [model]")


@pytest.mark.parametrize(
    ("name", "keys", "message"),
    [
        ("encoder_classifier", {"pool": "mean+max"}, "pooler: it reads one vector, and mean\\+max gives 2"),
        ("decoder_classifier", {"tied": False}, "tied: a decoder that tells labels predicts no tokens"),
    ],
)
def test_keys_that_do_not_go_together(name: str, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        from_mapping(FAMILIES.get(name).config, keys, where="recipe.toml [model]")


def test_a_model_without_labels_tells_none(family: Any) -> None:
    model = family.build(small(family, labels=()), VOCABULARY, seed=0)
    assert len(model.network.classifier.bias) == 2
    with pytest.raises(UsageError, match="labels: this model has none yet; they come with the training text"):
        model.label_logprobs(IDS, LENGTHS)
    with pytest.raises(ArtefactError, match="names no labels"):
        family.restore(*family.state(model))


def test_every_key_of_the_body_is_a_key_of_the_whole(family: Any) -> None:
    body: Family = FAMILIES.get(family.body)
    missing = options(body.config).keys() - options(family.config).keys()
    # what only a head that guesses, or vectors of texts, need
    assert missing <= {"head", "pooling", "normalise", "longest_text"}


def test_a_classifier_on_a_body_has_its_keys(family: Any) -> None:
    inner: Any = FAMILIES.get(family.body).tiny(seed=0)
    config = family.over(inner.network.config)
    assert config.labels == ()
    assert config.layers == inner.network.config.layers
    untied = family.over(dataclasses.replace(inner.network.config, tied=False))
    assert untied.layers == config.layers


# -- there and back ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pool", ["first", "max"])  # an encoder with the first is of BERT's form, with the other not
def test_weights_and_labels_come_back_to_the_bit(family: Any, pool: str) -> None:
    model = family.build(small(family, pool=pool, labels=("好", "坏", "3")), Vocabulary(size=11, bos=0, eos=0), seed=5)
    config, tensors = family.state(model)
    again = family.restore(config, tensors)
    assert again.labels == ("好", "坏", "3")
    assert again.network.config == model.network.config
    assert again.vocabulary == model.vocabulary
    np.testing.assert_array_equal(again.label_logprobs(IDS, LENGTHS), model.label_logprobs(IDS, LENGTHS))


def test_damage_is_named(family: Any) -> None:
    config, tensors = family.state(family.tiny(seed=5))
    without = {name: array for name, array in tensors.items() if name != "classifier.bias"}
    with pytest.raises(ArtefactError, match=r"'classifier\.bias' is missing"):
        family.restore(config, without)
    with pytest.raises(ArtefactError, match=f"config.json describes no {family.name}"):
        family.restore({}, tensors)
    less = {**config, "id2label": {"0": "no"}} if "id2label" in config else {
        **config, "model": {**config["model"], "labels": []}
    }  # fmt: skip
    with pytest.raises(ArtefactError, match=r"only 'no'|names no labels"):
        family.restore(less, tensors)


# -- what they begin with ----------------------------------------------------------------------------------------------


def body_of(family: Any) -> Any:
    """A trained model of the family inside."""
    inside: Any = FAMILIES.get(family.body)
    return inside.build(inside.tiny(seed=0).network.config, VOCABULARY, seed=4)


def begun(wanted: Any, model: Any, **keys: Any) -> Fitted:
    asked = job(wanted.name, steps=1, learning_rate=0.0, seed=99, **keys)
    config = dataclasses.replace(wanted.over(model.network.config), labels=asked.labels.names)  # type: ignore[union-attr]
    return fit(dataclasses.replace(asked, model_config=config, start=Start(lambda: model, "")))


def test_a_trained_body_is_what_they_begin_with(family: Any) -> None:
    inner = body_of(family)
    own = weights(begun(family, inner))
    theirs = inner.network.state_dict()
    shared = {name for name in own if name.startswith("body.") and name.removeprefix("body.") in theirs}
    assert shared
    for name in shared:
        np.testing.assert_array_equal(own[name], theirs[name.removeprefix("body.")].numpy(), err_msg=name)
    chance = own.keys() - shared
    assert {name.partition(".")[0] for name in chance} <= {"classifier", "turned_layers"}
    assert not own["classifier.bias"].any()


def test_a_body_without_a_pooler_leaves_it_to_chance() -> None:
    encoders: Any = FAMILIES.get("encoder")
    classifiers: Any = FAMILIES.get("encoder_classifier")
    inner = encoders.build(encoders.config(layers=1, width=20, heads=5, context=13), VOCABULARY, seed=4)
    config = dataclasses.replace(classifiers.over(inner.network.config), pooler=True, labels=("even", "odd"))
    network = classifiers.build(config, inner.vocabulary, seed=1).network
    drawn = network.body.pooler.weight.detach().clone()
    network.begin_with(inner.network)
    torch.testing.assert_close(network.body.pooler.weight.detach(), drawn)
    torch.testing.assert_close(network.token_embedding, inner.network.token_embedding)


def test_another_body_is_refused(family: Any) -> None:
    inner = body_of(family)
    larger = inner.network.config.layers + 1
    network = family.build(small(family, layers=larger), VOCABULARY, seed=0).network
    with pytest.raises(UsageError, match=r"start: '\S+' is not in that model, or of another size"):
        network.begin_with(inner.network)


def test_a_classifier_that_reads_another_way_is_refused() -> None:
    family: Any = FAMILIES.get("recurrent_classifier")
    both, one = (family.build(small(family, both_ways=way), VOCABULARY, seed=3).network for way in (True, False))
    for network, other in ((both, one), (one, both)):
        with pytest.raises(UsageError, match=r"start: 'classifier\.weight' is not in that model, or of another size"):
            network.begin_with(other)


def test_a_classifier_of_other_labels_gives_its_body(family: Any) -> None:
    first = family.tiny(seed=4)
    network: ClassifierNetwork = family.build(small(family, labels=("a", "b")), first.vocabulary, seed=9).network
    drawn = network.classifier.weight.detach().clone()
    network.begin_with(first.network)
    torch.testing.assert_close(network.classifier.weight.detach(), drawn)
    for name, value in network.state_dict().items():
        if not name.startswith("classifier."):
            torch.testing.assert_close(value, first.network.state_dict()[name])
    same = family.build(first.network.config, first.vocabulary, seed=9)
    same.network.begin_with(first.network)
    np.testing.assert_array_equal(same.label_logprobs(IDS, LENGTHS), first.label_logprobs(IDS, LENGTHS))


# -- first weights, and sizes ------------------------------------------------------------------------------------------


def test_first_weights_are_a_function_of_seed_and_name(family: Any) -> None:
    one, two, other = (family.build(small(family), VOCABULARY, seed=seed).network.state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["classifier.weight"], other["classifier.weight"])
    # N(0, 0.02²), and nothing is more probable than anything else
    assert float(one["classifier.weight"].abs().max()) < 5 * 0.02
    assert not one["classifier.bias"].any()


def test_words_begin_small_whether_or_not_they_are_tied() -> None:
    family: Any = FAMILIES.get("recurrent_classifier")
    for tied in (True, False):
        vectors = family.build(small(family, tied=tied), VOCABULARY, seed=3).network.token_embedding.detach()
        assert 0.3 < float(vectors.abs().max()) <= 0.4


def test_layers_of_both_directions_begin_unlike() -> None:
    family: Any = FAMILIES.get("recurrent_classifier")
    network = family.build(small(family), VOCABULARY, seed=3).network
    for own, other in zip(network.body.layers, network.turned_layers, strict=True):
        assert own.weight_ih.shape == other.weight_ih.shape
        assert not torch.equal(own.weight_ih, other.weight_ih)


def test_nothing_that_predicts_tokens_is_left(family: Any) -> None:
    names = family.tiny(seed=0).network.state_dict()
    assert not [name for name in names if "lm_head" in name or "body.head" in name or "body.output" in name]
    assert "body.bias" not in names


@pytest.mark.parametrize(("both_ways", "layers"), [(True, 2), (False, 1)])
def test_the_size_of_an_lstm_by_hand(both_ways: bool, layers: int) -> None:
    # 14 ids of 5 numbers; 4·7·(5 + 7 + 2) in each direction; 7 cells of each direction, their mean and their maximum,
    # times 3 labels, and 3 biases
    family: Any = FAMILIES.get("recurrent_classifier")
    config = family.config(embedding=5, hidden=7, both_ways=both_ways, labels=("a", "b", "c"))
    expected = 14 * 5 + layers * 4 * 7 * (5 + 7 + 2) + 2 * layers * 7 * 3 + 3
    anatomy = family.anatomy(config, VOCABULARY)
    assert anatomy.parameters == expected == family.build(config, VOCABULARY, seed=0).network.parameter_count
    assert not anatomy.generates
    assert anatomy.towers[0].parts[-1].name == "classifier"


def test_labels_that_are_not_known_yet_count_as_two(family: Any) -> None:
    unknown, two = small(family, labels=()), small(family, labels=("a", "b"))
    assert family.anatomy(unknown, VOCABULARY) == family.anatomy(two, VOCABULARY)


def test_a_size_that_is_asked_for_is_that_of_the_body(family: Any) -> None:
    inside: Any = FAMILIES.get(family.body)
    assert family.sized(100_000).layers == inside.sized(100_000).layers
    assert family.sized(100_000).labels == ()
