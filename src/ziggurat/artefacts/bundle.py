"""A bundle: a trained model, its tokenizer and its papers in one folder that the ecosystem opens too.

::

    config.json              the model's configuration
    model.safetensors        its arrays
    tokenizer.json           the tokenizer
    words.index              words and ids (`ziggurat.tokens.word_index`), where the model gives vectors only
    tokenizer_config.json    what transformers asks beside it: special tokens, and the chat template where there is one
    generation_config.json   the same, where transformers knows the model's form
    ziggurat.json            the manifest
    README.md                the model card

A bundle is written in one piece and refused when a byte of it is not what the manifest says. The card is for people
to edit, so its bytes are compared only on request.

With ``words.index`` a bundle of a million word vectors opens in milliseconds: its arrays are mapped into memory, and
its tokenizer is parsed when it is first used.
"""

import functools
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ziggurat.artefacts import manifest as manifests
from ziggurat.artefacts.card import write_card
from ziggurat.artefacts.manifest import Manifest, Provenance, describe_file
from ziggurat.artefacts.tensors import read_tensors, write_tensors
from ziggurat.core.errors import ArtefactError, DamagedError, UnknownNameError, UsageError, ZigguratError
from ziggurat.core.files import atomic_folder, sha256, write_text
from ziggurat.core.protocols import (
    Classifier,
    ConditionalModel,
    ContextEncoder,
    Dissects,
    Encoder,
    Family,
    LanguageModel,
    MaskedLanguageModel,
    Model,
    ReadsMarks,
    StaticEncoder,
    Tagger,
    Tokenizer,
)
from ziggurat.core.types import TensorMap, Vocabulary
from ziggurat.models.registry import FAMILIES, guessing, predicting
from ziggurat.tokens.loading import load_tokenizer, token_texts
from ziggurat.tokens.word_index import WordIndex, open_index, write_index

__all__ = [
    "Bundle",
    "bundle_folder",
    "chat_template",
    "check_files",
    "load",
    "read_config",
    "read_manifest",
    "record",
    "save",
    "token_roles",
]

CARD = "README.md"
CONFIG = "config.json"
TENSORS = "model.safetensors"
TOKENIZER = "tokenizer.json"
WORDS = "words.index"
TOKENS_ASIDE = "tokenizer_config.json"
CHAT = "chat_template.jinja"
HASHED_UNASKED_BYTES = 200_000_000
STARTS = ("pad_token_id", "decoder_start_token_id")
"""Other ids that transformers must know to write, where the model's configuration says them."""
ROLES = {role: f"{role}_token" for role in ("bos", "eos", "unk", "mask", "pad")}
"""What special tokens are for, and how ``tokenizer_config.json`` says which one it is."""


@dataclass(frozen=True)
class Bundle:
    """An open bundle."""

    path: Path
    manifest: Manifest
    model: Model
    parsed: Tokenizer | None = field(default=None, repr=False)
    """The tokenizer, where it is parsed already."""

    @functools.cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer; where the bundle has a ``words.index``, it is parsed on first use.

        Raises:
            DamagedError: it is not the tokenizer that the model was trained with.
        """
        return self.parsed or _read_tokenizer(self.path, self.manifest, self.model.vocabulary)

    @functools.cached_property
    def words(self) -> WordIndex:
        """What each id of the tokenizer is written as, and which id each word has.

        *Cost.* Under a millisecond where the bundle has a ``words.index``; elsewhere the tokenizer is asked.
        """
        if WORDS in self.manifest.files:
            return open_index(self.path / WORDS)
        return WordIndex.of(token_texts(self.tokenizer))

    @functools.cached_property
    def chat_template(self) -> str:
        """How a conversation is written as one text, as a Jinja template; empty where nobody said it."""
        return chat_template(self.path)

    @property
    def family(self) -> Family:
        """The family that the model belongs to."""
        return FAMILIES.get(self.manifest.family)

    @property
    def language_model(self) -> LanguageModel:
        """The model, where it predicts ids.

        Raises:
            UsageError: it is of a family that does not.
        """
        return predicting(self.model, str(self.path))

    @property
    def masked_model(self) -> MaskedLanguageModel:
        """The model, where it guesses hidden ids.

        Raises:
            UsageError: it does not.
        """
        return guessing(self.model, str(self.path))

    @property
    def scorer(self) -> LanguageModel | MaskedLanguageModel:
        """The model, where it predicts ids or guesses hidden ones, so that it has an opinion of a text.

        Raises:
            UsageError: it does neither.
        """
        masked = isinstance(self.model, MaskedLanguageModel)
        return self.masked_model if masked else self.language_model

    @property
    def encoder(self) -> Encoder:
        """The model, where it makes vectors of ids, whether they follow the context or not.

        Raises:
            UsageError: it is of a family that does not.
        """
        if not isinstance(self.model, Encoder):
            raise UsageError(f"{self.path}: a {self.manifest.family} model gives no vectors; give one that does")
        return self.model

    @property
    def word_vectors(self) -> StaticEncoder:
        """The model, where each id has one vector wherever it stands.

        Raises:
            UsageError: it is of a family that has none.
        """
        if not isinstance(self.model, StaticEncoder):
            raise UsageError(f"{self.path}: a {self.manifest.family} model gives no vectors; give one that does")
        return self.model


def save(
    path: Path, *, family: str, model: Model, tokenizer: Tokenizer, provenance: Provenance, chat_template: str = ""
) -> Bundle:
    """Write a model and its tokenizer as the bundle ``path``, replacing an older one there; return it.

    ``chat_template`` says how a conversation is written as one text, as a Jinja template.

    Raises:
        DiskFullError: the disk is full; what stood at ``path`` is as it was.
    """
    config, tensors = FAMILIES.get(family).state(model)
    manifest = Manifest(
        family=family,
        recipe=_plain(provenance.recipe),
        seed=provenance.seed,
        tokenizer=_tokenizer_facts(tokenizer),
        model=_model_facts(model, config, tensors),
        corpus=_plain(provenance.corpus),
        training=_plain(provenance.training),
        metrics={},
        versions=manifests.versions(),
    )
    with atomic_folder(path) as folder:
        _write_json(folder / CONFIG, config)
        write_tensors(folder / TENSORS, tensors)
        text = tokenizer.to_json()
        write_text(folder / TOKENIZER, text)
        if isinstance(model, StaticEncoder):
            write_index(folder / WORDS, token_texts(tokenizer))
        aside = _transformers_tokenizer(model, tokenizer, text)
        _write_json(folder / TOKENS_ASIDE, aside | ({"chat_template": chat_template} if chat_template else {}))
        if "architectures" in config and isinstance(model, (LanguageModel, ConditionalModel)):
            special = {"bos_token_id": tokenizer.vocabulary.bos, "eos_token_id": tokenizer.vocabulary.eos}
            special |= {key: config[key] for key in STARTS if key in config}
            drawn = {"do_sample": not isinstance(model, ConditionalModel), "temperature": 1.0}
            _write_json(folder / "generation_config.json", {**special, **drawn})
        write_text(folder / CARD, write_card(manifest))
        manifest = replace(manifest, files={file.name: describe_file(file) for file in sorted(folder.iterdir())})
        write_text(folder / manifests.NAME, manifest.to_json())
    return Bundle(path, manifest, model, tokenizer)


def load(path: Path, *, verify: bool | None = None) -> Bundle:
    """Open a bundle, or the bundle of a run folder; its arrays are memory-mapped, not read.

    Args:
        path: The bundle's folder, or the folder of the run that made it.
        verify: True hashes every file, the card included; False compares sizes only. Unless told, a bundle of up
            to 200 MB is hashed without its card, and of a larger one sizes are compared.

    *Cost.* Hashing takes about a second per gigabyte; without it, a bundle with ``words.index`` opens in milliseconds.

    Raises:
        ArtefactError: there is no bundle; the message says what is missing.
        DamagedError: a file is not what the manifest says; the message names it.
        NewerVersionError: a newer Ziggurat wrote it.
    """
    folder = bundle_folder(path)
    manifest = read_manifest(folder)
    check_files(folder, manifest, verify=verify)
    lazy = WORDS in manifest.files and not verify
    try:
        family = FAMILIES.get(manifest.family, where=str(folder / manifests.NAME))
    except UnknownNameError as error:
        raise ArtefactError(str(error)) from error
    model = _restore(family, folder)
    bundle = Bundle(folder, manifest, model, None if lazy else _read_tokenizer(folder, manifest, model.vocabulary))
    if WORDS in manifest.files and len(bundle.words) != model.vocabulary.size:
        raise DamagedError(f"{folder / WORDS}: damaged: its words are not those of the model")
    return bundle


def record(path: Path, metrics: Mapping[str, Mapping[str, Any]]) -> Manifest:
    """Add measured quantities to a bundle's manifest and write its card again, both in one step; return the manifest.

    ``metrics`` maps what was measured on to the quantities: ``{"test": {"bits_per_byte": 1.97, …}}``. A card that
    its owner edited stays as it is.
    """
    folder = bundle_folder(path)
    manifest = read_manifest(folder)
    card = folder / CARD
    edited = card.is_file() and sha256(card) != manifest.files[CARD]["sha256"]
    with atomic_folder(folder) as changed:
        shutil.copytree(folder, changed, copy_function=_link, dirs_exist_ok=True)
        manifest = replace(manifest, metrics={**manifest.metrics, **_plain(metrics)})
        (changed / manifests.NAME).unlink()
        if not edited:
            (changed / CARD).unlink(missing_ok=True)
            write_text(changed / CARD, write_card(manifest))
        manifest = replace(manifest, files={**manifest.files, CARD: describe_file(changed / CARD)})
        write_text(changed / manifests.NAME, manifest.to_json())
    return manifest


def bundle_folder(path: Path) -> Path:
    """Return the folder of the bundle at ``path``: itself, or its ``bundle/`` where it is a run folder.

    Raises:
        ArtefactError: neither is a bundle.
    """
    for folder in (path, path / "bundle"):
        if (folder / manifests.NAME).is_file():
            return folder
    if not path.exists():
        raise ArtefactError(f"{path}: no such folder; a bundle is the folder that 'ziggurat train' leaves")
    if not path.is_dir():
        raise ArtefactError(f"{path}: a file, not a bundle; give the folder that holds {manifests.NAME}")
    inside = sorted(str(found.parent) for found in path.glob(f"*/bundle/{manifests.NAME}"))
    if inside:
        raise ArtefactError(f"{path}: holds several bundles; choose one of {', '.join(inside)}")
    if (path / "recipe.toml").is_file():
        raise ArtefactError(
            f"{path}: this run has no bundle yet; finish it with 'ziggurat train --resume {path}', or with the "
            "'ziggurat task … train' that began it"
        )
    raise ArtefactError(f"{path}: not a bundle ({manifests.NAME} is missing)")


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of the bundle ``folder``."""
    with _reading(folder / manifests.NAME) as path:
        return Manifest.from_json(path.read_text(encoding="utf-8"), where=str(path))


def check_files(folder: Path, manifest: Manifest, *, verify: bool | None = None) -> None:
    """Compare a bundle's files with its manifest, as far as ``verify`` says (see `load`).

    Raises:
        DamagedError: a file is missing or is not the one that was written; the message names it.
    """
    for name, facts in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise DamagedError(f"{path}: damaged bundle: this file is missing")
        if (name != CARD or verify) and (size := path.stat().st_size) != facts["bytes"]:
            raise DamagedError(f"{path}: damaged: {size} bytes instead of {facts['bytes']}")
    if verify or (verify is None and manifest.size_bytes <= HASHED_UNASKED_BYTES):
        for name, facts in manifest.files.items():
            if (name != CARD or verify) and sha256(folder / name) != facts["sha256"]:
                raise DamagedError(f"{folder / name}: damaged: its bytes are not those that were written")


def token_roles(folder: Path) -> dict[str, str]:
    """Return which special token is for what, as far as the ``tokenizer_config.json`` of a folder says it."""
    path = folder / TOKENS_ASIDE
    if not path.is_file():
        return {}
    with _reading(path):
        said = json.loads(path.read_text(encoding="utf-8"))
        tokens = {role: said.get(key) for role, key in ROLES.items()}
    named = {role: token.get("content") if isinstance(token, dict) else token for role, token in tokens.items()}
    return {role: token for role, token in named.items() if isinstance(token, str)}


def chat_template(folder: Path) -> str:
    """Return the chat template of a bundle, or of a folder of transformers; empty where there is none.

    It stands in ``chat_template.jinja`` or in ``tokenizer_config.json``; of several named ones the default is taken.
    """
    path = folder / CHAT
    if path.is_file():
        with _reading(path):
            return path.read_text(encoding="utf-8")
    path = folder / TOKENS_ASIDE
    if not path.is_file():
        return ""
    with _reading(path):
        said = json.loads(path.read_text(encoding="utf-8")).get("chat_template") or ""
        named = {one["name"]: one["template"] for one in said} if isinstance(said, list) else {"default": said}
        return str(named.get("default", ""))


def read_config(folder: Path, family: Dissects) -> tuple[Any, Vocabulary]:
    """Return the configuration and the vocabulary of the model in a bundle, without making the model.

    Raises:
        DamagedError: ``config.json`` or the arrays beside it are damaged.
    """
    config, tensors = _at_rest(folder)
    try:
        return family.configured(config, tensors)
    except UNFIT as error:
        raise DamagedError(f"{folder / CONFIG}: damaged: it does not fit {TENSORS} ({error})") from error


UNFIT = (ZigguratError, ValueError, LookupError, TypeError, AttributeError, RuntimeError)
"""What a family raises of a configuration that is none of its own."""


def _at_rest(folder: Path) -> tuple[dict[str, Any], TensorMap]:
    tensors = read_tensors(folder / TENSORS)
    with _reading(folder / CONFIG) as path:
        return json.loads(path.read_text(encoding="utf-8")), tensors


def _restore(family: Family, folder: Path) -> Model:
    config, tensors = _at_rest(folder)
    try:
        return family.restore(config, tensors)
    except UNFIT as error:
        raise DamagedError(f"{folder / CONFIG}: damaged: it does not fit {TENSORS} ({error})") from error


def _read_tokenizer(folder: Path, manifest: Manifest, vocabulary: Vocabulary) -> Tokenizer:
    with _reading(folder / TOKENIZER) as path:
        try:
            tokenizer = load_tokenizer(path.read_text(encoding="utf-8"), token_roles(folder))
        except ArtefactError as error:
            raise DamagedError(f"{path}: damaged: {error}") from error
    if tokenizer.fingerprint != manifest.tokenizer["fingerprint"]:
        raise DamagedError(f"{folder / TOKENIZER}: damaged: not the tokenizer that the model was trained with")
    theirs = tokenizer.vocabulary
    if vocabulary.size < theirs.size or (vocabulary.bos, vocabulary.eos) != (theirs.bos, theirs.eos):
        raise DamagedError(f"{folder / TOKENIZER}: damaged: its vocabulary is not the model's")
    return tokenizer


@contextmanager
def _reading(path: Path) -> Iterator[Path]:
    try:
        yield path
    except OSError as error:
        raise ArtefactError(f"{path}: can't be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedError(f"{path}: damaged: {error}") from error


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    write_text(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def _tokenizer_facts(tokenizer: Tokenizer) -> dict[str, Any]:
    return {
        "kind": tokenizer.kind,
        "fingerprint": tokenizer.fingerprint,
        "vocabulary": tokenizer.vocabulary.size,
        "lossless": tokenizer.lossless,
    }


def _model_facts(model: Model, config: Mapping[str, Any], tensors: TensorMap) -> dict[str, Any]:
    return {
        "architecture": next(iter(config.get("architectures", ())), None),
        "parameters": sum(int(array.size) for array in tensors.values()),
        "arrays": len(tensors),
        "context": _context(model),
        **_gives(model),
    }


def _gives(model: Model) -> dict[str, Any]:
    """Return what the manifest says of a model that gives something else than text."""
    if isinstance(model, ConditionalModel):
        return {"gives": manifests.TRANSLATIONS}
    if isinstance(model, Classifier):
        return {"gives": manifests.LABELS, "labels": list(model.labels)}
    if isinstance(model, Tagger):
        marks = isinstance(model, ReadsMarks) and model.reads_marks
        return {"gives": manifests.ROLES if marks else manifests.TAGS, "labels": list(model.labels)}
    if isinstance(model, StaticEncoder):
        return {"gives": manifests.WORD_VECTORS, "width": model.width}
    if isinstance(model, ContextEncoder) and not isinstance(model, LanguageModel):
        return {"gives": manifests.TEXT_VECTORS, "width": model.width}
    return {}


def _context(model: Model) -> int | None:
    """Return the longest sequence that a model can read, where it has a limit."""
    return model.context if isinstance(model, (LanguageModel, ConditionalModel, ContextEncoder)) else None


def _transformers_tokenizer(model: Model, tokenizer: Tokenizer, text: str) -> dict[str, Any]:
    """Return what lets ``transformers.AutoTokenizer`` open ``tokenizer.json``."""
    vocabulary = tokenizer.vocabulary
    texts = {entry["id"]: entry["content"] for entry in json.loads(text).get("added_tokens", ())}
    if missing := [role for role in ROLES if (token := getattr(vocabulary, role)) is not None and token not in texts]:
        written = token_texts(tokenizer)  # of somebody else's tokenizer, which added none of them
        texts |= {token: written[token] for role in missing if (token := getattr(vocabulary, role)) < len(written)}
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **{key: texts[token] for role, key in ROLES.items() if (token := getattr(vocabulary, role)) in texts},
        **({"model_max_length": limit} if (limit := _context(model)) else {}),
        "clean_up_tokenization_spaces": False,
    }


def _plain(value: Any) -> Any:
    """Return facts as JSON writes them: NumPy's numbers as Python's, and nothing that is not finite."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))) else value


def _link(source: str, target: str) -> None:
    """Let ``target`` share the bytes of ``source``, or copy them where the file system can't."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
