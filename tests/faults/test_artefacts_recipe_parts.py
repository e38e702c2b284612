"""Recipes made of recipes that can't be, and values of a type that nothing else refuses."""

from pathlib import Path

import pytest

from ziggurat.artefacts.recipe import load_recipe
from ziggurat.artefacts.settings import flag_settings
from ziggurat.core.errors import UsageError

MIXTURE = 'family = "mixture"\n'


def refusal(text: str, folder: Path) -> str:
    path = folder / "my.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load_recipe(str(path))
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(str(path), "my.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MIXTURE + 'parts = ["gpt", "gpt"]\n', "my.toml: parts: gpt stands there twice"),
        (MIXTURE + 'parts = ["ngram", "gtp"]\n', "my.toml: parts: unknown recipe 'gtp'; did you mean 'gpt'?"),
        (MIXTURE + '[parts."a b"]\nfamily = "ngram"\n', "my.toml: parts: 'a b' can't name a part: use letters"),
        (MIXTURE + '[parts."a.b"]\nfamily = "ngram"\n', "my.toml: parts: 'a.b' can't name a part"),
        (MIXTURE + '[parts."../a"]\nfamily = "ngram"\n', "my.toml: parts: '../a' can't name a part"),
        (MIXTURE + '[parts.model]\nfamily = "ngram"\n', "my.toml: parts: 'model' can't name a part"),
        (MIXTURE + '[parts.seed]\nfamily = "ngram"\n', "my.toml: parts: 'seed' can't name a part"),
        (MIXTURE + "[parts]\na = 3\n", "my.toml: parts.a must be a section, [parts.a]"),
        (MIXTURE + '[parts.a]\nfamily = "ngram"\nseed = 7\n', "my.toml [parts.a]: seed: parts share it"),
        (MIXTURE + '[parts.a]\nfamily = "ngram"\n[parts.a.text]\ndev = 0.2\n', "my.toml [parts.a]: text: parts share"),
        (MIXTURE + 'parts = ["ngram"]\n[model]\nparts = ["decoder"]\n', "parts, ['ngram']; change those"),
        ('family = "ngram"\nparts = ["lstm"]\n', "my.toml: parts: a model of family ngram has none; leave them out"),
        (
            MIXTURE + 'parts = ["ngram", "skipgram"]\n',  # before minutes of training go by, not after
            "my.toml [parts.skipgram]: a model of family word_vectors predicts no text; give models that do",
        ),
        (
            'family = "classifier_ensemble"\nparts = ["linear", "ngram"]\n',
            "my.toml [parts.ngram]: a model of family ngram tells no labels; give models that do",
        ),
        (MIXTURE + 'parts = ["ngram", "linear"]\n', "[parts.linear]: a model of family linear predicts no text; give"),
        ('family = "classifier_ensemble"\n', "my.toml [model]: parts must name at least one model family"),
        (MIXTURE, "my.toml [model]: parts must name at least one model family"),
    ],
)
def test_parts_that_can_t_be_are_refused_where_they_stand(text: str, said: str, tmp_path: Path) -> None:
    assert said in refusal(text, tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('sources = "a.txt"\n', "my.toml: sources: expected a list of texts in quotes, got 'a.txt'"),
        ('sources = ["a.txt", 3]\n', "my.toml: sources: expected a list"),
        ("sources = 3\n", "my.toml: sources: expected a list of texts in quotes, got 3"),
        ("[tokens]\nkind = 3\n", "my.toml [tokens]: kind: expected text in quotes, got 3"),
        ('[tokens]\nkind = ["bpe"]\n', "my.toml [tokens]: kind: expected text in quotes"),
        ("seed = true\n", "my.toml: seed: expected a whole number from 0, got True"),
        ("[text]\ndev = nan\n", "my.toml [text]: dev: expected a number, got nan"),
        ("[text]\ndev = true\n", "my.toml [text]: dev: expected a number, got True"),
        ("[text]\ndev = 0.6\n", "my.toml [text]: dev: must be from 0 to 0.5, got 0.6"),
        ('[text]\nduplicates = "nears"\n', "my.toml [text]: duplicates: unknown value 'nears'; did you mean 'near'?"),
        ("[model]\nprune = 3\n", "my.toml [model]: prune: expected a list, got 3"),
        ("[model]\nprune = [1, 0]\n", "my.toml [model]: prune: expected numbers that do not fall"),
        ("[model]\ndiscounts = [0.5, 2.5, 1.0]\n", "my.toml [model]: discounts: expected none or D1"),
    ],
)
def test_values_of_another_type_name_their_key(text: str, said: str, tmp_path: Path) -> None:
    assert said in refusal('family = "ngram"\n' + text, tmp_path)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"gpt": "3"}, "unknown option '--gpt'"),
        ({"gpt.model": "3"}, "unknown option '--gpt.model'"),
        ({"gpt.model.layrs": "3"}, "unknown option '--gpt.model.layrs'; did you mean '--model.layers'?"),
        ({"gpt.model.layers": "none"}, "--gpt.model.layers: expected a whole number, got 'none'"),
        ({"gpt.seed": "3"}, "--gpt.seed: parts share it; set --seed"),
        ({"lstm.model.layers": "3"}, "unknown option '--lstm.model.layers'"),
        ({"model.parts": '["ngram"]'}, "follows from the recipe's parts, ['ngram', 'decoder']"),
    ],
)
def test_flags_of_parts_are_checked_like_others(flags: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_recipe("mixture", flag_settings(flags))
    assert said in str(caught.value)


def test_a_setting_from_outside_replaces_a_wrong_one_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text('family = "ngram"\nseed = "x"\n[model]\norder = 0\n')
    recipe = load_recipe(str(path), flag_settings({"seed": "3", "model.order": "2"}))
    assert (recipe.seed, recipe.model.order) == (3, 2)


def test_the_last_of_two_budgets_by_flag_does_not_win_silently() -> None:
    with pytest.raises(UsageError, match=r"minutes and steps: give one budget, not 2"):
        load_recipe("gpt", flag_settings({"training.minutes": "2", "training.steps": "5"}))


def test_a_folder_without_a_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"recipe\.toml: can't be read \(No such file or directory\)"):
        load_recipe(str(tmp_path))
