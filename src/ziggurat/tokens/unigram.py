"""Unigram: the likeliest cut of a text under a table of piece probabilities; over bytes, so lossless."""

import json
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
        raw = json.loads(core.to_str())
        raw["model"]["vocab"] = [[END, 0.0], *_settled(raw["model"]["vocab"][1:])]
        return FastTokenizer.from_json(json.dumps(raw, ensure_ascii=False))


def _settled(pieces: list[tuple[str, float | None]]) -> list[tuple[str, float]]:
    """Return pieces whose scores and order are those of every run on the same text, the likeliest first.

    The library sums in the order of a hash table, so that last digits differ from run to run; and in that order it
    gives bytes that the text lacks the lowest score, the next byte 0.0001 more, and so on.
    """
    lowest = min((score for _, score in pieces if score is not None), default=0.0)
    scores = {}
    for piece, score in pieces:
        unseen = score is None or (len(piece) == 1 and score < lowest + 256 * 0.0001)
        scores[piece] = round(lowest if unseen or score is None else score, 6)
    return sorted(scores.items(), key=lambda entry: (-entry[1], entry[0]))


TOKENIZER = UnigramKind()
