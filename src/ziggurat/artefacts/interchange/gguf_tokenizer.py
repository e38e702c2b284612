"""A GGUF file's tokenizer, from and to ``tokenizer.json``.

Two kinds are known: ``gpt2``, merges of bytes by rank (Sennrich et al. 2016 over bytes, as in Radford et al. 2019), and
``llama``, merges of characters by the score of what they make, characters without a token spelled in bytes
(SentencePiece's BPE).
"""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from ziggurat.artefacts.interchange.gguf_splits import SPLITS, Splitting, pre_tokenizer, splitting_name
from ziggurat.artefacts.interchange.sentencepiece_models import (
    BYTE,
    CONTROL,
    NORMAL,
    SPACE,
    UNKNOWN,
    UNUSED,
    USER_DEFINED,
    merges_of,
)
from ziggurat.core.errors import ArtefactError, DamagedError, UsageError
from ziggurat.core.protocols import Tokenizer
from ziggurat.tokens.fast import FastTokenizer
from ziggurat.tokens.loading import token_texts

__all__ = ["CHAT_TEMPLATE", "composes", "tokenizer_from_gguf", "tokenizer_to_gguf"]

CHAT_TEMPLATE = "tokenizer.chat_template"
_LOG = logging.getLogger("ziggurat")
_ROLES = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding", "mask": "mask"}
_SENTENCEPIECE_ROLES = {"bos": 1, "eos": 2, "unk": 0}
"""Special ids of the kind ``llama`` where the file names none."""
_KIND, _PRE, _TOKENS, _TYPES, _SCORES, _MERGES, _ADD_BOS, _ADD_SPACE = (
    f"tokenizer.ggml.{name}"
    for name in ("model", "pre", "tokens", "token_type", "scores", "merges", "add_bos_token", "add_space_prefix")
)


def tokenizer_from_gguf(metadata: Mapping[str, Any], *, where: str) -> FastTokenizer:
    """Return a tokenizer that finds the ids which llama.cpp finds.

    Raises:
        ArtefactError: it is of a kind, or cuts text by a pattern, that is not known.
        DamagedError: keys are missing or do not fit each other.
    """
    kind = metadata.get(_KIND)
    texts, types = _tokens(metadata, where)
    if kind == "gpt2":
        splitting = _splitting(metadata, where)
        control = {text for text, kind in zip(texts, types, strict=True) if kind == CONTROL}
        core = _byte_level(metadata, texts, control, splitting, where)
        add_bos = metadata.get(_ADD_BOS, splitting.begins)
    elif kind == "llama":
        core = _sentencepiece(metadata, texts, types, where)
        add_bos = metadata.get(_ADD_BOS, True)
    else:
        raise ArtefactError(f"{where}: a tokenizer of the kind {kind!r}; gpt2 and llama can be read")
    roles = _roles(metadata, texts, where)
    _add_special(core, texts, types, roles)
    _add_template(core, roles.get("bos") if add_bos else None)
    try:
        tokenizer = FastTokenizer.from_json(core.to_str(), roles)
    except ArtefactError as error:
        raise ArtefactError(f"{where}: {error}") from error
    if tokenizer.vocabulary.size != len(texts):
        raise DamagedError(f"{where}: damaged: of {len(texts)} tokens {tokenizer.vocabulary.size} can be used")
    return tokenizer


def tokenizer_to_gguf(tokenizer: Tokenizer, size: int, *, where: str) -> dict[str, Any]:
    """Return the metadata of a tokenizer of a model with ``size`` ids.

    Raises:
        UsageError: llama.cpp has no tokenizer that finds the same ids; the message says which can be written.
    """
    raw = json.loads(tokenizer.to_json())
    model, texts = raw["model"], token_texts(tokenizer)
    types = [NORMAL] * len(texts)
    for added in raw.get("added_tokens", ()):
        types[added["id"]] = CONTROL if added["special"] else USER_DEFINED
    texts += [f"[PAD{number}]" for number in range(len(texts), size)]
    types += [UNUSED] * (size - len(types))
    if model["type"] != "BPE":
        raise _not_held(tokenizer, where)
    if any(part["type"] == "ByteLevel" for part in _parts(raw.get("pre_tokenizer"))):
        told = _byte_level_facts(raw, texts, tokenizer, where)
    elif model.get("byte_fallback"):
        told = _sentencepiece_facts(raw, texts, types, tokenizer, where)
    else:
        raise _not_held(tokenizer, where)
    vocabulary = tokenizer.vocabulary
    special = {
        f"tokenizer.ggml.{name}_token_id": token
        for role, name in _ROLES.items()
        if (token := getattr(vocabulary, role)) is not None
    }
    return {**told, _TYPES: types, **special, _ADD_BOS: _begins(raw)}


def composes(tokenizer: Tokenizer) -> bool:
    """Return whether a tokenizer composes characters first (Unicode's form C), which no GGUF file can ask for."""
    normalizer = json.loads(tokenizer.to_json()).get("normalizer")
    return normalizer is not None and normalizer["type"] == "NFC"


def _not_held(tokenizer: Tokenizer, where: str) -> UsageError:
    return UsageError(
        f"{where}: llama.cpp has no tokenizer that cuts text as this one of the kind {tokenizer.kind} does: "
        "train with bpe (pattern gpt2 or qwen2), bytes or characters"
    )


def _splitting(metadata: Mapping[str, Any], where: str) -> Splitting:
    name = metadata.get(_PRE, "default")
    found = SPLITS.get(name) if isinstance(name, str) else None
    if found is None:
        raise ArtefactError(f"{where}: it cuts text by {_PRE} = {name!r}; known are {', '.join(SPLITS)}")
    return found


def _tokens(metadata: Mapping[str, Any], where: str) -> tuple[list[str], list[int]]:
    """Return tokens and their types, without what only fills the vocabulary up at its end."""
    texts, types = metadata.get(_TOKENS), metadata.get(_TYPES)
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise DamagedError(f"{where}: damaged: {_TOKENS} is no list of texts")
    types = [NORMAL] * len(texts) if types is None else types
    if not isinstance(types, list) or len(types) != len(texts):
        raise DamagedError(f"{where}: damaged: {_TYPES} has not one entry for each token")
    if len(set(texts)) < len(texts):
        raise DamagedError(f"{where}: damaged: a token stands twice among {_TOKENS}")
    size = len(texts)
    while size and types[size - 1] == UNUSED:
        size -= 1
    return texts[:size], types[:size]


def _roles(metadata: Mapping[str, Any], texts: Sequence[str], where: str) -> dict[str, str]:
    usual = _SENTENCEPIECE_ROLES if metadata[_KIND] == "llama" else {}
    roles = {}
    for role, name in _ROLES.items():
        number = metadata.get(f"tokenizer.ggml.{name}_token_id", usual.get(role))
        if number is None:
            continue
        if type(number) is not int or not 0 <= number < len(texts):
            raise DamagedError(f"{where}: damaged: the {role} token {number!r} is none of {len(texts)} tokens")
        roles[role] = texts[number]
    return roles


def _byte_level(
    metadata: Mapping[str, Any], texts: list[str], control: set[str], splitting: Splitting, where: str
) -> Any:
    from tokenizers import Tokenizer as Core
    from tokenizers import decoders, models

    merges = metadata.get(_MERGES)
    if not isinstance(merges, list) or not all(isinstance(merge, str) for merge in merges):
        raise DamagedError(f"{where}: damaged: {_MERGES} is no list of texts")
    numbers = {text: number for number, text in enumerate(texts)}
    pairs = [(merge[: (cut := merge.find(" ", 1))], merge[cut + 1 :]) for merge in merges if " " in merge[1:]]
    known = [(a, b) for a, b in pairs if a in numbers and b in numbers and a + b in numbers]
    # a file without merges needs one that can happen in no text: of tokens that text never gives
    unknown = len(merges) - len(known) - sum(a in control and b in control and a + b not in numbers for a, b in pairs)
    if unknown:
        _LOG.warning(
            "%s: %d of %d merges of its tokenizer make no token or are made of none; they are left out, and llama.cpp "
            "may cut some texts otherwise",
            where,
            unknown,
            len(merges),
        )
    core = Core(models.BPE(numbers, known, ignore_merges=splitting.whole_words))
    core.pre_tokenizer = pre_tokenizer(splitting)
    core.decoder = decoders.ByteLevel()
    return core


def _sentencepiece(metadata: Mapping[str, Any], texts: list[str], types: list[int], where: str) -> Any:
    from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers
    from tokenizers import Tokenizer as Core

    scores = metadata.get(_SCORES)
    if not isinstance(scores, list) or len(scores) < len(texts) or not all(isinstance(one, float) for one in scores):
        raise DamagedError(f"{where}: damaged: {_SCORES} has not one number for each token")
    numbers = {text: number for number, text in enumerate(texts)}
    unknown = next((text for text, kind in zip(texts, types, strict=True) if kind == UNKNOWN), None)
    rows = zip(texts, types, scores, strict=False)
    merges = merges_of({text: score for text, kind, score in rows if kind == NORMAL})
    model = models.BPE(numbers, merges, byte_fallback=True, unk_token=unknown, fuse_unk=True)
    prefixed = bool(metadata.get(_ADD_SPACE, True))
    first = [normalizers.Prepend(SPACE)] if prefixed else []
    core = Core(model)
    core.normalizer = normalizers.Sequence([*first, normalizers.Replace(" ", SPACE)])
    if not merges:  # without this a document would be one word, and merging it one long search
        core.pre_tokenizer = pre_tokenizers.Split(Regex("(?m)."), "isolated")
    last = [decoders.Strip(" ", 1, 0)] if prefixed else []
    core.decoder = decoders.Sequence([decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse(), *last])
    return core


def _add_special(core: Any, texts: list[str], types: list[int], roles: Mapping[str, str]) -> None:
    from tokenizers import AddedToken

    special = set(roles.values())
    added = [
        AddedToken(text, special=kind != USER_DEFINED, normalized=False)
        for text, kind in zip(texts, types, strict=True)
        if kind in (UNKNOWN, CONTROL, USER_DEFINED) or text in special
    ]
    core.add_tokens([one for one in added if not one.special])
    core.add_special_tokens([one for one in added if one.special])


def _add_template(core: Any, bos: str | None) -> None:
    """Let other programs begin texts as the file says; ours always begin them with ``bos``."""
    from tokenizers import processors

    special = [] if bos is None else [(bos, core.token_to_id(bos))]
    single = ["$A:0"] if bos is None else [f"{bos}:0", "$A:0"]
    core.post_processor = processors.TemplateProcessing(single=single, pair=[*single, "$B:1"], special_tokens=special)


def _begins(raw: Mapping[str, Any]) -> bool:
    """Return whether texts begin with ``bos``: as our own do, or as a tokenizer that came from elsewhere says."""
    processor = raw.get("post_processor")
    return processor is None or "SpecialToken" in json.dumps(processor.get("single", processor.get("processors", "")))


def _parts(part: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    if part is None:
        return []
    return list(part["pretokenizers"]) if part["type"] == "Sequence" else [part]


def _byte_level_facts(raw: Mapping[str, Any], texts: list[str], tokenizer: Tokenizer, where: str) -> dict[str, Any]:
    name = splitting_name(raw)
    if name is None:
        raise UsageError(
            f"{where}: its tokenizer cuts text by a pattern that llama.cpp has no name for: train with bpe, whose "
            "patterns gpt2 and qwen2 it knows"
        )
    if raw.get("normalizer") is not None and not composes(tokenizer):
        raise _not_held(tokenizer, where)
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in raw["model"]["merges"]]
    end = texts[tokenizer.vocabulary.eos]
    # llama.cpp wants a list that is not empty; this merge can happen in no text
    return {_KIND: "gpt2", _PRE: name, _TOKENS: texts, _MERGES: merges or [f"{end} {end}"]}


def _sentencepiece_facts(
    raw: Mapping[str, Any], texts: list[str], types: list[int], tokenizer: Tokenizer, where: str
) -> dict[str, Any]:
    """Return what is said of a tokenizer of characters and bytes; marks the types of the latter.

    llama.cpp writes every space as `SPACE`. Where the tokenizer does not, the two are exchanged in its tokens, which
    leaves one difference: a text with U+2581 in it.
    """
    prefixed, replaced = _spaces(raw.get("normalizer"))
    if prefixed is None:
        raise _not_held(tokenizer, where)
    if not replaced:
        if SPACE in texts:
            raise UsageError(f"{where}: its tokenizer has a token {SPACE!r}, which llama.cpp takes for a space")
        texts = [SPACE if text == " " else text for text in texts]
    if any(" " in text for text, kind in zip(texts, types, strict=True) if kind == NORMAL):
        raise _not_held(tokenizer, where)
    for byte in range(256):
        types[texts.index(f"<0x{byte:02X}>")] = BYTE
    numbers = {text: number for number, text in enumerate(texts)}
    scores = [float(-len(raw["model"]["merges"]))] * len(texts)
    for rank, merge in reversed(list(enumerate(raw["model"]["merges"]))):
        scores[numbers["".join(merge.split(" ") if isinstance(merge, str) else merge)]] = float(-rank)
    if tokenizer.vocabulary.unk is not None:
        types[tokenizer.vocabulary.unk] = UNKNOWN
    return {_KIND: "llama", _PRE: "default", _TOKENS: texts, _SCORES: scores, _ADD_SPACE: prefixed}


def _spaces(normalizer: Mapping[str, Any] | None) -> tuple[bool | None, bool]:
    """Return whether text gets a space in front (None: it is changed otherwise) and whether spaces are replaced."""
    if normalizer is None:
        return False, False
    parts = list(normalizer["normalizers"]) if normalizer["type"] == "Sequence" else [normalizer]
    prefixed = bool(parts) and parts[0] == {"type": "Prepend", "prepend": SPACE}
    replaces = [{"type": "Replace", "pattern": {"String": " "}, "content": SPACE}]
    return (prefixed, True) if parts[prefixed:] == replaces else (None, False)
