"""``ziggurat chat`` and ``generate --chat``: with a template and without one, piped, within a short context."""

import io
import json
from pathlib import Path

import pytest

from tests.fakes.bundles import make_bundle
from tests.fakes.chat_templates import CHATML, MISTRAL, speaking_tokenizer
from tests.journeys.conftest import Ziggurat
from ziggurat.artefacts.bundle import save
from ziggurat.artefacts.manifest import Provenance
from ziggurat.core.config import from_mapping
from ziggurat.models.registry import FAMILIES
from ziggurat.use.chat_template import ChatTemplate
from ziggurat.use.completion import GenerationConfig, generate

TOKENIZER = speaking_tokenizer()
SMALL = {"layers": 1, "width": 12, "heads": 2, "context": 97}


def talker(path: Path, template: str = CHATML, context: int = 97) -> Path:
    family = FAMILIES.get("decoder")
    config = from_mapping(family.config, {**SMALL, "context": context}, where="test")
    model = family.build(config, TOKENIZER.vocabulary, seed=7)
    provenance = Provenance()
    return save(
        path,
        family="decoder",
        model=model,
        tokenizer=TOKENIZER,
        provenance=provenance,
        chat_template=template,
    ).path


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return talker(tmp_path / "talker")


def read_from(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))


def test_one_turn_is_answered_without_repeating_the_question(bundle: Path, ziggurat: Ziggurat) -> None:
    from ziggurat.artefacts.bundle import load

    found = ziggurat(
        "generate",
        bundle,
        "--chat",
        "--prompt",
        "the tower",
        "--system",
        "Be brief",
        "--max-tokens",
        "13",
        "--seed",
        "3",
    )
    opened = load(bundle)
    template = ChatTemplate(opened.chat_template, opened.tokenizer)
    ids = template.ids([{"role": "system", "content": "Be brief"}, {"role": "user", "content": "the tower"}])
    (expected,) = generate(
        opened.language_model, opened.tokenizer, [ids], GenerationConfig(max_tokens=13), seed=3, ends=template.ends
    )
    assert (found.code, found.out, found.err) == (0, expected.text + "\n", "")


def test_a_turn_in_json_names_the_question_and_why_the_answer_ended(bundle: Path, ziggurat: Ziggurat) -> None:
    options = ["--chat", "--prompt", "x", "--max-tokens", "5", "--samples", "2", "--json"]
    found = json.loads(ziggurat("generate", bundle, *options).out)
    assert found["prompt"] == "x"
    assert len(found["continuations"]) == 2
    assert all(one["tokens"] <= 5 and one["reason"] in {"end", "length"} for one in found["continuations"])


def test_a_system_without_a_conversation_is_refused(bundle: Path, ziggurat: Ziggurat) -> None:
    found = ziggurat("generate", bundle, "--prompt", "x", "--system", "y")
    assert (found.code, found.out) == (2, "")
    assert "--system: goes with --chat only" in found.err


@pytest.mark.parametrize(
    ("command", "advice"),
    [(["generate", "--chat"], "leave --chat out"), (["chat"], "'ziggurat generate' lets it go on from a prompt")],
)
def test_a_bundle_without_a_template_says_what_to_do(
    command: list[str], advice: str, tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_from("one\n", monkeypatch)
    found = ziggurat(command[0], make_bundle(tmp_path / "bundle", "ngram").path, *command[1:])
    assert (found.code, found.out) == (2, "")
    assert "no chat template" in found.err
    assert advice in found.err
    assert found.err.count("\n") == 1


def test_a_damaged_template_is_named(tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch) -> None:
    read_from("one\n", monkeypatch)
    found = ziggurat("chat", talker(tmp_path / "b", "{% if %}"))
    assert (found.code, found.out) == (2, "")
    assert "chat template, line 1" in found.err


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{% if 1 %}" * 700 + "x" + "{% endif %}" * 700, "is nested too deeply"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "is nested too deeply"),
        ("{{ 'x' * 99999999999999 }}", "fails on this conversation: it repeats something 99999999999999 times"),
        ("{{ 9 ** 9 ** 9 }}", "fails on this conversation: it raises 387420489 to the power of 9"),
        ("{{ '%99999999999999d' % 5 }}", "asks for more memory than there is"),
    ],
)
@pytest.mark.parametrize("command", [["generate", "--chat", "--prompt", "x"], ["chat"]])
def test_a_template_that_overreaches_is_blamed_and_not_the_text(
    command: list[str], source: str, said: str, tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_from("one\n", monkeypatch)
    found = ziggurat(command[0], talker(tmp_path / "b", source), *command[1:], "--quiet" if command[1:] else "--json")
    assert (found.code, found.out) == (2, "")
    assert f"the chat template {said}" in found.err
    assert "less text" not in found.err


def test_each_line_is_answered_and_remembered(
    bundle: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_from("the tower\n\n   \nat dawn\n", monkeypatch)
    found = ziggurat("chat", bundle, "--json", "--max-tokens", "5")
    rows = [json.loads(line) for line in found.out.splitlines()]
    assert [row["question"] for row in rows] == ["the tower", "at dawn"]
    assert list(rows[0]) == ["version", "question", "answer", "tokens", "reason"]
    assert "a line is a question" in found.err
    read_from("at dawn\n", monkeypatch)
    alone = [json.loads(line) for line in ziggurat("chat", bundle, "--json", "--max-tokens", "5").out.splitlines()]
    assert alone[0]["answer"] != rows[1]["answer"]


def test_reset_makes_the_next_question_the_first(
    bundle: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    greedy = ["--json", "--max-tokens", "5", "--temperature", "0"]
    read_from("x\ny\n/reset\nx\n", monkeypatch)
    found = ziggurat("chat", bundle, *greedy)
    rows = [json.loads(line) for line in found.out.splitlines()]
    assert [row["question"] for row in rows] == ["x", "y", "x"]
    assert rows[0]["answer"] == rows[2]["answer"]
    assert "forgotten" in found.err


def test_answers_stream_a_line_each_and_the_same_seed_gives_the_same(
    bundle: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = []
    for seed in ("1", "1", "2"):
        read_from("x\n", monkeypatch)
        texts.append(ziggurat("chat", bundle, "--max-tokens", "7", "--seed", seed, "--quiet").out)
    assert texts[0] == texts[1] != texts[2]
    assert texts[0].endswith("\n")


def test_a_conversation_that_outgrows_the_context_forgets_and_says_so(
    tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = talker(tmp_path / "short", "{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}", context=41)
    read_from("the tower at dawn\n" * 7, monkeypatch)
    found = ziggurat("chat", bundle, "--max-tokens", "5", "--quiet")
    assert found.code == 0
    assert "older questions with their answers are forgotten" in found.err
    assert "the answer was cut at 5 tokens" in found.err


def test_a_question_that_does_not_fit_ends_a_pipe_with_an_error(
    tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_from("the tower " * 97 + "\n", monkeypatch)
    found = ziggurat("chat", talker(tmp_path / "short", context=64), "--quiet")
    assert (found.code, found.out) == (2, "")
    assert "ask shorter" in found.err


def test_what_the_template_refuses_is_said(tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch) -> None:
    strict = MISTRAL + "{%- if messages | length > 1 %}{{ raise_exception('only one turn') }}{% endif %}"
    read_from("x\ny\n", monkeypatch)
    found = ziggurat("chat", talker(tmp_path / "strict", strict), "--max-tokens", "3", "--quiet")
    assert found.code == 2
    assert "the chat template refuses this conversation: only one turn" in found.err


def test_nothing_asked_nothing_answered(bundle: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch) -> None:
    read_from("", monkeypatch)
    found = ziggurat("chat", bundle, "--quiet")
    assert (found.code, found.out, found.err) == (0, "", "")


def test_chinese_questions_and_a_chinese_interface(
    bundle: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_from("塔楼在哪里?\n", monkeypatch)
    found = ziggurat("chat", bundle, "--json", "--max-tokens", "3", "--lang", "zh")
    assert json.loads(found.out)["question"] == "塔楼在哪里?"
    assert "一行一个问题" in found.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--samples", "1"], "unknown option '--samples'"),
        (["--max-tokens", "0"], "--max-tokens: must be at least 1, got 0"),
        (["--temprature", "1"], "did you mean '--temperature'?"),
    ],
)
def test_refusals_name_the_option(options: list[str], said: str, bundle: Path, ziggurat: Ziggurat) -> None:
    found = ziggurat("chat", bundle, *options)
    assert (found.code, found.out) == (2, "")
    assert said in found.err
