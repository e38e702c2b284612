"""Words: one id a word, as counting models and word vectors want them; rare words become ``<unk>``."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from ziggurat.core.config import option
from ziggurat.tokens.fast import END, UNKNOWN, FastTokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["TOKENIZER", "WordsConfig", "WordsKind"]

WORD_PATTERN = r"\p{Han}|[\p{L}\p{M}&&[^\p{Han}]]+(?:['’][\p{L}&&[^\p{Han}]]+)*|\p{N}+|[^\s\p{L}\p{M}\p{N}]"
"""A Chinese character, a run of letters with inner apostrophes, a run of digits, or one other sign."""

BATCH = 256


@dataclass(frozen=True)
class WordsConfig:
    """The ``[tokens]`` keys of a word tokenizer."""

    split: Literal["unicode", "whitespace"] = option(
        "unicode",
        "unicode: runs of letters, digits, single signs and Han characters; whitespace: as the text is spaced",
    )
    lowercase: bool = option(False, "fold case")
    min_count: int = option(1, "words seen less often in training text become <unk>", low=1)
    vocab_size: int = option(1_000_000, "most ids, the end token and <unk> included", low=3)


class WordsKind:
    """Makes word tokenizers.

    Chinese text is cut into characters; to have Chinese words, cut the text with spaces between words and use
    ``split = "whitespace"``.
    """

    config: ClassVar[type[WordsConfig]] = WordsConfig

    def train(self, texts: Iterable[str], config: WordsConfig) -> FastTokenizer:
        """Return a tokenizer of the words of ``texts``, most frequent first."""
        from tokenizers import AddedToken, models

        core = _cutter(config)
        counts: Counter[str] = Counter()
        for text in texts:
            normal = core.normalizer.normalize_str(text) if core.normalizer is not None else text
            counts.update(word for word, _ in core.pre_tokenizer.pre_tokenize_str(normal))
        for special in (END, UNKNOWN):
            counts.pop(special, None)
        kept = sorted(
            (word for word, count in counts.items() if count >= config.min_count),
            key=lambda word: (-counts[word], word),
        )
        tokens = [END, UNKNOWN, *kept[: config.vocab_size - 2]]
        core.model = models.WordLevel({token: index for index, token in enumerate(tokens)}, unk_token=UNKNOWN)
        core.add_special_tokens([AddedToken(END, special=True), AddedToken(UNKNOWN, special=True)])
        return FastTokenizer.from_json(core.to_str())


def _cutter(config: WordsConfig) -> "Tokenizer":
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    core = Tokenizer(models.WordLevel({UNKNOWN: 0}, unk_token=UNKNOWN))
    if config.lowercase:
        core.normalizer = normalizers.Lowercase()
    if config.split == "whitespace":
        core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    else:
        words = pre_tokenizers.Split(Regex(WORD_PATTERN), "isolated")
        core.pre_tokenizer = pre_tokenizers.Sequence([words, pre_tokenizers.WhitespaceSplit()])
    return core


TOKENIZER = WordsKind()
