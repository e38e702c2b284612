"""Laws of every layout: what it writes it reads, and nothing of a model is lost on the way.

Layouts are found, and so are the configurations that they hold: combinations of a family's keys are drawn and offered.
"""

import dataclasses
import functools
import random
import typing
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest

from ziggurat.core.config import from_mapping, options
from ziggurat.core.errors import ArtefactError, UsageError, ZigguratError
from ziggurat.core.protocols import LanguageModel
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.feedforward import ACTIVATIONS
from ziggurat.models.blocks.transformer import TransformerConfig
from ziggurat.models.layouts.at_rest import described as read_back
from ziggurat.models.layouts.at_rest import with_vocabulary
from ziggurat.models.layouts.layout import LAYOUTS, USUAL_DROPOUT, Layout, layout_for, layout_of
from ziggurat.models.registry import FAMILIES

SIZES = {"width": 12, "heads": 2, "context": 13}
VOCABULARY = Vocabulary(size=17, bos=2, eos=3, unk=5, mask=None, pad=1)
DRAWS = 10_000
MOST = 61
SINGLE: dict[str, tuple[Any, ...]] = {
    "positions": ("rotary", "learned", "sinusoidal"),
    "norm": ("rms", "layer"),
    "norm_place": ("pre", "post"),
    "query_norm": (True, False),
    "activation": ("swiglu", *ACTIVATIONS),
    "bias": ("none", "qkv", "all"),
    "tied": (True, False),
    "layers": (2, 3),
    "feedforward": (None, 29),
    "dropout": (0.0, 0.25),
}
"""Keys that all Transformers share, and what is drawn for them; each key once, the family's own too."""
TOGETHER: tuple[dict[str, Any], ...] = (
    {},
    {"key_heads": 1, "head_width": 10},
    {"norm_epsilon": 1e-3},
    {"rotary_base": 500.0, "rotary_stretch": "linear", "rotary_numbers": (2.5,)},
    {"rotary_base": 500.0, "rotary_stretch": "llama3", "rotary_numbers": (8.0, 1.0, 4.0, 11.0)},
    {"rotary_base": 500.0, "rotary_stretch": "yarn", "rotary_numbers": (4.0, 11.0, 32.0, 1.0, 1.5)},
)


def own_choices(kind: type[Any]) -> dict[str, tuple[Any, ...]]:
    """What is drawn for the keys that a family has beside a Transformer's, by their types."""
    found: dict[str, tuple[Any, ...]] = {}
    for key, (hint, default, _) in options(kind).items():
        parts = typing.get_args(hint) or (hint,)
        if key in options(TransformerConfig):
            continue
        if typing.get_origin(hint) is Literal:
            found[key] = parts
        elif bool in parts:
            found[key] = (False, True)
        elif int in parts:
            found[key] = (default, 1, 2, 3)
        else:
            found[key] = (default,)
    return found


@functools.cache
def held(name: str) -> tuple[Any, ...]:
    """Different configurations that a layout holds."""
    layout, dice = LAYOUTS.get(name), random.Random(3)
    family = FAMILIES.get(layout.family)
    kind = family.config
    choices = {**SINGLE, **own_choices(kind)}
    found: dict[str, Any] = {}
    drawn: list[dict[str, Any]] = [dict(SIZES)]
    for number in range(DRAWS):
        if number % 2:  # from the defaults, or from one that is held, to its neighbours
            keys = {**dice.choice(drawn), **{key: dice.choice(choices[key]) for key in dice.sample(list(choices), 2)}}
        else:
            keys = {key: dice.choice(values) for key, values in choices.items()} | SIZES | dice.choice(TOGETHER)
        try:
            config = from_mapping(kind, {key: value for key, value in keys.items() if value is not None}, where="law")
            if layout.holds(config) and repr(config) not in found:
                family.build(config, VOCABULARY, seed=3)
                found[repr(config)] = config
                drawn.append(keys)
        except UsageError:
            continue
        if len(found) == MOST:
            break
    return tuple(found.values())


@pytest.fixture(params=LAYOUTS.names(), scope="module")
def named(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def layout(named: str) -> Layout:
    return LAYOUTS.get(named)


@pytest.fixture
def configs(named: str) -> tuple[Any, ...]:
    return held(named)


def test_several_configurations_are_held(configs: tuple[Any, ...]) -> None:
    assert len(configs) >= 7


def test_every_activation_of_a_file_is_drawn() -> None:
    found = {config.activation for name in LAYOUTS.names() for config in held(name)}
    assert found == {"swiglu", *ACTIVATIONS}


def test_reading_undoes_describing(layout: Layout, configs: tuple[Any, ...]) -> None:
    kind = FAMILIES.get(layout.family).config
    for config in configs:
        described = layout.describe(config, VOCABULARY)
        names = {one.theirs: np.empty(0, np.float32) for one in layout.renamings(config)}
        keys, vocabulary = read_back(layout.family, described, names)
        found = from_mapping(kind, keys, where="config.json")
        assert layout.describe(found, VOCABULARY) == described
        assert layout.holds(found)
        assert (vocabulary.size, vocabulary.bos, vocabulary.eos) == (17, 2, 3)
        assert (vocabulary.unk, vocabulary.pad) == (5, 1)
        assert list(layout.renamings(found)) == list(layout.renamings(config))
        for key in (*(key for key in SINGLE if key != "feedforward"), "context", "norm_epsilon", "width", "heads"):
            assert getattr(found, key) == getattr(config, key), key
        for key in ("resolved_key_heads", "resolved_head_width", "resolved_feedforward"):
            assert getattr(found, key) == getattr(config, key), key
        if config.positions == "rotary":
            rotary = ("rotary_base", "rotary_stretch", "rotary_numbers")
            assert [getattr(found, name) for name in rotary] == [getattr(config, name) for name in rotary]


def test_a_file_of_another_program_says_how_much_is_dropped(
    named: str, layout: Layout, configs: tuple[Any, ...]
) -> None:
    config = dataclasses.replace(configs[0], dropout=0.25)
    described = layout.describe(config, VOCABULARY)
    names = {one.theirs: np.empty(0, np.float32) for one in layout.renamings(config)}
    del described["ziggurat"]["dropout"]
    keys, _ = read_back(layout.family, described, names)
    # Llama and those after it drop nothing, and have no key for it
    assert keys.get("dropout", 0.0) == (0.0 if named in ("llama", "qwen3") else 0.25)
    silent = {key: value for key, value in described.items() if "drop" not in key}
    keys, _ = read_back(layout.family, silent, names)
    assert keys.get("dropout", 0.0) == (USUAL_DROPOUT if "bert" in named or named in ("gpt2", "roformer") else 0.0)


def test_a_layout_is_found_by_what_it_writes(layout: Layout, configs: tuple[Any, ...]) -> None:
    for config in configs[:30]:
        described = layout.describe(config, VOCABULARY)
        assert layout_of(described["model_type"]) is layout
        found = layout_for(layout.family, config)
        assert found is not None
        assert found.describe(config, VOCABULARY) == described


def test_a_layout_says_whether_its_models_guess_what_follows(layout: Layout, configs: tuple[Any, ...]) -> None:
    family = FAMILIES.get(layout.family)
    assert layout.causal == isinstance(family.build(configs[0], VOCABULARY, seed=3), LanguageModel)


def test_no_two_layouts_claim_one_model_type() -> None:
    claimed = [kind for name in LAYOUTS.names() for kind in LAYOUTS.get(name).model_types]
    assert len(set(claimed)) == len(claimed)


def test_every_array_comes_back_bit_for_bit(layout: Layout, configs: tuple[Any, ...]) -> None:
    family = FAMILIES.get(layout.family)
    for number, config in enumerate(configs[::2]):
        model = family.build(config, VOCABULARY, seed=number)
        described, tensors = family.state(model)
        opened = family.restore(described, tensors)
        described_again, again = family.state(opened)
        assert described_again == described
        assert again.keys() == tensors.keys()
        for name, array in tensors.items():
            np.testing.assert_array_equal(again[name], array)
        assert opened.vocabulary == replace(VOCABULARY, mask=opened.vocabulary.mask)


def test_a_tokenizers_special_ids_are_stronger(layout: Layout, configs: tuple[Any, ...]) -> None:
    other = Vocabulary(size=11, bos=1, eos=4, unk=0, mask=6, pad=None)
    described = layout.describe(configs[0], VOCABULARY)
    _, found = layout.read(with_vocabulary(described, other))
    assert (found.size, found.bos, found.eos, found.unk, found.mask, found.pad) == (17, 1, 4, 0, 6, None)


def test_faults_of_arrays_are_named_together(layout: Layout, configs: tuple[Any, ...]) -> None:
    family = FAMILIES.get(layout.family)
    model = family.build(configs[0], VOCABULARY, seed=3)
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


def test_arrays_of_many_blocks_are_named_once(layout: Layout, configs: tuple[Any, ...]) -> None:
    family = FAMILIES.get(layout.family)
    described, _ = family.state(family.build(configs[0], VOCABULARY, seed=3))
    empty = {f"surplus.{number}.weight": np.zeros(3, np.float32) for number in range(101)}
    with pytest.raises(ArtefactError) as caught:
        family.restore(described, empty)
    assert "surplus.*.weight' is not known (101 times)" in str(caught.value)
    assert len(str(caught.value)) < 3000


def test_a_key_that_is_missing_or_absurd_is_refused_before_anything_is_allocated(
    layout: Layout, configs: tuple[Any, ...]
) -> None:
    family = FAMILIES.get(layout.family)
    described, tensors = family.state(family.build(configs[0], VOCABULARY, seed=3))
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
