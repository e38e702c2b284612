"""Embeddings that are added to values, and blocks that begin by doing nothing, on small numbers."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from ziggurat.artefacts.bundle import Bundle
from ziggurat.artefacts.interchange.formats import refuse_own_parts
from ziggurat.core.config import from_mapping
from ziggurat.core.errors import UsageError
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.attention import MultiHeadAttention, Sight
from ziggurat.models.blocks.onnx_graph import answer, write_graph
from ziggurat.models.blocks.value_embeddings import ValueEmbeddings, embedding_of
from ziggurat.models.decoder import FAMILY as DECODER
from ziggurat.models.decoder import DecoderConfig
from ziggurat.models.layouts.layout import layout_for
from ziggurat.models.registry import FAMILIES

V = 11
VOCABULARY = Vocabulary(V, 0, 0)
SMALL = DecoderConfig(layers=5, width=12, heads=4, key_heads=2, head_width=6, feedforward=17, context=19)
IDS = np.array([[0, 3, 7, 5, 2], [0, 9, 9, 1, 4]], dtype=np.int32)
LENGTHS = np.array([5, 5], dtype=np.int32)


def built(config: DecoderConfig, seed: int = 3) -> Any:
    return DECODER.build(config, VOCABULARY, seed=seed)


@pytest.mark.parametrize(
    ("layers", "count", "expected"),
    [
        (7, 2, [0, 1, None, None, None, 0, 1]),
        (4, 2, [0, 1, 0, 1]),
        (3, 2, [0, 1, 1]),  # the second block is both the second and the last but one: the second
        (3, 3, [0, 1, 2]),
        (1, 1, [0]),
        (3, 0, [None, None, None]),
    ],
)
def test_first_and_last_blocks_share_embeddings(layers: int, count: int, expected: list[int | None]) -> None:
    assert [embedding_of(layer, layers=layers, count=count) for layer in range(layers)] == expected
    made = ValueEmbeddings(count, layers=layers, size=V, width=3)
    for weight in made.parameters():
        torch.nn.init.normal_(weight)
    found = made(torch.tensor([[3, 7]]))
    weights: list[Any] = list(made.parameters())
    for given, number in zip(found, expected, strict=True):
        if number is None:
            assert given is None
        else:
            assert torch.equal(given, weights[number][[3, 7]][None])


def test_what_is_added_to_values_is_what_a_position_hands_on() -> None:
    """One head, one id: attention hands on its own value, so the output moves by W^O times what was added."""
    block = MultiHeadAttention(5, heads=1, key_heads=1, head_width=3, epsilon=None)
    for weight in block.parameters():
        torch.nn.init.normal_(weight)
    x, added = torch.randn(1, 1, 5), torch.randn(1, 1, 3)
    plain = block(x, Sight(), layer=1)
    moved = block(x, Sight(values=(None, added)), layer=1)
    torch.testing.assert_close(moved - plain, (block.o_proj.weight @ added[0, 0])[None, None])
    assert torch.equal(block(x, Sight(values=(None, added)), layer=0), plain)


def test_each_key_head_gets_its_own_piece() -> None:
    """Four heads share two heads of values; what the first three numbers add comes out of the first two heads."""
    block = MultiHeadAttention(5, heads=4, key_heads=2, head_width=3, epsilon=None)
    torch.nn.init.normal_(block.o_proj.weight)
    for name in ("q_proj", "k_proj", "v_proj"):
        torch.nn.init.zeros_(block.get_parameter(f"{name}.weight"))
    added = torch.tensor([[[1.0, 2.0, 3.0, 0.0, 0.0, 0.0]]])
    found = block(torch.randn(1, 1, 5), Sight(values=(added,)))
    expected = block.o_proj.weight[:, :6] @ torch.tensor([1.0, 2.0, 3.0, 1.0, 2.0, 3.0])
    torch.testing.assert_close(found[0, 0], expected)


def test_a_decoder_begins_as_the_one_without() -> None:
    plain, more = built(SMALL), built(replace(SMALL, value_embeddings=2))
    assert more.network.parameter_count - plain.network.parameter_count == 2 * V * 2 * 6
    np.testing.assert_array_equal(more.token_logprobs(IDS, LENGTHS), plain.token_logprobs(IDS, LENGTHS))


def test_what_they_hold_is_learnt_and_matters_under_autocast_too() -> None:
    network = built(replace(SMALL, value_embeddings=1)).network.train()
    ids = torch.from_numpy(IDS.astype(np.int64))

    def loss() -> Tensor:
        found: Tensor = network(ids[:, :-1])[0].float().log_softmax(-1)
        return -found.gather(2, ids[:, 1:, None]).mean()

    for half in (False, True):
        network.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss().backward()
        gradient = network.embed_values.embeddings[0].weight.grad
        read = sorted(set(IDS[:, :-1].ravel().tolist()))
        assert gradient.any(dim=1).nonzero().flatten().tolist() == read


def test_more_of_them_than_blocks_are_refused() -> None:
    with pytest.raises(UsageError, match=r"recipe: value_embeddings \(3\) is more than layers \(2\)"):
        from_mapping(DecoderConfig, {"layers": 2, "value_embeddings": 3}, where="recipe")


def test_no_layout_of_other_programs_holds_them() -> None:
    assert layout_for("decoder", SMALL) is not None
    assert layout_for("decoder", replace(SMALL, value_embeddings=1)) is None
    described, arrays = DECODER.state(built(replace(SMALL, value_embeddings=2)))
    assert described["model_type"] == "ziggurat-decoder"
    assert {name for name in arrays if "values" in name} == {f"embed_values.embeddings.{n}.weight" for n in range(2)}


def test_an_export_names_every_key_that_has_no_place_there() -> None:
    model = built(replace(SMALL, value_embeddings=2, ngram_orders=(2,)))
    bundle = cast(Bundle, SimpleNamespace(model=model, path=Path("tower")))
    with pytest.raises(UsageError, match="tower: GGUF has no form for what ngram_orders and value_embeddings adds"):
        refuse_own_parts(bundle, "GGUF")
    with pytest.raises(UsageError, match="ONNX has no form for what ngram_orders adds"):
        refuse_own_parts(bundle, "ONNX", ["ngram_orders"])
    plain = cast(Bundle, SimpleNamespace(model=built(SMALL), path=Path("tower")))
    refuse_own_parts(plain, "GGUF")
    refuse_own_parts(cast(Bundle, SimpleNamespace(model=FAMILIES.get("ngram").tiny(seed=0), path=Path("n"))), "GGUF")


@pytest.mark.slow
def test_a_graph_of_onnx_has_them(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript", reason="the extra 'formats' is not installed")
    runtime = pytest.importorskip("onnxruntime")
    network = built(replace(SMALL, value_embeddings=2)).network
    for weight in network.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.4)
    write_graph(network, tmp_path / "model.onnx")
    session = runtime.InferenceSession(str(tmp_path / "model.onnx"))
    ids, mask = IDS.astype(np.int64), np.ones(IDS.shape, np.int64)
    (found,) = session.run(None, {"input_ids": ids, "attention_mask": mask})
    (expected,) = answer(network, IDS, mask)
    np.testing.assert_allclose(found, expected, atol=1e-4)


# -- blocks that begin by doing nothing --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["decoder", "encoder", "seq2seq"])
def test_with_zero_projections_only_what_ends_a_branch_begins_at_zero(name: str) -> None:
    family: Any = FAMILIES.get(name)
    keys: dict[str, Any] = {"layers": 2, "width": 12, "heads": 2, "context": 19}
    plain, silent = (
        dict(family.build(family.config(**keys, zero_projections=zero), Vocabulary(V, 0, 0, mask=10), seed=3)
             .network.named_parameters())
        for zero in (False, True)
    )  # fmt: skip
    ends = {name for name in plain if name.endswith(("o_proj.weight", "down_proj.weight")) and "layers" in name}
    assert len(ends) == {"decoder": 4, "encoder": 4, "seq2seq": 10}[name]
    for each, weight in silent.items():
        if each in ends:
            assert not weight.any()
            assert plain[each].any()
        else:
            assert torch.equal(weight, plain[each]), each


def test_a_silent_decoder_gives_each_id_its_own_embedding() -> None:
    """Every block adds 0, so the logits are those of the normalised embedding, whatever stood before."""
    network = built(replace(SMALL, zero_projections=True)).network
    with torch.no_grad():
        hidden, _ = network.hidden(torch.from_numpy(IDS.astype(np.int64)))
        expected = network.stack.norm(network.embed_tokens(torch.from_numpy(IDS.astype(np.int64))))
    torch.testing.assert_close(hidden, expected)


def test_how_a_decoder_begins_changes_nothing_of_its_form() -> None:
    described, _ = DECODER.state(built(replace(SMALL, zero_projections=True)))
    assert described["model_type"] == "qwen3"
