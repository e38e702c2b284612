"""Unigram: the likeliest cut of a text under a table of piece probabilities; over bytes, so lossless."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ziggurat.core.config import option
from ziggurat.tokens.bpe import byte_level
from ziggurat.tokens.fast import END, FastTokenizer
from ziggurat.tokens.sampling import sample

__all__ = ["TOKENIZER", "UnigramConfig", "UnigramKind"]


@dataclass(frozen=True)
class UnigramConfig:
    """The ``[tokens]`` keys of a unigram tokenizer."""

    vocab_size: int = option(4096, "most ids, the 256 bytes and the end token included", low=258)
    sample_bytes: int = option(
        4_000_000, "text that pieces are learnt from, drawn over the whole training split", low=1
    )


class UnigramKind:
    """Makes unigram tokenizers (Kudo 2018, section 3.2).

    *Departs.* Pieces are made of bytes instead of characters, and all 256 bytes are pieces, so nothing is unknown.
    """

    config: ClassVar[type[UnigramConfig]] = UnigramConfig

    def train(self, texts: Iterable[str], config: UnigramConfig) -> FastTokenizer:
        """Return a tokenizer whose pieces are learnt from a sample of ``texts``."""
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        core = Tokenizer(models.Unigram())
        core.pre_tokenizer = byte_level("gpt2")
        core.decoder = decoders.ByteLevel()
        trainer = trainers.UnigramTrainer(
            vocab_size=config.vocab_size,
            special_tokens=[END],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        core.train_from_iterator(sample(texts, config.sample_bytes), trainer)
        return FastTokenizer.from_json(core.to_str())


TOKENIZER = UnigramKind()
