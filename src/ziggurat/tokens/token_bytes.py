"""The bytes that each token stands for: text that is cut anywhere can be laid beside tokens."""

import json
from collections.abc import Mapping
from typing import Any

from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import Tokenizer
from ziggurat.tokens.fast import byte_alphabet

__all__ = ["token_bytes"]

SPACED = ", or words parted by white space"


def token_bytes(tokenizer: Tokenizer, *, spaced: bool = False) -> list[bytes]:
    """Return (V,) the UTF-8 bytes of each id; none for special ids.

    Joined, those of a text's ids are the text's. Where ``spaced``, words that stand between white space may be tokens
    too: that is then so of texts of known words with a blank behind each, the last included.

    Raises:
        UsageError: the tokenizer loses text, so that its tokens do not stand for bytes of it.
    """
    raw: dict[str, Any] = json.loads(tokenizer.to_json())
    if spaced and _is_spaced(raw):
        return _spaced(raw, tokenizer.vocabulary.size)
    if not tokenizer.lossless:
        raise UsageError(
            f"a tokenizer of kind '{tokenizer.kind}' loses something of its texts: its tokens stand for no bytes "
            f"of it; train one that loses nothing: bpe, unigram, characters or bytes{SPACED * spaced}"
        )
    listed = raw["model"]["vocab"]
    ids = {piece: index for index, (piece, _) in enumerate(listed)} if isinstance(listed, list) else listed
    part = raw.get("pre_tokenizer") or {"type": ""}
    parts = part["pretokenizers"] if part["type"] == "Sequence" else [part]
    byte_level = any(one["type"] == "ByteLevel" for one in parts)
    found = [b""] * tokenizer.vocabulary.size
    for token, index in ids.items():
        found[index] = _of_bytes(token) if byte_level else _of_text(token)
    for added in raw["added_tokens"]:
        found[added["id"]] = b"" if added["special"] else added["content"].encode()
    return found


def _is_spaced(raw: Mapping[str, Any]) -> bool:
    """Whether a token is a word as it stands between white space."""
    parted = (raw.get("pre_tokenizer") or {}).get("type") == "WhitespaceSplit"
    return parted and raw["model"].get("type") == "WordLevel" and raw.get("normalizer") is None


def _spaced(raw: Mapping[str, Any], size: int) -> list[bytes]:
    """Return the bytes of words, a blank behind each."""
    found = [b""] * size
    for token, index in raw["model"]["vocab"].items():
        found[index] = token.encode() + b" "
    for added in raw["added_tokens"]:
        found[added["id"]] = b"" if added["special"] else added["content"].encode() + b" "
    return found


def _of_bytes(token: str) -> bytes:
    alphabet = byte_alphabet()
    return bytes(alphabet[character] for character in token) if alphabet.keys() >= set(token) else token.encode()


def _of_text(token: str) -> bytes:
    if len(token) == 6 and token.startswith("<0x") and token.endswith(">"):
        return bytes([int(token[3:5], 16)])
    return token.encode()
