"""Ask gensim about the vectors beside this file, and keep its numbers.

::

    pip install gensim==4.4.0
    python tests/golden/intrinsic/make.py

writes ``vectors.txt``, ``analogies.txt``, ``similarity.tsv`` (made up, with variants in capitals, unknown and rare
words) and ``gensim.json`` (what gensim says of them). Only the last needs gensim; tests read all four without it.
"""

import importlib
import json
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent
WIDTH = 13
SYLLABLES = ["ba", "de", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "vé", "zhi", "塔", "层"]
RESTRICTS = (60, 110, 300)


def main() -> None:
    """Write the four files."""
    draw = np.random.default_rng(5)
    words, rows, relations = _language(draw)
    lines = [f"{len(words)} {WIDTH}"]
    lines += [f"{word} {' '.join(f'{value:.3f}' for value in row)}" for word, row in zip(words, rows, strict=True)]
    (FOLDER / "vectors.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    asked = []
    for name, pairs in relations.items():
        asked.append(f": {name}")
        asked += [f"{a} {b} {c} {d}" for (a, b), (c, d) in permutations(pairs, 2)]
    (FOLDER / "analogies.txt").write_text("\n".join([*asked, "ba nowhere de ki"]) + "\n", encoding="utf-8")
    scored = []
    for _ in range(61):
        one, other = draw.integers(0, len(words), 2)
        cosine = rows[one] @ rows[other] / np.sqrt((rows[one] @ rows[one]) * (rows[other] @ rows[other]))
        scored.append(f"{words[one]}\t{words[other].title()}\t{round(5 + 3 * cosine + draw.normal(), 1)}")
    scored += ["nowhere\tba\t3.5", "ba\tnothing\t0.5"]
    (FOLDER / "similarity.tsv").write_text("# one\tother\tscore\n" + "\n".join(scored) + "\n", encoding="utf-8")
    (FOLDER / "gensim.json").write_text(json.dumps(_gensim(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _language(draw: np.random.Generator) -> tuple[list[str], np.ndarray[Any, Any], dict[str, list[tuple[str, str]]]]:
    """Words by falling frequency, their vectors, and relations between them: an ending adds nearly the same vector."""
    stems = [one + other for one in SYLLABLES[:12] for other in SYLLABLES[:12] if one != other][::3][:40]
    vectors = {stem: draw.standard_normal(WIDTH) for stem in stems}
    relations: dict[str, list[tuple[str, str]]] = {}
    for name, ending, noise in (("places", "x", 0.35), ("gram1-many", "es", 0.5), ("gram2-层", "层", 0.7)):
        shift = draw.standard_normal(WIDTH)
        some = [stems[number] for number in draw.permutation(len(stems))[:11]]
        relations[name] = [(stem, stem + ending) for stem in some]
        for stem in some:
            vectors[stem + ending] = vectors[stem] + shift + noise * draw.standard_normal(WIDTH)
    for word in list(vectors)[::4]:  # variants: near the word, in other letters
        vectors[word.title()] = vectors[word] + 0.3 * draw.standard_normal(WIDTH)
    vectors |= {word.upper(): draw.standard_normal(WIDTH) for word in list(vectors)[::7]}
    vectors |= {syllable: draw.standard_normal(WIDTH) for syllable in SYLLABLES}
    order = draw.permutation(len(vectors))
    words = [list(vectors)[number] for number in order]
    return words, np.round(np.array([vectors[word] for word in words]), 3), relations


def _gensim() -> dict[str, Any]:
    models, gensim = importlib.import_module("gensim.models"), importlib.import_module("gensim")
    vectors = models.KeyedVectors.load_word2vec_format(str(FOLDER / "vectors.txt"))
    found: dict[str, Any] = {"gensim": gensim.__version__, "analogies": [], "similarity": []}
    asked = [line.split() for line in (FOLDER / "analogies.txt").read_text(encoding="utf-8").splitlines()]
    asked = [words for words in asked if words[0] != ":" and all(word in vectors for word in words)]
    answers = [vectors.most_similar_cosmul(positive=[b, c], negative=[a], topn=1)[0][0] for a, b, c, _ in asked]
    found["3CosMul"] = [sum(answer == words[3] for answer, words in zip(answers, asked, strict=True)), len(asked)]
    for restrict in RESTRICTS:
        for fold in (True, False):
            options = {"restrict_vocab": restrict, "case_insensitive": fold}
            _, sections = vectors.evaluate_word_analogies(str(FOLDER / "analogies.txt"), **options)
            counts = [[s["section"], len(s["correct"]), len(s["correct"]) + len(s["incorrect"])] for s in sections]
            found["analogies"].append({"restrict": restrict, "fold": fold, "sections": counts})
            for dummy in (False, True):
                said = vectors.evaluate_word_pairs(str(FOLDER / "similarity.tsv"), **options, dummy4unknown=dummy)
                facts = {"zeros": dummy, "spearman": float(said[1][0]), "unknown_percent": said[2]}
                found["similarity"].append({"restrict": restrict, "fold": fold, **facts})
    return found


if __name__ == "__main__":
    main()
