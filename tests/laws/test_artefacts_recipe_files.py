"""A recipe that was written is the recipe that is read, whatever its keys, sources and parts."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziggurat.artefacts.recipe import Recipe, load_recipe, resolve
from ziggurat.artefacts.settings import environment_settings, flag_settings
from ziggurat.tokens.loading import TOKENIZERS

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=23)

SETTINGS: dict[str, st.SearchStrategy[Any]] = {
    "seed": st.integers(0, 2**63 - 1),
    "text.field": st.none() | ANY_TEXT,
    "text.encoding": st.none() | ANY_TEXT,
    "text.format": ANY_TEXT,
    "text.dev": st.floats(0, 0.5),
    "text.normalisation": st.sampled_from(["NFC", "NFD", "NFKC", "NFKD", "none"]),
    "text.block_bytes": st.integers(200, 1_000_000),
    "tokens.vocab_size": st.integers(257, 99_991),
    "model.layers": st.integers(1, 97),
    "model.tied": st.booleans(),
    "model.key_heads": st.none() | st.just(1),
    "model.dropout": st.floats(0, 0.95),
    "training.learning_rate": st.floats(0, 1e3, allow_subnormal=False),
    "training.evaluate_steps": st.none() | st.integers(1, 1 << 40),
}

CHANGES = st.fixed_dictionaries({}, optional=SETTINGS)


def read(text: str, name: str) -> Recipe:
    return resolve({"name": name} | tomllib.loads(text), where="my.toml")


def held(recipe: Recipe, key: str) -> Any:
    section, _, name = key.rpartition(".")
    return getattr(getattr(recipe, section) if section else recipe, name)


@given(CHANGES, st.lists(ANY_TEXT, max_size=3), st.booleans())
def test_what_is_written_is_what_is_read(changes: dict[str, Any], sources: list[str], comments: bool) -> None:
    recipe = load_recipe("gpt").change(changes).with_sources(sources)
    again = read(recipe.to_toml(comments=comments), recipe.name)
    assert again.to_mapping() == recipe.to_mapping()
    assert again.sources == tuple(sources)
    assert again.to_toml(comments=False) == recipe.to_toml(comments=False)


@given(CHANGES)
def test_changes_arrive_and_nothing_else_changes(changes: dict[str, Any]) -> None:
    before = load_recipe("gpt")
    after = before.change(changes)
    for key in before.keys():  # noqa: SIM118 - no mapping
        if key != "tokens.kind":
            assert held(after, key) == changes.get(key, held(before, key)), key


@given(CHANGES)
def test_changing_twice_is_changing_once(changes: dict[str, Any]) -> None:
    once = load_recipe("gpt").change(changes)
    assert once.change(changes) == once


@given(st.integers(1, 97), st.integers(0, 999))
def test_a_flag_a_variable_and_a_change_say_the_same(layers: int, seed: int) -> None:
    texts = {"model.layers": str(layers), "seed": str(seed)}
    by_flag = load_recipe("lstm", flag_settings(texts))
    variables = {f"ZIGGURAT_{key.replace('.', '_').upper()}": text for key, text in texts.items()}
    by_variable = load_recipe("lstm", environment_settings(variables))
    by_change = load_recipe("lstm").change({"model.layers": layers, "seed": seed})
    assert by_flag == by_variable == by_change


@given(ANY_TEXT)
def test_text_from_outside_stays_text(text: str) -> None:
    # A field may be called 2024, true or [1]; only `none` and what is in quotes means something else.
    quoted = text != text.strip() or not text or text[:1] in "\"'" or text == "none"
    if not quoted and "\n" not in text and "#" not in text:
        assert load_recipe("ngram", flag_settings({"text.field": text})).text.field == text


NESTED = """
family = "mixture"
parts = ["mixture", "lstm"]
"""


def test_parts_of_parts_are_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "nested.toml"
    path.write_text(NESTED)
    recipe = load_recipe(str(path), flag_settings({"mixture.gpt.model.layers": "7", "tokens.vocab_size": "999"}))
    again = read(recipe.to_toml(), "nested")
    assert again.to_mapping() == recipe.to_mapping()
    inner = {part.name: part for part in again.parts[0].parts}
    assert set(inner) == {"ngram", "gpt"}
    assert inner["gpt"].model.layers == 7
    assert inner["gpt"].tokens.vocab_size == 999
    assert "mixture.gpt.model.layers" in recipe.keys()  # noqa: SIM118 - no mapping


def test_a_budget_reaches_parts_of_parts(tmp_path: Path) -> None:
    path = tmp_path / "nested.toml"
    path.write_text(NESTED)
    recipe = load_recipe(str(path)).with_budget("steps", 11)
    gpt = next(part for part in recipe.parts[0].parts if part.name == "gpt")
    lstm = recipe.parts[1]
    assert [(one.training.steps, one.training.minutes) for one in (gpt, lstm)] == [(11, None)] * 2


@pytest.mark.parametrize("kind", TOKENIZERS.names())
def test_a_kind_of_tokenizer_is_changed_like_any_key(kind: str) -> None:
    changed = load_recipe("ngram").change({"tokens.kind": kind})
    assert changed == load_recipe("ngram", flag_settings({"tokens.kind": kind}))
    assert changed.tokenizer == kind
    assert isinstance(changed.tokens, TOKENIZERS.get(kind).config)
    assert read(changed.to_toml(), "ngram").to_mapping() == changed.to_mapping()


def test_a_run_folder_is_its_recipe(tmp_path: Path) -> None:
    recipe = load_recipe("gpt").change({"model.layers": 3}).with_sources(["a b.txt", "demo:en"])
    (tmp_path / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")
    assert load_recipe(str(tmp_path)).to_mapping() == recipe.to_mapping()


def test_a_name_goes_before_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ngram").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_recipe("ngram").family == "ngram"


@pytest.mark.parametrize("unit", ["minutes", "steps", "tokens", "epochs"])
def test_a_flag_s_budget_replaces_the_file_s(unit: str, tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text('family = "decoder"\n[training]\nminutes = 10\n')
    training = load_recipe(str(path), flag_settings({f"training.{unit}": "3"})).training
    budgets = {key: getattr(training, key) for key in ("minutes", "steps", "tokens", "epochs")}
    assert budgets == dict.fromkeys(budgets, None) | {unit: 3}
