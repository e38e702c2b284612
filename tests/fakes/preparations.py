"""A preparation from files to the arrays of a model, and all that it leaves, byte by byte."""

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np

from tests.fakes.texts import documents
from ziggurat.artefacts.fit import fit, recipe_material
from ziggurat.artefacts.recipe import load_recipe
from ziggurat.core.workers import Workers
from ziggurat.text.corpus import prepare

SETTINGS = {"tokens.vocab_size": 300}


def planted(folder: Path) -> Path:
    """Files of many kinds: small and large, packed, in another encoding, binary, empty, with twins near and exact."""
    folder.mkdir()
    english, chinese = documents(61), documents(29, chinese=True)
    near = [text.replace("dawn", "dusk", 1) for text in english[:7]]
    for number, text in enumerate([*english[:13], *near[:3], english[5]]):
        (folder / f"a{number:02d}.txt").write_text(text.replace("\n", "\r\n") + "\x07")
    (folder / "b.txt").write_bytes("\n".join(chinese[:11]).encode("gb18030"))
    (folder / "c.png").write_bytes(b"\x89PNG" + bytes(500))
    (folder / "d.txt").write_text("   \n\n")
    rows = [{"id": str(n), "text": text} for n, text in enumerate([*english[13:], *near, " ", *chinese[11:]])]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "e.jsonl").write_text(lines)
    (folder / "f.jsonl.gz").write_bytes(gzip.compress(lines.replace("stone", "brick").encode(), mtime=0))
    (folder / "g.csv").write_text("text\n" + "\n".join(f'"{text}"' for text in documents(17, seed=3)))
    (folder / "h.txt").write_text("\n\n".join(documents(23, seed=7)).replace("e", "e\u0301"))
    return folder


def left_by(folder: Path, workers: Workers, *sources: Path, order: int = 3) -> dict[str, str]:
    """Prepare ``sources`` and count their n-grams; return SHA-256 of every file that does not say how long it took."""
    recipe = load_recipe("ngram").with_sources(list(map(str, sources))).change({"model.order": order, **SETTINGS})
    with workers:
        corpus = prepare(
            recipe.sources, recipe.text, folder=folder / "text", listener=lambda event: None, workers=workers
        )
        material = recipe_material(recipe, corpus, folder / "tokens", workers=workers)
        fit(recipe, material, folder / "run", workers=workers)
    timed = {"README.md", "ziggurat.json", "metrics.jsonl"}
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in timed
    }


def assert_prepared(left: dict[str, str], folder: Path) -> None:
    """The text, the stores and the model are all there, and hold something."""
    for name in ("text/text.utf8", "text/documents.npy", "tokens/train/tokens.bin", "run/bundle/model.safetensors"):
        assert name in left
        assert (folder / name).stat().st_size > 500
    assert len(np.load(folder / "text" / "documents.npy")) > 10
