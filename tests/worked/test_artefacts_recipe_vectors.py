"""What a recipe says of the vectors that its embeddings begin with: a folder, or a recipe of their own."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ziggurat.artefacts.bundle import save
from ziggurat.artefacts.manifest import Provenance
from ziggurat.artefacts.recipe import Recipe, load_recipe, resolve
from ziggurat.artefacts.settings import environment_settings, flag_settings
from ziggurat.core.errors import UsageError
from ziggurat.models.registry import FAMILIES
from ziggurat.tokens.loading import TOKENIZERS, train_tokenizer

LSTM = 'family = "recurrent"\n[model]\nembedding = 7\n'


def written(folder: Path, text: str, name: str = "my") -> str:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def inner(recipe: Recipe) -> Recipe:
    assert isinstance(recipe.vectors, Recipe)
    return recipe.vectors


# -- a folder ---------------------------------------------------------------------------------------------------------


def test_flags_go_before_the_environment_and_both_before_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, 'vectors = "a"\n' + LSTM)
    environ = environment_settings({"ZIGGURAT_VECTORS": "b"})
    assert load_recipe(path).vectors == "a"
    assert load_recipe(path, environ).vectors == "b"
    assert load_recipe(path, [*environ, *flag_settings({"vectors": "c"})]).vectors == "c"
    assert load_recipe(path, flag_settings({"vectors": "none"})).vectors == ""


def test_a_folder_is_written_and_read_back(tmp_path: Path) -> None:
    recipe = load_recipe("gpt").change({"vectors": "runs/塔 1/bundle"})
    assert load_recipe(written(tmp_path, recipe.to_toml())).vectors == "runs/塔 1/bundle"
    assert resolve(recipe.to_mapping(), where="x").to_mapping() == recipe.to_mapping()
    assert "vectors" not in load_recipe("gpt").to_mapping()
    assert "\n# vectors =\n" in load_recipe("gpt").to_toml()
    assert "vectors" not in load_recipe("ngram").to_toml()


def test_a_part_has_vectors_of_its_own(tmp_path: Path) -> None:
    recipe = load_recipe("mixture", flag_settings({"gpt.vectors": "v"}))
    assert {part.name: part.vectors for part in recipe.parts} == {"ngram": "", "gpt": "v"}
    again = load_recipe(written(tmp_path, recipe.to_toml()))
    assert [part.vectors for part in again.parts] == [part.vectors for part in recipe.parts]
    assert "gpt.vectors" in recipe.keys()  # noqa: SIM118 - no mapping


def test_a_recipe_made_of_others_hands_vectors_to_those_that_embed(tmp_path: Path) -> None:
    recipe = load_recipe("mixture", flag_settings({"vectors": "v"}))
    assert {part.name: part.vectors for part in recipe.parts} == {"ngram": "", "gpt": "v"}
    assert (recipe.vectors, recipe.reads_with, recipe.embeds) == ("", "", True)
    own = load_recipe("mixture", flag_settings({"gpt.vectors": "w", "vectors": "v"}))
    assert [part.vectors for part in own.parts] == ["", "w"]
    mine = written(tmp_path, 'family = "mixture"\nvectors = "v"\nparts = ["gpt", "lstm", "ngram"]\n')
    assert [part.vectors for part in load_recipe(mine).parts] == ["v", "v", ""]
    assert [part.vectors for part in load_recipe(mine, flag_settings({"vectors": "w"})).parts] == ["w", "w", ""]
    assert [part.vectors for part in load_recipe(mine, flag_settings({"vectors": "none"})).parts] == ["", "", ""]
    both = 'family = "mixture"\nvectors = "v"\n[parts.a]\nfamily = "decoder"\nvectors = "w"\n'
    assert load_recipe(written(tmp_path, both)).parts[0].vectors == "w"  # a part's own word goes before the whole's
    assert load_recipe(written(tmp_path, both), flag_settings({"vectors": "x"})).parts[0].vectors == "x"
    assert "vectors" in load_recipe("mixture").keys()  # noqa: SIM118 - no mapping


def test_parts_of_parts_are_handed_vectors_too(tmp_path: Path) -> None:
    inner = '[parts.both]\nfamily = "classifier_ensemble"\n[parts.both.parts.read]\nfamily = "recurrent_classifier"\n'
    path = written(tmp_path, 'family = "classifier_ensemble"\n' + inner + '[parts.linear]\nfamily = "linear"\n')
    recipe = load_recipe(path, flag_settings({"vectors": "v"}))
    assert recipe.parts[0].parts[0].vectors == "v"
    every = [recipe, *recipe.parts, *recipe.parts[0].parts]
    assert [one.reads_with for one in every] == ["v"] * 4
    assert not [one for one in every if "tokens" in one.to_mapping()]
    again = load_recipe(written(tmp_path, recipe.to_toml(), "again"))
    assert [one.reads_with for one in (again, *again.parts)] == ["v"] * 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('vectors = "v"\nparts = ["ngram"]\n', "my.toml: vectors: no part of this recipe embeds ids, so vectors"),
        (
            'parts = ["ngram"]\n[vectors]\nfamily = "word_vectors"\n',
            "vectors: expected a bundle's folder or a recipe's",
        ),
        ('vectors = 3\nparts = ["gpt"]\n', "vectors: expected a bundle's folder or a recipe's name; give a part"),
    ],
)
def test_what_no_part_can_begin_with_is_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_recipe(written(tmp_path, 'family = "mixture"\n' + text))
    assert said in str(caught.value)


# -- whose tokenizer it is --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lstm-tagger", "lstm-tagger-zh", "lstm-classifier", "classifier-ensemble"])
def test_what_tells_labels_reads_with_the_tokenizer_of_its_vectors(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name, flag_settings({"vectors": "runs/vectors"}))
    assert recipe.reads_with == "runs/vectors"
    assert "tokens" not in recipe.to_mapping()
    assert "[tokens]" not in recipe.to_toml()
    assert not [key for key in recipe.keys() if key.startswith("tokens.")]  # noqa: SIM118 - no mapping
    again = load_recipe(written(tmp_path, recipe.to_toml(), name))
    assert again.to_mapping() == recipe.to_mapping()
    assert again.reads_with == "runs/vectors"
    plain = load_recipe(name)
    assert (plain.reads_with, plain.to_mapping()["tokens"]["kind"]) == ("", "words")


def test_parts_read_with_one_tokenizer() -> None:
    name = "lstm-classifier"
    recipe = load_recipe("classifier-ensemble", flag_settings({f"{name}.vectors": "v"}))
    assert [one.reads_with for one in (recipe, *recipe.parts)] == ["v"] * 3
    with pytest.raises(UsageError, match=r"--tokens.min_count: the tokenizer comes with vectors v; leave it out"):
        load_recipe("classifier-ensemble", flag_settings({"vectors": "v", "tokens.min_count": "3"}))


def test_vectors_of_two_bundles_bring_two_tokenizers(tmp_path: Path) -> None:
    part = '[parts.{0}]\nfamily = "recurrent_classifier"\nvectors = "{0}"\n'
    path = written(tmp_path, 'family = "classifier_ensemble"\n' + part.format("a") + part.format("b"))
    with pytest.raises(UsageError, match="parts share a tokenizer, and a comes with one and b with another"):
        load_recipe(path)


def test_embeddings_are_as_wide_as_the_vectors_of_a_bundle(word_bundle: Path) -> None:
    plain = load_recipe("lstm-classifier")
    begun = load_recipe("lstm-classifier", flag_settings({"vectors": str(word_bundle)}))
    assert (plain.model.embedding, begun.model.embedding) == (128, 5)
    assert begun.model == replace(plain.model, embedding=5)
    said = load_recipe("lstm-classifier", flag_settings({"vectors": str(word_bundle), "model.embedding": "7"}))
    assert said.model.embedding == 7  # and refused when it is used (`ziggurat.artefacts.beginning`)
    ensemble = load_recipe("classifier-ensemble", flag_settings({"vectors": str(word_bundle)}))
    assert ensemble.parts[1].model.embedding == 5
    # what predicts tokens, and what is as wide as its embeddings everywhere, says itself how wide it is
    assert load_recipe("lstm", flag_settings({"vectors": str(word_bundle)})).model.embedding == 384
    encoder = load_recipe("encoder-classifier", flag_settings({"vectors": str(word_bundle)}))
    assert encoder.model == load_recipe("encoder-classifier").model


@pytest.fixture
def word_bundle(tmp_path: Path) -> Path:
    """A bundle of word vectors of five numbers."""
    family: Any = FAMILIES.get("word_vectors")
    tokenizer = train_tokenizer(["the cat sat on a mat"] * 3, "words", TOKENIZERS.get("words").config(min_count=1))
    model = family.build(family.config(width=5), tokenizer.vocabulary, seed=1)
    folder = tmp_path / "words"
    save(folder, family="word_vectors", model=model, tokenizer=tokenizer, provenance=Provenance())
    return folder


def test_what_predicts_tokens_has_its_own(tmp_path: Path) -> None:
    recipe = load_recipe("lstm", flag_settings({"vectors": "runs/vectors"}))
    assert recipe.reads_with == ""
    assert recipe.to_mapping()["tokens"]["kind"] == "bpe"
    # vectors of a recipe are of the run's own tokens, whatever the model tells
    assert load_recipe("lstm-tagger", flag_settings({"vectors": "cbow"})).reads_with == ""


# -- a recipe ---------------------------------------------------------------------------------------------------------


def test_a_recipe_shares_text_tokens_and_seed_and_has_the_width_of_the_embeddings() -> None:
    recipe = load_recipe("lstm", flag_settings({"vectors": "cbow", "seed": "5", "text.dev": "0.2"}))
    vectors = inner(recipe)
    assert (vectors.name, vectors.family) == ("cbow", "word_vectors")
    assert (vectors.seed, vectors.text, vectors.tokens) == (5, recipe.text, recipe.tokens)
    assert vectors.tokenizer == "bpe"
    assert vectors.model.width == recipe.model.embedding == 384
    changed = recipe.change({"model.embedding": 60, "vectors.training.window": 3})
    assert (inner(changed).model.width, inner(changed).training.window) == (60, 3)


def test_a_section_is_a_recipe(tmp_path: Path) -> None:
    section = '[vectors]\nname = "mine"\nfamily = "word_vectors"\n[vectors.training]\nepochs = 3\n'
    recipe = load_recipe(written(tmp_path, LSTM + section))
    assert (inner(recipe).name, inner(recipe).training.epochs, inner(recipe).model.width) == ("mine", 3, 7)
    again = load_recipe(written(tmp_path, recipe.to_toml(), "again"))
    assert again.to_mapping() == {**recipe.to_mapping(), "name": again.name}
    assert again.to_toml(comments=False) == recipe.to_toml(comments=False)
    assert "vectors.training.epochs" in recipe.keys()  # noqa: SIM118 - no mapping


def test_a_budget_is_the_network_s_and_not_the_vectors() -> None:
    recipe = load_recipe("lstm-vectors").with_budget("epochs", 9)
    assert (recipe.training.epochs, inner(recipe).training.epochs) == (
        9,
        inner(load_recipe("lstm-vectors")).training.epochs,
    )


def test_the_two_lstms_differ_in_their_vectors_alone() -> None:
    plain, begun = load_recipe("lstm").to_mapping(), load_recipe("lstm-vectors").to_mapping()
    assert {key for key in begun if begun[key] != plain.get(key)} == {"name", "vectors"}


# -- what can't be ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipe", "flags", "said"),
    [
        (
            "ngram",
            {"vectors": "v"},
            "--vectors: a model of family ngram embeds no ids, so vectors can't begin it; leave",
        ),
        ("lstm", {"vectors": "gpt"}, "a model of family decoder gives no vectors; name a recipe of word vectors"),
        ("lstm", {"vectors": "v", "vectors.training.epochs": "3"}, "unknown option '--vectors.training.epochs'"),
        (
            "lstm-tagger",
            {"vectors": "v", "tokens.lowercase": "false"},
            "--tokens.lowercase: the tokenizer comes with vectors v; leave it out",
        ),
        ("lstm-vectors", {"vectors.seed": "3"}, "--vectors.seed: parts share it; set --seed"),
        ("lstm-vectors", {"vectors.model.width": "3"}, "[vectors]: model.width: 3 is not the model's embedding, 384;"),
        ("lstm-vectors", {"vectors.training.epohs": "3"}, "unknown option '--vectors.training.epohs'; did you"),
    ],
)
def test_what_can_t_begin_is_refused(recipe: str, flags: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_recipe(recipe, flag_settings(flags))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("vectors = 3\n" + LSTM, "my.toml: vectors: expected a bundle's folder, a recipe's name or a section, got 3"),
        (LSTM + '[vectors]\nfamily = "ngram"\n', "my.toml [vectors]: a model of family ngram gives no vectors; name"),
        (LSTM + '[vectors]\nname = "x"\n', "my.toml [vectors]: family: say which model family"),
        (
            LSTM + '[vectors]\nfamily = "word_vectors"\nmodel = 3\n',
            "my.toml [vectors]: model must be a section, [model]",
        ),
        (LSTM + '[vectors]\nfamily = "word_vectors"\nseed = 3\n', "my.toml [vectors]: seed: parts share it"),
        (LSTM + '[vectors]\nfamily = "word_vectors"\nfamly = "x"\n', "my.toml [vectors]: unknown key 'famly'"),
        ('family = "mixture"\n[parts.vectors]\nfamily = "ngram"\n', "my.toml: parts: 'vectors' can't name a part"),
    ],
)
def test_what_a_file_can_t_say_is_refused_where_it_stands(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_recipe(written(tmp_path, text))
    assert said in str(caught.value).replace(f"{tmp_path}/", "")
