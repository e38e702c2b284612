"""What the journeys share: text on disk, and one small trained run of each kind."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from tests.fakes.texts import documents
from ziggurat.surface.cli import main

TINY = ["--model.layers", "1", "--model.width", "8", "--model.heads", "2", "--model.context", "32"]
TINY_PART = [word.replace("--model", "--gpt.model") for word in TINY]


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Ziggurat = Callable[..., Ended]


@pytest.fixture
def ziggurat(capsys: pytest.CaptureFixture[str]) -> Ziggurat:
    """Run a command in this process."""

    def run(*arguments: str | Path) -> Ended:
        code = main([str(argument) for argument in arguments])
        return Ended(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file of English records."""
    folder = tmp_path_factory.mktemp("texts")
    lines = [json.dumps({"id": f"d{number}", "text": text}) for number, text in enumerate(documents(43))]
    (folder / "tower.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "tower.jsonl"


@pytest.fixture(scope="session")
def chinese_texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One Chinese file in GB 18030, documents apart by empty lines."""
    path = tmp_path_factory.mktemp("chinese") / "塔.txt"
    path.write_bytes("\n\n".join(documents(61, chinese=True)).encode("gb18030"))
    return path


def train(folder: Path, *arguments: str | Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ZIGGURAT_TRACEBACK", raising=False)
        assert main(["train", *map(str, arguments), "--out", str(folder), "--quiet"]) == 0
    return folder


@pytest.fixture(scope="session")
def counted(texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the n-gram recipe."""
    return train(tmp_path_factory.mktemp("runs") / "counted", texts, "--recipe", "ngram", "--tokens.vocab_size", "300")


@pytest.fixture(scope="session")
def mixed(texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the mixture recipe: counts and a tiny network together."""
    folder = tmp_path_factory.mktemp("runs") / "mixed"
    return train(folder, texts, "--recipe", "mixture", "--steps", "3", *TINY_PART, "--tokens.vocab_size", "300")


@pytest.fixture(scope="session")
def learnt(texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the recipe skipgram: vectors of the words of the text, thirteen numbers each."""
    few = ["--tokens.min_count", "2", "--model.width", "13", "--epochs", "2", "--training.threads", "1"]
    return train(tmp_path_factory.mktemp("runs") / "learnt", texts, "--recipe", "skipgram", *few)


@pytest.fixture(scope="session")
def climbed(texts: Path, mixed: Path, learnt: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished climb of nine seconds, one for all processes that share the tests.

    Other runs go before it, so that kernels and torch are loaded by then.
    """
    own = tmp_path_factory.getbasetemp()
    place = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "climbs"
    with FileLock(f"{place}.lock"):
        made = [report.parent for report in place.glob("*/report.html")]
        return made[0] if made else climb(texts, place)


def climb(texts: Path, place: Path) -> Path:
    """Climb into a folder in ``place``.

    A machine that is busy with other things gets more seconds, as the climb's own refusal would advise.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ZIGGURAT_TRACEBACK", raising=False)
        patch.setattr("ziggurat.study.entrants.LEAST_SECONDS", 0.05)
        patch.setattr("ziggurat.study.entrants.TRIAL_SECONDS", 0.05)
        patch.setattr("ziggurat.study.entrants.TRIAL_SLACK", 0.0)  # kernels that are compiled only now make others late
        patch.setattr("ziggurat.study.sizing.COUNTING_PART", 2.0)
        for minutes in ("0.15", "0.4", "1.5"):
            folder = place / f"climbed tower {minutes}"
            if main(["climb", str(texts), "--minutes", minutes, "--out", str(folder), "--quiet"]) == 0:
                return folder
    raise AssertionError("no climb came to its end")
