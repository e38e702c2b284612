"""Networks on counts: the formula by hand, and that no text is read with counts that have seen it."""

import dataclasses
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tests.fakes.jobs import Recorder, job, stream
from tests.fakes.processes import together
from ziggurat.core.errors import ArtefactError, TooLittleTextError, UsageError
from ziggurat.core.types import FloatArray, IdArray, Vocabulary
from ziggurat.models.blocks.counted import CountedNetwork
from ziggurat.models.counted_decoder import FAMILY as DECODER
from ziggurat.models.counted_decoder import CountedDecoderConfig
from ziggurat.models.counted_recurrent import FAMILY as RECURRENT
from ziggurat.models.counted_recurrent import CountedRecurrentConfig
from ziggurat.models.ngram import FAMILY as NGRAM
from ziggurat.models.ngram import NgramConfig
from ziggurat.models.ngram_random import random_trie
from ziggurat.models.ngram_reading import NOTHING, NgramReader
from ziggurat.training import count, counted, gradient
from ziggurat.training.job import Fitted, Job, Share
from ziggurat.training.torchrun import Processes

SIZE = 7
VOCABULARY = Vocabulary(size=SIZE, bos=0, eos=0)


class Fixed:
    """Counts that say the same everywhere, and remember what they were asked."""

    def __init__(self, logprobs_KV: FloatArray) -> None:
        self.logprobs = logprobs_KV.astype(np.float32)
        self.asked: list[tuple[IdArray, IdArray]] = []

    def read(self, before: IdArray, ids: IdArray) -> FloatArray:
        self.asked.append((before, ids))
        return np.broadcast_to(self.logprobs, (*ids.shape, *self.logprobs.shape)).copy()


def network(**keys: Any) -> CountedNetwork:
    config = CountedRecurrentConfig(**{"layers": 1, "embedding": 3, "hidden": 5, "order": 3, "orders": (2, 3), **keys})
    built = RECURRENT.build(config, VOCABULARY, seed=1).network
    assert isinstance(built, CountedNetwork)
    return built.eval()


def test_logits_are_the_networks_own_and_the_weighed_counts() -> None:
    built = network()
    with torch.no_grad():
        built.trust.weight[:] = torch.tensor([[0.5, 0.0, 0.0], [0.0, 2.0, 0.0]])
        built.trust.bias[:] = torch.tensor([0.25, -1.0])
    counts = np.log(np.array([[0.1, 0.2, 0.3, 0.1, 0.1, 0.1, 0.1], [0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]]))
    h = torch.tensor([[2.0, 3.0, -1.0]])
    # trust: 0.5 · 2 + 0.25 = 1.25 in order 2, and 2 · 3 − 1 = 5 in order 3
    expected = built.network.logits(h)[0].detach().numpy() + 1.25 * counts[0] + 5.0 * counts[1]
    joined = torch.cat([h, torch.from_numpy(counts.astype(np.float32)).reshape(1, -1)], dim=1)
    np.testing.assert_allclose(built.logits(joined)[0].detach().numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("pieces", [1, 3])
def test_gradients_are_those_of_the_formula(pieces: int) -> None:
    built = network()
    random = np.random.default_rng(5)
    counts = np.log(random.dirichlet(np.ones(SIZE), 2)).astype(np.float32)
    built.counts = Fixed(counts)
    ids, targets = torch.tensor([[0, 3, 5, 2, 1, 6]]), torch.tensor([3, 5, 2, 1, 6, 4])
    with torch.no_grad():
        built.trust.weight.copy_(torch.from_numpy(random.normal(size=(2, 3)).astype(np.float32)))

    def gradients(loss: torch.Tensor) -> dict[str, torch.Tensor]:
        built.zero_grad()
        loss.backward()
        return {name: weight.grad.clone() for name, weight in built.named_parameters() if weight.grad is not None}

    joined = built.hidden(ids, built.initial_state(1))[0].flatten(0, 1)
    parts = zip(joined.chunk(pieces), targets.chunk(pieces), strict=True)
    loss = torch.nn.functional.cross_entropy
    found = gradients(sum((loss(built.logits(h), t, reduction="sum") for h, t in parts), torch.zeros(())))
    told = built.expected((torch.from_numpy(np.exp(counts)) @ built.token_embedding.detach()).flatten())
    h, _ = built.network.hidden(ids, built.network.initial_state(1), beside=told.expand(1, 6, 3))
    weighed = built.trust(h[0]) @ torch.from_numpy(counts)
    expected = gradients(loss(built.network.logits(h[0]) + weighed, targets, reduction="sum"))
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, atol=1e-5, rtol=1e-4, msg=name)


def test_what_counts_expect_enters_beside_each_id() -> None:
    built = network()
    certain = np.full((2, SIZE), -20.0)
    certain[0, 4] = certain[1, 6] = 0.0  # order 2 expects id 4, order 3 id 6
    built.counts = Fixed(certain)
    ids = torch.tensor([[0, 3, 5]])
    hidden, _ = built.hidden(ids, built.initial_state(1))
    rows = built.token_embedding.detach()
    told = torch.cat([rows[4], rows[6]]) @ built.expected.weight.T
    alone, _ = built.network.hidden(ids, built.network.initial_state(1), beside=told.expand(1, 3, 3))
    torch.testing.assert_close(hidden[..., :3], alone, atol=1e-5, rtol=1e-5)


def test_it_begins_as_the_counts() -> None:
    built = network()
    with torch.no_grad():  # a network that says nothing yet
        built.network.token_embedding.zero_()
    chances = np.array([0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1])
    built.counts = Fixed(np.log(np.stack([np.full(SIZE, 1 / SIZE), chances])))
    logits, _ = built(torch.tensor([[0, 1]]), built.initial_state(1))
    np.testing.assert_allclose(logits.softmax(-1)[0, 1].detach().numpy(), chances, rtol=1e-5)


def test_state_holds_the_last_ids_of_each_row() -> None:
    built = network(order=5, orders=(5,))
    built.counts = counts = Fixed(np.full((1, SIZE), -np.log(SIZE)))
    _, state = built.hidden(torch.tensor([[1, 2, 3], [4, 5, 6]]), built.initial_state(2), lengths=torch.tensor([3, 1]))
    built.hidden(torch.tensor([[0], [0]]), state)
    assert counts.asked[0][0].tolist() == [[-1] * 4] * 2
    assert counts.asked[1][0].tolist() == [[-1, 1, 2, 3], [-1, -1, -1, 4]]


@pytest.mark.parametrize("orders", [(0,), (3, 2), (2, 2), (2, 7)])
def test_orders_that_can_not_be_are_refused(orders: tuple[int, ...]) -> None:
    for config in (CountedDecoderConfig, CountedRecurrentConfig):
        with pytest.raises(UsageError, match=r"orders: expected rising numbers from 1 to order \(5\)"):
            config(order=5, orders=orders)


def test_the_keys_of_the_network_inside_are_checked_too() -> None:
    with pytest.raises(UsageError, match="not a multiple of heads"):
        CountedDecoderConfig(width=10, heads=3)


def test_counts_of_another_order_are_refused() -> None:
    model = DECODER.tiny(seed=1)
    config, tensors = DECODER.state(model)
    other = random_trie(np.random.default_rng(1), size=11, order=2)
    wrong = {**tensors, **{f"counts.{name}": array for name, array in other.state().items()}}
    with pytest.raises(ArtefactError, match="counts of order 2 for a network that stands on order 3"):
        DECODER.restore(config, wrong)


def test_lost_counts_are_not_passed_over_in_silence() -> None:
    facts, tensors = RECURRENT.state(RECURRENT.tiny(seed=1))
    left = {name: array for name, array in tensors.items() if not name.startswith("counts.")}
    for said in (facts, {key: value for key, value in facts.items() if key != "counted"}):  # and of older bundles
        with pytest.raises(ArtefactError, match=r"^model\.safetensors: its counts are missing"):
            RECURRENT.restore(said, left)


def test_a_model_without_counts_comes_back_without() -> None:
    built = RECURRENT.build(CountedRecurrentConfig(layers=1, embedding=3, hidden=5), VOCABULARY, seed=1)
    facts, tensors = RECURRENT.state(built)
    assert facts["counted"] is False
    again = RECURRENT.restore(facts, tensors)
    text, lengths = np.array([[0, 3, 5, 1]]), np.array([4])
    np.testing.assert_array_equal(again.token_logprobs(text, lengths), built.token_logprobs(text, lengths))


@pytest.mark.parametrize("family", ["counted_recurrent", "counted_decoder"])
def test_each_token_is_predicted_with_counts_that_have_not_seen_it(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = job(family, steps=5, folds=7)
    found = counted._Counts(asked)
    objective = counted._Residual(asked, asked.family.build(asked.model_config, asked.train.vocabulary, seed=0), found)
    found.make()
    assert isinstance(objective.network, CountedNetwork)
    size = asked.train.vocabulary.size

    class Named:
        """Counts that say which they are."""

        channels, trie = objective.network.orders, SimpleNamespace(size=size)

        def __init__(self, fold: int) -> None:
            self.fold = fold

        def fill(self, before: IdArray, ids: IdArray, found: FloatArray) -> None:
            assert len(before) == len(ids)
            found[:] = -float(self.fold)

        def read(self, before: IdArray, ids: IdArray) -> FloatArray:
            found = np.empty((*ids.shape, self.channels, size), np.float32)
            self.fill(before, ids, found)
            return found

    told: list[FloatArray] = []
    read = counted._Folds.read

    def heard(self: Any, before: IdArray, ids: IdArray) -> FloatArray:
        told.append(read(self, before, ids))
        return told[-1]

    monkeypatch.setattr(counted._Folds, "read", heard)
    objective.others = counted._Folds([Named(fold) for fold in range(7)])  # type: ignore[misc]
    across = 0
    for number in range(31):
        targets = objective.batches.places(number)[:, 1:]
        objective.loss(number)
        folds = -told[-1][:, :, 0, 0].astype(int)
        assert told[-1].min() == told[-1][:, :, 0, 0].min()
        assert (found.cuts[folds] <= targets).all()
        assert (targets < found.cuts[folds + 1]).all()
        across += int((folds.min(axis=1) < folds.max(axis=1)).sum())
    assert across  # rows that lie across two folds were among them
    assert objective.network.counts is objective.own  # between batches, and so on dev


def test_what_is_recalled_is_of_the_document_whatever_the_fold() -> None:
    asked = job("counted_recurrent", steps=5, folds=3)
    asked = dataclasses.replace(asked, model_config=dataclasses.replace(asked.model_config, recall=13))
    fitted = counted.fit(asked)
    network: Any = fitted.model.network  # type: ignore[attr-defined]
    ids = asked.train.document(0)[None]
    read = network.counts.read(np.full((1, network.before), NOTHING, np.int32), ids)
    recall = network.counts.recall
    found = np.empty((*ids.shape, 2, asked.train.vocabulary.size), np.float32)
    recall.fill(np.empty((1, 0), np.int32), np.asarray(ids, np.int32), found)
    np.testing.assert_array_equal(read[:, :, network.orders :], found)
    assert found.any()
    restored: Any = RECURRENT.restore(*RECURRENT.state(fitted.model)).network  # it follows from the counts
    np.testing.assert_array_equal(restored.counts.recall.lift, recall.lift)


def test_a_fold_is_counted_from_all_but_itself() -> None:
    asked = job("counted_decoder", steps=5, folds=3)
    found = counted._Counts(asked)
    found.make()
    tokens = asked.train.tokens
    for fold, trie in enumerate(found.folds):
        rest = np.concatenate([tokens[: found.cuts[fold]], tokens[found.cuts[fold + 1] :]])
        ngrams = {tuple(rest[i : i + 2].tolist()) for i in range(len(rest) - 1)}
        assert trie.counts()[1] == len(ngrams)
    assert [int(cut) for cut in found.cuts[[0, -1]]] == [0, len(tokens)]
    assert set(found.cuts[1:-1].tolist()) <= set(asked.train.starts.tolist())  # 41 documents: folds begin with one


def test_one_long_document_is_cut_anywhere() -> None:
    one = stream(1).tokens
    asked = job("counted_recurrent", steps=5)
    assert counted._cuts(asked.train, 8).tolist() != np.linspace(0, len(asked.train.tokens), 9).astype(int).tolist()
    single = type(asked.train)(asked.train.vocabulary, one, np.array([0, len(one) - 1]))  # type: ignore[call-arg]
    assert counted._cuts(single, 3).tolist() == np.linspace(0, len(one), 4).astype(int).tolist()


@pytest.mark.parametrize("long", [0, 20, 40])
def test_one_long_document_among_many_leaves_folds_of_like_size(long: int) -> None:
    lengths = np.full(41, 7)
    lengths[long] = 1009
    starts = np.concatenate([[0], np.cumsum(lengths)])
    text = stream(1)
    lopsided = type(text)(text.vocabulary, np.zeros(starts[-1], np.int64), starts[:-1])
    cuts = counted._cuts(lopsided, 5)
    assert (cuts[0], cuts[-1]) == (0, starts[-1])
    sizes = np.diff(cuts)
    assert sizes.min() > 0.4 * starts[-1] / 5
    assert sizes.max() < 1.6 * starts[-1] / 5


@pytest.mark.parametrize("how", ["ddp", "fsdp"])
def test_processes_that_count_at_unlike_speed_have_the_same_minutes_left(how: str) -> None:
    def work(processes: Processes) -> object:
        counting = counted._Counts._count

        def slowly(self: Any) -> None:
            counting(self)
            time.sleep(0.7 * processes.rank)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(counted._Counts, "_count", slowly)
            patch.setattr(gradient, "run", lambda *_, before: Fitted(None, {"spent": before()}))  # type: ignore[arg-type]
            return counted.fit(job("counted_recurrent", minutes=1.0, rows=6, spread=how)).facts["spent"]

    first, second = together(2, work)
    assert isinstance(first, float)
    assert first == second > 0.0


def test_counting_is_of_the_minutes_and_a_run_that_goes_on_remembers_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # counting takes 0.4 s of the first run; of the one that goes on, more than the whole budget, which is not of it
    clock = iter([0.0, 0.4, 0.0, 100.0])
    monkeypatch.setattr(counted, "time", SimpleNamespace(perf_counter=lambda: next(clock)))

    def stop(event: Any) -> None:
        if event["event"] == "checkpoint":
            raise KeyboardInterrupt

    keys: dict[str, Any] = {"minutes": 0.04, "checkpoint_steps": 3, "evaluations": 4}
    with pytest.raises(KeyboardInterrupt):
        counted.fit(job("counted_recurrent", tmp_path, listener=Recorder(stop), **keys))
    recorder = Recorder()
    fitted = counted.fit(job("counted_recurrent", tmp_path, listener=recorder, **keys))
    (resumed,) = recorder.of("resume")
    assert resumed["step"] == 3
    assert fitted.facts["steps"] > 3
    assert 0.4 < fitted.facts["seconds"] < 100
    assert fitted.facts["evaluate_steps"] > 1  # a rhythm of steps, not of what was spent before them


def test_too_little_text_and_too_little_time_are_said() -> None:
    with pytest.raises(TooLittleTextError, match="too few for 5000 folds"):
        counted.fit(job("counted_recurrent", steps=1, folds=5000))
    with pytest.raises(UsageError, match=r"minutes were gone before a step: counting"):
        counted.fit(job("counted_recurrent", minutes=1e-6))


@pytest.mark.parametrize(
    ("family", "keys", "said"),
    [
        ("counted_recurrent", {}, "no budget: give one of"),
        ("counted_recurrent", {"steps": 1, "recompute": True}, "training.recompute: it is for Transformer blocks"),
        ("counted_decoder", {"steps": 1, "device": "cuda"}, "torch sees no GPU here"),
        ("counted_decoder", {"steps": 1, "frozen": ["nothing"]}, "nothing"),
        ("counted_decoder", {"steps": 1, "lora_rank": 1, "lora_on": ["nothing"]}, "nothing"),
        ("counted_decoder", {"steps": 1, "memory": "much"}, "training.memory"),
    ],
)
def test_wrong_keys_are_told_before_anything_is_counted(
    family: str, keys: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(counted, "count_ngrams", lambda *_, **__: pytest.fail("it counted"))
    with pytest.raises(UsageError, match=said):
        counted.fit(job(family, **keys))


def test_rows_that_can_not_be_shared_are_told_before_anything_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted, "count_ngrams", lambda *_, **__: pytest.fail("it counted"))
    counts = counted._Counts(asked := job("counted_decoder", steps=1, rows=5))
    model = asked.family.build(asked.model_config, asked.train.vocabulary, seed=0)
    with pytest.raises(UsageError, match=r"training\.rows: 5 rows"):
        counted._Residual(replace(asked, share=Share(0, 2)), model, counts)


def test_it_is_better_than_its_counts() -> None:
    asked = job("counted_recurrent", steps=120, rows=11, learning_rate=3e-3)
    both = counted.fit(asked)
    counts = count.fit(Job(NGRAM, NgramConfig(order=6), count.Config(), asked.train, asked.dev, 0))
    dev = asked.dev
    assert dev is not None
    documents = [dev.document(i) for i in range(len(dev.starts) - 1)]

    def loss(model: Any) -> float:
        told = [model.token_logprobs(document[None], np.array([len(document)]))[0] for document in documents]
        return -float(np.concatenate(told).mean())

    assert loss(both.model) < 0.95 * loss(counts.model)
    assert set(both.facts) >= {"ngrams_kept", "folds", "counting_seconds"}


def test_reading_is_of_the_orders_asked_for() -> None:
    asked = job("counted_decoder", steps=1, folds=2)
    model = counted.fit(asked).model
    reader = model.network.counts  # type: ignore[attr-defined]
    assert isinstance(reader, NgramReader)
    assert reader.trie.order == 6


@pytest.mark.parametrize(
    ("order", "size", "expected"),
    [
        (8, 1024, (3, 5, 8)),  # 8/3 = 2.67, 16/3 = 5.33
        (6, 65, (2, 4, 6)),
        (5, 257, (2, 3, 5)),  # 1.67 and 3.33
        (3, 11, (1, 2, 3)),
        (2, 11, (1, 2)),  # 0.67 and 1.33: both 1
        (1, 11, (1,)),  # 0.33 is no order
        (8, 1025, (8,)),
    ],
)
def test_small_vocabularies_are_told_of_three_orders(order: int, size: int, expected: tuple[int, ...]) -> None:
    assert CountedRecurrentConfig(order=order).resolved_orders(size) == expected


def test_orders_that_are_named_are_those() -> None:
    config = CountedDecoderConfig(order=8, orders=(4,))
    assert config.resolved_orders(65) == config.resolved_orders(4096) == (4,)


@pytest.mark.parametrize(("recall", "more"), [(0, 0), (17, 2)])
def test_the_network_has_a_weight_for_each_order_and_so_has_its_anatomy(recall: int, more: int) -> None:
    config = CountedRecurrentConfig(layers=1, embedding=3, hidden=5, order=8, recall=recall)
    built = RECURRENT.build(config, VOCABULARY, seed=1).network
    assert isinstance(built, CountedNetwork)
    assert (built.orders, built.trust.out_features, built.before) == (3, 3 + more, max(7, recall))
    assert built.trust.bias.tolist() == [0, 0, 1, *[0] * more]  # what is recalled says nothing yet
    parts = {part.name: part for part, _ in RECURRENT.anatomy(config, VOCABULARY).whole.walk()}
    # 3 orders × (3 weights and a bias); 3 embeddings of 3 numbers to one of 3
    assert (parts["trust in counts"].parameters, parts["what counts expect"].parameters) == (4 * (3 + more), 27)
    # each of 3 distributions of 7 numbers times (7, 3), then the 27
    assert parts["what counts expect"].products == 3 * 7 * 3 + 27
    assert parts["trust in counts"].saved.f32 == 4 * (3 + more) * 7  # the distributions
