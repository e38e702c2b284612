"""An encoder with rotary positions, opened by transformers as the RoFormer that it is, from the same random weights."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from tests.parity.test_bert import SMALL, TOLERANCE, VOCABULARY, open_by_transformers, opened, random_model, written
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.models.blocks.encoding import NeuralEncoder
from ziggurat.models.encoder import FAMILY
from ziggurat.models.layouts.layout import LAYOUTS, layout_for

FORMS: dict[str, dict[str, Any]] = {
    "roformer": {"positions": "rotary"},
    "three types, tanh": {"positions": "rotary", "token_types": 3, "activation": "gelu_tanh", "norm_epsilon": 1e-5},
    "no head": {"positions": "rotary", "head": False},
}


@pytest.fixture(params=FORMS)
def ours(request: pytest.FixtureRequest) -> NeuralEncoder:
    return random_model(**FORMS[request.param])


@pytest.fixture
def theirs(ours: NeuralEncoder, tmp_path: Path) -> Any:
    return open_by_transformers(
        written(ours, tmp_path / "ours"), "AutoModelForMaskedLM" if ours.network.config.head else "AutoModel"
    )


def random_ids(rows: int, length: int) -> np.ndarray:
    return np.random.default_rng(5).integers(8, VOCABULARY.size, size=(rows, length)).astype(np.int32)


def test_it_is_a_roformer(ours: NeuralEncoder, theirs: Any) -> None:
    assert type(theirs).__name__ in ("RoFormerForMaskedLM", "RoFormerModel")
    assert layout_for("encoder", ours.network.config) is LAYOUTS.get("roformer")


@pytest.mark.parametrize("length", [1, 2, 17, 31])
def test_vectors_and_logits_of_whole_rows(ours: NeuralEncoder, theirs: Any, length: int) -> None:
    ids = random_ids(3, length)
    with torch.no_grad():
        told = theirs(torch.from_numpy(ids).long(), output_hidden_states=True)
        mine = ours.network.hidden(torch.from_numpy(ids).long())
        assert (mine - told.hidden_states[-1]).abs().max() <= TOLERANCE
        if ours.network.config.head:
            assert (ours.network.logits(mine) - told.logits).abs().max() <= TOLERANCE


@pytest.mark.parametrize("side", ["right", "left"])
def test_real_positions_of_padded_rows(ours: NeuralEncoder, theirs: Any, side: str) -> None:
    # Only distances count for turned queries and keys, so that a row may stand anywhere among its padding.
    ids, lengths = random_ids(3, 13), np.array([13, 2, 7], dtype=np.int32)
    mine = ours.encode(ids, lengths)
    padded, keep = np.ones_like(ids), np.zeros(ids.shape, dtype=np.int64)
    for row, length in enumerate(lengths):
        place = slice(0, length) if side == "right" else slice(13 - length, 13)
        padded[row, place], keep[row, place] = ids[row, :length], 1
    with torch.no_grad():
        told = theirs(
            torch.from_numpy(padded).long(), attention_mask=torch.from_numpy(keep), output_hidden_states=True
        ).hidden_states[-1]
    for row, length in enumerate(lengths):
        there = told[row][torch.from_numpy(keep[row]).bool()].numpy()
        assert np.abs(mine[row, :length] - there).max() <= TOLERANCE


def test_more_than_the_context_is_refused(ours: NeuralEncoder) -> None:
    with pytest.raises(UsageError, match="32 ids are more"):
        ours.encode(random_ids(1, 32), np.array([32], dtype=np.int32))


def test_what_transformers_saves_can_be_opened(ours: NeuralEncoder, theirs: Any, tmp_path: Path) -> None:
    theirs.save_pretrained(tmp_path / "saved")
    again = opened(tmp_path / "saved")
    ids, lengths = random_ids(2, 11), np.array([11, 7], dtype=np.int32)
    np.testing.assert_array_equal(again.encode(ids, lengths), ours.encode(ids, lengths))


def test_neighbours_there_are_halves_here(tmp_path: Path) -> None:
    # K = 6: our coordinates (0, 3), (1, 4), (2, 5) turn together; theirs are (0, 1), (2, 3), (4, 5), so that theirs
    # are ours in the order 0 3 1 4 2 5.
    model = random_model(positions="rotary")
    weight = model.network.get_parameter("stack.layers.1.self_attn.q_proj.weight").detach().numpy()
    found = load_file(written(model, tmp_path / "it") / "model.safetensors")
    theirs = found["roformer.encoder.layer.1.attention.self.query.weight"]
    assert SMALL.resolved_head_width == 6
    np.testing.assert_array_equal(theirs[:6], weight[[0, 3, 1, 4, 2, 5]])
    np.testing.assert_array_equal(theirs[6:12], weight[[6, 9, 7, 10, 8, 11]])


def test_the_angles_stand_in_the_file(tmp_path: Path) -> None:
    found = load_file(written(random_model(positions="rotary"), tmp_path / "it") / "model.safetensors")
    table = found["roformer.encoder.embed_positions.weight"]
    # Position 3, K = 6: sines of 3, 3·10000^(−1/3) and 3·10000^(−2/3), then their cosines.
    angles = 3 * 10000.0 ** (-np.arange(3) / 3)
    np.testing.assert_allclose(table[3], [*np.sin(angles), *np.cos(angles)], atol=1e-6)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rotary_value": True}, "rotary_value is not supported"),
        ({"embedding_size": 12}, "embedding_size is not hidden_size"),
        ({"is_decoder": True}, "is_decoder True is not supported"),
    ],
)
def test_what_would_compute_something_else_is_refused(change: dict[str, Any], said: str) -> None:
    keys, tensors = FAMILY.state(random_model(positions="rotary"))
    with pytest.raises(ArtefactError, match=said):
        FAMILY.restore({**keys, **change}, tensors)


def test_other_wavelengths_have_no_layout() -> None:
    config = dataclasses.replace(SMALL, positions="rotary", rotary_base=500.0)
    assert layout_for("encoder", config) is None
