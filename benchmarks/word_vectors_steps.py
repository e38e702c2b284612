"""The processes that `benchmarks.word_vectors` measures: vectors made from a text file, ours and gensim's.

A file holds words between spaces, one text a line. The vectors are written as ``OUT.npy`` (V, D), by falling frequency,
and ``OUT.txt``, one word a line. Ours also writes its bundle, which is what a user gets.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["learnt_stream", "main"]


@dataclass(frozen=True)
class _LearntStream:
    """A token stream in memory: one document a line."""

    vocabulary: Any
    tokens: Any
    starts: Any

    def document(self, index: int) -> Any:
        return self.tokens[self.starts[index] : self.starts[index + 1] + 1]


def main(arguments: Sequence[str]) -> None:
    """Make vectors with one side."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.word_vectors_steps")
    parser.add_argument("side", choices=("ours", "gensim"))
    parser.add_argument("text", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--settings", type=json.loads, default={}, help="JSON: architecture, width, epochs, …")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    facts = (_ours if options.side == "ours" else _gensim)(options.text, options.out, options.settings)
    print(json.dumps({"seconds_inside": time.perf_counter() - started, **facts}))


def learnt_stream(text: Path, *, min_count: int) -> tuple[_LearntStream, list[str]]:
    """Read a file of words between spaces; rare words become unknown. Return its ids and its words, id 2 first."""
    import numpy as np

    from ziggurat.core.types import Vocabulary
    from ziggurat.tokens.word_table import learn

    table, tokens, frequencies = learn(np.fromfile(text, np.uint8), first=2, line_end=0)
    order = np.argsort(table.ids)
    known = int((frequencies >= min_count).sum())
    spelled = table.words()
    words = [spelled[number] for number in order[:known].tolist()]
    tokens[tokens >= known + 2] = 1
    vocabulary = Vocabulary(known + 2, bos=0, eos=0, unk=1)
    return _LearntStream(vocabulary, tokens, np.flatnonzero(tokens == 0)), words


def _ours(text: Path, out: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    import numpy as np

    from ziggurat.artefacts.bundle import save
    from ziggurat.artefacts.interchange.vocabulary import words_tokenizer
    from ziggurat.artefacts.manifest import Provenance
    from ziggurat.models.word_vectors import FAMILY, WordVectorsConfig
    from ziggurat.tokens.fast import END, UNKNOWN
    from ziggurat.training import word2vec
    from ziggurat.training.job import Job

    stream, words = learnt_stream(text, min_count=settings["min_count"])
    own = ("architecture", "window", "negatives", "sample", "epochs", "learning_rate", "final_rate", "threads")
    config = word2vec.Config(**{key: settings[key] for key in own})
    fitted = word2vec.fit(
        Job(FAMILY, WordVectorsConfig(width=settings["width"]), config, stream, None, settings["seed"])
    )
    model: Any = fitted.model
    tokenizer = words_tokenizer([END, UNKNOWN, *words])
    save(out, family=FAMILY.name, model=model, tokenizer=tokenizer, provenance=Provenance(training=fitted.facts))
    np.save(out.with_suffix(".npy"), model.vectors[2:])
    out.with_suffix(".txt").write_text("\n".join(words), encoding="utf-8")
    return {"training_seconds": fitted.facts["seconds"]}


def _gensim(text: Path, out: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    import numpy as np
    from gensim.models import Word2Vec

    model = Word2Vec(
        corpus_file=str(text),
        sg=int(settings["architecture"] == "skipgram"),
        vector_size=settings["width"],
        window=settings["window"],
        negative=settings["negatives"],
        sample=settings["sample"],
        min_count=settings["min_count"],
        epochs=settings["epochs"],
        alpha=settings["learning_rate"],
        min_alpha=settings["final_rate"],
        workers=settings["threads"],
        seed=settings["seed"] + 1,
    )
    model.save(str(out))
    np.save(out.with_suffix(".npy"), model.wv.vectors)
    out.with_suffix(".txt").write_text("\n".join(model.wv.index_to_key), encoding="utf-8")
    return {"training_seconds": model.total_train_time}


if __name__ == "__main__":
    main(sys.argv[1:])
