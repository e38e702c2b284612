"""Tokenizers of every kind, trained in a blink on a little English and Chinese; and texts that are hard on them.

A *variant* is a kind with another value of one of its keys, as ``words split=jieba``. Variants are found, never listed:
every other choice of a key with named values, the other value of one that is true or false, and of a key with few
numbers the first and the last above its default.
"""

import functools
from collections.abc import Iterable, Iterator
from typing import Any, Literal, get_args, get_origin

import pytest
from hypothesis import strategies as st

from tests.fakes.texts import documents
from ziggurat.core.config import from_mapping, options, parse_value
from ziggurat.core.errors import MissingExtraError, UsageError
from ziggurat.core.protocols import Tokenizer
from ziggurat.tokens.loading import TOKENIZERS, train_tokenizer

ENGLISH = tuple(documents(11, seed=1))
CHINESE = tuple(documents(11, seed=2, chinese=True))

HARD_TEXTS = (
    "The tower climbs at dawn.",
    "塔楼登上第七级台阶,在黎明。",
    "tower 塔楼 tower",
    "  two  spaces\tand\ttabs\r\n\r\nlines \n",
    "it's don't we'll I'D O’Brien",
    "3.14159 + 2026 = ٣٤ ½ Ⅷ",
    "👩‍👩‍👧 🇨🇳 ☃️ 👍🏽",
    "e\u0301 ñ n\u0303 \u0301alone ก็ हिन्दी",
    "\x00\x01\x1b[31m\x7f\x85\u2028\ufeff",
    "a" * 300,
    "ﬁ ℌ İ ß ẞ",
    "\U0010ffff\ufffd\ue000",
    "<|endoftext|> <s> </s> <unk> [UNK] [CLS] <0x41> ##ing Ġthe ▁the",
    "\u3000全角　空格\u00a0nbsp",
    "the old mason. The_old, mason's white stone",
    "塔樓登上第七級臺階〇二〇〇八年T恤々",
)

UNICODE = st.characters(exclude_categories=["Cs"])
"""Any character but half a surrogate pair."""

TEXTS = st.lists(st.one_of(st.sampled_from(HARD_TEXTS), st.text(UNICODE, max_size=13)), max_size=5).map("".join)

FEW = 4
BITING: dict[str, dict[str, Any]] = {"phrases": {"phrase_threshold": 2.0, "phrase_discount": 2}}
"""What lets an option do something on as little text as this."""


def _variants() -> Iterator[str]:
    for kind in TOKENIZERS.names():
        yield kind
        config = TOKENIZERS.get(kind).config
        for key, (hint, default, _) in options(config).items():
            limits = next(field.metadata for field in config.__dataclass_fields__.values() if field.name == key)
            low, high = limits["low"], limits["high"]
            others: Iterable[Any] = ()
            if get_origin(hint) is Literal:
                others = [value for value in get_args(hint) if value != default]
            elif hint is bool:
                others = ["false" if default else "true"]
            elif hint is int and None not in (low, high) and high - low <= FEW:
                others = sorted({default + 1, high})
            yield from (f"{kind} {key}={value}" for value in others)


VARIANTS = tuple(_variants())


def kind_of(variant: str) -> str:
    return variant.split(" ", maxsplit=1)[0]


def config_of(variant: str, **more: Any) -> Any:
    """Return the configuration of a variant, with ``more`` keys."""
    keys: dict[str, Any] = {}
    for pair in variant.split(" ")[1:]:
        key, _, text = pair.partition("=")
        keys |= {key: parse_value(text), **BITING.get(key, {})}
    return from_mapping(TOKENIZERS.get(kind_of(variant)).config, {**keys, **more}, where="here")


def learnt(variant: str, texts: Iterable[str], **more: Any) -> Tokenizer:
    """Return the tokenizer of a variant, trained on ``texts``; skip the test where it needs what is not installed."""
    try:
        return train_tokenizer(texts, kind_of(variant), config_of(variant, **more))
    except MissingExtraError as error:
        pytest.skip(str(error))


@functools.cache
def trained(variant: str) -> Tokenizer:
    """Return the tokenizer of a variant, trained on a little English and Chinese."""
    return learnt(variant, [*ENGLISH, *CHINESE])


def refuses(variant: str, **more: Any) -> bool:
    """Return whether a variant does not go with ``more`` keys."""
    try:
        config_of(variant, **more)
    except UsageError:
        return True
    return False
