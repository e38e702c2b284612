"""WordPiece: BERT's pieces, where a piece inside a word begins with ``##``; words lose their spacing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ziggurat.core.config import option
from ziggurat.tokens.fast import END, FastTokenizer
from ziggurat.tokens.sampling import sample

__all__ = ["TOKENIZER", "WordpieceConfig", "WordpieceKind"]

UNKNOWN_PIECE = "[UNK]"


@dataclass(frozen=True)
class WordpieceConfig:
    """The ``[tokens]`` keys of a WordPiece tokenizer."""

    vocab_size: int = option(8192, "most ids, special ones included", low=3)
    lowercase: bool = option(True, "fold case and strip accents before cutting")
    sample_bytes: int = option(
        4_000_000, "text that pieces are learnt from, drawn over the whole training split", low=1
    )


class WordpieceKind:
    """Makes WordPiece tokenizers (Schuster & Nakajima 2012; as BERT cuts text, Devlin et al. 2019)."""

    config: ClassVar[type[WordpieceConfig]] = WordpieceConfig

    def train(self, texts: Iterable[str], config: WordpieceConfig) -> FastTokenizer:
        """Return a tokenizer whose pieces are learnt from a sample of ``texts``."""
        from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

        core = Tokenizer(models.WordPiece(unk_token=UNKNOWN_PIECE))
        core.normalizer = normalizers.BertNormalizer(lowercase=config.lowercase)
        core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        core.decoder = decoders.WordPiece()
        trainer = trainers.WordPieceTrainer(
            vocab_size=config.vocab_size, special_tokens=[END, UNKNOWN_PIECE], show_progress=False
        )
        core.train_from_iterator(sample(texts, config.sample_bytes), trainer)
        return FastTokenizer.from_json(core.to_str())


TOKENIZER = WordpieceKind()
