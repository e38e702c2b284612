"""Characters: one id for each character that the training text uses often enough; rare ones are spelled in bytes."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ziggurat.core.config import option
from ziggurat.tokens.fast import END, FastTokenizer

__all__ = ["TOKENIZER", "CharactersConfig", "CharactersKind"]


@dataclass(frozen=True)
class CharactersConfig:
    """The ``[tokens]`` keys of a character tokenizer."""

    min_count: int = option(2, "characters seen less often in training text are spelled in bytes", low=1)
    vocab_size: int = option(16384, "most ids, the 256 bytes and the end token included", low=258)


class CharactersKind:
    """Makes character tokenizers."""

    config: ClassVar[type[CharactersConfig]] = CharactersConfig

    def train(self, texts: Iterable[str], config: CharactersConfig) -> FastTokenizer:
        """Return the tokenizer of the characters of ``texts``, most frequent first."""
        from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(text)
        kept = sorted(
            (letter for letter, count in counts.items() if count >= config.min_count),
            key=lambda letter: (-counts[letter], letter),
        )
        tokens = [END, *(f"<0x{byte:02X}>" for byte in range(256)), *kept[: config.vocab_size - 257]]
        vocabulary = {token: index for index, token in enumerate(tokens)}
        core = Tokenizer(models.BPE(vocabulary, [], byte_fallback=True))
        # without this a document would be one word, and merging it one long search
        core.pre_tokenizer = pre_tokenizers.Split(Regex("(?m)."), "isolated")
        core.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
        core.add_special_tokens([AddedToken(END, special=True)])
        return FastTokenizer.from_json(core.to_str())


TOKENIZER = CharactersKind()
