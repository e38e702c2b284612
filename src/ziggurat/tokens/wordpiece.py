"""WordPiece: BERT's pieces, where a piece inside a word begins with ``##``; words lose their spacing."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ziggurat.core.config import option
from ziggurat.tokens.fast import END, FastTokenizer
from ziggurat.tokens.sampling import sample

if TYPE_CHECKING:
    from tokenizers import Tokenizer

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
        drawn = sample(texts, config.sample_bytes)
        letters, inner = _alphabet(core, drawn, config.vocab_size - 2)
        # named beforehand, because the library numbers what it finds in the order of a hash table
        specials = [END, UNKNOWN_PIECE, *(f"##{letter}" for letter in inner)]
        trainer = trainers.WordPieceTrainer(
            vocab_size=config.vocab_size,
            special_tokens=specials,
            initial_alphabet=letters,
            limit_alphabet=len(letters),
            show_progress=False,
        )
        core.train_from_iterator(drawn, trainer)
        raw = json.loads(core.to_str())
        raw["added_tokens"] = raw["added_tokens"][:2]
        return FastTokenizer.from_json(json.dumps(raw, ensure_ascii=False))


def _alphabet(core: "Tokenizer", texts: Iterable[str], room: int) -> tuple[list[str], list[str]]:
    """Return the most frequent letters, sorted, and those of them that stand inside words: at most ``room`` pieces."""
    counts: Counter[str] = Counter()
    inside: set[str] = set()
    for text in texts:
        for word, _ in core.pre_tokenizer.pre_tokenize_str(core.normalizer.normalize_str(text)):
            counts.update(word)
            inside.update(word[1:])
    letters: list[str] = []
    for letter in sorted(counts, key=lambda letter: (-counts[letter], letter)):
        room -= 1 + (letter in inside)
        if room < 0:
            break
        letters.append(letter)
    return sorted(letters), sorted(inside.intersection(letters))


TOKENIZER = WordpieceKind()
