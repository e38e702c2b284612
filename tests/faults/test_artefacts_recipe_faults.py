"""Recipes that can't be: the file, the section, the key or the flag is named, and the nearest name that exists."""

from pathlib import Path

import pytest

from ziggurat.artefacts.recipe import load_recipe
from ziggurat.artefacts.settings import Setting, environment_settings, flag_settings
from ziggurat.core.errors import InputError, UnknownNameError, UsageError, ZigguratError


def refusal(text: str, folder: Path, settings: list[Setting] | None = None) -> str:
    path = folder / "my.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ZigguratError) as caught:
        load_recipe(str(path), settings or [])
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{path}", "my.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('family = "ngram"\n[model\norder = 3\n', "my.toml: not TOML: Expected ']'"),
        ('family = "ngram"\norder = 3\n', "my.toml: unknown key 'order'"),
        ('family = "ngramm"\n', "my.toml: family: unknown model family 'ngramm'; did you mean 'ngram'?"),
        ("seed = 3\n", "my.toml: family: say which model family, one of classifier_ensemble"),
        ('family = "ngram"\n[modle]\norder = 3\n', "my.toml: unknown key 'modle'; did you mean 'model'?"),
        ('family = "ngram"\n[model]\nordre = 3\n', "my.toml [model]: unknown key 'ordre'; did you mean 'order'?"),
        ('family = "ngram"\n[model]\norder = "five"\n', "my.toml [model]: order: expected a whole number, got 'five'"),
        ('family = "ngram"\n[model]\norder = 0\n', "my.toml [model]: order: must be at least 1, got 0"),
        ('family = "ngram"\nmodel = 3\n', "my.toml: model must be a section, [model]"),
        ('family = "ngram"\nseed = -1\n', "my.toml: seed: expected a whole number from 0, got -1"),
        ('family = "ngram"\nseed = "x"\n', "my.toml: seed: expected a whole number from 0"),
        (
            'family = "ngram"\n[tokens]\nkind = "bpee"\n',
            "my.toml [tokens]: kind: unknown tokenizer 'bpee'; did you mean 'bpe'?",
        ),
        ('family = "ngram"\n[tokens]\nkind = "bytes"\nvocab_size = 9\n', "my.toml [tokens]: unknown key 'vocab_size'"),
        ('family = "mixture"\nparts = ["ngram", "gtp"]\n', "unknown recipe 'gtp'; did you mean 'gpt'?"),
        ('family = "mixture"\nparts = 3\n', "my.toml: parts: expected a list of recipe names"),
        (
            'family = "mixture"\n[parts.a]\nfamily = "ngram"\n[parts.a.model]\nordr = 3\n',
            "my.toml [parts.a] [model]: unknown key 'ordr'; did you mean 'order'?",
        ),
        (
            'family = "decoder"\n[training]\nsteps = 3\nminutes = 1.0\n',
            "minutes and steps: give one budget, not 2",
        ),
        ('family = "decoder"\n[model]\nwidth = 10\nheads = 3\n', "width (10) is not a multiple of heads (3)"),
    ],
)
def test_the_place_and_the_nearest_are_named(text: str, said: str, tmp_path: Path) -> None:
    assert said in refusal(text, tmp_path)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"model.ordr": "3"}, "unknown option '--model.ordr'; did you mean '--model.order'?"),
        ({"order": "3"}, "unknown option '--order'; did you mean '--model.order'?"),
        ({"model.order": "three"}, "--model.order: expected a whole number, got 'three'"),
        ({"seed": "x"}, "--seed: expected a whole number from 0, got 'x'"),
        ({"tokens.kind": "charcters"}, "--tokens.kind: unknown tokenizer 'charcters'; did you mean 'characters'?"),
    ],
)
def test_a_flag_is_named_as_the_user_wrote_it(flags: dict[str, str], said: str, tmp_path: Path) -> None:
    assert said in refusal('family = "ngram"\n', tmp_path, flag_settings(flags))


def test_a_variable_is_named_as_the_user_wrote_it(tmp_path: Path) -> None:
    settings = environment_settings({"ZIGGURAT_MODEL_ORDR": "3"})
    assert "unknown variable 'ZIGGURAT_MODEL_ORDR'; did you mean 'ZIGGURAT_MODEL_ORDER'?" in refusal(
        'family = "ngram"\n', tmp_path, settings
    )


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        ("gtp", UnknownNameError, "unknown recipe 'gtp'; did you mean 'gpt'?"),
        ("missing.toml", InputError, r"missing\.toml: can't be read \(No such file"),
    ],
)
def test_a_recipe_that_is_not_there(source: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        load_recipe(source)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xff\xfe\x00family")
    with pytest.raises(InputError, match=r"a\.toml: can't be read \(not UTF-8\)"):
        load_recipe(str(path))


def test_what_parts_share_is_set_once() -> None:
    settings = flag_settings({"gpt.tokens.vocab_size": "99"})
    with pytest.raises(UsageError, match=r"--gpt\.tokens\.vocab_size: parts share it; set --tokens\.vocab_size"):
        load_recipe("mixture", settings)


def test_a_model_of_counts_takes_no_budget() -> None:
    with pytest.raises(UsageError, match="recipe ngram is fitted in one pass and takes no budget"):
        load_recipe("ngram").with_budget("minutes", 3)
