"""Parameters, operations and memory of toy models, counted by hand."""

from typing import Any

import pytest

from ziggurat.core.anatomy import USUAL_WINDOW, Anatomy, Load, Part, Saved, Sizes
from ziggurat.core.config import from_mapping
from ziggurat.core.errors import UnknownNameError
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.lora import LowRankOptions
from ziggurat.models.blocks.lstm_parts import lstm_parts
from ziggurat.models.blocks.transformer import TransformerConfig
from ziggurat.models.blocks.transformer_parts import norm_part
from ziggurat.models.blocks.transformer_towers import decoder_anatomy, encoder_anatomy, translating_anatomy
from ziggurat.models.registry import FAMILIES
from ziggurat.training.footprint import (
    Trained,
    trained_of,
    training_flops,
    training_flops_per_token,
    training_footprint,
)
from ziggurat.training.frozen import choose_trained
from ziggurat.training.memory import holdings
from ziggurat.training.precision import trains_in_bfloat16

OLD = TransformerConfig(
    layers=3, width=10, heads=2, feedforward=7, context=13, positions="learned", norm="layer", activation="relu",
    bias="all", query_norm=False, norm_place="post",
)  # fmt: skip
"""Three blocks of width 10 with two heads of 5, in the form of the article."""
V = 17


def named(anatomy: Anatomy, name: str) -> Part:
    return next(part for part, _ in anatomy.whole.walk() if part.name == name)


def test_the_parameters_of_a_decoder_by_hand() -> None:
    anatomy = decoder_anatomy(OLD, V)
    # attention: four 10 × 10 matrices and four biases of 10
    assert named(anatomy, "attention").total == 4 * 100 + 4 * 10 == 440
    # feed-forward: 10 × 7 and 7 × 10, with biases of 7 and 10
    assert named(anatomy, "feed-forward, ReLU").total == 140 + 17 == 157
    # a LayerNorm has a gain and a shift: 20; a block has two
    block = named(anatomy, "Transformer block")
    assert block.total == 3 * (440 + 157 + 2 * 20) == 1911
    # embeddings 17 · 10, positions 13 · 10; the output is tied, and post-norm has no norm behind the last block
    assert anatomy.parameters == 170 + 130 + 1911 == 2211


def test_grouped_queries_and_gates_by_hand() -> None:
    config = TransformerConfig(layers=2, width=12, heads=6, key_heads=3, head_width=4, feedforward=5, tied=False)
    anatomy = decoder_anatomy(config, V)
    # q and o: 12 × 24 each; k and v: 12 × 12 each; the norms of q and k have 4 gains each
    assert named(anatomy, "attention").total == 2 * 288 + 2 * 144 + 8 == 872
    # gate, up and down: 12 × 5 each
    assert named(anatomy, "feed-forward, SwiGLU").total == 180
    # two blocks with two RMSNorms of 12, one more behind them, and two matrices of 17 · 12
    assert anatomy.parameters == 2 * (872 + 180 + 24) + 12 + 2 * 204 == 2572
    # keys and values: 2 · 3 · 4 numbers a token and block, 4 bytes each
    assert anatomy.whole.cache_bytes(Load(rows=5, text=7)) == 2 * 24 * 7 * 5 * 4


def test_the_operations_of_a_decoder_by_hand() -> None:
    anatomy = decoder_anatomy(OLD, V)
    # multiply–adds a token: three blocks of 400 + 140, and 170 for the logits; biases add nothing
    token = 3 * 540 + 170
    # a pair of tokens: 10 for q·k and 10 for the weighted sum, in each block
    pair = 3 * 20
    assert anatomy.reading_flops(Load(text=11)) == 2 * (11 * token + 11 * 11 * pair)
    assert anatomy.step_flops(Load(text=11)) == 2 * (token + 11 * pair)
    assert anatomy.training_flops(Load(rows=2, text=11)) == 3 * 2 * 2 * (11 * token + 121 * pair)


def test_reading_costs_about_two_operations_a_parameter_and_token() -> None:
    """Kaplan et al. 2020, section 2.1: C ≈ 2·N where the text is short beside the width, N without embeddings."""
    config = TransformerConfig(layers=12, width=768, heads=12, norm="layer", positions="learned", activation="gelu",
                               bias="all", query_norm=False, context=1024)  # fmt: skip
    anatomy = decoder_anatomy(config, 50257)
    assert anatomy.parameters == 124_439_808  # GPT-2 small (Radford et al. 2019), as published
    held = anatomy.parameters - 50257 * 768 - 1024 * 768
    without_logits = anatomy.reading_flops(Load(text=1)) - 2 * 50257 * 768
    assert without_logits == pytest.approx(2 * held, rel=0.003)


def test_the_parameters_of_an_encoder_by_hand() -> None:
    anatomy = encoder_anatomy(OLD, V, token_types=2, pooler=True)
    # to the decoder's 2211: two segments of 10, a norm of 20 at the bottom, a pooler of 110;
    # the head is 110, a norm of 20, and 17 biases
    assert anatomy.parameters == 2211 + 20 + 20 + 110 + 110 + 20 + 17
    load = anatomy.drawn_for(20, rows=3)
    assert load == Load(rows=3, text=20, source=0, picked=3)  # 15 in a hundred of 20
    blocks = 20 * 3 * 540 + 400 * 60
    assert anatomy.reading_flops(load) == 2 * (blocks + 100 + 3 * (100 + 170))  # the pooler once, the head thrice
    assert anatomy.whole.cache_bytes(load) == 0
    assert not anatomy.generates


def test_bert_base_has_the_parameters_that_are_published() -> None:
    """Devlin et al. 2019, section 3: BERT base, 110 M; bert-base-uncased has 109,482,240 with its pooler."""
    config = TransformerConfig(layers=12, width=768, heads=12, context=512, positions="learned", norm="layer",
                               norm_place="post", activation="gelu", bias="all", query_norm=False)  # fmt: skip
    anatomy = encoder_anatomy(config, 30522, token_types=2, head=False, pooler=True)
    assert anatomy.parameters == 109_482_240


def test_an_encoder_and_a_decoder_by_hand() -> None:
    anatomy = translating_anatomy(OLD, V, decoder_layers=2)
    # the embeddings are there once, positions twice; a block of the decoder has one attention and one norm more
    assert anatomy.parameters == 170 + 2 * 130 + 3 * 637 + 2 * (637 + 440 + 20)
    load = anatomy.drawn_for(11, rows=2, source=19)
    encoder = 19 * 3 * 540 + 19 * 19 * 60
    own = 11 * 2 * 540 + 121 * 40
    # across: queries and output 200 a target, keys and values 200 a source token, 20 a pair; in two blocks
    across = 2 * (11 * 200 + 19 * 200 + 11 * 19 * 20)
    assert anatomy.reading_flops(load) == 2 * (encoder + own + across + 11 * 170)
    # one token more: nothing of the source is made again
    assert anatomy.step_flops(load) == 2 * (2 * 540 + 11 * 40 + 2 * (200 + 19 * 20) + 170)
    # two blocks remember 20 numbers of each token, and 20 of each token of the source
    assert anatomy.whole.cache_bytes(load) == 4 * 2 * 2 * 20 * (11 + 19)
    assert anatomy.translates


def test_the_article_s_base_model_has_65_million() -> None:
    """Vaswani et al. 2017, table 3: base, 65·10⁶ parameters, with about 37,000 shared ids (section 5.1)."""
    config = TransformerConfig(layers=6, width=512, heads=8, feedforward=2048, positions="sinusoidal", norm="layer",
                               norm_place="post", activation="relu", bias="all", query_norm=False)  # fmt: skip
    assert translating_anatomy(config, 37000, decoder_layers=6).parameters == pytest.approx(65e6, rel=0.05)


def test_the_parameters_of_lstm_layers_by_hand() -> None:
    first, second, third = lstm_parts((5, 13, 13, 13, 7))
    assert (first.times, second.times, third.times) == (1, 2, 1)
    assert first.total == 4 * 13 * (5 + 13 + 2) == 1040
    assert second.total == 2 * 4 * 13 * 28 == 2912
    assert third.total == 4 * 7 * (13 + 7 + 2) == 616
    # h and c of 13, 13, 13 and 7 cells, 4 bytes each, however long the text
    held = sum(part.cache_bytes(Load(rows=3, text=length)) for part in (first, second, third) for length in (1, 99))
    assert held == 2 * 3 * 4 * 2 * (13 + 2 * 13 + 7)


def test_layers_alike_from_the_first_on_are_told_apart_only_by_what_they_keep() -> None:
    first, others = lstm_parts((11, 11, 11, 11))
    assert (first.times, others.times) == (1, 2)
    # the first copies its input of 11 numbers, which later layers share with those below
    assert first.saved.f32 - others.saved.f32 == 44


def test_pre_norm_has_its_norm_inside_the_path_and_post_norm_behind_the_sum() -> None:
    for place, first in (("pre", "norm"), ("post", "attention")):
        config = from_mapping(
            TransformerConfig, {"width": 12, "heads": 2, "norm_place": place, "positions": "learned"}, where="test"
        )
        block = named(decoder_anatomy(config, V), "Transformer block")
        assert block.parts[0].parts[0].kind == first
    tower = decoder_anatomy(TransformerConfig(width=12, heads=2), V).towers[0]
    assert [part.kind for part in tower.parts] == ["embedding", "block", "norm", "output"]


def test_a_norm_keeps_what_its_gradient_is_made_of() -> None:
    # RMSNorm: what came in, the normalised vector, 1/RMS; LayerNorm: what came in, mean, 1/σ
    rms = norm_part(TransformerConfig(width=12, heads=2)).saved
    layer = norm_part(TransformerConfig(width=12, heads=2, norm="layer")).saved
    assert (rms.f32, layer.f32) == (4 * 25, 4 * 14)


def test_what_is_kept_for_pairs_counts_only_while_they_are_few() -> None:
    saved = Saved(f32=100, bf16=60, pair=2, short=40, pairs_from_formula=50, row_f32=7, once_f32=1000)
    assert saved.bytes_of(3, 5, 25, precision="f32") == 3 * (500 + 7) + 1000
    assert saved.bytes_of(3, 5, 25, precision="bf16") == 3 * (5 * 40 + 25 * 2)
    assert saved.bytes_of(3, 8, 64, precision="bf16") == 3 * 8 * 60
    assert saved.bytes_of(3, 8, 0, precision="bf16") == 3 * 8 * 60


def test_the_memory_of_training_by_hand() -> None:
    anatomy = decoder_anatomy(OLD, V)
    found = training_footprint(anatomy, V, Load(rows=2, text=11), half=False)
    assert (found.weights, found.gradients, found.moments) == (4 * 2211, 4 * 2211, 8 * 2211)
    assert found.copies == 0
    assert found.logits == 4 * 2 * 11 * V
    # 32-bit numbers a token: attention keeps its input, q, k, v, what was gathered and a sum a head: 10 · 5 + 2;
    # feed-forward its input and what comes out of ReLU: 10 + 7; two norms 12 each; logits their input: 10;
    # and an id and a target of 8 bytes
    token = 4 * (3 * (52 + 17 + 24) + 10) + 16
    assert found.activations == 2 * 11 * token
    assert found.total == 16 * 2211 + found.logits + found.activations
    assert found.peak == 12 * 2211 + max(found.activations + 3 * found.logits, 4 * 2211)
    half = training_footprint(anatomy, V, Load(rows=2, text=11), half=True)
    assert half.copies == 2 * (3 * 540 + 170)


def test_frozen_numbers_have_no_gradient_and_no_moments() -> None:
    anatomy = decoder_anatomy(OLD, V)
    found = training_footprint(anatomy, V, Load(rows=2, text=11), half=False, trained=Trained(211, added=13))
    assert (found.weights, found.gradients, found.moments) == (4 * 2224, 4 * 211, 8 * 211)


ENCODER = {"layers": 2, "width": 10, "heads": 2, "feedforward": 7, "context": 19}


@pytest.mark.parametrize(
    "keys",
    [
        {"frozen": ("embed_tokens", "stack.layers.0")},
        {"lora_rank": 3, "lora_on": ("q_proj", "down_proj")},
        {"lora_rank": 2, "lora_on": ("all",)},
    ],
    ids=str,
)
def test_what_a_recipe_trains_is_counted_without_making_the_model(keys: dict[str, Any]) -> None:
    family: Any = FAMILIES.get("encoder")
    vocabulary = Vocabulary(size=V, bos=0, eos=1, mask=2)
    config = from_mapping(family.config, ENCODER, where="test")
    found = trained_of(family, config, vocabulary, keys)
    network = family.build(config, vocabulary, seed=3).network
    before = sum(weight.numel() for weight in network.parameters())
    options = LowRankOptions(keys.get("lora_rank", 0), alpha=7.0)
    choose_trained(network, frozen=keys.get("frozen", ()), options=options, on=keys.get("lora_on", ()), seed=3)
    held = holdings(network)
    assert found is not None
    assert found == Trained(held.trainable, held.parameters - before, still=found.still)
    assert 0 < found.still < 1
    anatomy = family.anatomy(config, vocabulary)
    told = training_footprint(anatomy, V, Load(rows=2, text=11), half=False, trained=found)
    assert (told.weights, told.gradients) == (held.weights_bytes, held.gradients_bytes)
    assert told.moments == held.optimiser_bytes
    assert trained_of(family, config, vocabulary, {"frozen": (), "lora_rank": 0}) is None


def test_a_name_that_fits_nothing_is_told_before_there_is_a_network() -> None:
    family = FAMILIES.get("encoder")
    with pytest.raises(UnknownNameError, match="frozen: unknown part of the model 'embed_tokns'"):
        trained_of(family, family.config(), Vocabulary(V, bos=0, eos=0), {"frozen": ["embed_tokns"]})


def test_logits_stand_in_memory_in_pieces() -> None:
    anatomy = decoder_anatomy(OLD, 1 << 20)
    found = training_footprint(anatomy, 1 << 20, Load(rows=4, text=11), half=False)
    assert found.logits == 4 * 8 * (1 << 20)  # eight rows of a million are eight million, 32 MB


def test_precision_is_known_before_there_is_a_network() -> None:
    assert trains_in_bfloat16("bf16", 1)
    assert not trains_in_bfloat16("f32", 1 << 40)
    assert not trains_in_bfloat16("auto", 1000)


def test_word_vectors_are_one_matrix() -> None:
    family = FAMILIES.get("word_vectors")
    anatomy = family.anatomy(family.config(width=13), Vocabulary(size=V, bos=0, eos=0))  # type: ignore[attr-defined]
    assert anatomy.parameters == 17 * 13
    assert anatomy.reading_flops(Load(text=5)) == 0


def test_logits_in_pieces_are_made_twice() -> None:
    anatomy = decoder_anatomy(OLD, 1 << 20)
    few, many = Load(rows=2, text=4), Load(rows=4, text=11)
    assert training_flops(anatomy, 1 << 20, few) == anatomy.training_flops(few)  # eight at once
    once_more = 2 * 44 * 10 * (1 << 20)
    assert training_flops(anatomy, 1 << 20, many) == anatomy.training_flops(many) + once_more


def test_parts_are_opened_from_the_top_down_each_with_its_number() -> None:
    """Three blocks of two halves: 3 · 157 in the upper, 3 · 440 in the lower; what holds nothing is left out."""
    anatomy = decoder_anatomy(OLD, V)
    (tower,) = anatomy.towers
    rows = [(part.name, times, part.each) for part, times in tower.opened()]
    assert ("feed-forward, ReLU", 3, 157) in rows
    assert ("attention", 3, 440) in rows
    names = [name for name, _, _ in rows]
    assert names.index("feed-forward, ReLU") < names.index("attention")
    assert sum(times * each for _, times, each in rows) == anatomy.parameters == 2211


def test_several_alike_are_told_one_by_one() -> None:
    cell = Part("cell", "cells", parameters=7, times=5)
    assert (cell.total, cell.each) == (35, 7)
    assert Part("block", "block", times=3, parts=(cell,)).each == 35
    assert list(Part("block", "block", times=3, parts=(cell, Part("sum", "sum"))).opened()) == [(cell, 15)]


def test_operations_of_a_token_are_those_of_a_row_divided() -> None:
    part = Part("matrix", "output", products=11, pair_products=3, sees="text")
    anatomy = Anatomy((part,), symbols=())
    # 7 tokens: 2 · (11 · 7 + 3 · 49) = 448, a token 64; training three times that
    assert anatomy.reading_flops(Load(rows=5, text=7)) == 448
    assert anatomy.reading_flops_per_token(Load(rows=5, text=7)) == 64
    assert training_flops_per_token(anatomy, 13, Load(rows=5, text=7)) == 3 * 64


def test_generation_takes_weights_and_what_is_remembered() -> None:
    part = Part("attention", "attention", parameters=13, cached=3, held=2)
    anatomy = Anatomy((part,), symbols=())
    load = Load(rows=5, text=7)
    # weights 4 · 13; for each of 5 rows 7 · 3 + 2 numbers of 4 bytes
    assert (anatomy.weight_bytes, anatomy.cache_bytes(load)) == (52, 4 * 5 * 23)
    assert anatomy.generation_bytes(load) == 52 + 460
    assert Anatomy((part,), symbols=(), generates=False).generation_bytes(load) == 52
    assert not anatomy.multiplies
    assert Anatomy((Part("matrix", "output", products=1),), symbols=()).multiplies


def test_loads_are_those_asked_for_then_the_recipes_within_the_context() -> None:
    part = Part("attention", "attention", products=1)
    short, endless = Anatomy((part,), symbols=(), context=61), Anatomy((part,), symbols=())
    assert short.loads(Sizes(), window=23, rows=3) == (Load(3, 23), Load(1, 61))
    assert short.loads(Sizes(), window=97, rows=None) == (Load(1, 61), Load(1, 61))
    assert short.loads(Sizes(window=29, rows=5), window=23, rows=3) == (Load(5, 29), Load(1, 29))
    assert short.loads(Sizes(window=29, length=31, batch=7), window=None, rows=None) == (Load(1, 29), Load(7, 31))
    assert endless.loads(Sizes(), window=None, rows=None) == (Load(1, USUAL_WINDOW), Load(1, USUAL_WINDOW))
    assert endless.loads(Sizes(), window=997, rows=2) == (Load(2, 997), Load(1, 997))
