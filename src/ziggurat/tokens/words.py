"""Words: one id a word, as counting models and word vectors want them; rare words become ``<unk>``."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.tokens import chinese
from ziggurat.tokens.cutting import Cut, dress, is_sign
from ziggurat.tokens.fast import END, UNKNOWN, FastTokenizer
from ziggurat.tokens.phrases import Pass, PhraseRules, count_words, find_phrases
from ziggurat.tokens.word_counts import WordCounts, read_words
from ziggurat.tokens.word_tokenizer import Preparation, WordTokenizer

__all__ = ["TOKENIZER", "WordsConfig", "WordsKind"]

CHINESE_FROM = 1 / 20
"""Han characters among the letters from which on ``split = "auto"`` takes a text for Chinese."""
_LOG = logging.getLogger("ziggurat")


@dataclass(frozen=True)
class WordsConfig:
    """The ``[tokens]`` keys of a word tokenizer."""

    split: Literal["auto", "unicode", "jieba", "whitespace"] = option(
        "unicode",
        "unicode: runs of letters, digits, single signs and Han characters; jieba: the same with Chinese words (extra "
        "zh); auto: jieba where a twentieth of the letters is Han, else unicode; whitespace: as the text is spaced",
    )
    lowercase: bool = option(False, "fold case")
    punctuation: bool = option(True, "signs are words; false: they are left out, and words and numbers remain")
    min_count: int = option(1, "words seen less often in training text become <unk>", low=1)
    vocab_size: int = option(1_000_000, "most ids, the end token and <unk> included", low=3)
    phrases: int = option(0, "passes that join words often seen together, as new_york", low=0, high=4)
    phrase_threshold: float = option(
        100.0, "how many times oftener than by chance the words of a phrase are seen together", low=0
    )
    phrase_discount: int = option(5, "times seen together that don't count, so that rare words make no phrase", low=0)

    def __post_init__(self) -> None:
        """Check what keys must be to each other."""
        if self.split == "whitespace" and not self.punctuation:
            raise UsageError('punctuation: false does not go with split = "whitespace", which leaves signs in words')


class WordsKind:
    """Makes word tokenizers."""

    config: ClassVar[type[WordsConfig]] = WordsConfig

    def train(self, texts: Iterable[str], config: WordsConfig) -> FastTokenizer:
        """Return a tokenizer of the words of ``texts``, most frequent first, then in the order of their spelling.

        *Cost.* Some 50 MB of English or 3 million characters of Chinese a second, and memory for its words; phrases
        take a few seconds more per hundred million words, and four bytes a word on the disk while they are sought.

        Raises:
            MissingExtraError: Chinese is to be cut into words and a package for it is missing.
            DiskFullError: there is no room for the words of the text, which phrases are sought in.
        """
        if config.split == "jieba":
            chinese.require()
        cutting = config.split == "jieba" or (config.split == "auto" and chinese.installed())
        cut = Cut(config.split == "whitespace", cutting, config.punctuation, config.lowercase)
        found = read_words(texts, cut, before=chinese.spaced if cutting else None, ordered=config.phrases > 0)
        if config.split == "auto":
            cut, found = _decided(cut, found)
        passes: list[Pass] = []
        if found.stream is not None:
            rules = PhraseRules(config.phrases, config.phrase_threshold, config.phrase_discount)
            may = [_may_join(name, cut) for name in found.names]
            passes, stream = find_phrases(found.stream, found.names, may, rules)
            found = WordCounts(found.names, count_words(stream, len(found.names)), None)
        words = _chosen(found, config)
        versions = chinese.versions() if cut.han_runs else {}
        prepared = Preparation(cut, versions, tuple(passes)) if versions or passes else None
        return _tokenizer(words, cut, prepared)

    def open(self, plain: FastTokenizer, source: str) -> FastTokenizer:
        """Return the tokenizer of words of a ``tokenizer.json`` whose text is ``source``."""
        return WordTokenizer.of(plain, source)


def _decided(cut: Cut, found: WordCounts) -> tuple[Cut, WordCounts]:
    """Return what ``split = "auto"`` comes to for the text that was read."""
    share = chinese.share(zip(found.names, found.counts.tolist(), strict=True))
    if share >= CHINESE_FROM:
        chinese.require()
        _LOG.info("split = auto: Chinese is cut into words by jieba (%.0f %% of the letters are Han)", 100 * share)
        return cut, found
    plain = Cut(cut.whitespace, False, cut.punctuation, cut.lowercase)
    return plain, found.replace(chinese.characters) if cut.han_runs and share else found


def _may_join(name: str, cut: Cut) -> bool:
    return name not in ("", END, UNKNOWN) and (cut.whitespace or not is_sign(name))


def _chosen(found: WordCounts, config: WordsConfig) -> list[str]:
    """Return the words that get an id, in its order."""
    often = np.flatnonzero(found.counts >= max(1, config.min_count))
    counts: Sequence[int] = found.counts[often].tolist()
    named = [found.names[number] for number in often.tolist()]
    ranked = sorted(range(len(named)), key=lambda at: (-counts[at], named[at]))
    words = [named[at] for at in ranked if named[at] not in (END, UNKNOWN)]
    return words[: config.vocab_size - 2]


def _tokenizer(words: Sequence[str], cut: Cut, prepared: Preparation | None) -> WordTokenizer:
    from tokenizers import AddedToken, Tokenizer, models

    vocabulary = {token: index for index, token in enumerate((END, UNKNOWN, *words))}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    dress(core, cut, joins=prepared is not None and bool(prepared.phrases))
    core.add_special_tokens([AddedToken(END, special=True), AddedToken(UNKNOWN, special=True)])
    return WordTokenizer(core, prepared)


TOKENIZER = WordsKind()
