"""From sentences with roles to a tagger that is measured with predicates given and found, and asked."""

import json
from pathlib import Path

import pytest

import ziggurat as package
from tests.journeys.conftest import Ziggurat
from ziggurat.artefacts.bundle import load
from ziggurat.core.errors import InputError, UsageError
from ziggurat.surface.cli import main

SMALL = [
    *("--model.layers", "1", "--model.hidden", "16", "--model.mark_embedding", "8"),
    *("--training.steps", "80", "--training.rows", "16", "--training.learning_rate", "0.02"),
]
ASKED = ["it", "seems", "Ab99", "sees", "Cd98"]


def sentences(path: Path, first: int, count: int) -> Path:
    """Who stands before "sees" sees what stands behind it; and it all seems so."""
    lines = []
    for number in range(first, first + count):
        tokens = ["it", "seems", f"Ab{number:02}", "sees", f"Cd{number:02}"]
        sees = {"predicate": 3, "sense": "see.01", "arguments": [[2, 3, "ARG0"], [4, 5, "ARG1"]]}
        seems = {"predicate": 1, "sense": "seem.01", "arguments": [[2, 5, "ARG1"]]}
        lines.append({"tokens": tokens, "predicates": [seems, sees]})
        lines.append({"tokens": [f"Ef{number:02}", "here"], "predicates": []})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tagger that was trained, with a test file of its own."""
    folder = tmp_path_factory.mktemp("roles")
    train, test = sentences(folder / "train.jsonl", 0, 40), sentences(folder / "test.jsonl", 60, 10)
    words = ["task", "roles", "train", train, "--test", test, *SMALL, "--out", folder / "run", "--quiet", "--json"]
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ZIGGURAT_TRACEBACK", raising=False)
        assert main([str(word) for word in words]) == 0
    return folder / "run"


def test_it_tells_roles_of_what_it_never_saw(run: Path) -> None:
    manifest = load(run, verify=True).manifest
    found = manifest.metrics["test"]
    assert found["examples"] == 20
    assert found["argument_f1"] > 0.9
    assert found["argument_f1_found"] > 0.9
    assert manifest.gives == "roles"
    assert manifest.model["labels"] == ["B-ARG0", "B-ARG1", "B-V", "I-ARG1", "O"]
    card = (run / "bundle" / "README.md").read_text(encoding="utf-8")
    assert "ziggurat task roles predict FOLDER JSONL…" in card
    assert "the same where predicates were to be found first" in card


def test_in_python_predicates_are_given_or_found(run: Path) -> None:
    model = package.load(run)
    seems, sees = [(1, 2, "V"), (2, 5, "ARG1")], [(2, 3, "ARG0"), (3, 4, "V"), (4, 5, "ARG1")]
    assert model.roles([ASKED, ["Ef97", "here"]]) == [{1: seems, 3: sees}, {}]
    assert model.roles([ASKED], predicates=[[3]]) == [{3: sees}]
    with pytest.raises(InputError, match="sentence 0: predicate 5 is outside the sentence of 5 tokens"):
        model.roles([ASKED], predicates=[[5]])
    with pytest.raises(UsageError, match="predicates of 2 sentences for 1"):
        model.roles([ASKED], predicates=[[3], []])


def test_an_encoder_tells_roles_too(run: Path, texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    encoder, out = tmp_path / "encoder", tmp_path / "run"
    small = ["--model.layers", "1", "--model.width", "12", "--model.heads", "3", "--model.context", "32"]
    more = ["--recipe", "bert", "--steps", "2", "--tokens.vocab_size", "300", "--out", encoder, "--quiet"]
    assert ziggurat("train", texts, *small, *more).code == 0
    given = ["--start", encoder, "--training.epochs", "none", "--training.steps", "160", "--training.rows", "16"]
    given += ["--training.learning_rate", "5e-3", "--training.new_rate", "4"]
    ended = ziggurat("task", "roles", "train", run.parent / "train.jsonl", *given, "--out", out, "--quiet")
    assert ended.code == 0, ended.err
    made = load(out)
    assert (made.manifest.family, made.manifest.recipe["name"]) == ("encoder_tagger", "encoder-roles")
    assert made.manifest.metrics["test"]["argument_f1"] > 0.9


@pytest.mark.parametrize("language", ["en", "zh"])
def test_evaluating_says_both_figures_and_roles_in_words(
    run: Path, language: str, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    odd = tmp_path / "odd.jsonl"
    wrong = {"predicate": 3, "arguments": [[2, 3, "ARG0"], [4, 5, "ARG9"]]}
    odd.write_text(json.dumps({"tokens": ASKED, "predicates": [wrong]}) + "\n", encoding="utf-8")
    ended = ziggurat("task", "roles", "evaluate", run, run.parent / "test.jsonl", odd, "--lang", language)
    assert ended.code == 0, ended.err
    for sentence in ("argument F1, predicates given", "argument F1, predicates found"):
        assert (sentence in ended.out) == (language == "en")
    assert "sees: ARG0 Ab99, ARG1 Cd98  sees: ARG0 Ab99, ARG9 Cd98  it seems Ab99 sees Cd98" in ended.out
    assert "ARG9" in ended.err  # a role that nobody learnt
    found = json.loads(ziggurat("task", "roles", "evaluate", run, odd, "--json").out)
    assert found["unknown"] == ["ARG9"]
    # given: ARG0 is right, ARG1 stands for ARG9: 2 · 1 / (2 + 2); found: seems and its ARG1 besides: 2 · 1 / (2 + 3)
    assert found["metrics"]["argument_f1"]["value"] == pytest.approx(0.5)
    assert found["metrics"]["argument_f1_found"]["value"] == pytest.approx(0.4)
    assert found["errors"][0]["input"] == ASKED


def test_predicting_writes_what_is_read(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    path, out = tmp_path / "asked.jsonl", tmp_path / "out.jsonl"
    given = {"id": "a", "tokens": ASKED, "predicates": [{"predicate": 3, "sense": "see.01"}]}
    path.write_text(json.dumps(given) + "\n" + json.dumps({"tokens": ASKED}) + "\n", encoding="utf-8")
    ended = ziggurat("task", "roles", "predict", run, path)
    assert ended.code == 0, ended.err
    first, second = map(json.loads, ended.out.splitlines())
    sees = ["O", "O", "B-ARG0", "B-V", "B-ARG1"]
    assert first == {"id": "a", "tokens": ASKED, "predicates": [{"predicate": 3, "sense": "see.01", "tags": sees}]}
    assert [one["predicate"] for one in second["predicates"]] == [1, 3]
    assert ended.err.splitlines()[-1] == "2 answers"
    out.write_text(ended.out, encoding="utf-8")
    again = json.loads(ziggurat("task", "roles", "evaluate", run, out, "--json").out)
    assert again["metrics"]["argument_f1"]["value"] == 1
    told = json.loads(ziggurat("task", "roles", "predict", run, path, "--json").out.splitlines()[0])
    assert told["answer"] == {"3": [[2, 3, "ARG0"], [3, 4, "V"], [4, 5, "ARG1"]]}


def test_predicting_keeps_all_that_a_line_says(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    path = tmp_path / "asked.jsonl"
    predicates = [{"predicate": 3, "sense": "see.01"}, {"predicate": 3, "sense": "see.02", "frame": 5}]
    given = {"id": 7, "tokens": ASKED, "predicates": predicates, "source": ["a", 1]}
    path.write_text(json.dumps(given) + "\n", encoding="utf-8")
    ended = ziggurat("task", "roles", "predict", run, path)
    assert ended.code == 0, ended.err
    sees = ["O", "O", "B-ARG0", "B-V", "B-ARG1"]
    assert json.loads(ended.out) == {**given, "predicates": [{**one, "tags": sees} for one in predicates]}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train"], "no file was named: ziggurat task roles train FILE…"),
        (["train", "bad.jsonl"], "bad.jsonl:2: the key 'predicates' is missing"),
        (
            ["train", "set.jsonl", "--recipe", "lstm-tagger"],
            "recipe lstm-tagger learns nothing of this task; try lstm-roles",
        ),
        (["train", "words.conll"], "words.conll:1: not JSON"),
        (["evaluate", "nowhere", "set.jsonl"], "nowhere"),
    ],
)
def test_what_can_not_be_is_an_error_of_one_line(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ziggurat: Ziggurat
) -> None:
    monkeypatch.chdir(tmp_path)
    sentences(tmp_path / "set.jsonl", 0, 6)
    bad = json.dumps({"tokens": ["a"], "predicates": []}) + "\n" + json.dumps({"tokens": ["a"]}) + "\n"
    (tmp_path / "bad.jsonl").write_text(bad, encoding="utf-8")
    (tmp_path / "words.conll").write_text("one\tO\ntwo\tB-A\n", encoding="utf-8")
    ended = ziggurat("task", "roles", *words)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err.splitlines()[-1]


def test_what_can_not_be_asked_names_its_line(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    path = tmp_path / "asked.jsonl"
    path.write_text('{"tokens": ["a"]}\n{"tokens": ["a"], "predicates": [{"predicate": 4}]}\n', encoding="utf-8")
    ended = ziggurat("task", "roles", "predict", run, path)
    assert ended.code == 2
    assert f"{path}:2: predicate 4 is outside the sentence of 1 tokens" in ended.err.splitlines()[-1]
    ended = ziggurat("task", "roles", "evaluate", run, path)
    assert (ended.code, ended.out) == (2, "")
    assert f"{path}:1: the key 'predicates' is missing" in ended.err.splitlines()[-1]


def test_other_tasks_and_these_do_not_mix(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    path = tmp_path / "words.conll"
    path.write_text("one\tO\ntwo\tB-A\n", encoding="utf-8")
    ended = ziggurat("task", "ner", "train", path, "--recipe", "lstm-roles")
    assert ended.code == 2
    assert "recipe lstm-roles learns nothing of this task; try lstm-tagger" in ended.err.splitlines()[-1]
    for command in ("evaluate", "predict", "serve"):
        ended = ziggurat("task", "ner", command, run, *([] if command == "serve" else [path]))
        assert (ended.code, ended.out) == (2, ""), command
        assert "this model says roles for predicates, not names: ask it by ziggurat task roles" in ended.err
