"""Bytes: 256 ids and no training; every text in every language, at one token a byte."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ziggurat.tokens.fast import END, FastTokenizer, byte_alphabet

__all__ = ["TOKENIZER", "BytesConfig", "BytesKind"]


@dataclass(frozen=True)
class BytesConfig:
    """A byte tokenizer has no keys."""


class BytesKind:
    """Makes byte tokenizers."""

    config: ClassVar[type[BytesConfig]] = BytesConfig

    def train(self, texts: Iterable[str], config: BytesConfig) -> FastTokenizer:  # noqa: ARG002 - nothing to learn
        """Return the tokenizer; ``texts`` are not read."""
        from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

        vocabulary = {END: 0, **{letter: 1 + byte for letter, byte in byte_alphabet().items()}}
        core = Tokenizer(models.BPE(vocabulary, [], cache_capacity=0))
        core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
        core.decoder = decoders.ByteLevel()
        core.add_special_tokens([AddedToken(END, special=True)])
        return FastTokenizer.from_json(core.to_str())


TOKENIZER = BytesKind()
