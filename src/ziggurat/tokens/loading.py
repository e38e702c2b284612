"""Kinds of tokenizers by name: training one, opening one."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, runtime_checkable

from ziggurat.core.errors import InputError
from ziggurat.core.protocols import Tokenizer
from ziggurat.core.registry import Registry

__all__ = ["TOKENIZERS", "Opener", "TokenizerKind", "load_tokenizer", "normalised", "token_texts", "train_tokenizer"]


class TokenizerKind(Protocol):
    """The ``TOKENIZER`` object of a module in ``tokens/``: how one kind is configured and trained."""

    config: ClassVar[type[Any]]
    """Frozen dataclass of its ``[tokens]`` keys."""

    def train(self, texts: Iterable[str], config: Any) -> Tokenizer:
        """Learn from ``texts`` (the training split and nothing else)."""
        ...


@runtime_checkable
class Opener(Protocol):
    """A kind whose ``tokenizer.json`` says more than the `tokenizers` library understands."""

    def open(self, plain: Any, source: str) -> Tokenizer:
        """Return the tokenizer that the library read as ``plain`` from the text ``source``."""
        ...


TOKENIZERS: Registry[TokenizerKind] = Registry("ziggurat.tokens", "TOKENIZER", kind="tokenizer")
"""All kinds of tokenizers, by the name of their module."""


def train_tokenizer(texts: Iterable[str], kind: str, config: Any = None) -> Tokenizer:
    """Train a tokenizer of ``kind`` on ``texts``; ``config`` is the kind's own, its defaults where it is None.

    Raises:
        UnknownNameError: there is no such kind.
        InputError: a text has a lone surrogate; the message says which.
    """
    found = TOKENIZERS.get(kind)
    return found.train(_checked(texts), found.config() if config is None else config)


def load_tokenizer(json_text: str, roles: Mapping[str, str] = MappingProxyType({})) -> Tokenizer:
    """Open the content of a ``tokenizer.json``, ours or anybody's.

    ``roles`` names its special tokens by what they are for (bos, eos, unk, mask, pad), as a ``tokenizer_config.json``
    does; those that it does not name are found by their usual names.

    Raises:
        ArtefactError: it is no tokenizer, or has no end-of-text token.
    """
    from ziggurat.tokens.fast import FastTokenizer

    plain = FastTokenizer.from_json(json_text, roles)
    kind = TOKENIZERS.get(plain.kind)
    return kind.open(plain, json_text) if isinstance(kind, Opener) else plain


def token_texts(tokenizer: Tokenizer) -> list[str]:
    """Return what each id is written as in ``tokenizer.json``."""
    from tokenizers import Tokenizer as Core

    from ziggurat.tokens.fast import FastTokenizer

    core = tokenizer.core if isinstance(tokenizer, FastTokenizer) else Core.from_str(tokenizer.to_json())
    vocabulary = core.get_vocab(with_added_tokens=True)
    return sorted(vocabulary, key=lambda token: vocabulary[token])


def _checked(texts: Iterable[str]) -> Iterator[str]:
    from ziggurat.tokens.fast import checked_text

    for number, text in enumerate(texts, 1):
        try:
            yield checked_text(text)
        except InputError as error:
            raise InputError(f"training text {number}: {error}") from error


def normalised(tokenizer: Tokenizer, text: str) -> str:
    """Return ``text`` as ``tokenizer`` has it before it cuts: in small letters, for example, where it folds case.

    Raises:
        InputError: it holds half of a surrogate pair.
    """
    from ziggurat.tokens.fast import FastTokenizer, checked_text

    normalizer = tokenizer.core.normalizer if isinstance(tokenizer, FastTokenizer) else None
    return text if normalizer is None else str(normalizer.normalize_str(checked_text(text)))
