"""One class for every kind of tokenizer: the `tokenizers` library behind our protocol.

*Idea.* The library's JSON says everything that decides the ids, so kind, losslessness and byte lengths are read off it
instead of being kept beside it. A ``tokenizer.json`` that somebody else made opens the same way.
"""

import functools
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ziggurat.core.errors import ArtefactError, InputError, UsageError
from ziggurat.core.types import Encoding, IdArray, Vocabulary

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Core

__all__ = ["END", "UNKNOWN", "FastTokenizer", "byte_alphabet", "checked_text"]

END = "<|endoftext|>"
"""The one special token of tokenizers trained here: begin and end of a document."""

UNKNOWN = "<unk>"

_BEGIN_NAMES = ("<|endoftext|>", "<s>", "<bos>", "<|begin_of_text|>", "[CLS]", "<|im_start|>")
_END_NAMES = ("<|endoftext|>", "</s>", "<eos>", "<|end_of_text|>", "[SEP]", "<|im_end|>")
_UNKNOWN_NAMES = ("<unk>", "[UNK]")
_MASK_NAMES = ("[MASK]", "<mask>")
_PAD_NAMES = ("[PAD]", "<pad>")
_USUAL_NAMES = {
    "bos": _BEGIN_NAMES, "eos": _END_NAMES, "unk": _UNKNOWN_NAMES, "mask": _MASK_NAMES, "pad": _PAD_NAMES,
}  # fmt: skip


@functools.cache
def byte_alphabet() -> dict[str, int]:
    """Return the 256 printable characters that stand for bytes in byte-level vocabularies.

    *Maths.* Printable Latin-1 characters stand for themselves, the other bytes for U+0100 upwards in order (Radford
    et al. 2019, section 2.2, as published with GPT-2).
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in set(printable)]
    table = {chr(byte): byte for byte in printable}
    table.update({chr(256 + index): byte for index, byte in enumerate(others)})
    return table


class FastTokenizer:
    """A `tokenizers.Tokenizer` that speaks our protocol.

    *Cost.* About 1 to 5 MB of text a second and core; `encode_batch` uses all cores.
    """

    def __init__(
        self, core: "Core", raw: dict[str, Any] | None = None, roles: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Wrap ``core``, whose JSON is ``raw``; text that looks like a special token is text, never the token.

        ``roles`` names special tokens by what they are for (``{"bos": "<s>"}``: bos, eos, unk, mask, pad); those that
        it does not name are found by their usual names.
        """
        self.roles = dict(roles)
        core.encode_special_tokens = True
        core.no_truncation()
        core.no_padding()
        self.core = core
        self._json: dict[str, Any] = json.loads(core.to_str()) if raw is None else raw

    @classmethod
    def from_json(cls, text: str, roles: Mapping[str, str] = MappingProxyType({})) -> "FastTokenizer":
        """Read the content of a ``tokenizer.json``; ``roles`` as in the constructor.

        Raises:
            ArtefactError: the `tokenizers` library can't read it, or it has no end-of-text token.
        """
        from tokenizers import Tokenizer as Core

        try:
            tokenizer = cls(Core.from_str(text), roles=roles)
        except Exception as error:  # the library raises bare Exception
            raise ArtefactError(f"tokenizer.json: not a tokenizer ({error})") from error
        _ = tokenizer.vocabulary
        return tokenizer

    @property
    def parsed(self) -> dict[str, Any]:
        """What ``tokenizer.json`` holds, parsed."""
        return self._json

    @functools.cached_property
    def kind(self) -> str:
        """Name of the kind, told from the structure of the JSON."""
        model = self._json["model"]
        fixed = {"WordPiece": "wordpiece", "Unigram": "unigram", "WordLevel": "words"}
        if model["type"] in fixed:
            return fixed[model["type"]]
        if model.get("merges"):
            return "bpe"
        return "characters" if model.get("byte_fallback") else "bytes"

    @functools.cached_property
    def lossless(self) -> bool:
        """Whether every text comes back: nothing is normalised and all 256 bytes have an id of their own."""
        if self._json.get("normalizer") is not None:
            return False
        tokens = set(self._tokens)
        if self._byte_level:
            return not self._prefixes_space and byte_alphabet().keys() <= tokens
        fallback = bool(self._json["model"].get("byte_fallback"))
        whole = all(part["type"] == "Split" and part["behavior"] == "Isolated" for part in self._pre_tokenizers)
        return fallback and whole and {f"<0x{byte:02X}>" for byte in range(256)} <= tokens

    @functools.cached_property
    def vocabulary(self) -> Vocabulary:
        """Size and special ids: those that `roles` names, others by their usual names.

        Raises:
            ArtefactError: there is no end-of-text token, or a token that `roles` names.
        """
        found = {role: self._special(role, usual) for role, usual in _USUAL_NAMES.items()}
        eos = found["eos"]
        if eos is None:
            raise ArtefactError(f"tokenizer.json: no end-of-text token (looked for {', '.join(_END_NAMES)})")
        bos = eos if found["bos"] is None else found["bos"]
        return Vocabulary(self._size, bos=bos, eos=eos, unk=found["unk"], mask=found["mask"], pad=found["pad"])

    @functools.cached_property
    def byte_lengths(self) -> IdArray:
        """(V,) UTF-8 bytes that each id stands for; 0 for special ids."""
        lengths = [self._byte_length(token) for token in self._tokens]
        for added in self._json["added_tokens"]:
            lengths[added["id"]] = 0 if added["special"] else len(added["content"].encode())
        return np.array(lengths, dtype=np.int32)

    @functools.cached_property
    def fingerprint(self) -> str:
        """Hash of everything that decides the ids."""
        canonical = json.dumps(self._json, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def prepared(self, text: str) -> str:
        """Return ``text`` as another program must be given it to find the same ids: as it is, or what a kind says."""
        return text

    def encode(self, text: str) -> Encoding:
        """Return the ids of ``text`` with their offsets, without begin or end tokens."""
        encoded = self.core.encode(checked_text(text), add_special_tokens=False)
        offsets = np.array(encoded.offsets, dtype=np.int32).reshape(-1, 2)
        return Encoding(self._plain(encoded.ids), offsets)

    def encode_batch(self, texts: Sequence[str]) -> list[IdArray]:
        """Return the ids of many texts at once, on all cores."""
        encoded = self.core.encode_batch_fast([checked_text(text) for text in texts], add_special_tokens=False)
        return [self._plain(one.ids) for one in encoded]

    def encode_marked(self, text: str, *, guard: str = "") -> IdArray:
        """Return the ids of a text in which special tokens are meant as such: what a chat template has written.

        *Idea.* `encode` takes text that looks like a special token for text, because anybody may have written it. A
        template writes special tokens on purpose, around words that anybody may have written. Whoever fills it puts
        ``guard``, a string that is in neither, before each special token in those words: then it is text, and the
        guard is taken out. Stretches between special tokens are encoded each by itself, as text.

        Without guards the ids are those of the `tokenizers` library where it takes special tokens as such.
        """
        checked_text(text)
        swallows = {entry["content"]: (entry["lstrip"], entry["rstrip"]) for entry in self._json["added_tokens"]}
        found: list[int] = []
        start, eats = 0, False  # `eats`: the last special token takes spaces behind it
        for match in self.marks(guard).finditer(text):
            before, after = swallows[match[0]]
            piece = text[start : match.start()]
            found += self._text_ids(piece.rstrip() if before else piece, guard, first=start == 0, eaten=eats)
            found.append(self.special_tokens[match[0]])
            start, eats = match.end(), after
        return np.array(found + self._text_ids(text[start:], guard, first=start == 0, eaten=eats), dtype=np.int32)

    @functools.cached_property
    def special_tokens(self) -> dict[str, int]:
        """What each special token is written as, and its id."""
        added = self._json["added_tokens"]
        return {entry["content"]: entry["id"] for entry in added if entry["special"] and entry["content"]}

    @functools.cached_property
    def role_tokens(self) -> dict[str, str]:
        """What the special tokens for bos, eos, unk, mask and pad are written as, where there are such."""
        texts = {index: token for token, index in self.special_tokens.items()}
        vocabulary = self.vocabulary
        return {role: texts[index] for role in _USUAL_NAMES if (index := getattr(vocabulary, role)) in texts}

    def marks(self, guard: str = "") -> re.Pattern[str]:
        """Return what finds special tokens in a text, the longest where several begin; none behind ``guard``."""
        tokens = "|".join(re.escape(token) for token in sorted(self.special_tokens, key=len, reverse=True))
        behind = f"(?<!{re.escape(guard)})" if guard else ""
        return re.compile(f"{behind}(?:{tokens})" if tokens else "(?!)")

    def _text_ids(self, text: str, guard: str, *, first: bool, eaten: bool) -> list[int]:
        """Return the ids of a stretch of text; ``first``: it begins the text, ``eaten``: without spaces before it."""
        plain = text.replace(guard, "") if guard else text
        plain = plain.lstrip() if eaten else plain
        if not plain:
            return []
        return [int(index) for index in (self if first else self._inner).encode(plain).ids]

    @functools.cached_property
    def _inner(self) -> "FastTokenizer":
        """What encodes text behind a special token: a space that is put before a text's first word isn't put there."""
        raw = json.loads(json.dumps(self._json))
        own = raw.get("pre_tokenizer") or {"type": ""}
        firsts = [
            part
            for part in (own["pretokenizers"] if own["type"] == "Sequence" else [own])
            if part.get("prepend_scheme") == "first"
        ]
        for part in firsts:
            part["prepend_scheme"] = "never"
        return FastTokenizer.from_json(json.dumps(raw, ensure_ascii=False), self.roles) if firsts else self

    def decode(self, ids: Sequence[int] | IdArray) -> str:
        """Return the text of ``ids``; special ids give nothing, broken UTF-8 gives U+FFFD."""
        return str(self.core.decode([int(index) for index in ids], skip_special_tokens=True))

    def to_json(self) -> str:
        """Return the content of ``tokenizer.json``."""
        return str(self.core.to_str(pretty=True))

    def truncated(self, size: int) -> "FastTokenizer":
        """Return the byte-level BPE with only its first merges, equal to one trained with that vocabulary size.

        Raises:
            UsageError: this is no BPE, or ``size`` is below what its bytes and special tokens need.
        """
        model = self._json["model"]
        if self.kind != "bpe":
            raise UsageError(f"only a bpe tokenizer can be cut to fewer merges, this is {self.kind}")
        kept = {token: index for token, index in model["vocab"].items() if index < size}
        first_merged = len(model["vocab"]) - len(model["merges"])
        if size < first_merged:
            raise UsageError(f"a bpe vocabulary has at least {first_merged} tokens, asked for {size}")
        merges = model["merges"][: max(0, size - first_merged)]
        raw = {**self._json, "model": {**model, "vocab": kept, "merges": merges}}
        return FastTokenizer.from_json(json.dumps(raw, ensure_ascii=False), self.roles)

    @functools.cached_property
    def _size(self) -> int:
        """One more than the highest id: a vocabulary of others may have holes."""
        listed = self._json["model"]["vocab"]
        highest = len(listed) - 1 if isinstance(listed, list) else max(listed.values(), default=-1)
        return 1 + max([int(highest), *(int(added["id"]) for added in self._json["added_tokens"])])

    @functools.cached_property
    def _tokens(self) -> list[str]:
        tokens = [""] * self._size
        for token, index in self.core.get_vocab(with_added_tokens=True).items():
            tokens[index] = token
        return tokens

    @functools.cached_property
    def _pre_tokenizers(self) -> list[dict[str, Any]]:
        part = self._json.get("pre_tokenizer")
        if part is None:
            return []
        return list(part["pretokenizers"]) if part["type"] == "Sequence" else [part]

    @property
    def _byte_level(self) -> bool:
        return any(part["type"] == "ByteLevel" for part in self._pre_tokenizers)

    @property
    def _prefixes_space(self) -> bool:
        return any(part.get("add_prefix_space", False) for part in self._pre_tokenizers)

    def _special(self, role: str, usual: Sequence[str]) -> int | None:
        names = (self.roles[role],) if role in self.roles else usual
        found = (self.core.token_to_id(name) for name in names)
        index = next((index for index in found if index is not None), None)
        if index is None and role in self.roles:
            raise ArtefactError(
                f"tokenizer.json: has no token {self.roles[role]!r}, which is named as its {role} token"
            )
        return index

    def _plain(self, ids: Sequence[int]) -> IdArray:
        """Return ids of text: a word that is spelled like a special token is unknown, not that token."""
        found = np.array(ids, dtype=np.int32)
        vocabulary = self.vocabulary
        if vocabulary.unk is not None:
            for special in vocabulary.special:
                found[found == special] = vocabulary.unk
        return found

    def _byte_length(self, token: str) -> int:
        if self._byte_level:
            return len(token)
        if self._json["model"].get("byte_fallback") and len(token) == 6 and token.startswith("<0x"):
            return 1
        return len(token.removeprefix("##" if self.kind == "wordpiece" else "").encode())


def checked_text(text: str) -> str:
    """Return ``text``, which can be written as UTF-8.

    Raises:
        InputError: it holds half of a surrogate pair, as a wrongly read file does.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"text has a lone surrogate at character {error.start}: read it with its own encoding"
        ) from error
    return text
