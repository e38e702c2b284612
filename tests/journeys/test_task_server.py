"""A model of a task behind HTTP, served by a process of its own, as other programs meet it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

import ziggurat as package
from tests.journeys.conftest import Ziggurat

pytest.importorskip("fastapi")
WORDS = {"good": "a warm and generous film", "bad": "a cold and tedious film"}
SENTENCES = "Ada\tB-PER\nlives\tO\nin\tO\nParis\tB-LOC\n\nPlato\tB-PER\nleft\tO\nAthens\tB-LOC\n\n"
SMALL = ["--training.epochs", "none", "--training.steps", "2"]


@contextmanager
def served(task: str, run: Path, *more: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server of a run, by its address, and its process."""
    command = [sys.executable, "-m", "ziggurat", "task", task, "serve", str(run), "--port", "0", *more]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r"http://\S+:\d+", line)
        assert found, line + process.stderr.read()
        yield found[0].rstrip(";"), process
    finally:
        process.kill()
        process.communicate()


def asked(address: str, path: str, content: Any = None) -> tuple[int, Any]:
    """The status and the body of what is asked for: posted where there is content."""
    connection = HTTPConnection(address.removeprefix("http://"), timeout=60)
    with closing(connection):
        body = None if content is None else json.dumps(content).encode()
        connection.request("GET" if body is None else "POST", path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, json.load(response)


def answered(address: str, inputs: Any) -> tuple[int, Any]:
    """What comes back for inputs, or for a whole body."""
    return asked(address, "/answers", inputs if isinstance(inputs, dict) else {"inputs": inputs})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained classifier."""
    folder = tmp_path_factory.mktemp("served")
    lines = [f"{text} number {place}\t{label}\n" for place in range(30) for label, text in WORDS.items()]
    (folder / "train.tsv").write_text("text\tlabel\n" + "".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "ziggurat", "task", "classification", "train", str(folder / "train.tsv")]
    subprocess.run([*command, "--out", str(folder / "run"), "--quiet"], check=True, capture_output=True)
    return folder / "run"


@pytest.fixture(scope="module")
def server(run: Path) -> Iterator[str]:
    """The address of that classifier's server."""
    with served("classification", run) as (address, _):
        yield address


def test_answers_are_those_of_python(run: Path, server: str) -> None:
    texts = [*WORDS.values(), "neither here nor there"]
    status, body = answered(server, texts)
    assert status == 200
    said = package.load(run).classify(texts)
    assert [one["answer"] for one in body["answers"]] == [one.answer for one in said]
    for found, expected in zip(body["answers"], said, strict=True):
        assert found["confidence"] == pytest.approx(expected.confidence)
        assert found["probabilities"] == pytest.approx(dict(expected.probabilities))


def test_it_says_what_it_is(run: Path, server: str) -> None:
    _, found = asked(server, "/")
    assert (found["task"], found["family"], found["labels"]) == ("classification", "linear", ["bad", "good"])
    assert found["metrics"]["test"]["label_accuracy"] == package.load(run).bundle.manifest.entry(
        "metrics.test.label_accuracy"
    )
    assert set(asked(server, "/openapi.json")[1]["paths"]) == {"/", "/answers"}


def test_many_ask_at_once(server: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda label: answered(server, [WORDS[label]]), ["good", "bad"] * 12))
    assert [body["answers"][0]["answer"] for _, body in found] == ["good", "bad"] * 12


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (["fine", 3], "inputs[1]: 3 is no text"),
        ([" "], 'inputs[0]: " " is no text'),
        ({"texts": ["a"]}, "inputs"),
        ({"inputs": ["a"], "temperature": 3}, "temperature"),
        (["a"] * 1025, "1024"),
    ],
)
def test_what_can_not_be_answered_is_said(server: str, inputs: Any, message: str) -> None:
    status, body = answered(server, inputs)
    assert status == 422
    assert message in (body["detail"] if isinstance(body["detail"], str) else json.dumps(body["detail"]))
    assert answered(server, ["a warm film"])[0] == 200


def test_nothing_asked_is_nothing_answered(server: str) -> None:
    assert answered(server, []) == (200, {"answers": []})


def test_ctrl_c_ends_it(run: Path) -> None:
    with served("classification", run) as (address, process):
        assert answered(address, ["a warm film"])[0] == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


def test_words_are_asked_as_lists(tmp_path: Path, ziggurat: Ziggurat) -> None:
    (tmp_path / "train.conll").write_text(SENTENCES * 8, encoding="utf-8")
    ended = ziggurat("task", "ner", "train", tmp_path / "train.conll", "--out", tmp_path / "run", *SMALL)
    assert ended.code == 0, ended.err
    with served("ner", tmp_path / "run") as (address, _):
        words = ["Plato", "lives", "in", "Athens"]
        status, body = answered(address, [words])
        assert status == 200
        assert [tuple(span) for span in body["answers"][0]["answer"]] == package.load(tmp_path / "run").tag([words])[0]
        assert answered(address, ["Plato lives"])[1]["detail"].startswith('inputs[0]: "Plato lives" is no sentence')


def test_a_port_that_is_taken_is_refused(run: Path, ziggurat: Ziggurat) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = ziggurat("task", "classification", "serve", run, "--port", str(port))
    assert (ended.code, ended.out) == (2, "")
    assert f"--port {port} of 127.0.0.1: " in ended.err
    ended = ziggurat("task", "classification", "serve", run, "--host", "256.1.1.1")
    assert ended.code == 2
    assert "--host 256.1.1.1: " in ended.err
