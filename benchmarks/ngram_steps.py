"""The steps that `benchmarks.ngram` measures: a model made from text, and sentences scored with it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ziggurat.core.types import IdArray, Vocabulary
from ziggurat.models.ngram import FAMILY, NgramConfig, NgramLanguageModel
from ziggurat.tokens.fast import END, UNKNOWN, FastTokenizer
from ziggurat.tokens.word_table import WordTable, learn

__all__ = ["Scorer", "build", "export"]


@dataclass(frozen=True)
class _LearntStream:
    """A token stream in memory: one document a line."""

    vocabulary: Vocabulary
    tokens: IdArray
    starts: npt.NDArray[np.int64]

    def document(self, index: int) -> IdArray:
        return self.tokens[self.starts[index] : self.starts[index + 1] + 1]


def build(text: Path, folder: Path, order: int, memory: str) -> None:
    """Make a bundle from a file of words between spaces: learn the words, count, smooth, write."""
    from ziggurat.artefacts.bundle import save
    from ziggurat.artefacts.manifest import Provenance
    from ziggurat.training import count
    from ziggurat.training.job import Job

    table, tokens, _ = learn(np.fromfile(text, np.uint8), first=2, line_end=0)
    words = _by_id(table)
    stream = _LearntStream(Vocabulary(len(words), bos=0, eos=0, unk=1), tokens, np.flatnonzero(tokens == 0))
    fitted = count.fit(Job(FAMILY, NgramConfig(order=order), count.Config(memory=memory), stream, None, 0))
    provenance = Provenance(training=fitted.facts)
    save(folder, family=FAMILY.name, model=fitted.model, tokenizer=_tokenizer(words), provenance=provenance)


def export(folder: Path, arpa: Path) -> None:
    """Write a bundle's model as an ARPA file."""
    from ziggurat.artefacts.bundle import load
    from ziggurat.artefacts.interchange.arpa import write_arpa

    bundle = load(folder, verify=False)
    if isinstance(bundle.model, NgramLanguageModel) and isinstance(bundle.tokenizer, FastTokenizer):
        names = bundle.tokenizer.core.get_vocab()
        write_arpa(bundle.model, sorted(names, key=names.__getitem__), arpa)


class Scorer:
    """A model that scores sentences, given as strings of words between spaces."""

    def __init__(self, folder: Path, *, threads: int) -> None:
        """Open the bundle ``folder``; use up to ``threads`` threads."""
        from ziggurat.artefacts.bundle import load

        bundle = load(folder, verify=False)
        if not isinstance(bundle.model, NgramLanguageModel) or not isinstance(bundle.tokenizer, FastTokenizer):
            raise SystemExit(f"{folder}: not the bundle of an n-gram model")
        names = {word: number for word, number in bundle.tokenizer.core.get_vocab().items() if number > 1}
        self.table = WordTable.of(list(names), np.fromiter(names.values(), np.int32))
        self.model = NgramLanguageModel(bundle.model.trie, bundle.model.vocabulary, threads=threads)
        self.threads = threads

    def nats(self, sentences: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return log p of each sentence with its end."""
        tokens, starts = self._read(sentences)
        return self.model.score_documents(tokens, starts)

    def perplexities(self, sentences: Sequence[str]) -> tuple[float, float, int, int]:
        """Return perplexity with and without words that are not in the vocabulary, their number, and all tokens."""
        tokens, starts = self._read(sentences)
        logprobs = self.model.stream_logprobs(tokens, starts)[1:].astype(np.float64)
        known = tokens[1:] != 1
        with_unknown, without = np.exp(-logprobs.mean()), np.exp(-logprobs[known].mean())
        return float(with_unknown), float(without), int((~known).sum()), known.size

    def _read(self, sentences: Sequence[str]) -> tuple[IdArray, npt.NDArray[np.int64]]:
        text = ("\n".join(sentences) + "\n").encode()
        parts = self.table.encode(text, unknown=1, line_end=0, threads=self.threads)
        tokens = np.concatenate([np.zeros(1, np.int32), *parts])
        return tokens, np.flatnonzero(tokens == 0)


def _by_id(table: WordTable) -> list[str]:
    """Return the words that ids stand for, the two special ones first."""
    words = table.words()
    return [END, UNKNOWN, *(words[number] for number in np.argsort(table.ids).tolist())]


def _tokenizer(words: Sequence[str]) -> FastTokenizer:
    """Return the tokenizer of words between white space that has these ids."""
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

    core = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token=UNKNOWN))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    core.add_special_tokens([AddedToken(word, special=True) for word in (END, UNKNOWN)])
    return FastTokenizer(core)


if __name__ == "__main__":
    step, source, target, *rest = sys.argv[1:]
    if step == "build":
        build(Path(source), Path(target), int(rest[0]), rest[1])
    else:
        export(Path(source), Path(target))
