"""Tokenizers of every kind, trained in a blink on a little English and Chinese; and texts that are hard on them."""

import functools

from hypothesis import strategies as st

from tests.fakes.texts import documents
from ziggurat.core.protocols import Tokenizer
from ziggurat.tokens.loading import train_tokenizer

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
)

UNICODE = st.characters(exclude_categories=["Cs"])
"""Any character but half a surrogate pair."""

TEXTS = st.lists(st.one_of(st.sampled_from(HARD_TEXTS), st.text(UNICODE, max_size=13)), max_size=5).map("".join)


@functools.cache
def trained(kind: str) -> Tokenizer:
    """Return the tokenizer of ``kind`` with its default configuration."""
    return train_tokenizer([*ENGLISH, *CHINESE], kind)
