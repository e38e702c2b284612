"""SentencePiece models (Kudo & Richardson 2018) in the form of the `tokenizers` library.

*Idea.* A ``.model`` or ``.spm`` file is a list of pieces with scores, and rules by which text is normalised first.
Unigram models (Kudo 2018) are the library's own kind; merges of BPE models follow from the scores, because a piece of a
higher score was learnt earlier.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ziggurat.core.errors import ArtefactError, DamagedError, MissingExtraError

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Core

__all__ = [
    "BYTE",
    "CONTROL",
    "MODELS",
    "NORMAL",
    "SPACE",
    "UNKNOWN",
    "UNUSED",
    "USER_DEFINED",
    "merges_of",
    "paired_core",
    "sentencepiece_core",
]

MODELS = ("tokenizer.model", "spiece.model")
"""Names of such files in folders of transformers."""

_LOG = logging.getLogger("ziggurat")
_UNIGRAM, _BPE = 1, 2
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
"""Types of pieces; GGUF files have the same."""
SPACE = "\u2581"
"""What stands for a space in pieces."""
_NEVER = -1e6
"""Score of pieces that stand for no text: any other way to cut it is likelier."""
_ALWAYS = 1e3
"""Score of each character of pieces that are never cut."""
_HIDDEN = "\0"
"""Begins pieces of another model with the same ids, so that no text has them."""


def sentencepiece_core(path: Path, said: Mapping[str, Any]) -> "Core":
    """Return the tokenizer that a SentencePiece model is; ``said`` is the content of ``tokenizer_config.json``.

    Raises:
        ArtefactError: it is of a kind that is not known here.
        DamagedError: it is no SentencePiece model.
        MissingExtraError: the package that reads it is not installed.
    """
    from tokenizers import AddedToken, models
    from tokenizers import Tokenizer as Core

    proto = _proto(path)
    pieces = [(piece.piece, _score(piece), piece.type) for piece in proto.pieces]
    bytewise = any(kind == BYTE for _, _, kind in pieces)
    unknown = next((index for index, (_, _, kind) in enumerate(pieces) if kind == UNKNOWN), None)
    if proto.trainer_spec.model_type == _UNIGRAM:
        core = Core(models.Unigram([(text, score) for text, score, _ in pieces], unknown, bytewise))
    elif proto.trainer_spec.model_type == _BPE:
        vocabulary = {text: index for index, (text, _, _) in enumerate(pieces)}
        merges = merges_of({text: score for text, score, kind in pieces if kind == NORMAL})
        core = Core(
            models.BPE(
                vocabulary,
                merges,
                unk_token=None if unknown is None else pieces[unknown][0],
                fuse_unk=True,
                byte_fallback=bytewise,
            )
        )
    else:
        raise ArtefactError(f"{path}: a SentencePiece model of words or characters; only unigram and bpe open here")
    _prepare(core, proto, path)
    core.add_special_tokens([AddedToken(text, special=True) for text, _, kind in pieces if kind in (UNKNOWN, CONTROL)])
    if proto.trainer_spec.model_type == _BPE:
        core.add_tokens([AddedToken(text, normalized=False) for text, _, kind in pieces if kind == USER_DEFINED])
    _ends(core, proto, said)
    return core


def paired_core(path: Path, ids: Mapping[str, int]) -> "Core":
    """Return the tokenizer of one side of a translating model: the cuts of the model ``path``, the ids of both sides.

    Marian's folders hold a SentencePiece model for each language and one ``vocab.json`` with the ids of both. Pieces of
    the other language keep their ids, so that they are decoded, and no text is cut into them.

    *Departs.* What this side's model does not know is unknown, though the other side may have a piece of those letters.

    Raises:
        ArtefactError, DamagedError, MissingExtraError: as `sentencepiece_core`.
    """
    from tokenizers import AddedToken, models, normalizers, processors
    from tokenizers import Tokenizer as Core

    proto = _proto(path)
    if proto.trainer_spec.model_type != _UNIGRAM:
        raise ArtefactError(f"{path}: only unigram models of SentencePiece open with a vocab.json")
    tokens = sorted(ids, key=lambda token: ids[token])
    if [ids[token] for token in tokens] != list(range(len(tokens))):
        raise DamagedError(f"{path.parent / 'vocab.json'}: damaged: its ids are not 0, 1, 2, …")
    special = [token for token in ("</s>", "<unk>", "<pad>", "<s>") if token in ids]
    if "<unk>" not in ids or "</s>" not in ids:
        raise ArtefactError(f"{path.parent / 'vocab.json'}: has no <unk> or no </s>")
    scores = {piece.piece: piece.score for piece in proto.pieces if piece.type in (NORMAL, USER_DEFINED)}
    lost = [piece for piece in scores if piece not in ids]
    if lost:
        _LOG.warning("%s: %d pieces have no id in vocab.json and are cut further", path, len(lost))
    codes = [token for token in tokens if token.startswith(">>") and token.endswith("<<")]
    plain = {*special, *codes}
    lowest = min(scores.values(), default=0.0)
    listed = [
        (token, scores[token]) if token in scores else (token if token in plain else _HIDDEN + token, lowest)
        for token in tokens
    ]
    core = Core(models.Unigram(listed, ids["<unk>"], byte_fallback=False))
    _prepare(core, proto, path)
    core.normalizer = normalizers.Sequence([normalizers.Replace(_HIDDEN, ""), core.normalizer])
    core.add_special_tokens([AddedToken(token, special=True) for token in special])
    core.add_tokens([AddedToken(code, normalized=False) for code in codes])
    end = ("</s>", ids["</s>"])
    core.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A $B </s>", special_tokens=[end])
    return core


def merges_of(scores: Mapping[str, float]) -> list[tuple[str, str]]:
    """Return the merges of a BPE model from its pieces' scores: pairs of pieces that make a piece, highest score first.

    Of equal scores the earlier piece counts; of several ways to make it, the one that begins with the earlier piece.

    >>> merges_of({"a": 0.0, "b": 0.0, "ab": -1.0, "aab": -2.0})
    [('a', 'b'), ('a', 'ab')]
    """
    numbers = {text: number for number, text in enumerate(scores)}
    found = []
    for text, number in numbers.items():
        for cut in range(1, len(text)):
            left, right = text[:cut], text[cut:]
            if left in numbers and right in numbers:
                found.append((-scores[text], number, numbers[left], left, right))
    return [(left, right) for *_, left, right in sorted(found)]


def _proto(path: Path) -> Any:
    """Return the parsed file."""
    try:
        from sentencepiece import sentencepiece_model_pb2
    except ImportError as error:
        raise MissingExtraError("reading a SentencePiece model", "formats") from error
    proto = sentencepiece_model_pb2.ModelProto()
    try:
        proto.ParseFromString(path.read_bytes())
    except OSError as error:
        raise ArtefactError(f"{path}: can't be read ({error.strerror})") from error
    except Exception as error:  # protobuf's own, whose class moves between its versions
        raise DamagedError(f"{path}: damaged: not a SentencePiece model ({error})") from error
    if not proto.pieces:
        raise DamagedError(f"{path}: damaged: a SentencePiece model without pieces")
    return proto


def _score(piece: Any) -> float:
    """Return a piece's score as the library's lattice needs it: what stands for no text is never the best cut."""
    if piece.type == USER_DEFINED:
        return _ALWAYS * len(piece.piece)
    return float(piece.score) if piece.type in (NORMAL, UNKNOWN) else _NEVER


def _prepare(core: "Core", proto: Any, path: Path) -> None:
    """Normalise text as the model says, write spaces as its pieces do, and undo both when ids are decoded.

    Pieces may hold spaces inside, so the text is not cut before the model sees it.

    *Departs.* Of a letter with two or more combining marks the library's rewriting may keep fewer than SentencePiece.
    """
    from tokenizers import Regex, decoders, normalizers

    rules = proto.normalizer_spec
    if not rules.escape_whitespaces or proto.trainer_spec.treat_whitespace_as_suffix:
        raise ArtefactError(f"{path}: spaces are not written as {SPACE} before a word: not known here")
    steps: list[Any] = []
    if rules.precompiled_charsmap:
        rewrite = normalizers.Precompiled(rules.precompiled_charsmap)
        if rewrite.normalize_str("\r") == rewrite.normalize_str("\n") == " ":
            steps.append(normalizers.Replace("\r\n", "\n\n"))  # the library takes the two for one character
        steps.append(rewrite)
    if rules.remove_extra_whitespaces:
        steps += [normalizers.Replace(Regex(" {2,}"), " "), normalizers.Replace(Regex(r"\A | \z"), "")]
    if rules.add_dummy_prefix:
        steps.append(normalizers.Prepend(SPACE))
    core.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" ", SPACE)])
    back: list[Any] = [
        decoders.Replace(_HIDDEN, ""),
        decoders.Replace(SPACE, " "),
        decoders.ByteFallback(),
        decoders.Fuse(),
    ]
    core.decoder = decoders.Sequence([*back, *([decoders.Strip(" ", 1, 0)] if rules.add_dummy_prefix else [])])


def _ends(core: "Core", proto: Any, said: Mapping[str, Any]) -> None:
    """Let other programs add begin and end tokens as the folder says; Llama's do where it does not."""
    from tokenizers import processors

    named = str(said.get("tokenizer_class") or "").removesuffix("Fast")
    begin = proto.trainer_spec.bos_piece if said.get("add_bos_token", named == "LlamaTokenizer") else None
    end = proto.trainer_spec.eos_piece if said.get("add_eos_token", False) else None
    ids = [(token, core.token_to_id(token)) for token in (begin, end) if token and core.token_to_id(token) is not None]
    if ids:
        first, last = (f"{begin} " if begin else ""), (f" {end}" if end else "")
        core.post_processor = processors.TemplateProcessing(
            single=f"{first}$A{last}", pair=f"{first}$A{last} {first}$B{last}", special_tokens=ids
        )
