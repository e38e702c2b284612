"""What is said of a model's operations and memory is within 5 % of what torch does."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.anatomy_measures import (
    cache_bytes,
    counted_flops,
    optimiser_bytes,
    piece_bytes,
    saved_bytes,
    weight_bytes,
)
from ziggurat.core.types import Vocabulary
from ziggurat.models.registry import FAMILIES
from ziggurat.training.footprint import training_flops, training_footprint
from ziggurat.training.objectives.next_token import next_token
from ziggurat.training.objectives.objective import cross_entropy
from ziggurat.training.precision import has_bfloat16

V, ROWS, WINDOW = 101, 3, 17
WITHIN = 0.05
SMALL = {"layers": 2, "width": 28, "heads": 4, "head_width": 14, "feedforward": 44, "context": 64}
GPT2 = {"norm": "layer", "positions": "learned", "activation": "gelu_tanh", "bias": "all", "query_norm": False}
ARTICLE = {
    "norm": "layer", "norm_place": "post", "positions": "sinusoidal", "activation": "relu", "bias": "all",
    "query_norm": False, "dropout": 0.1,
}  # fmt: skip
DECODERS: dict[str, dict[str, Any]] = {
    "qwen3": {"key_heads": 2},
    "llama": {"key_heads": 2, "query_norm": False},
    "gpt2": GPT2,
    "post-norm, dropout": ARTICLE,
    "squared ReLU, untied": {"activation": "relu2", "bias": "qkv", "tied": False, "positions": "learned"},
    "GELU, dropout": {"activation": "gelu", "dropout": 0.1},
    "value embeddings": {"value_embeddings": 2, "key_heads": 2},
    "n-gram tables": {"ngram_orders": (2, 3, 4, 5), "ngram_rows": 211},
    "narrow n-gram tables": {"ngram_orders": (2, 4), "ngram_rows": 211, "ngram_width": 13},
}
LSTMS: dict[str, dict[str, Any]] = {
    "tied": {},
    "free": {"tied": False, "layers": 4},
    "dropout": dict.fromkeys(("dropout_words", "dropout_input", "dropout_hidden", "dropout_output"), 0.1),
    "dropped weights": {"dropout_weights": 0.1, "layers": 3},
    "n-gram tables": {"ngram_orders": (2, 3, 4, 5), "ngram_rows": 211},
    "narrow n-gram tables": {"ngram_orders": (2, 4), "ngram_rows": 211, "ngram_width": 13},
}
ENCODERS: dict[str, dict[str, Any]] = {
    "bert": {"dropout": 0.1},
    "modern": {
        "norm": "rms", "norm_place": "pre", "positions": "rotary", "activation": "swiglu", "bias": "none",
        "query_norm": True, "key_heads": 2,
    },
    "untied, no segments": {"tied": False, "token_types": 0, "positions": "sinusoidal"},
}  # fmt: skip


def built(family: str, keys: dict[str, Any]) -> tuple[Any, Any]:
    """A network that is trained, and the anatomy of its configuration."""
    found: Any = FAMILIES.get(family)
    config, vocabulary = found.config(**keys), Vocabulary(size=V, bos=0, eos=0, mask=V - 1)
    return found.build(config, vocabulary, seed=7).network.train(), found.anatomy(config, vocabulary)


def ids(time: int) -> Tensor:
    return torch.randint(0, V, (ROWS, time), generator=torch.Generator().manual_seed(11))


def judge(network: Any, anatomy: Any, step: Any, load: Any, *, halves: tuple[bool, ...] = (False, True)) -> None:
    """Compare everything that is said of a training step with what it does."""
    assert anatomy.parameters == network.parameter_count
    assert counted_flops(step) == pytest.approx(load.rows * anatomy.reading_flops(load), rel=WITHIN)
    assert counted_flops(step, backward=True) == pytest.approx(anatomy.training_flops(load), rel=WITHIN)
    gradients, moments = optimiser_bytes(network, step)
    for half in halves:
        said = training_footprint(anatomy, V, load, half=half)
        kept = saved_bytes(network, step, half=half)
        assert said.copies + said.activations + said.logits == pytest.approx(kept, rel=WITHIN), f"half={half}"
        assert (said.gradients, said.moments) == (gradients, moments)
        measured = 4 * network.parameter_count + gradients + moments + kept
        assert said.total == pytest.approx(measured, rel=WITHIN)


@pytest.mark.parametrize("name", DECODERS)
def test_decoders(name: str) -> None:
    network, anatomy = built("decoder", SMALL | DECODERS[name])
    read = ids(WINDOW + 1)
    judge(network, anatomy, lambda: next_token(network, read, None)[0], anatomy.drawn_for(WINDOW, rows=ROWS))


@pytest.mark.parametrize("name", LSTMS)
def test_lstms(name: str) -> None:
    network, anatomy = built("recurrent", {"embedding": 97, "hidden": 151} | LSTMS[name])
    read = ids(31 + 1)
    judge(
        network,
        anatomy,
        lambda: next_token(network, read, network.initial_state(ROWS))[0],
        anatomy.drawn_for(31, rows=ROWS),
        halves=(False, True) if has_bfloat16() else (False,),  # else its cells stay in 32-bit
    )


@pytest.mark.parametrize("name", ENCODERS)
def test_encoders(name: str) -> None:
    """Three of twenty tokens are guessed, which are 15 in a hundred."""
    network, anatomy = built("encoder", SMALL | ENCODERS[name])
    read, asked = ids(20), torch.zeros(ROWS, 20, dtype=torch.bool)
    asked[:, :3] = True
    load = anatomy.drawn_for(20, rows=ROWS)
    assert load.picked == 3
    judge(network, anatomy, lambda: cross_entropy(network, network.hidden(read)[asked], read[asked]), load)


def test_attention_over_long_windows_in_16_bit_keeps_no_weights_of_pairs() -> None:
    """Beyond 512 × 512 pairs attention is fused in 16-bit too."""
    network, anatomy = built("decoder", SMALL | {"context": 600, "layers": 1})
    read = torch.randint(0, V, (1, 531), generator=torch.Generator().manual_seed(11))
    said = training_footprint(anatomy, V, anatomy.drawn_for(530), half=True)
    kept = saved_bytes(network, lambda: next_token(network, read, None)[0], half=True)
    assert said.copies + said.activations + said.logits == pytest.approx(kept, rel=WITHIN)


TRANSLATORS: dict[str, dict[str, Any]] = {
    "article": {},
    "modern": {
        "norm": "rms", "norm_place": "pre", "positions": "rotary", "activation": "swiglu", "bias": "none",
        "query_norm": True, "key_heads": 2,
    },
    "untied, learned": {"tied": False, "activation": "silu", "positions": "learned", "dropout": 0.0},
}  # fmt: skip


@pytest.mark.skipif("seq2seq" not in FAMILIES.names(), reason="no family translates")
@pytest.mark.parametrize("name", TRANSLATORS)
def test_encoder_decoders(name: str) -> None:
    network, anatomy = built("seq2seq", SMALL | {"decoder_layers": 3} | TRANSLATORS[name])
    read, source, lengths = ids(WINDOW + 1), ids(23), torch.full((ROWS,), 23)
    inside = torch.ones(ROWS, WINDOW, dtype=torch.bool)

    def step() -> Tensor:
        hidden = network.hidden(read[:, :-1], network.source(source, lengths))
        return cross_entropy(network, hidden[inside], read[:, 1:][inside], smoothing=0.1)

    judge(network, anatomy, step, anatomy.drawn_for(WINDOW, rows=ROWS, source=23))


@pytest.mark.skipif("seq2seq" not in FAMILIES.names(), reason="no family translates")
def test_a_translator_writes_at_the_cost_that_is_said() -> None:
    """64 ids fill the places that a cache begins with; the source's keys and values are remembered beside them."""
    family: Any = FAMILIES.get("seq2seq")
    config, vocabulary = family.config(**SMALL | {"decoder_layers": 3, "context": 80}), Vocabulary(V, bos=0, eos=0)
    anatomy = family.anatomy(config, vocabulary)
    model = family.build(config, vocabulary, seed=7)
    model.network.requires_grad_(False)
    source = ids(23).numpy().astype(np.int32)
    network: Any = model.condition(source, np.full(ROWS, 23, np.int32)).network
    with torch.no_grad():
        _, state = network.hidden(ids(64), network.initial_state(ROWS))
        assert cache_bytes(state) == anatomy.whole.cache_bytes(anatomy.drawn_for(64, rows=ROWS, source=23))
        found = counted_flops(lambda: network.logits(network.hidden(ids(1), state)[0]))
    assert found == ROWS * anatomy.step_flops(anatomy.drawn_for(65, rows=ROWS, source=23))


def test_logits_in_pieces_cost_what_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty logits' rows at once, of fifty-one."""
    for module in ("ziggurat.training.objectives.objective", "ziggurat.training.footprint"):
        monkeypatch.setattr(f"{module}.LOGIT_COUNT", 20 * V)
    network, anatomy = built("decoder", SMALL)
    read, load = ids(WINDOW + 1), anatomy.drawn_for(WINDOW, rows=ROWS)
    counted = counted_flops(lambda: next_token(network, read, None)[0], backward=True)
    assert counted == pytest.approx(training_flops(anatomy, V, load), rel=0.001)


@pytest.mark.parametrize("half", [False, True])
def test_the_piece_of_logits_that_the_backward_pass_makes_again_is_measured(
    half: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """51 predicted tokens in pieces of 20, 20 and 11: the largest has 20·101 numbers of 4 bytes."""
    network, _ = built("decoder", SMALL)
    read = ids(WINDOW + 1)

    def step() -> Tensor:
        return next_token(network, read, None)[0]

    assert piece_bytes(step, half=half) == 0  # one piece is made once, and autograd holds it
    monkeypatch.setattr("ziggurat.training.objectives.objective.LOGIT_COUNT", 20 * V + 7)
    assert piece_bytes(step, half=half) == 4 * 20 * V


def test_weights_that_stand_in_two_places_are_measured_once() -> None:
    """A tied decoder holds its embedding once; untied it holds V·28 numbers more."""
    tied, _ = built("decoder", SMALL)
    free, _ = built("decoder", SMALL | {"tied": False})
    assert weight_bytes(tied) == 4 * tied.parameter_count
    assert weight_bytes(free) - weight_bytes(tied) == 4 * V * 28
