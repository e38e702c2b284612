"""What `ziggurat describe` shows of models that exist and of such that don't yet."""

import json
import re
import struct
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.bundles import make_bundle
from tests.journeys.conftest import Ziggurat
from ziggurat.artefacts.bundle import load, save
from ziggurat.artefacts.manifest import Provenance
from ziggurat.artefacts.recipe import load_recipe
from ziggurat.artefacts.settings import flag_settings
from ziggurat.models.registry import FAMILIES
from ziggurat.surface.anatomy.words import PIECES
from ziggurat.surface.chinese import SENTENCES
from ziggurat.tokens.loading import train_tokenizer

TINY = ["--model.layers", "3", "--model.width", "20", "--model.heads", "2", "--model.context", "32"]
HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def decoded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the recipe gpt, made tiny, as if it had been trained."""
    recipe = load_recipe("gpt", flag_settings({**dict(pairwise_keys(TINY)), "tokens.kind": "bytes"}))
    tokenizer = train_tokenizer((), recipe.tokenizer, recipe.tokens)
    model = FAMILIES.get(recipe.family).build(recipe.model, tokenizer.vocabulary, seed=3)
    path = tmp_path_factory.mktemp("described") / "bundle"
    save(path, family=recipe.family, model=model, tokenizer=tokenizer, provenance=Provenance(recipe.to_mapping()))
    return path


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of counts."""
    return make_bundle(tmp_path_factory.mktemp("described") / "counts", "ngram").path


def pairwise_keys(words: list[str]) -> list[tuple[str, str]]:
    return [(flag.removeprefix("--"), value) for flag, value in zip(words[::2], words[1::2], strict=True)]


def drawn(ziggurat: Ziggurat, *words: str | Path) -> str:
    ended = ziggurat("describe", *words)
    assert ended.code == 0, ended.err
    return ended.out


def facts(ziggurat: Ziggurat, *words: str | Path) -> dict[str, object]:
    found = json.loads(drawn(ziggurat, *words, "--json"))["anatomy"]
    assert len(found) == 1
    return dict(found[0])


@pytest.mark.parametrize(
    ("words", "trained"),
    [
        ((), None),
        (("--training.frozen", '["embed_tokens"]'), None),
        # two projections in each of three blocks: 2·20 + 2·20 numbers each
        (("--training.lora_rank", "2"), 3 * 2 * 80),
    ],
)
def test_memory_for_training_is_of_what_the_recipe_trains(
    ziggurat: Ziggurat, words: tuple[str, ...], trained: int | None
) -> None:
    told: Any = facts(ziggurat, "gpt", *TINY, "--tokens.kind", "bytes", "--training.optimiser", "adamw", *words)
    memory = told["training"]["memory_bytes"]["f32"]
    if trained is None:
        trained = told["parameters"] - (told["vocabulary"] * 20 if words else 0)
    assert (memory["gradients"], memory["moments"]) == (4 * trained, 8 * trained)


def test_as_many_tokens_are_predicted_as_the_recipe_hides(ziggurat: Ziggurat) -> None:
    few, many = (
        facts(ziggurat, "bert", *TINY, "--training.window", "30", "--training.mask_part", part)
        for part in ("0.1", "0.9")
    )
    told: Any = (few, many)
    # 3 and 27 of 30 tokens of each row have logits
    assert (
        9 * told[0]["training"]["memory_bytes"]["f32"]["logits"] == told[1]["training"]["memory_bytes"]["f32"]["logits"]
    )


def test_a_recipe_is_drawn_before_anything_is_trained(ziggurat: Ziggurat) -> None:
    ended = ziggurat("describe", "gpt", *TINY, "--window", "23", "--rows", "5")
    assert ended.code == 0
    lines = ended.out.splitlines()
    order = [
        "n × V",
        "output, tied",
        "RMSNorm",
        "3 ×",
        "feed-forward",
        "RMSNorm",
        "attention",
        "token embeddings",
        "ids",
    ]
    place = 0
    for word in order:
        place = next(number for number in range(place, len(lines)) if word in lines[number])
    assert "d_model  20     width between layers" in ended.out
    assert "4·d_model·h·d_k + 2·d_k" in ended.out
    assert "4·20·2·10 + 2·10" in ended.out
    assert "3 × 1,620 = 4,860" in ended.out  # 4·20·2·10 + 20
    assert "reading 23 tokens" in ended.out
    assert "a training step on 5 × 23 tokens" in ended.out
    assert ended.err == "next: ziggurat train TEXT… --recipe gpt\n"


def test_pre_norm_and_post_norm_look_different(ziggurat: Ziggurat) -> None:
    pre = drawn(ziggurat, "gpt", *TINY).splitlines()
    post = drawn(ziggurat, "gpt", *TINY, "--model.norm_place", "post").splitlines()

    def below(lines: list[str], sign: str, word: str) -> int:
        number = next(number for number, line in enumerate(lines) if sign in line)
        return next(far for far in range(1, 9) if word in lines[number + far])

    assert below(pre, "⊕", "feed-forward") < below(pre, "⊕", "RMSNorm")  # the norm stands under its branch
    first = next(number for number, line in enumerate(post) if "╔" in line)
    assert "RMSNorm" in post[first + 2]
    assert "⊕" in post[first + 4]


@pytest.mark.parametrize("name", ["gpt", "lstm", "article-lstm", "bert", "skipgram", "mixture"])
def test_every_drawing_keeps_its_lines_straight(name: str, ziggurat: Ziggurat) -> None:
    for language in ("en", "zh"):
        for line in drawn(ziggurat, name, "--lang", language).splitlines():
            if line.startswith("║"):
                assert line.count("║") == 2
            if line.startswith(("  │", "║ │")):
                assert line.count("│") in (2, 3)


def test_a_bundle_has_its_manifest_and_its_anatomy(decoded: Path, ziggurat: Ziggurat) -> None:
    out = drawn(ziggurat, decoded)
    manifest = load(decoded).manifest
    assert "model.parameters" in out
    assert f"gpt: decoder stack, {manifest.entry('model.parameters'):,} parameters" in out
    assert "token embeddings" in out
    found = json.loads(drawn(ziggurat, decoded, "--json"))
    assert found["manifest"]["files"] == manifest.files
    assert found["anatomy"][0]["parameters"] == manifest.entry("model.parameters")
    assert found["anatomy"][0]["vocabulary"] == 257


def test_a_bundle_is_its_recipe_come_true(decoded: Path, ziggurat: Ziggurat) -> None:
    told = facts(ziggurat, "gpt", *TINY, "--tokens.kind", "bytes", "--rows", "7", "--window", "11")
    made = facts(ziggurat, decoded, "--rows", "7", "--window", "11")
    assert told == made


def test_a_damaged_model_still_shows_its_manifest(decoded: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    import shutil

    bundle = tmp_path / "bundle"
    shutil.copytree(decoded, bundle)
    (bundle / "config.json").write_text("{}", encoding="utf-8")
    ended = ziggurat("describe", bundle)
    assert ended.code == 2
    assert "decoder" in ended.out
    assert "so there is nothing but the manifest" in ended.err
    assert "config.json" in ended.err.splitlines()[-1]
    assert "next:" not in ended.err  # what is damaged is not to be used
    told = ziggurat("describe", bundle, "--json")
    assert (told.code, json.loads(told.out)["anatomy"]) == (2, [])
    assert "config.json" in told.err


def test_a_damaged_model_is_not_said_to_be_counts(decoded: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    import shutil

    bundle, picture = tmp_path / "bundle", tmp_path / "tower.svg"
    shutil.copytree(decoded, bundle)
    (bundle / "config.json").write_text("{}", encoding="utf-8")
    ended = ziggurat("describe", bundle, "--picture", picture)
    assert (ended.code, ended.out, picture.exists()) == (2, "", False)
    assert "config.json" in ended.err
    assert "counts" not in ended.err


def test_figures_follow_what_is_asked(ziggurat: Ziggurat) -> None:
    small, large = (facts(ziggurat, "gpt", *TINY, "--rows", rows, "--window", "32") for rows in ("2", "6"))
    assert small["parameters"] == large["parameters"]
    flops = [one["training"]["flops"] for one in (small, large)]  # type: ignore[index]
    assert flops[1] == 3 * flops[0]
    kept = [one["training"]["memory_bytes"]["f32"]["activations"] for one in (small, large)]  # type: ignore[index]
    assert kept[1] == 3 * kept[0]
    short, long = (
        facts(ziggurat, "gpt", *TINY, "--batch", "3", "--length", length)["generation"] for length in ("8", "16")
    )
    assert long["cache_bytes"] == 2 * short["cache_bytes"] == 3 * 16 * 3 * 2 * 20 * 4  # type: ignore[index]
    assert long["flops"] > short["flops"]  # type: ignore[index]


def test_an_encoder_guesses_some_tokens_and_writes_none(ziggurat: Ziggurat) -> None:
    found = facts(ziggurat, "bert", "--window", "40", "--rows", "2")
    assert found["reading"]["picked"] == 6  # type: ignore[index]
    assert "generation" not in found
    assert "writing token" not in drawn(ziggurat, "bert")


def test_a_recipe_of_parts_shows_those_that_have_an_anatomy(ziggurat: Ziggurat) -> None:
    found = json.loads(drawn(ziggurat, "mixture", "--json"))["anatomy"]
    assert [one["name"] for one in found] == ["gpt"]


def test_tokens_of_a_fixed_kind_have_their_own_number(ziggurat: Ziggurat) -> None:
    assert facts(ziggurat, "gpt", *TINY, "--tokens.kind", "bytes")["vocabulary"] == 257


def test_in_chinese_no_part_is_named_in_english(ziggurat: Ziggurat) -> None:
    ended = ziggurat("--lang", "zh", "describe", "gpt", *TINY)
    assert ended.code == 0
    for word in ("embeddings", "attention", "feed-forward", "parameters", "memory", "tokens", "weights"):
        assert word not in ended.out
    assert "词元嵌入" in ended.out
    assert "训练所需内存" in ended.out
    assert ended.err.startswith("下一步：")
    assert [piece for group in PIECES for piece in group if piece not in SENTENCES] == []


def test_every_kind_of_picture(decoded: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    pytest.importorskip("vl_convert")
    files = [tmp_path / f"tower.{ending}" for ending in ("png", "svg", "html")]
    words = [word for file in files for word in ("--picture", file)]
    ended = ziggurat("describe", decoded, *words)
    assert ended.code == 0, ended.err
    assert [f"picture: {file}" in ended.err for file in files] == [True] * 3
    raw = files[0].read_bytes()
    assert struct.unpack(">II", raw[16:24])[0] == 2400
    shown = re.findall(r"<text[^>]*>([^<]+)</text>", files[1].read_text(encoding="utf-8"))
    assert {"3 ×", "attention", "RMSNorm", "token embeddings", "symbols", "highest at any moment"} <= set(shown)
    page = files[2].read_text(encoding="utf-8")
    assert page.startswith('<!doctype html>\n<html lang="en">')
    assert page.count("<table>") == 4
    assert re.findall(r"(?:src|href)=|@import", page) == []


def test_pictures_in_chinese(tmp_path: Path, ziggurat: Ziggurat) -> None:
    """A drawing of lines uses the fonts of who opens it; a PNG those of this machine, else it is in English."""
    pytest.importorskip("vl_convert")
    files = [tmp_path / "塔.svg", tmp_path / "塔.png"]
    ended = ziggurat("--lang", "zh", "describe", "bert", "--picture", files[0], "--picture", files[1])
    assert ended.code == 0
    assert "词元嵌入" in files[0].read_text(encoding="utf-8")
    assert files[1].stat().st_size > 10_000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gtp"], "unknown recipe 'gtp'; did you mean 'gpt'?"),
        (["nowhere"], "nowhere: no such folder; a bundle is the folder that 'ziggurat train' leaves"),
        (["{tmp}/my.toml"], "my.toml: can't be read"),
        ([], "give one bundle or recipe, not 0"),
        (["gpt", "lstm"], "give one bundle or recipe, not 2"),
        (["gpt", "--window", "257"], "--window: 257 tokens are more than gpt can read at once (its context is 256)"),
        (["gpt", "--length", "999"], "--length: 999 tokens are more than gpt can read at once (its context is 256)"),
        (["gpt", "--window", "0"], "--window: must be at least 1, got 0"),
        (["gpt", "--source", "9"], "--source: gpt reads no source beside its text; leave it out"),
        (["gpt", "--model.layesr", "9"], "unknown option '--model.layesr'; did you mean '--model.layers'?"),
        (["{run}", "--model.layers", "9"], "is trained already; set keys of a recipe"),
        (["ngram"], "ngram: a model of family ngram has no size before it is trained"),
        (["gpt", "--picture", "tower.gif"], "--picture: unknown file ending '.gif'"),
        (["gpt", "--picture", "tower.png", "--fonts", "{tmp}/none"], "no such file or folder"),
        (["{counted}", "--picture", "tower.png"], "--picture: this model is counts and has no parts to draw"),
    ],
)
def test_what_can_t_be_described(
    words: list[str], said: str, decoded: Path, counted: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    places = {"tmp": tmp_path, "run": decoded, "counted": counted}
    ended = ziggurat("describe", *(word.format(**places) for word in words))
    assert (ended.code, ended.out) == (2, ""), ended.err
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert not HAN.search(ended.err)
