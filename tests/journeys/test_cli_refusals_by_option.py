"""Each option of each command with a value that it can't have: named as it was typed, in one line, before any work."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.conftest import Ziggurat

HAN = re.compile("[\u4e00-\u9fff]")
GENERATE = [
    (["--temperature", "-0.1"], "--temperature: must be at least 0.0, got -0.1"),
    (["--temperature", "hot"], "invalid value for '--temperature'"),
    (["--temperature", "nan"], "--temperature"),
    (["--top-k", "-1"], "--top-k: must be at least 0, got -1"),
    (["--top-k", "2.5"], "invalid value for '--top-k'"),
    (["--top-p", "-0.5"], "--top-p: must be from 0.0 to 1.0, got -0.5"),
    (["--top-p", "2"], "--top-p: must be from 0.0 to 1.0, got 2.0"),
    (["--min-p", "1.01"], "--min-p: must be from 0.0 to 1.0, got 1.01"),
    (["--repetition-penalty", "0"], "--repetition-penalty: must be at least 0.01, got 0.0"),
    (["--max-tokens", "-1"], "--max-tokens: must be at least 0, got -1"),
    (["--samples", "-3"], "--samples: must be at least 1, got -3"),
    (["--seed", "-1"], "--seed: must be at least 0, got -1"),
    (["--prompt"], "requires an argument"),
    (["--tempreature", "1"], "unknown option '--tempreature'; did you mean '--temperature'?"),
    (["--topk", "3"], "unknown option '--topk'; did you mean '--top-k'?"),
    (["--no-json"], "unknown option '--no-json'"),
]
EVALUATE = [
    (["--fail-above", "-1"], "--fail-above: must be at least 0, got -1.0"),
    (["--fail-above", "low"], "invalid value for '--fail-above'"),
    (["--seed", "x"], "invalid value for '--seed'"),
    (["--recrod", "a"], "unknown option '--recrod'; did you mean '--record'?"),
]
SCORE = [
    (["--by", "word"], "--by: unknown value 'word'"),
    (["--by", ""], "--by: unknown value ''"),
    (["--line"], "unknown option '--line'; did you mean '--lines'?"),
]
TOKENIZE = [
    (["--show", "-1"], "--show: must be at least 0, got -1"),
    (["--vocab-size", "0"], "--vocab-size: must be at least 1, got 0"),
    (["--vocabsize", "300"], "unknown option '--vocabsize'; did you mean '--vocab-size'?"),
    (["--kind", "wordpeice"], "unknown tokenizer 'wordpeice'; did you mean 'wordpiece'?"),
]
CLIMB = [
    (["--seed", "-2"], "--seed: must be at least 0, got -2"),
    (["--minutes", "0.09"], "--minutes: must be at least 0.1, got 0.09"),
    (["--demo", "english"], "--demo: unknown value 'english'"),
    (["--out"], "requires an argument"),
]
TRAIN = [
    (["--steps", "0"], "--steps: must be at least 1, got 0"),
    (["--steps", "1.5"], "invalid value for '--steps'"),
    (["--epochs", "-1"], "--epochs: must be at least 0, got -1.0"),
    (["--recipe", "ngram", "--model.order", "0"], "--model.order: must be at least 1, got 0"),
    (["--recipe", "ngram", "--seed", "-3"], "--seed: must be at least 0, got -3"),
    (["--text.encodng", "gb18030"], "did you mean '--text.encoding'?"),
    (["--text.undecodable", "ignore"], "--text.undecodable: unknown value 'ignore'"),
    (["--training.schedule", "wds"], "--training.schedule: unknown value 'wds'; did you mean 'wsd'?"),
    (["--recipe", ""], "recipe"),
]
EVERY = [
    *(("generate", words, said) for words, said in GENERATE),
    *(("evaluate", words, said) for words, said in EVALUATE),
    *(("score", words, said) for words, said in SCORE),
    *(("tokenize", words, said) for words, said in TOKENIZE),
    *(("climb", words, said) for words, said in CLIMB),
    *(("train", words, said) for words, said in TRAIN),
    ("reproduce", ["--trian"], "unknown option '--trian'; did you mean '--train'?"),
    ("describe", ["--chek"], "unknown option '--chek'; did you mean '--check'?"),
    ("recipe", ["--bear"], "unknown option '--bear'; did you mean '--bare'?"),
    ("export", ["--too", "arpa"], "unknown option '--too'; did you mean '--to'?"),
    ("import", ["--form", "arpa"], "unknown option '--form'; did you mean '--from'?"),
]


@pytest.fixture
def needed(counted: Path, texts: Path) -> Callable[[str], list[Path]]:
    """The arguments that a command can't do without."""
    known = {
        "generate": [counted],
        "describe": [counted],
        "score": [counted, texts],
        "evaluate": [counted, texts],
        "reproduce": [counted],
        "export": [counted, Path("model.arpa")],
        "import": [Path("model.arpa")],
        "recipe": [],
    }
    return lambda command: known.get(command, [texts])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("language", "word"), [("en", "error: "), ("zh", "错误: ")])
@pytest.mark.parametrize("case", EVERY, ids=lambda case: " ".join([case[0], *case[1]]))
def test_a_value_that_can_t_be(
    case: tuple[str, list[str], str],
    language: str,
    word: str,
    needed: Callable[[str], list[Path]],
    here: Path,
    ziggurat: Ziggurat,
) -> None:
    command, words, said = case
    ended = ziggurat("--lang", language, command, *needed(command), *words)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1), ended.err
    assert ended.err.startswith(word)
    if language == "en":
        assert said in ended.err
    else:
        assert HAN.search(ended.err.removeprefix(word))
        option = re.search(r"--[\w.-]+", said)
        assert option is None or option[0] in ended.err
    assert not ended.err.endswith(".\n")
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ZIGGURAT_MODEL_ORDER", "many", "ZIGGURAT_MODEL_ORDER: expected a whole number, got 'many'"),
        ("ZIGGURAT_MODEL_ORDER", "0", "ZIGGURAT_MODEL_ORDER: must be at least 1, got 0"),
        ("ZIGGURAT_TOKENS_KIND", "bep", "ZIGGURAT_TOKENS_KIND: unknown tokenizer 'bep'; did you mean 'bpe'?"),
    ],
)
def test_a_variable_that_can_t_be_is_named_as_a_variable(
    name: str, value: str, said: str, texts: Path, tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    ended = ziggurat("train", texts, "--recipe", "ngram", "--out", tmp_path / "run")
    assert (ended.code, ended.out, ended.err) == (2, "", f"error: {said}\n")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("command", ["generate", "describe", "score", "evaluate", "export"])
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "no such folder; a bundle is the folder that 'ziggurat train' leaves"),
        (lambda path: path.write_text("x"), "a file, not a bundle; give the folder that holds ziggurat.json"),
        (lambda path: path.mkdir(), "not a bundle (ziggurat.json is missing)"),
    ],
    ids=["missing", "file", "empty"],
)
def test_what_is_no_bundle(
    make: object, said: str, command: str, texts: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    path = tmp_path / "塔 bundle"
    make(path)  # type: ignore[operator]
    more = {"score": [texts], "evaluate": [texts], "export": [tmp_path / "model.arpa"]}.get(command, [])
    ended = ziggurat(command, path, *more)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert f"{path}: " in ended.err
    assert said in ended.err


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_text_that_may_not_be_read_is_named(counted: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    path = tmp_path / "a.txt"
    path.write_text("words", encoding="utf-8")
    path.chmod(0)
    ended = ziggurat("score", counted, path)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "a.txt: may not be read (Permission denied)" in ended.err
