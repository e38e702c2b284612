"""From sentences of labelled words to a tagger that is measured and asked, in English and Chinese."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

import ziggurat as package
from tests.journeys.conftest import Ziggurat
from ziggurat.artefacts.bundle import load
from ziggurat.surface.cli import main

SMALL = ["--model.hidden", "16", "--training.steps", "40", "--training.learning_rate", "0.02"]


def columns(path: Path, first: int, count: int) -> Path:
    """Who stands behind "mr" is a person; the rest is nobody."""
    people = [f"mr\tO\nAb{number:02}\tB-PER\ngoes\tO\nhome\tO\n" for number in range(first, first + count)]
    nobody = [f"stone{number}\tO\nis\tO\ngrey\tO\n" for number in range(first, first + count)]
    path.write_text("\n".join([*people, *nobody]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tagger that was trained, with a test file of its own."""
    folder = tmp_path_factory.mktemp("ner")
    train, test = columns(folder / "train.conll", 0, 40), columns(folder / "test.conll", 60, 10)
    words = ["task", "ner", "train", train, "--test", test, *SMALL, "--out", folder / "run", "--quiet", "--json"]
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ZIGGURAT_TRACEBACK", raising=False)
        assert main([str(word) for word in words]) == 0
    return folder / "run"


def test_it_finds_names_that_it_never_saw(run: Path) -> None:
    manifest = load(run, verify=True).manifest
    found = manifest.metrics["test"]
    assert found["examples"] == 20
    assert found["span_f1"] > 0.9
    assert manifest.metrics["dev"]["temperature"] > 0
    assert found["calibration_error"] < 0.2  # of a short training whose answers are right
    assert manifest.model["labels"] == ["B-PER", "O"]
    assert "F1 of whole stretches" in (run / "bundle" / "README.md").read_text(encoding="utf-8")
    assert package.load(run).tag([["mr", "Ab99", "goes", "home"], ["stone7"]]) == [[(1, 2, "PER")], []]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_evaluating_says_spans_in_words(run: Path, language: str, tmp_path: Path, ziggurat: Ziggurat) -> None:
    odd = tmp_path / "odd.conll"
    odd.write_text("mr\tO\nAb98\tB-LOC\ngoes\tO\nhome\tO\n", encoding="utf-8")
    ended = ziggurat("task", "ner", "evaluate", run, run.parent / "test.conll", odd, "--lang", language)
    assert ended.code == 0, ended.err
    assert ("span F1" in ended.out) == (language == "en")
    assert "PER Ab98  LOC Ab98  mr Ab98 goes home" in ended.out
    assert "LOC" in ended.err  # a type that nobody learnt
    found = json.loads(ziggurat("task", "ner", "evaluate", run, odd, "--json").out)
    assert found["unknown"] == ["LOC"]


def test_predicting_writes_columns(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    path = tmp_path / "words.txt"
    path.write_text("mr\nAb99\ngoes\nhome\n\nstone7\nis\ngrey\n", encoding="utf-8")
    ended = ziggurat("task", "ner", "predict", run, path)
    assert ended.code == 0, ended.err
    assert ended.out == "mr\tO\nAb99\tB-PER\ngoes\tO\nhome\tO\n\nstone7\tO\nis\tO\ngrey\tO\n\n"
    assert ended.err.splitlines()[-1] == "2 answers"


def test_predicting_loses_no_word(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    path = tmp_path / "words.jsonl"
    path.write_text('{"tokens": ["mr", "Ab99", "goes", "home"]}\n', encoding="utf-8")
    ended = ziggurat("task", "ner", "predict", run, path)
    assert (ended.code, ended.out) == (0, "mr\tO\nAb99\tB-PER\ngoes\tO\nhome\tO\n\n")
    path.write_text("mr Ab99 goes home\n", encoding="utf-8")
    ended = ziggurat("task", "ner", "predict", run, path)
    assert (ended.code, ended.out) == (2, "")
    assert "words.jsonl:1: 4 words parted by blanks, and the last, 'home', is no label; give a word a line" in ended.err


def test_chinese_sentences(tmp_path: Path, ziggurat: Ziggurat) -> None:
    path = tmp_path / "句子.bmes"
    lines = [f"我 O\n叫 O\n{a} B-NAME\n{b} E-NAME\n。 O\n" for a in "王李张刘陈" for b in "明华军平英"]
    path.write_text("\n".join([*lines, *("好 O\n的 O\n。 O\n",) * 5]), encoding="utf-8")
    given = [*SMALL, "--out", tmp_path / "run", "--lang", "zh"]
    ended = ziggurat("task", "ner", "train", path, *given)
    assert ended.code == 0, ended.err
    assert ended.err.splitlines()[0] == "配方：lstm-tagger-zh，因为多数词是单个汉字；可用 --recipe 另行指定"
    assert "片段 F1" in ended.out
    assert load(tmp_path / "run").manifest.model["labels"] == ["B-NAME", "E-NAME", "O"]
    assert load(tmp_path / "run").manifest.recipe["name"] == "lstm-tagger-zh"
    assert not (tmp_path / "run" / "baseline").exists()
    # a name that is given is obeyed, and needs no reason
    given = ["--recipe", "lstm-tagger", *SMALL, "--training.steps", "2", "--out", tmp_path / "other"]
    ended = ziggurat("task", "ner", "train", path, *given)
    assert ended.code == 0, ended.err
    assert "since" not in ended.err
    assert load(tmp_path / "other").manifest.recipe["name"] == "lstm-tagger"


@pytest.mark.parametrize("scheme", ["BIO", "BIOES", "BMES", "none"])
def test_a_scheme_that_is_named_is_obeyed(scheme: str, tmp_path: Path, ziggurat: Ziggurat) -> None:
    path, out = columns(tmp_path / "set.conll", 0, 20), tmp_path / "run"
    if scheme != "BIO":  # one word alone is S in these
        path.write_text(path.read_text(encoding="utf-8").replace("B-PER", "S-PER"), encoding="utf-8")
    given = [*SMALL, "--training.steps", "4", "--model.scheme", scheme, "--out", out, "--quiet"]
    ended = ziggurat("task", "ner", "train", path, *given)
    assert ended.code == 0, ended.err
    model: Any = load(out).model
    assert (model.network.config.scheme, model.labels[0]) == (scheme, "B-PER" if scheme == "BIO" else "O")


def test_labels_that_are_not_those_of_the_text_are_refused(tmp_path: Path, ziggurat: Ziggurat) -> None:
    path = columns(tmp_path / "set.conll", 0, 20)
    given = [*SMALL, "--out", tmp_path / "run", "--quiet"]
    ended = ziggurat("task", "ner", "train", path, *given, "--model.labels", '["O"]')
    assert (ended.code, ended.out) == (2, "")
    assert "model.labels: the labels of the training text, in order, are B-PER, O; leave" in ended.err
    path.write_text(path.read_text(encoding="utf-8").replace("Ab07\tB-", "Ab07\tb-"), encoding="utf-8")
    ended = ziggurat("task", "ner", "train", path, *SMALL, "--out", tmp_path / "other", "--quiet")
    assert (ended.code, ended.out) == (2, "")
    assert "set.conll:37: the label 'b-PER' is none of BIO, as most labels are" in ended.err


@pytest.mark.parametrize("language", ["en", "zh"])
def test_labels_that_break_their_scheme_are_told_with_their_line(
    language: str, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    path = columns(tmp_path / "set.conll", 0, 20)
    dev = columns(tmp_path / "dev.conll", 30, 5)
    given = ["--dev", dev, "--test", dev, *SMALL, "--training.steps", "2", "--lang", language]
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("Ab07\tB-", "Ab07\tI-"), encoding="utf-8")
    ended = ziggurat("task", "ner", "train", path, *given, "--out", tmp_path / "run")
    assert ended.code == 0, ended.err
    said = {
        "en": "set.conll:37: 'I-PER' may not follow 'O' in BIO; 1 of 40 sentences have such faults and are left out: ",
        "zh": "set.conll:37：按 BIO，'I-PER' 不能跟在'O'之后；40 个句子中有 1 个有此类错误，已略去：请修正标签；或",
    }
    assert said[language] in ended.err
    path.write_text("a\tO\nb\tI-LOC\nc\tB-PER\n\nd\tB-LOC\ne\tI-PER\n", encoding="utf-8")
    ended = ziggurat("task", "ner", "train", path, *given, "--out", tmp_path / "none")
    assert (ended.code, ended.out) == (2, "")
    said = {
        "en": "set.conll:2: 'I-LOC' may not follow 'O' in BIO; none of 2 sentences can be learnt from: mend the labels",
        "zh": "set.conll:2：按 BIO，'I-LOC' 不能跟在'O'之后；2 个句子都无法用来学习：请修正标签；或把",
    }
    assert said[language] in ended.err.splitlines()[-1]


def test_one_slip_among_iob1_is_no_bio(tmp_path: Path, ziggurat: Ziggurat) -> None:
    path, dev, out = columns(tmp_path / "set.conll", 0, 20), columns(tmp_path / "dev.conll", 30, 5), tmp_path / "run"
    text = path.read_text(encoding="utf-8").replace("B-PER", "I-PER")
    path.write_text(text.replace("Ab07\tI-", "Ab07\tB-"), encoding="utf-8")
    given = ["--dev", dev, "--test", dev, *SMALL, "--training.steps", "2", "--out", out]
    ended = ziggurat("task", "ner", "train", path, *given)
    assert ended.code == 0, ended.err
    model: Any = load(out).model
    assert model.network.config.scheme == "IOB1"
    assert "set.conll:37: 'B-PER' may not follow 'O' in IOB1; 1 of 40 sentences" in ended.err


def test_plain_labels_are_kept(tmp_path: Path, ziggurat: Ziggurat) -> None:
    path, out = tmp_path / "pos.conll", tmp_path / "run"
    path.write_text("".join(f"the\tDET\nx{n:02}\tNOUN\nruns\tVERB\n\n" for n in range(40)), encoding="utf-8")
    ended = ziggurat("task", "ner", "train", path, *SMALL, "--out", out, "--quiet")
    assert ended.code == 0, ended.err
    assert ziggurat("task", "ner", "predict", out, path).out == path.read_text(encoding="utf-8")
    found = json.loads(ziggurat("task", "ner", "evaluate", out, path, "--json").out)
    assert ([one["label"] for one in found["classes"]], found["unknown"]) == (["DET", "NOUN", "VERB"], [])


def test_parts_of_speech_of_conll_u_are_learnt_and_written(tmp_path: Path, ziggurat: Ziggurat) -> None:
    path, asked, out = tmp_path / "set.conllu", tmp_path / "asked.conllu", tmp_path / "run"
    row = "{}\t{}\t_\t{}\t_\t_\t0\troot\t_\tNote={}\n"

    def sentence(number: int, *tags: str) -> str:
        words = zip(("the", f"x{number:02}", "runs"), tags, strict=True)
        rows = [row.format(place, *word, number) for place, word in enumerate(words, start=1)]
        return f"# sent_id = {number}\n1-2\tthex\t" + "\t".join("_" * 8) + "\n" + "".join(rows) + "\n"

    path.write_text("".join(sentence(one, "DET", "NOUN", "VERB") for one in range(40)), encoding="utf-8")
    ended = ziggurat("task", "ner", "train", path, *SMALL, "--out", out, "--quiet")
    assert ended.code == 0, ended.err
    asked.write_text(sentence(77, "_", "ADV", "_") + sentence(78, "_", "_", "_"), encoding="utf-8")
    answered = sentence(77, "DET", "NOUN", "VERB") + sentence(78, "DET", "NOUN", "VERB")
    ended = ziggurat("task", "ner", "predict", out, asked)
    assert (ended.code, ended.out) == (0, answered)
    asked.write_text(answered, encoding="utf-8")
    found = json.loads(ziggurat("task", "ner", "evaluate", out, asked, "--json").out)
    assert (found["metrics"]["span_f1"]["value"], found["examples"]) == (1.0, 2)


ENCODER = ["--model.layers", "1", "--model.width", "12", "--model.heads", "3", "--model.context", "32"]


def test_an_encoder_is_what_names_are_told_by(run: Path, texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    encoder, out = tmp_path / "encoder", tmp_path / "run"
    made = ziggurat(
        *("train", texts, "--recipe", "bert", "--steps", "2", *ENCODER, "--tokens.vocab_size", "300"),
        *("--out", encoder, "--quiet"),
    )
    assert made.code == 0, made.err
    files = [run.parent / "train.conll", "--test", run.parent / "test.conll"]
    given = ["--recipe", "encoder-tagger", "--start", encoder, "--training.epochs", "none", "--training.steps", "60"]
    more = ["--model.character_filters", "16", "--training.learning_rate", "1e-3", "--out", out, "--quiet"]
    ended = ziggurat("task", "ner", "train", *files, *given, *more)
    assert ended.code == 0, ended.err
    inside, whole = load(encoder), load(out, verify=True)
    assert whole.manifest.tokenizer["fingerprint"] == inside.manifest.tokenizer["fingerprint"]
    assert whole.manifest.training["start"]["from"] == str(encoder / "bundle")
    assert whole.manifest.metrics["test"]["span_f1"] > 0.9  # what is written with a capital is a name
    ended = ziggurat("task", "ner", "train", *files, "--recipe", "lstm-tagger", "--start", encoder)
    assert (ended.code, ended.out) == (2, "")
    assert f"start {encoder} is of family encoder, not recurrent_tagger" in ended.err


def test_minutes_are_a_budget_of_an_encoder_too(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    given = ["--recipe", "encoder-tagger", *ENCODER, "--tokens.vocab_size", "300", "--minutes", "0.02"]
    ended = ziggurat("task", "ner", "train", run.parent / "train.conll", *given, "--out", tmp_path / "run", "--quiet")
    assert ended.code == 0, ended.err
    assert load(tmp_path / "run").manifest.training["seconds"] < 3


def test_words_that_only_vectors_know_are_known(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    """Berlin and Rome stand in like places in a text; only one of the two is in what was labelled, in small letters."""
    text, train, test = tmp_path / "text.jsonl", tmp_path / "train.conll", tmp_path / "test.conll"
    towns, things = (words.split() for words in ("berlin rome paris oslo cairo lima", "bread salt wine rice milk tea"))
    dice = random.Random(3)
    texts = []
    for _ in range(120):
        went = [f"we went by train from {{}} to {{}} in day {dice.randrange(999)} .".format(*dice.sample(towns, 2))] * 3
        texts.append(" ".join([*went, *(f"they eat {a} with some {b} ." for a, b in [dice.sample(things, 2)] * 3)]))
    text.write_text("".join(json.dumps({"text": one}) + "\n" for one in texts), encoding="utf-8")
    labelled = [(town, "B-LOC") for town in towns] + [(thing, "O") for thing in things]
    for path, chosen in ((train, [*labelled[:4], *labelled[6:10]] * 6), (test, [*labelled[4:6], *labelled[10:]])):
        path.write_text("\n".join(f"see\tO\n{word}\t{label}\n" for word, label in chosen), encoding="utf-8")
    vectors, out = tmp_path / "vectors", tmp_path / "run"
    small = ["--model.width", "13", "--training.threads", "1", "--training.epochs", "20", "--out", vectors, "--quiet"]
    made = ziggurat("train", text, "--recipe", "task-vectors", *small)
    assert made.code == 0, made.err
    files = [train, "--test", test, "--vectors", vectors]
    plain = ["--model.character_filters", "0", *SMALL]
    ended = ziggurat("task", "ner", "train", *files, *plain, "--out", out, "--json")
    assert ended.code == 0, ended.err
    found, begun = load(out), load(vectors)
    assert found.manifest.tokenizer["fingerprint"] == begun.manifest.tokenizer["fingerprint"]
    facts = found.manifest.training["vectors"]
    assert facts["found"] == facts["of"] - len(found.tokenizer.vocabulary.special)
    assert found.manifest.metrics["test"]["span_f1"] == 1.0
    # the command says what can't be before a folder is made
    ended = ziggurat("task", "ner", "train", *files, "--model.embedding", "100", "--out", tmp_path / "other")
    assert "have 13 numbers each and model.embedding is 100: set model.embedding to 13" in ended.err
    assert (ended.code, (tmp_path / "other").exists()) == (2, False)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train"], "no file was named: ziggurat task ner train FILE…"),
        (["train", "bad.conll"], "bad.conll:2: "),
        (["train", "set.conll", "--recipe", "linear"], "recipe linear learns nothing of this task"),
        (["evaluate", "nowhere", "set.conll"], "nowhere"),
    ],
)
def test_what_can_not_be_is_an_error_of_one_line(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ziggurat: Ziggurat
) -> None:
    monkeypatch.chdir(tmp_path)
    columns(tmp_path / "set.conll", 0, 12)
    (tmp_path / "bad.conll").write_text("one\tO\ntwo\n", encoding="utf-8")
    ended = ziggurat("task", "ner", *words)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err.splitlines()[-1]
