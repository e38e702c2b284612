"""What benchmarks of tasks share: which recipe begins with what, and how figures are printed."""

import argparse
from pathlib import Path

import pytest

from benchmarks.tasks.trials import add_options, begun, check_start, mean_spread, seed_range, trained
from ziggurat.artefacts.bundle import save
from ziggurat.artefacts.manifest import Provenance
from ziggurat.models.registry import FAMILIES
from ziggurat.tokens.loading import TOKENIZERS, train_tokenizer


def options_of(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_options(parser)
    return parser.parse_args(words)


@pytest.fixture
def encoder(tmp_path: Path) -> str:
    """A bundle of a tiny encoder."""
    tokenizer = train_tokenizer(["the cat sat"] * 9, "wordpiece", TOKENIZERS.get("wordpiece").config(vocab_size=60))
    family = FAMILIES.get("encoder")
    model = family.build(family.config(layers=1, width=12, heads=3), tokenizer.vocabulary, seed=1)
    save(tmp_path / "encoder", family="encoder", model=model, tokenizer=tokenizer, provenance=Provenance())
    return str(tmp_path / "encoder")


def test_each_recipe_begins_with_what_it_can(encoder: str) -> None:
    options = options_of("--start", encoder, "--vectors", "words")
    assert begun("encoder-classifier", options, minutes=None).start == encoder
    assert begun("lstm-classifier", options, minutes=None).vectors == "words"
    assert [part.vectors for part in begun("classifier-ensemble", options, minutes=None).parts] == ["", "words"]
    plain = begun("linear", options, minutes=3.0)
    assert (plain.start, plain.vectors) == ("", "")


def test_budgets_are_steps_when_it_is_quick_and_else_minutes_if_any() -> None:
    assert begun("lstm-tagger", options_of("--quick"), minutes=5.0).training.steps == 3
    assert begun("lstm-tagger", options_of(), minutes=5.0).training.minutes == 5.0
    assert begun("classifier-ensemble", options_of(), minutes=5.0).parts[1].training.minutes == 5.0
    assert begun("lstm-tagger", options_of(), minutes=None).training.steps == 1200


def test_keys_of_a_recipe_are_set() -> None:
    options = options_of("--key", "text.dev=0.03", "--key", "training.epochs=5", "--key", 'model.scheme="none"')
    recipe = begun("lstm-tagger", options, minutes=None)
    assert (recipe.text.dev, recipe.training.epochs, recipe.model.scheme) == (0.03, 5, "none")
    with pytest.raises(SystemExit):
        options_of("--key", "text.dev")


def test_a_start_that_no_recipe_stands_on_is_said(encoder: str) -> None:
    check_start(["linear", "encoder-classifier"], options_of("--start", encoder))
    check_start(["linear"], options_of())
    with pytest.raises(SystemExit, match="of family encoder, on which none of linear, lstm-classifier stands"):
        check_start(["linear", "lstm-classifier"], options_of("--start", encoder))


def test_what_draws_nothing_is_trained_once_and_said_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (f"{n % 2}\t{'a fine day' if n % 2 else 'a bad night'} {n}\n" for n in range(30))
    (tmp_path / "train.tsv").write_text("".join(lines), encoding="utf-8")
    recipe = begun("linear", options_of("--seeds", "3"), minutes=None)
    ((outcome, seconds),) = trained("classification", recipe, [str(tmp_path / "train.tsv")], tmp_path, seeds=range(3))
    assert outcome.recipe == "linear"
    assert seconds > 0
    (line,) = [one for one in capsys.readouterr().err.splitlines() if one.startswith("linear, seed 0: accuracy ")]
    assert ", macro_f1 " in line


def test_seeds_are_so_many_or_from_one_to_another(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(options_of().seeds) == [0, 1, 2]
    assert list(options_of("--seeds", "1-2").seeds) == [1, 2]
    assert list(options_of("--seeds", "2-2").seeds) == [2]
    for said in ("0", "3-1", "two"):
        with pytest.raises(SystemExit):
            options_of("--seeds", said)
        assert f"argument --seeds: invalid seed_range value: '{said}'" in capsys.readouterr().err
    with pytest.raises(ValueError, match="3-1 names no seed"):
        seed_range("3-1")


def test_mean_and_spread() -> None:
    assert mean_spread([0.25]) == "25.0 ± 0.0"
    assert mean_spread([0.1, 0.2, 0.3]) == "20.0 ± 10.0"
