"""Where and how a network computes: the same numbers whatever is made again or compiled, and clear refusals."""

import dataclasses

import numpy as np
import pytest
import torch

from tests.fakes.jobs import fit, job, same_weights, weights
from ziggurat.core.errors import UsageError
from ziggurat.core.types import Vocabulary
from ziggurat.models.decoder import FAMILY, DecoderConfig
from ziggurat.training.loop import machinery
from ziggurat.training.loop.machinery import arrange, chosen_device, restore
from ziggurat.training.objectives.objective import sent


def network(**keys):
    config = DecoderConfig(layers=3, width=20, heads=5, context=23, **keys)
    return FAMILY.build(config, Vocabulary(size=13, bos=0, eos=0), seed=3).network.train()


def gradients(built):
    ids = torch.arange(22).reshape(2, 11) % 13
    torch.manual_seed(5)
    logits, _ = built(ids)
    logits.square().mean().backward()
    return {name: weight.grad for name, weight in built.named_parameters()}


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_what_is_made_again_has_the_same_gradient(dropout: float) -> None:
    kept, again = network(dropout=dropout), network(dropout=dropout)
    arrange(again, device="cpu", recompute=True, compiled=False)
    assert all(stack.recomputes for stack in again.modules() if hasattr(stack, "recomputes"))
    for (name, one), other in zip(gradients(kept).items(), gradients(again).values(), strict=True):
        torch.testing.assert_close(one, other, msg=name)


def test_what_is_made_again_is_not_kept() -> None:
    """Tensors that the forward pass leaves for the backward pass, in bytes."""

    def kept(recompute: bool) -> int:
        built = network()
        arrange(built, device="cpu", recompute=recompute, compiled=False)
        total = 0

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            nonlocal total
            total += tensor.nbytes
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            built(torch.zeros(3, 23, dtype=torch.int64))
        return total

    assert kept(True) < 0.5 * kept(False)


def test_a_run_that_makes_again_is_the_same_run() -> None:
    one, other = fit(job("decoder", steps=5)), fit(job("decoder", steps=5, recompute=True))
    assert all(np.allclose(weights(one)[name], weights(other)[name], atol=1e-6) for name in weights(one))
    stack = other.model.network.stack  # type: ignore[attr-defined]
    assert stack.recomputes is False  # a model that is used keeps nothing anyway


def test_a_named_device_is_the_same_run() -> None:
    assert same_weights(fit(job("decoder", steps=3)), fit(job("decoder", steps=3, device="cpu")))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch's own, while it compiles
def test_what_is_compiled_is_the_same_run() -> None:
    one, other = fit(job("decoder", steps=5)), fit(job("decoder", steps=5, compiled=True))
    assert all(np.allclose(weights(one)[name], weights(other)[name], atol=1e-4) for name in weights(one))
    assert other.model.token_logprobs(np.array([[0, 3, 5]]), np.array([3])).shape == (1, 2)  # type: ignore[attr-defined]


@pytest.mark.parametrize("key", ["recompute", "compiled"])
def test_it_is_for_transformers(key: str) -> None:
    asked = job("recurrent", steps=1)
    asked = dataclasses.replace(asked, config=dataclasses.replace(asked.config, **{key: True}))
    with pytest.raises(UsageError, match=f"training.{key}: it is for Transformer blocks"):
        fit(asked)


def test_compiling_needs_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(UsageError, match=r"torch\.compile needs a C\+\+ compiler"):
        arrange(network(), device="cpu", recompute=False, compiled=True)


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert chosen_device("auto") == chosen_device("cpu") == "cpu"
    with pytest.raises(UsageError, match="torch sees no GPU here"):
        chosen_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert [chosen_device(wanted) for wanted in ("auto", "cuda", "cpu")] == ["cuda", "cuda", "cpu"]
    assert chosen_device("auto", "cuda:3") == "cuda:3"


def test_it_is_put_back() -> None:
    built = network()
    arrange(built, device="cpu", recompute=True, compiled=False)
    for block in machinery._blocks(built):
        block._compiled_call_impl = lambda *rest: None
    restore(built)
    assert built(torch.zeros(1, 5, dtype=torch.int64))[0].shape == (1, 5, 13)


def test_ids_are_sent_as_they_are() -> None:
    ids = np.array([[3, 5], [7, 11]], np.int32)
    there = sent(ids, torch.device("cpu"))
    assert there.dtype == torch.int64
    assert there.tolist() == ids.tolist()
