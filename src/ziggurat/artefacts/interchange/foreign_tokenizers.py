"""The tokenizer of a folder of transformers: its ``tokenizer.json``, or what older files say, in that form.

*Idea.* Before there was ``tokenizer.json``, each kind of tokenizer had files of its own: ``vocab.json`` with
``merges.txt`` (byte-level BPE), ``vocab.txt`` (WordPiece), SentencePiece models. Each says all that decides the ids, so
each can be written in the one form that the `tokenizers` library reads, and everything behind sees no difference.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ziggurat.artefacts.interchange.sentencepiece_models import MODELS, paired_core, sentencepiece_core
from ziggurat.core.errors import ArtefactError, DamagedError, ZigguratError
from ziggurat.core.protocols import Tokenizer
from ziggurat.tokens.loading import load_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Core

__all__ = ["added_tokens", "read_json", "read_tokenizer", "roles_of", "said_of_tokens"]

WHOLE = "tokenizer.json"
ROLES = {"bos": ("bos", "cls"), "eos": ("eos", "sep"), "unk": ("unk",), "mask": ("mask",), "pad": ("pad",)}
"""What special tokens are for, and under which names a folder says it: the first that it says counts."""

_BYTE_LEVEL = ("", "GPT2Tokenizer", "RobertaTokenizer", "BartTokenizer", "LongformerTokenizer", "Qwen2Tokenizer")
_WORDPIECE = ("", "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "RetriBertTokenizer")
_GENERIC = ("", "PreTrainedTokenizer", "TokenizersBackend")
_CUT_BY_QWEN2 = ("Qwen2Tokenizer",)


def read_tokenizer(folder: Path, config: Mapping[str, Any]) -> Tokenizer:
    """Return the tokenizer of a folder; ``config`` is the content of its ``config.json``.

    Its special tokens are those that ``tokenizer_config.json`` or ``special_tokens_map.json`` names (``cls`` begins and
    ``sep`` ends a text where no ``bos`` and ``eos`` do), else those whose ids ``config.json`` names, else those of
    usual names. A text needs a begin token to be scored: where there is none, the end token is one.

    Raises:
        ArtefactError: there is no tokenizer, or none that opens here; the message names the files.
        DamagedError: a file's content contradicts itself.
        MissingExtraError: it is one of SentencePiece, and the package that reads those is not installed.
    """
    from tokenizers import AddedToken

    said = said_of_tokens(folder)
    core = _core(folder, said)
    roles = roles_of(core, said, config)
    special = {token.content for token in core.get_added_tokens_decoder().values() if token.special}
    missing = [token for token in roles.values() if token not in special]
    core.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in missing])
    whole = folder / WHOLE  # which may say more than the library keeps
    text = whole.read_text(encoding="utf-8") if whole.is_file() and not missing else core.to_str()
    try:
        return load_tokenizer(text, roles)
    except ArtefactError as error:
        raise ArtefactError(f"{folder}: {error}") from error


def said_of_tokens(folder: Path) -> dict[str, Any]:
    """Return what ``tokenizer_config.json`` says, and beside it ``special_tokens_map.json``."""
    said = read_json(folder / "special_tokens_map.json") if (folder / "special_tokens_map.json").is_file() else {}
    if (folder / "tokenizer_config.json").is_file():
        said = {**said, **{k: v for k, v in read_json(folder / "tokenizer_config.json").items() if v is not None}}
    return said


def roles_of(core: "Core", said: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return which special token is for what; a translation begins with what ``decoder_start_token_id`` names.

    An unknown token that is the begin or end token, as GPT-2's folders name it, is none.
    """
    roles: dict[str, str] = {}
    for role, names in ROLES.items():
        told = [_content(said.get(f"{name}_token")) for name in names] + [_by_id(core, config.get(f"{role}_token_id"))]
        if role == "bos" and config.get("decoder_start_token_id") is not None:
            told.insert(0, _by_id(core, config["decoder_start_token_id"]))
        found = next((token for token in told if token is not None and core.token_to_id(token) is not None), None)
        if found is not None:
            roles[role] = found
    if roles.get("unk") in (roles.get("bos"), roles.get("eos")):
        roles.pop("unk", None)
    return roles


def added_tokens(folder: Path, said: Mapping[str, Any]) -> dict[str, tuple[int, bool]]:
    """Return the tokens that a folder adds to those of its vocabulary: id, and whether it is a special one."""
    path = folder / "added_tokens.json"
    found = {str(token): (int(index), True) for token, index in read_json(path).items()} if path.is_file() else {}
    for index, entry in (said.get("added_tokens_decoder") or {}).items():
        found[str(entry["content"])] = (int(index), bool(entry.get("special")))
    return dict(sorted(found.items(), key=lambda item: item[1][0]))


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file that holds keys and values.

    Raises:
        DamagedError: it does not.
        ArtefactError: it can't be read.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtefactError(f"{path}: can't be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{path}: damaged: not JSON ({error})") from error
    if not isinstance(found, dict):
        raise DamagedError(f"{path}: damaged: expected keys and values")
    return found


def _core(folder: Path, said: Mapping[str, Any]) -> "Core":
    """Return the tokenizer as the `tokenizers` library has it, from whichever files there are."""
    from tokenizers import AddedToken
    from tokenizers import Tokenizer as Core

    whole = folder / WHOLE
    try:
        if whole.is_file():
            return Core.from_str(whole.read_text(encoding="utf-8"))
        core = _older_core(folder, said)
        for token, (index, special) in added_tokens(folder, said).items():
            (core.add_special_tokens if special else core.add_tokens)([AddedToken(token, special=special)])
            if core.token_to_id(token) != index:
                raise DamagedError(f"{folder}: damaged: the added token {token!r} can't have the id {index}")
        return core
    except (ZigguratError, OSError):
        raise
    except Exception as error:  # the library raises bare Exception
        raise DamagedError(f"{folder}: damaged: its files are not those of a tokenizer ({error})") from error


def _older_core(folder: Path, said: Mapping[str, Any]) -> "Core":
    """Return the tokenizer of a folder without ``tokenizer.json``."""
    have = {path.name for path in folder.iterdir()}
    if {"source.spm", "target.spm", "vocab.json"} <= have:
        if said.get("separate_vocabs"):
            raise ArtefactError(f"{folder}: a vocabulary for each language (separate_vocabs) does not open here")
        return paired_core(folder / "source.spm", read_json(folder / "vocab.json"))
    if {"vocab.json", "merges.txt"} <= have:
        return _byte_level(folder, said)
    if "vocab.txt" in have:
        return _wordpiece(folder, said)
    models = [name for name in MODELS if name in have]
    if models:
        return sentencepiece_core(folder / models[0], said)
    raise ArtefactError(
        f"{folder}: no tokenizer: looked for tokenizer.json, vocab.json with merges.txt, vocab.txt, "
        f"{', '.join(MODELS)}, and source.spm with target.spm and vocab.json"
    )


def _byte_level(folder: Path, said: Mapping[str, Any]) -> "Core":
    """Return byte-level BPE (Radford et al. 2019) from its vocabulary and its merges."""
    from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers
    from tokenizers import Tokenizer as Core

    from ziggurat.tokens.bpe import byte_level

    name = _class(folder, said, (*_GENERIC, *_BYTE_LEVEL), "vocab.json with merges.txt")
    vocabulary = read_json(folder / "vocab.json")
    core = Core(models.BPE(vocabulary, _merges(folder / "merges.txt")))
    if name in _CUT_BY_QWEN2:
        core.normalizer = normalizers.NFC()
        core.pre_tokenizer = byte_level("qwen2")
    else:
        prefix = bool(said.get("add_prefix_space", False))
        core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    core.decoder = decoders.ByteLevel()
    ends = [token for token in ("<|endoftext|>", "<s>", "</s>", "<unk>", "<pad>") if token in vocabulary]
    core.add_special_tokens([AddedToken(token, special=True) for token in ends])
    if "<mask>" in vocabulary:
        core.add_special_tokens([AddedToken("<mask>", special=True, lstrip=True)])
    begin = _content(said.get("cls_token") or said.get("bos_token")) or "<s>"
    end = _content(said.get("sep_token") or said.get("eos_token")) or "</s>"
    if begin in vocabulary and end in vocabulary and begin != end:
        _surround(core, begin, end, bytes_said=said)
    elif said.get("add_bos_token") and begin in vocabulary:
        _surround(core, begin, None)
    return core


def _wordpiece(folder: Path, said: Mapping[str, Any]) -> "Core":
    """Return WordPiece as BERT (Devlin et al. 2019) cuts by it, from its list of pieces."""
    from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers
    from tokenizers import Tokenizer as Core

    _class(folder, said, (*_GENERIC, *_WORDPIECE), "vocab.txt")
    if said.get("do_basic_tokenize", True) is not True:
        raise ArtefactError(f"{folder}: tokenizer_config.json: do_basic_tokenize: only true is known here")
    lines = (folder / "vocab.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    vocabulary = {line: index for index, line in enumerate(lines)}
    usual = {"unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]", "pad": "[PAD]"}
    named = {role: _content(said.get(f"{role}_token")) or token for role, token in usual.items()}
    missing = [named[role] for role in ("unk", "cls", "sep") if named[role] not in vocabulary]
    if missing:
        raise ArtefactError(f"{folder / 'vocab.txt'}: has no line {missing[0]!r}, which is a special token")
    core = Core(models.WordPiece(vocabulary, unk_token=named["unk"]))
    core.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=bool(said.get("tokenize_chinese_chars", True)),
        strip_accents=said.get("strip_accents"),
        lowercase=bool(said.get("do_lower_case", True)),
    )
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.decoder = decoders.WordPiece(prefix="##")
    core.add_special_tokens([AddedToken(token, special=True) for token in named.values() if token in vocabulary])
    _surround(core, named["cls"], named["sep"], pairs=True)
    return core


def _surround(
    core: "Core", begin: str, end: str | None, *, pairs: bool = False, bytes_said: Mapping[str, Any] | None = None
) -> None:
    """Let other programs put a begin and an end token around a text; `Tokenizer.encode` never does."""
    from tokenizers import processors

    ids = [(token, int(core.token_to_id(token) or 0)) for token in (begin, end) if token is not None]
    if bytes_said is not None:
        trim, prefix = bytes_said.get("trim_offsets", True), bytes_said.get("add_prefix_space", False)
        core.post_processor = processors.RobertaProcessing(ids[1], ids[0], bool(trim), bool(prefix))
        return
    last = f" {end}" if end is not None else ""
    second = f"{end}:0 $B:1 {end}:1" if pairs else f"{begin}:1 $B:1{f' {end}:1' if end is not None else ''}"
    core.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A{last}", pair=f"{begin}:0 $A:0 {second}", special_tokens=ids
    )


def _merges(path: Path) -> list[tuple[str, str]]:
    """Return the pairs of a ``merges.txt``, first learnt first."""
    found: list[tuple[str, str]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if not line or (number == 1 and line.startswith("#version")):
            continue
        left, space, right = line.partition(" ")
        if not (left and space and right) or " " in right:
            raise DamagedError(f"{path}:{number}: damaged: expected two tokens, found {line[:40]!r}")
        found.append((left, right))
    return found


def _class(folder: Path, said: Mapping[str, Any], known: tuple[str, ...], files: str) -> str:
    """Return the class of transformers that a folder names, where it is one that cuts as these files are read here."""
    name = str(said.get("tokenizer_class") or "").removesuffix("Fast")
    if name not in known:
        raise ArtefactError(
            f"{folder}: has {files} for a {name}, which is not known here; make a tokenizer.json of it: "
            "transformers.AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)"
        )
    return name


def _content(token: Any) -> str | None:
    """Return a special token's text, which stands alone or among other facts of it."""
    found = token.get("content") if isinstance(token, Mapping) else token
    return found if isinstance(found, str) else None


def _by_id(core: "Core", index: Any) -> str | None:
    first = index[0] if isinstance(index, list) and index else index
    return core.id_to_token(first) if type(first) is int and first >= 0 else None
