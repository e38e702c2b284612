"""What decides a key: the file, then the environment, then flags; and how parts are set."""

from pathlib import Path

import pytest

from ziggurat.artefacts.manifest import Manifest
from ziggurat.artefacts.recipe import load_recipe
from ziggurat.artefacts.settings import environment_settings, flag_settings, read_value


def test_flags_go_before_the_environment_and_both_before_the_file(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text('# Mine.\nfamily = "ngram"\nseed = 3\n[model]\norder = 2\n[text]\ndev = 0.2\ntest = 0.2\n')
    environ = {"ZIGGURAT_MODEL_ORDER": "3", "ZIGGURAT_TEXT_DEV": "0.3", "ZIGGURAT_SEED": "5"}
    recipe = load_recipe(str(path), [*environment_settings(environ), *flag_settings({"model.order": "4"})])
    assert (recipe.model.order, recipe.text.dev, recipe.text.test, recipe.seed) == (4, 0.3, 0.2, 5)
    assert (recipe.name, recipe.head) == ("my", "Mine.")


def test_variables_of_others_are_left_alone() -> None:
    assert environment_settings({"ZIGGURAT_TRACEBACK": "1", "ZIGGURAT_SHARED_DATA": "x", "PATH": "y"}) == []


def test_another_tokenizer_leaves_keys_that_it_does_not_have() -> None:
    recipe = load_recipe("ngram", flag_settings({"tokens.kind": "bytes"}))
    assert (recipe.tokenizer, recipe.to_mapping()["tokens"]) == ("bytes", {"kind": "bytes"})
    kept = load_recipe("ngram", flag_settings({"tokens.kind": "unigram"}))
    assert kept.tokens.vocab_size == load_recipe("ngram").tokens.vocab_size


def test_a_part_is_set_by_its_name_and_shares_text_tokens_and_seed() -> None:
    recipe = load_recipe("mixture", flag_settings({"gpt.model.layers": "9", "tokens.vocab_size": "777", "seed": "2"}))
    parts = {part.name: part for part in recipe.parts}
    assert parts["gpt"].model.layers == 9
    assert parts["ngram"].model == load_recipe("ngram").model
    assert {part.tokens.vocab_size for part in recipe.parts} == {777}
    assert {part.text for part in recipe.parts} == {recipe.text}
    assert {part.seed for part in recipe.parts} == {2}


def test_changing_is_setting() -> None:
    recipe = load_recipe("gpt")
    changed = recipe.change({"model.layers": 3, "training.minutes": None, "training.steps": 9, "text.field": "body"})
    assert (changed.model.layers, changed.training.steps, changed.text.field) == (3, 9, "body")
    assert changed.training.minutes is None
    assert changed.head == recipe.head


def test_the_article_s_network_has_the_article_s_numbers() -> None:
    recipe = load_recipe("article-lstm")
    model = recipe.model
    assert (model.embedding, model.hidden, model.layers, model.tied) == (256, 512, 6, False)
    assert (recipe.tokens.vocab_size, recipe.training.weight_decay) == (10_000, 0.0)


@pytest.mark.parametrize(
    ("text", "hint", "value"),
    [
        ("none", int | None, None),
        ("none", str, "none"),
        ("true", bool, True),
        ("3", int, 3),
        ("3", float, 3),
        ("1e-3", float, 1e-3),
        ("2024", str, "2024"),
        ("[1, 2]", tuple[int, ...], [1, 2]),
        ("gpt", str, "gpt"),
    ],
)
def test_how_a_value_is_read(text: str, hint: object, value: object) -> None:
    assert read_value(text, hint) == value


def manifest(**changes: object) -> Manifest:
    entries: dict[str, object] = {
        "family": "ngram",
        "recipe": {"name": "mine"},
        "seed": 3,
        "tokenizer": {"kind": "bpe", "vocabulary": 4096, "lossless": True, "fingerprint": "f00d"},
        "model": {"parameters": 1_234_567, "context": None},
        "corpus": {"splits": {"train": {"documents": 97, "bytes": 1000}}},
        "training": {"seconds": 7.25},
        "metrics": {"test": {"bits_per_byte": 1.98765, "low": 1.9, "documents": 11}},
        "versions": {},
        "files": {"config.json": {"bytes": 10, "sha256": "x"}, "model.safetensors": {"bytes": 90, "sha256": "y"}},
    }
    return Manifest(**(entries | changes))  # type: ignore[arg-type]


def test_a_manifest_comes_back_and_knows_its_entries() -> None:
    one = manifest()
    again = Manifest.from_json(one.to_json(), where="ziggurat.json")
    assert again == one
    assert again.size_bytes == 100
    assert again.entry("metrics.test.bits_per_byte") == 1.98765
    with pytest.raises(KeyError):
        again.entry("metrics.dev.bits_per_byte")


def test_every_figure_of_a_card_stands_in_the_manifest() -> None:
    from ziggurat.artefacts.card import write_card

    one = manifest()
    card = write_card(one)
    rows = [line.strip("| ").split(" | ") for line in card.splitlines() if line.startswith("| ") and "`" in line]
    assert len(rows) >= 2 * 9
    for _, shown, entry in rows:
        value = one.entry(entry.strip("`"))
        plain = shown.replace(",", "")
        if isinstance(value, (int, float)):
            assert float(plain) == pytest.approx(float(value), rel=1e-3)
        else:
            assert shown == str(value)
    for heading in ("# mine", "# mine（中文）", "## Limits", "## 局限"):
        assert heading in card.splitlines()


def test_a_card_of_a_model_that_was_not_measured_says_so() -> None:
    from ziggurat.artefacts.card import write_card

    card = write_card(manifest(metrics={}, tokenizer={"kind": "words", "lossless": False, "vocabulary": 9}))
    assert "Nothing yet: `ziggurat evaluate FOLDER TEXT…` measures it." in card
    assert "尚未测量" in card
    assert "Its tokenizer is lossy" in card
