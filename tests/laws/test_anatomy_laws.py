"""What a family says of its models before there is one is what the model then is."""

from typing import Any

import pytest
import torch

from benchmarks.anatomy_measures import cache_bytes, counted_flops
from tests.fakes.families import family_named, with_variants
from ziggurat.core.anatomy import Load, Part
from ziggurat.core.protocols import Dissects
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.network import Neural, NeuralLanguageModel, reading
from ziggurat.models.registry import FAMILIES

FOUND = with_variants([name for name in FAMILIES.names() if isinstance(FAMILIES.get(name), Dissects)])
NEURAL = [name for name in FOUND if isinstance(family_named(name).tiny(seed=0), Neural)]
CAUSAL = [name for name in FOUND if isinstance(family_named(name).tiny(seed=0), NeuralLanguageModel)]


def dissected(name: str) -> tuple[Any, Any, Any]:
    """A tiny model, its configuration as its files tell it, and its anatomy."""
    family = family_named(name)
    model = family.tiny(seed=3)
    config, vocabulary = family.configured(*family.state(model))
    assert vocabulary == model.vocabulary
    return model, config, family.anatomy(config, vocabulary)


def test_every_neural_family_is_dissected() -> None:
    neural = [name for name in FAMILIES.names() if isinstance(FAMILIES.get(name).tiny(seed=0), Neural)]
    assert with_variants(neural) == NEURAL
    assert len(neural) >= 2


@pytest.mark.parametrize("name", NEURAL)
def test_parameters_are_those_of_the_network(name: str) -> None:
    model, _, anatomy = dissected(name)
    assert anatomy.parameters == model.network.parameter_count


@pytest.mark.parametrize("name", FOUND)
def test_a_configuration_alone_gives_the_same(name: str) -> None:
    _, config, anatomy = dissected(name)
    assert family_named(name).anatomy(config, Vocabulary(size=11, bos=0, eos=0)) == anatomy


@pytest.mark.parametrize("name", FOUND)
def test_formulas_give_the_numbers(name: str) -> None:
    """Each part's formula, with the values of its symbols put in, is its parameters."""
    _, _, anatomy = dissected(name)
    seen = 0
    for part, _ in anatomy.whole.walk():
        if part.formula and part.sizes:
            assert evaluated(part) == part.total // part.times, part.name
            seen += 1
    assert seen


def evaluated(part: Part) -> int:
    text = part.formula.replace("²", "**2").replace("·", "*")
    for symbol, value in sorted(part.sizes, key=lambda pair: -len(pair[0])):
        text = text.replace(symbol, str(value))
    return int(eval(text))  # noqa: S307 — a sum of products of numbers


@pytest.mark.parametrize("name", NEURAL)
def test_sums_over_the_parts_are_the_whole(name: str) -> None:
    _, _, anatomy = dissected(name)
    load = anatomy.drawn_for(13, rows=3, source=7 if anatomy.translates else None)
    towers = anatomy.towers
    assert sum(tower.total for tower in towers) == anatomy.parameters
    assert sum(tower.reading_flops(load) for tower in towers) == anatomy.reading_flops(load)
    # three rows, forward and twice backward; of what no gradient goes through, two operations of six a token
    forward = sum(times * part.forward_products * load.tokens(part.reads) for part, times in anatomy.whole.walk())
    assert anatomy.training_flops(load) == 9 * anatomy.reading_flops(load) - 3 * 4 * forward
    for precision in ("f32", "bf16"):
        three, one = (
            anatomy.whole.saved_bytes(Load(rows, load.text, load.source, load.picked), precision=precision)
            for rows in (3, 1)
        )
        shared = sum(times * getattr(part.saved, f"once_{precision}") for part, times in anatomy.whole.walk())
        assert three - shared == 3 * (one - shared)


@pytest.mark.parametrize("name", CAUSAL)
def test_reading_and_writing_cost_what_is_counted(name: str) -> None:
    model, _, anatomy = dissected(name)
    network = model.network
    ids = torch.zeros(3, 17, dtype=torch.long)
    with torch.no_grad():
        found = counted_flops(lambda: network(ids))
        _, state = network.hidden(ids, network.initial_state(3))
        step = counted_flops(lambda: network.logits(network.hidden(ids[:, :1], state)[0]))
    assert found == 3 * anatomy.reading_flops(Load(text=17))
    assert step == 3 * anatomy.step_flops(Load(text=18))


@pytest.mark.parametrize("name", CAUSAL)
def test_what_is_remembered_takes_the_bytes_that_are_said(name: str) -> None:
    """64 ids fill the places that a cache begins with, so nothing in it is spare."""
    model, _, anatomy = dissected(name)
    ids = torch.zeros(5, 64, dtype=torch.long)
    with reading(model.network):
        _, state = model.network.hidden(ids, model.network.initial_state(5))
    assert cache_bytes(state) == anatomy.whole.cache_bytes(Load(rows=5, text=64))


@pytest.mark.parametrize("name", FOUND)
def test_only_what_looks_at_others_keeps_something_for_pairs(name: str) -> None:
    _, _, anatomy = dissected(name)
    for part, _ in anatomy.whole.walk():
        if part.sees is None:
            assert (part.saved.short, part.saved.pair, part.saved.pairs_from_formula) == (0, 0, 0), part.name
