"""An encoder that labels words: whose vector a word has, what it begins with, and long sentences."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.fakes.jobs import VOCABULARY, fit, job, weights
from tests.fakes.word_batches import marked, word_batch
from ziggurat.core.config import options
from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import Embeds, ReadsTags, StandsOn, Tagger
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.tagging import WordTensors, word_tensors
from ziggurat.models.encoder import FAMILY as ENCODERS
from ziggurat.models.encoder import EncoderConfig
from ziggurat.models.encoder_tagger import FAMILY, EncoderTaggerConfig
from ziggurat.training.job import FirstVectors, Start
from ziggurat.training.optimisers import optimiser

SMALL = EncoderTaggerConfig(
    layers=1, width=20, heads=5, feedforward=28, context=13, labels=("O", "B-PER", "I-PER"), head_dropout=0.0
)
CPU = torch.device("cpu")


def built(**keys: Any) -> Any:
    return FAMILY.build(dataclasses.replace(SMALL, **keys), VOCABULARY, seed=3).network


def encoder(**keys: Any) -> Any:
    """A trained encoder that fits SMALL."""
    config = EncoderConfig(layers=1, width=20, heads=5, feedforward=28, context=13, pooler=True, **keys)
    return ENCODERS.build(config, VOCABULARY, seed=4)


def test_it_is_what_the_protocols_say() -> None:
    for one, kind in ((FAMILY, ReadsTags), (FAMILY, StandsOn), (FAMILY, Embeds), (FAMILY.tiny(seed=1), Tagger)):
        assert isinstance(one, kind)
    # what only guessing, and vectors of whole texts, need
    assert options(EncoderConfig).keys() - options(EncoderTaggerConfig).keys() == {
        "head",
        "pooling",
        "normalise",
        "longest_text",
    }


# -- whose vector a word has -------------------------------------------------------------------------------------------


def one_row(ids: list[int], firsts: list[int]) -> WordTensors:
    """A sentence of these ids, whose words begin at these places."""
    characters = torch.tensor([[[98 + number] for number in range(len(firsts))]])
    return WordTensors(
        torch.tensor([ids]), torch.tensor([len(ids)]), torch.tensor([firsts]), torch.tensor([len(firsts)]), characters
    )


def test_a_word_has_the_vector_of_its_first_id_or_the_mean_of_all() -> None:
    # bos 3 5 7 eos: the words are 3 5 and 7
    sentence = one_row([0, 3, 5, 7, 0], [1, 3])
    with torch.no_grad():
        vectors = built().body.hidden(sentence.ids)[0]
        first, mean = built(word="first").hidden(sentence)[0], built(word="mean").hidden(sentence)[0]
    torch.testing.assert_close(first, vectors[[1, 3]])
    torch.testing.assert_close(mean, torch.stack([vectors[1:3].mean(0), vectors[3]]))


def test_spelling_stands_behind_the_vector() -> None:
    network = built(character_filters=3)
    sentence = one_row([0, 3, 5, 7, 0], [1, 3])
    with torch.no_grad():
        told = network.hidden(sentence)[0]
        torch.testing.assert_close(told[:, 20:], network.spelling(sentence.characters)[0])
        torch.testing.assert_close(told[:, :20], built().hidden(sentence)[0])
    assert network.output.weight.shape == (3, 23)


def test_an_lstm_reads_what_stands_there() -> None:
    network = built(character_filters=3, cells=7)
    batch = word_tensors(word_batch([5, 3]), CPU)
    with torch.no_grad():
        below = built(character_filters=3).hidden(batch)
        told = network.hidden(batch)
        expected = network.reader(below, batch.words)
    for row, words in enumerate((5, 3)):
        torch.testing.assert_close(told[row, :words], expected[row, :words])
    assert network.output.weight.shape == (3, 14)


@pytest.mark.parametrize(
    ("keys", "read"),
    [
        ({"mark_embedding": 5, "cells": 7}, [1, 1]),
        ({"mark_embedding": 5, "cells": 7, "shared_blocks": 1}, [1, 3]),
        ({"cells": 7, "shared_blocks": 0}, [3, 3]),
    ],
)
def test_a_sentence_is_read_once_for_all_its_predicates(keys: dict[str, int], read: list[int]) -> None:
    network = built(layers=2, **keys)
    row = one_row([0, 3, 5, 7, 0], [1, 3])
    marks = torch.tensor([[1, 0], [0, 1], [0, 0]])
    ids, lengths, firsts, words, characters = (part.expand(3, *part.shape[1:]) for part in row[:5] if part is not None)
    batch = WordTensors(ids, lengths, firsts, words, characters, marks)
    rows: list[int] = []
    for block in network.body.stack.layers:
        block.register_forward_pre_hook(lambda _, given: rows.append(len(given[0])))
    with torch.no_grad():
        told = network.hidden(batch)
    assert rows == read
    assert told.shape == (3, 2, 14)
    assert not torch.allclose(told[0], told[1])
    assert not torch.allclose(told[0], told[2])


@pytest.mark.parametrize(("shared", "drawn"), [(0, ["v", 3]), (2, [2, "v", 1]), (7, [2, "v", 1])])
def test_the_mark_is_drawn_below_the_blocks_that_read_it(shared: int, drawn: list[object]) -> None:
    (tower,) = FAMILY.anatomy(dataclasses.replace(SMALL, layers=3, shared_blocks=shared), VOCABULARY).towers
    seen = [
        part.times if part.kind == "block" else "v"
        for part in tower.parts
        if part.kind == "block" or "predicate" in part.name
    ]
    assert seen == drawn


def test_a_predicate_is_marked_between_the_encoder_and_what_reads_it() -> None:
    for cells, width in ((0, 7), (3, 6)):
        network = built(mark_embedding=7, cells=cells).eval()
        batch = word_tensors(marked(word_batch([5, 5, 3]), [range(1, 3), range(0), range(2, 3)]), CPU)
        assert network.hidden(batch).shape == (3, 5, width)
        twice = WordTensors(*(part[[0, 0, 2]] for part in batch if part is not None))
        twice = twice._replace(marks=batch.marks)
        x_SWD, owner = network.read(twice.ids, twice.lengths), torch.tensor([0, 1, 2])
        first_ids = x_SWD.gather(1, twice.firsts.masked_fill(~twice.inside, 0)[..., None].expand(-1, -1, 20))
        expected = network.embed_marks(first_ids, owner, twice)
        expected = expected if not cells else network.reader(expected, twice.words)
        inside = twice.inside
        torch.testing.assert_close(network.hidden(twice)[inside], expected[inside])


def test_blocks_that_are_not_shared_read_the_predicate_marked() -> None:
    network = built(layers=2, mark_embedding=5, cells=7, shared_blocks=1)
    nn.init.normal_(network.embed_predicate.weight)
    # two words of two ids and one; asked for the first, for the second, and for none
    row = one_row([0, 3, 5, 7, 0], [1, 3])
    ids, lengths, firsts, words, characters = (part.expand(3, *part.shape[1:]) for part in row[:5] if part is not None)
    batch = WordTensors(ids, lengths, firsts, words, characters, torch.tensor([[1, 0], [0, 1], [0, 0]]))
    below = network.body.raised(network.body.embedded(row.ids), blocks=range(1))
    marks = torch.tensor([[0, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0] * 5])
    above = network.body.raised(below + marks[..., None] * network.embed_predicate.weight, blocks=range(1, 2))
    marked_words = network.embed_marks(above[:, [1, 3]], torch.arange(3), batch)
    torch.testing.assert_close(network.hidden(batch), network.reader(marked_words, batch.words))


def test_with_a_predicate_marked_below_nothing_need_stand_above() -> None:
    network = built(shared_blocks=0)
    batch = word_tensors(marked(word_batch([5, 5, 3]), [range(1, 3), range(0), range(2, 3)]), CPU)
    assert network.config.reads_marks
    assert network.embed_marks is None
    assert network.hidden(batch).shape == (3, 5, 20)
    unmarked = network.hidden(batch._replace(marks=None))
    torch.testing.assert_close(network.hidden(batch)[1], unmarked[1])
    assert not torch.allclose(network.hidden(batch)[0], unmarked[0])


def test_at_least_one_block_reads_the_predicate() -> None:
    assert built(mark_embedding=5).config.resolved_shared_blocks == 1
    for asked, shared in ((0, 0), (1, 1), (2, 1), (9, 1)):
        config = dataclasses.replace(SMALL, layers=2, shared_blocks=asked)
        assert (config.resolved_shared_blocks, config.reads_marks) == (shared, True)


def test_predicates_of_a_long_sentence_are_marked_in_each_stretch() -> None:
    ids = [0, *np.random.default_rng(5).integers(1, 13, 29).tolist(), 0]
    sentence = one_row(ids, list(range(1, 30)))
    network = built(mark_embedding=5, shared_blocks=0)
    nn.init.normal_(network.embed_predicate.weight)
    marked_BT = torch.zeros(1, 31, dtype=torch.bool)
    marked_BT[0, [2, 15, 30]] = True
    told = network.read(sentence.ids, sentence.lengths, asked=(torch.tensor([0]), marked_BT))[0]
    for start in (0, 13, 26):
        x = network.body.embedded(torch.tensor([ids[start : start + 13]]))
        x[:, {0: 2, 13: 2, 26: 4}[start]] += network.embed_predicate.weight[0]
        torch.testing.assert_close(told[start : start + 13], network.body.raised(x)[0])


def test_a_sentence_beyond_the_context_is_read_in_stretches() -> None:
    # 31 ids where 13 can be read at once: 13, 13 and 5, each as if it stood alone
    ids = [0, *np.random.default_rng(5).integers(1, 13, 29).tolist(), 0]
    sentence = one_row(ids, list(range(1, 30)))
    network = built()
    with torch.no_grad():
        told = network.hidden(sentence)[0]
        alone = [network.body.hidden(torch.tensor([ids[start : start + 13]]))[0] for start in (0, 13, 26)]
    torch.testing.assert_close(told, torch.cat(alone)[1:30])
    model = FAMILY.build(SMALL, VOCABULARY, seed=3)
    assert model.context is None
    assert (model.tag(word_batch([40, 3]))[0][0] >= 0).all()


def test_only_what_is_trained_drops() -> None:
    network = built(head_dropout=0.5).train()
    batch = word_tensors(word_batch([7]), CPU)
    torch.manual_seed(0)
    first, second = network.hidden(batch), network.hidden(batch)
    assert (first == 0).float().mean() > 0.3
    assert not torch.equal(first, second)
    network.eval()
    assert torch.equal(network.hidden(batch), network.hidden(batch))


def test_a_pooler_is_refused() -> None:
    with pytest.raises(UsageError, match="pooler: labels are told of each word's own vector; leave it out"):
        dataclasses.replace(SMALL, pooler=True)


# -- what it begins with -----------------------------------------------------------------------------------------------


def test_a_trained_encoder_is_what_it_begins_with() -> None:
    inner = encoder()
    asked = job("encoder_tagger", steps=1, learning_rate=0.0)
    config = dataclasses.replace(FAMILY.over(inner.network.config), labels=asked.model_config.labels)
    assert (config.layers, config.context, config.pooler) == (1, 13, False)
    begun = weights(fit(dataclasses.replace(asked, model_config=config, start=Start(lambda: inner, ""))))
    theirs = inner.network.state_dict()
    for name, value in begun.items():
        if name.startswith("body."):
            np.testing.assert_array_equal(value, theirs[name.removeprefix("body.")].numpy(), err_msg=name)
    assert {name.partition(".")[0] for name in begun} == {"body", "output", "crf"}


def test_what_the_encoder_lacks_is_known_as_new() -> None:
    network = built(character_filters=3, cells=7)
    assert built().fresh is None
    network.begin_with(encoder().network)
    assert {name.partition(".")[0] for name in network.fresh} == {"output", "crf", "spelling", "reader"}
    # another tagger gives its spelling too, and where its labels are the same all it has
    keys: dict[str, Any] = {"character_filters": 3, "cells": 7}
    same, other = built(**keys), built(**keys, labels=("O", "B-LOC", "I-LOC"))
    for later in (same, other):
        later.begin_with(network)
    assert same.fresh == frozenset()
    assert {name.partition(".")[0] for name in other.fresh} == {"output", "crf"}
    torch.testing.assert_close(other.spelling.convolve.weight, network.spelling.convolve.weight)


def test_an_encoder_of_another_size_is_refused() -> None:
    with pytest.raises(UsageError, match=r"start: 'stack\.layers\.1\.\S+' is not in that model, or of another size"):
        built(layers=2).begin_with(encoder().network)


def test_what_is_new_learns_at_a_rate_of_its_own() -> None:
    keys: dict[str, Any] = {"learning_rate": 0.5, "weight_decay": 0.1, "betas": (0.9, 0.95)}
    network = built()
    names = {id(weight): name for name, weight in network.named_parameters()}

    def rates(new_rate: float) -> dict[str, set[float]]:
        made = optimiser(network, "adamw", **keys, new_rate=new_rate)
        made.set_learning_rate(0.25)
        found: dict[str, set[float]] = {}
        for rule in made.rules:
            for group in rule.param_groups:
                for weight in group["params"]:
                    found.setdefault(names[id(weight)].partition(".")[0], set()).add(group["lr"])
        return found

    # nothing came with a start: all is new
    assert rates(4.0) == {"body": {1.0}, "output": {1.0}, "crf": {1.0}}
    network.begin_with(encoder().network)
    assert rates(4.0) == {"body": {0.25}, "output": {1.0}, "crf": {1.0}}
    assert rates(1.0) == {"body": {0.25}, "output": {0.25}, "crf": {0.25}}
    network.begin_with(built())
    assert rates(4.0) == {"body": {0.25}, "output": {0.25}, "crf": {0.25}}


def test_a_run_of_two_rates_that_was_stopped_ends_with_the_same_weights(tmp_path: Any) -> None:
    inner = encoder()

    def asked(name: str, listener: Any = lambda event: None) -> Any:
        wanted = job("encoder_tagger", tmp_path / name, listener=listener, steps=7, checkpoint_steps=3, new_rate=5.0)
        config = dataclasses.replace(FAMILY.over(inner.network.config), labels=wanted.model_config.labels)
        return dataclasses.replace(wanted, model_config=config, start=Start(lambda: inner, "same"))

    def stop(event: Any) -> None:
        if event["event"] == "checkpoint" and event["step"] == 3:
            raise KeyboardInterrupt

    whole = weights(fit(asked("whole")))
    with pytest.raises(KeyboardInterrupt):
        fit(asked("stopped", stop))
    for name, value in weights(fit(asked("stopped"))).items():
        np.testing.assert_array_equal(value, whole[name], err_msg=name)


# -- vectors that stay ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["encoder_tagger", "recurrent_tagger"])
@pytest.mark.parametrize("kept", [True, False])
def test_vectors_stay_as_they_are_unless_told_otherwise(family: str, kept: bool) -> None:
    keys: dict[str, Any] = {"steps": 5, "learning_rate": 0.01, **({} if kept else {"keep_vectors": False})}
    asked = job(family, **keys)
    key = "width" if family == "encoder_tagger" else "embedding"
    vectors = np.random.default_rng(3).normal(size=(VOCABULARY.size, getattr(asked.model_config, key)))
    first = FirstVectors(vectors.astype(np.float32), np.arange(VOCABULARY.size) > 0)
    begun, trained = (
        fit(dataclasses.replace(asked, first_vectors=first, config=dataclasses.replace(asked.config, **change))).model
        for change in ({"learning_rate": 0.0}, {})
    )
    same = torch.equal(begun.network.token_embedding, trained.network.token_embedding)  # type: ignore[attr-defined]
    assert same == kept
    assert trained.network.token_embedding.requires_grad  # type: ignore[attr-defined]
    # without vectors they learn in any case
    plain, moved = (
        weights(fit(dataclasses.replace(asked, config=dataclasses.replace(asked.config, **change))))
        for change in ({"learning_rate": 0.0}, {})
    )
    name = "body.embed_tokens.weight" if family == "encoder_tagger" else "embedding.weight"
    assert not np.array_equal(plain[name], moved[name])


# -- sizes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("filters", [0, 3])
@pytest.mark.parametrize("cells", [0, 7])
def test_the_size_by_hand(filters: int, cells: int) -> None:
    config = dataclasses.replace(
        SMALL, character_filters=filters, character_embedding=2, character_rows=31, cells=cells
    )
    vocabulary = Vocabulary(size=11, bos=0, eos=0)
    # the encoder's own; 3 labels, each with a bias and a number for each that is read; 3² + 2·3; 31·2 + 3·2·3 + 3 of
    # characters; two LSTMs of four gates, each with two biases
    body = ENCODERS.anatomy(
        EncoderConfig(layers=1, width=20, heads=5, feedforward=28, context=13, head=False), vocabulary
    ).parameters
    expected = body + ((2 * cells or 20 + filters) + 1) * 3 + 15 + (62 + 18 + 3 if filters else 0)
    expected += 2 * 4 * cells * (20 + filters + cells + 2)
    anatomy = FAMILY.anatomy(config, vocabulary)
    assert anatomy.parameters == expected == FAMILY.build(config, vocabulary, seed=0).network.parameter_count
    assert not anatomy.generates
    assert FAMILY.sized(100_000).layers == ENCODERS.sized(100_000).layers
