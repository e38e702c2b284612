"""Byte-level BPE: frequent byte sequences become tokens; lossless for every text."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from ziggurat.core.config import option
from ziggurat.tokens.fast import END, FastTokenizer
from ziggurat.tokens.sampling import sample

if TYPE_CHECKING:
    from tokenizers.pre_tokenizers import PreTokenizer

__all__ = ["TOKENIZER", "BpeConfig", "BpeKind", "byte_level"]

QWEN2_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How Qwen2 cuts text before merging; GGUF readers know a tokenizer by its pattern, so it is theirs to the letter."""


@dataclass(frozen=True)
class BpeConfig:
    """The ``[tokens]`` keys of a byte-level BPE."""

    vocab_size: int = option(4096, "ids, the 256 bytes and the end token included", low=257)
    pattern: Literal["gpt2", "qwen2"] = option("gpt2", "how text is cut before merging: gpt2 or qwen2")
    sample_bytes: int = option(
        4_000_000, "text that merges are learnt from, drawn over the whole training split", low=1
    )


class BpeKind:
    """Makes byte-level BPE tokenizers (Sennrich et al. 2016, algorithm 1; over bytes as in Radford et al. 2019)."""

    config: ClassVar[type[BpeConfig]] = BpeConfig

    def train(self, texts: Iterable[str], config: BpeConfig) -> FastTokenizer:
        """Return a tokenizer whose merges are learnt from a sample of ``texts``."""
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        core = Tokenizer(models.BPE())
        core.pre_tokenizer = byte_level(config.pattern)
        core.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=config.vocab_size,
            special_tokens=[END],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        core.train_from_iterator(sample(texts, config.sample_bytes), trainer)
        return FastTokenizer.from_json(core.to_str())


def byte_level(pattern: str) -> "PreTokenizer":
    """Return the pre-tokenizer that cuts text by ``pattern`` and writes its bytes as printable characters."""
    from tokenizers import Regex, pre_tokenizers

    if pattern == "gpt2":
        return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    split = pre_tokenizers.Split(Regex(QWEN2_PATTERN), "isolated")
    return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


TOKENIZER = BpeKind()
