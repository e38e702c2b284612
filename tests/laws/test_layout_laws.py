"""Laws of every layout: what it writes it reads, and nothing of a model is lost on the way.

Layouts are found, and so are the configurations that they hold: all combinations of a Transformer's keys are offered.
"""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ziggurat.core.config import from_mapping
from ziggurat.core.errors import ArtefactError, UsageError, ZigguratError
from ziggurat.core.types import Vocabulary
from ziggurat.models.layouts.at_rest import with_vocabulary
from ziggurat.models.layouts.layout import LAYOUTS, Layout, layout_for, layout_of
from ziggurat.models.registry import FAMILIES

SIZES = {"width": 12, "heads": 2, "context": 13}
VOCABULARY = Vocabulary(size=17, bos=2, eos=3, unk=5, mask=None, pad=7)
CHOICES: dict[str, tuple[Any, ...]] = {
    "positions": ("rotary", "learned", "sinusoidal"),
    "norm": ("rms", "layer"),
    "norm_place": ("pre", "post"),
    "query_norm": (True, False),
    "activation": ("swiglu", "gelu", "gelu_tanh", "relu"),
    "bias": ("none", "qkv", "all"),
    "tied": (True, False),
}
MORE: tuple[dict[str, Any], ...] = (
    {},
    {"key_heads": 1, "head_width": 10},
    {"feedforward": 29, "layers": 3, "dropout": 0.25, "norm_epsilon": 1e-3},
    {"first_position": 2, "token_types": 1, "pooler": True},
    {"first_position": 5, "head": False},
    {"rotary_base": 500.0, "rotary_stretch": "linear", "rotary_numbers": (2.5,)},
    {"rotary_base": 500.0, "rotary_stretch": "llama3", "rotary_numbers": (8.0, 1.0, 4.0, 11.0)},
    {"rotary_base": 500.0, "rotary_stretch": "yarn", "rotary_numbers": (4.0, 11.0, 32.0, 1.0, 1.5)},
)


def held(layout: Layout) -> Iterator[Any]:
    """Yield configurations that a layout holds, those that differ in a Transformer's keys only."""
    kind = FAMILIES.get(layout.family).config
    for values in itertools.product(*CHOICES.values()):
        for more in MORE:
            try:
                config = kind(**SIZES, **dict(zip(CHOICES, values, strict=True)), **more)
            except (UsageError, TypeError):
                continue
            if layout.holds(config):
                yield config


@pytest.fixture(params=LAYOUTS.names(), scope="module")
def layout(request: pytest.FixtureRequest) -> Layout:
    return LAYOUTS.get(request.param)


def test_some_configuration_is_held(layout: Layout) -> None:
    assert next(held(layout), None) is not None


def test_reading_undoes_describing(layout: Layout) -> None:
    kind = FAMILIES.get(layout.family).config
    for config in held(layout):
        described = layout.describe(config, VOCABULARY)
        keys, vocabulary = layout.read(described)
        found = from_mapping(kind, keys, where="config.json")
        assert layout.describe(found, VOCABULARY) == described
        assert layout.holds(found)
        assert (vocabulary.size, vocabulary.bos, vocabulary.eos) == (17, 2, 3)
        assert (vocabulary.unk, vocabulary.pad) == (5, 7)
        assert list(layout.renamings(found)) == list(layout.renamings(config))
        for key in (*CHOICES, "context", "norm_epsilon", "dropout", "layers", "width", "heads"):
            assert getattr(found, key) == getattr(config, key), key
        for key in ("resolved_key_heads", "resolved_head_width", "resolved_feedforward"):
            assert getattr(found, key) == getattr(config, key), key
        if config.positions == "rotary":
            names = ("rotary_base", "rotary_stretch", "rotary_numbers")
            assert [getattr(found, name) for name in names] == [getattr(config, name) for name in names]


def test_a_layout_is_found_by_what_it_writes(layout: Layout) -> None:
    for config in itertools.islice(held(layout), 30):
        described = layout.describe(config, VOCABULARY)
        assert layout_of(described["model_type"]) is layout
        found = layout_for(layout.family, config)
        assert found is not None
        assert found.describe(config, VOCABULARY) == described


def test_no_two_layouts_claim_one_model_type() -> None:
    claimed = [kind for name in LAYOUTS.names() for kind in LAYOUTS.get(name).model_types]
    assert len(set(claimed)) == len(claimed)


def test_every_array_comes_back_bit_for_bit(layout: Layout) -> None:
    family = FAMILIES.get(layout.family)
    for number, config in enumerate(itertools.islice(held(layout), 0, None, 7)):
        model = family.build(config, VOCABULARY, seed=number)
        described, tensors = family.state(model)
        opened = family.restore(described, tensors)
        described_again, again = family.state(opened)
        assert described_again == described
        assert again.keys() == tensors.keys()
        for name, array in tensors.items():
            np.testing.assert_array_equal(again[name], array)
        assert opened.vocabulary == replace(VOCABULARY, mask=opened.vocabulary.mask)


def test_a_tokenizers_special_ids_are_stronger(layout: Layout) -> None:
    other = Vocabulary(size=11, bos=1, eos=4, unk=0, mask=6, pad=None)
    described = layout.describe(next(held(layout)), VOCABULARY)
    _, found = layout.read(with_vocabulary(described, other))
    assert (found.size, found.bos, found.eos, found.unk, found.mask, found.pad) == (17, 1, 4, 0, 6, None)


def test_faults_of_arrays_are_named_together(layout: Layout) -> None:
    family = FAMILIES.get(layout.family)
    model = family.build(next(held(layout)), VOCABULARY, seed=3)
    described, tensors = family.state(model)
    names = sorted(name for name in tensors if not any(part.isdigit() for part in name.split(".")))
    damaged = dict(tensors) | {"surplus": np.zeros(7, np.float32), names[0]: np.zeros((2, 3), np.float32)}
    del damaged[names[1]]
    with pytest.raises(ArtefactError) as caught:
        family.restore(described, damaged)
    said = str(caught.value)
    assert f"'{names[0]}' has shape [2, 3] where " in said
    assert f"'{names[1]}' is missing" in said
    assert "surplus' is not known" in said


def test_arrays_of_many_blocks_are_named_once(layout: Layout) -> None:
    family = FAMILIES.get(layout.family)
    described, _ = family.state(family.build(next(held(layout)), VOCABULARY, seed=3))
    empty = {f"surplus.{number}.weight": np.zeros(3, np.float32) for number in range(101)}
    with pytest.raises(ArtefactError) as caught:
        family.restore(described, empty)
    assert "surplus.*.weight' is not known (101 times)" in str(caught.value)
    assert len(str(caught.value)) < 3000


def test_a_key_that_is_missing_or_absurd_is_refused_before_anything_is_allocated(layout: Layout) -> None:
    family = FAMILIES.get(layout.family)
    described, tensors = family.state(family.build(next(held(layout)), VOCABULARY, seed=3))
    absurd = (None, -1, 0, 10**9, 10**15, "7", 1.5, [3], {"a": 1}, True)
    for key, value in described.items():
        if type(value) is not int or key.endswith("_id"):
            continue
        for other in absurd:
            try:
                family.restore({**described, key: other}, tensors)
            except ZigguratError as error:
                assert "\n" not in str(error)  # noqa: PT017
        trimmed = {name: kept for name, kept in described.items() if name != key}
        try:
            family.restore(trimmed, tensors)
        except ZigguratError as error:
            assert "config.json" in str(error)  # noqa: PT017
