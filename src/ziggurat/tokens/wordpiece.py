"""WordPiece: BERT's pieces, where a piece inside a word begins with ``##``; words lose their spacing."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.tokens.fast import END, FastTokenizer
from ziggurat.tokens.sampling import sample

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["TOKENIZER", "WordpieceConfig", "WordpieceKind"]

UNKNOWN_PIECE = "[UNK]"
SPECIALS = {"end": (END, UNKNOWN_PIECE), "bert": ("[PAD]", UNKNOWN_PIECE, "[CLS]", "[SEP]", "[MASK]")}
"""The special tokens of each choice, in the order of their ids."""


@dataclass(frozen=True)
class WordpieceConfig:
    """The ``[tokens]`` keys of a WordPiece tokenizer."""

    vocab_size: int = option(8192, "most ids, special ones included", low=3)
    specials: Literal["end", "bert"] = option(
        "end", "special tokens: end (one, of text) or bert ([CLS], [SEP], [MASK], [PAD]), which encoders need"
    )
    lowercase: bool = option(True, "fold case and strip accents before cutting")
    sample_bytes: int = option(
        4_000_000, "text that pieces are learnt from, drawn over the whole training split", low=1
    )

    def __post_init__(self) -> None:
        """Check that there is room for a piece beside the special tokens."""
        least = len(SPECIALS[self.specials]) + 1
        if self.vocab_size < least:
            raise UsageError(f"vocab_size ({self.vocab_size}) must be at least {least} with specials = {self.specials}")


class WordpieceKind:
    """Makes WordPiece tokenizers (Schuster & Nakajima 2012; as BERT cuts text, Devlin et al. 2019)."""

    config: ClassVar[type[WordpieceConfig]] = WordpieceConfig

    def train(self, texts: Iterable[str], config: WordpieceConfig) -> FastTokenizer:
        """Return a tokenizer whose pieces are learnt from a sample of ``texts``."""
        from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

        core = Tokenizer(models.WordPiece(unk_token=UNKNOWN_PIECE))
        core.normalizer = normalizers.BertNormalizer(lowercase=config.lowercase)
        core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        core.decoder = decoders.WordPiece()
        drawn = sample(texts, config.sample_bytes)
        special = SPECIALS[config.specials]
        letters, inner = _alphabet(core, drawn, config.vocab_size - len(special))
        # named beforehand, because the library numbers what it finds in the order of a hash table
        specials = [*special, *(f"##{letter}" for letter in inner)]
        trainer = trainers.WordPieceTrainer(
            vocab_size=config.vocab_size,
            special_tokens=specials,
            initial_alphabet=letters,
            limit_alphabet=len(letters),
            show_progress=False,
        )
        core.train_from_iterator(drawn, trainer)
        raw = json.loads(core.to_str())
        raw["added_tokens"] = raw["added_tokens"][: len(special)]
        if config.specials == "bert":
            # what other programs put around a text; here whoever reads one puts them
            around = ("[SEP]", special.index("[SEP]")), ("[CLS]", special.index("[CLS]"))
            raw["post_processor"] = json.loads(processors.BertProcessing(*around).__getstate__())
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
