"""The benchmark's judgement of vectors: gensim's figures from files of rows, and recipes of several seeds compared."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks.word_quality import ask, compare, main, sets_of
from tests.fakes.word_vector_bundles import GOLDEN, golden_vectors

VECTORS = golden_vectors()
ROWS = np.array(list(VECTORS.values()), np.float32)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder laid out like that of the data sets, holding small sets instead."""
    for folder, names in {
        "word_benchmarks": ("questions-words.txt", "wordsim353.tsv", "simlex999.txt"),
        "embedding_eval_zh": ("CA8_semantic.txt", "CA_translated.txt"),
    }.items():
        (tmp_path / folder).mkdir()
        for name in names:
            pairs = name.startswith(("wordsim", "simlex"))
            shutil.copyfile(GOLDEN / ("similarity.tsv" if pairs else "analogies.txt"), tmp_path / folder / name)
    return tmp_path


def save(path: Path, rows: np.ndarray) -> str:
    np.save(path, rows.astype(np.float32), allow_pickle=False)
    path.with_suffix(".txt").write_text("\n".join(VECTORS) + "\n", encoding="utf-8")
    return str(path)


def test_recipes_of_several_seeds(data: Path) -> None:
    draw = np.random.default_rng(0)
    sets = sets_of(data)
    sides = []
    for noise in (0.1, 1.0):
        rows = (ROWS + noise * draw.standard_normal(ROWS.shape) for _ in range(3))
        sides.append([ask(list(VECTORS), one.astype(np.float32), sets) for one in rows])
    found = compare([judged for judged, _ in sides[1]], [judged for judged, _ in sides[0]])
    assert list(found) == ["questions-words", "wordsim353", "simlex999"]
    google = found["questions-words"]
    assert google["theirs"] == pytest.approx(np.mean([f["questions-words"]["accuracy"] for _, f in sides[0]]))
    assert google["significantly_below"]
    assert google["low"] <= google["difference"] <= google["high"] < 0
    back = compare([judged for judged, _ in sides[0]], [judged for judged, _ in sides[1]])
    assert not any(row["significantly_below"] for row in back.values())


@pytest.mark.parametrize(
    ("words", "names"), [([], ["questions-words", "wordsim353"]), (["--chinese"], ["CA8_semantic"])]
)
def test_the_last_line_is_json(
    words: list[str], names: list[str], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = save(data / "good.npy", ROWS), save(data / "bad.npy", ROWS[::-1])
    main([good, "--against", bad, "--data", str(data), *words])
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split()[:3] == ["good.npy", names[0], "0.6909"]
    last = json.loads(lines[-1])
    assert last["benchmark"] == "word_quality"
    assert set(names) <= set(last["compared"])
    assert last["compared"][names[0]]["ours"] == pytest.approx(0.6909, abs=1e-4)
    assert f"{names[0]}: +" in "\n".join(lines)
