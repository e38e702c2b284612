"""The step that `benchmarks.glove` measures on our side: a text file becomes a bundle of word vectors."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ziggurat.core.types import FloatArray, IdArray, Vocabulary
from ziggurat.models.word_vectors import FAMILY, WordVectorsConfig
from ziggurat.tokens.word_table import learn

__all__ = ["build", "read_bundle", "read_glove_text"]

_FIRST_WORD, _UNKNOWN = 2, 1


@dataclass(frozen=True)
class _Stream:
    """A token stream in memory: one document a line."""

    vocabulary: Vocabulary
    tokens: IdArray
    starts: npt.NDArray[np.int64]

    def document(self, index: int) -> IdArray:
        return self.tokens[self.starts[index] : self.starts[index + 1] + 1]


def build(text: Path, folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Make a bundle from a file of words between spaces; return what training says of itself."""
    from ziggurat.artefacts.bundle import save
    from ziggurat.artefacts.interchange.vocabulary import words_tokenizer
    from ziggurat.artefacts.manifest import Provenance
    from ziggurat.tokens.fast import END, UNKNOWN
    from ziggurat.training import glove
    from ziggurat.training.job import Job

    table, tokens, frequencies = learn(np.fromfile(text, np.uint8), first=_FIRST_WORD, line_end=0)
    known = int((frequencies >= settings["min_count"]).sum())
    size = _FIRST_WORD + known
    tokens[tokens >= size] = _UNKNOWN
    spelled = table.words()
    words = [END, UNKNOWN, *(spelled[number] for number in np.argsort(table.ids)[:known].tolist())]
    stream = _Stream(Vocabulary(size, bos=0, eos=0, unk=_UNKNOWN), tokens, np.flatnonzero(tokens == 0))
    config = WordVectorsConfig(width=settings["width"])
    fitted = glove.fit(Job(FAMILY, config, glove.Config(**settings["training"]), stream, None, settings["seed"]))
    provenance = Provenance(training=fitted.facts, seed=settings["seed"])
    tokenizer = words_tokenizer(words)
    save(folder, family=FAMILY.name, model=fitted.model, tokenizer=tokenizer, provenance=provenance)
    return dict(fitted.facts)


def read_bundle(folder: Path) -> tuple[list[str], FloatArray]:
    """Return a bundle's words by falling frequency and their vectors."""
    from ziggurat.artefacts.bundle import load

    bundle = load(folder, verify=False)
    model: Any = bundle.model
    return list(bundle.words.words())[_FIRST_WORD:], np.asarray(model.vectors[_FIRST_WORD:])


def read_glove_text(path: Path) -> tuple[list[str], FloatArray]:
    """Return the words and vectors that the reference program wrote, without its <unk>."""
    words, rows = [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        word, *numbers = line.split(" ")
        if word != "<unk>":
            words.append(word)
            rows.append(np.array(numbers, np.float32))
    return words, np.stack(rows)


if __name__ == "__main__":
    source, target, given = sys.argv[1:]
    print(json.dumps(build(Path(source), Path(target), json.loads(given))))
