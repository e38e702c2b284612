"""Show how text becomes tokens: pieces, speed, bytes per token."""

import shlex
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ziggurat.core.config import from_mapping, option, options
from ziggurat.core.errors import UnknownNameError, UsageError
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.cli.places import new_place
from ziggurat.surface.cli.settings import open_to_settings, split_settings
from ziggurat.surface.language import translate
from ziggurat.surface.terminal import Terminal, align

if TYPE_CHECKING:
    from ziggurat.core.protocols import Tokenizer
    from ziggurat.core.types import Document

__all__ = ["COMMAND", "TokenizeOptions", "tokenize"]

BATCH_CHARACTERS = 4_000_000


@dataclass(frozen=True)
class TokenizeOptions:
    """Which tokenizer, and what of it is shown; the kind's own keys are given as ``--tokens.lowercase true``."""

    kind: str = option("bpe", "kind of tokenizer to train on the text")
    vocab_size: int | None = option(None, "most ids of the tokenizer that is trained", low=1)
    tokenizer: str | None = option(None, "use this tokenizer.json, bundle or run folder instead of training one")
    out: str | None = option(None, "write the tokenizer to this tokenizer.json")
    show: int = option(40, "pieces of the first text to show; 0 shows none", low=0)
    json: bool = option(False, "print JSON")
    quiet: bool = option(False, "say nothing but warnings")


@with_options(TokenizeOptions)
def tokenize(
    context: typer.Context,
    texts: Annotated[
        list[str],
        typer.Argument(
            metavar="TEXT…",
            help="Files, folders, globs; - is standard input. Keys of the kind: --tokens.lowercase true",
        ),
    ],
    options: TokenizeOptions,
) -> None:
    """Train a tokenizer on text, or open one, and show pieces of the text, bytes per token and speed.

    A piece is made of whole characters: bytes of one character that are tokens of their own are shown together.
    """
    from ziggurat.core.files import write_text
    from ziggurat.surface.documents import read_documents

    texts, flags = split_settings(texts, context)
    out = None if options.out is None else new_place(options.out)
    terminal = Terminal(quiet=options.quiet)
    # standard input can be read only once; everything else is read again for each pass and never held as a whole
    documents = list(read_documents(texts)) if "-" in texts else _Again(lambda: read_documents(texts))
    found: dict[str, Any] = {}
    if options.tokenizer:
        if flags:
            raise UsageError(f"--{next(iter(flags))}: an opened tokenizer keeps its own keys; leave it out")
        tokenizer = _opened(options.tokenizer)
    else:
        began = time.perf_counter()
        tokenizer = _trained(options, flags, (document.text for document in documents))
        found["train_seconds"] = time.perf_counter() - began
    if out is not None:
        write_text(out, tokenizer.to_json())
    found = {**_facts(tokenizer), **found, **_measured(tokenizer, documents)}
    first = next(iter(documents)).text[: 20 * options.show]
    shown = [piece.text for piece in _pieces(tokenizer, first)][: options.show]
    if options.json:
        terminal.write_json({**found, "pieces": shown})
        return
    if shown:
        terminal.write("│".join(shown) + "\n")
    terminal.write(align((translate(name), value) for name, value in _rows(found)))
    if out is not None:
        terminal.next(f"ziggurat tokenize TEXT… --tokenizer {shlex.quote(str(out))}")
    else:
        terminal.next(f"ziggurat train {shlex.join(texts)} --tokens.kind {found['kind']}")


def _opened(name: str) -> "Tokenizer":
    from ziggurat.artefacts.bundle import bundle_folder
    from ziggurat.core.errors import ArtefactError
    from ziggurat.tokens.loading import load_tokenizer

    path = Path(name)
    path = bundle_folder(path) / "tokenizer.json" if path.is_dir() else path
    try:
        return load_tokenizer(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ArtefactError) as error:
        raise ArtefactError(f"{path}: not a tokenizer that can be opened ({error})") from error


def _trained(choice: TokenizeOptions, flags: dict[str, str], texts: Iterator[str]) -> "Tokenizer":
    from ziggurat.artefacts.settings import read_value
    from ziggurat.tokens.loading import TOKENIZERS, train_tokenizer

    config = TOKENIZERS.get(choice.kind, where="--kind").config
    known = options(config)
    keys: dict[str, Any] = {}
    for flag, text in flags.items():
        key = flag.removeprefix("tokens.")
        if key == flag or key not in known:
            raise UnknownNameError("option", f"--{flag}", (f"--tokens.{name}" for name in known))
        keys[key] = read_value(text, known[key][0])
    origins = {key: f"--tokens.{key}" for key in keys}
    if choice.vocab_size is not None:
        if "vocab_size" not in known:
            raise UsageError(f"--vocab-size: the vocabulary of kind {choice.kind} has a fixed size")
        keys["vocab_size"], origins["vocab_size"] = choice.vocab_size, "--vocab-size"
    return train_tokenizer(texts, choice.kind, from_mapping(config, keys, where="--tokens", origins=origins))


def _facts(tokenizer: "Tokenizer") -> dict[str, Any]:
    return {
        "kind": tokenizer.kind,
        "vocabulary": tokenizer.vocabulary.size,
        "fingerprint": tokenizer.fingerprint,
        "lossless": tokenizer.lossless,
    }


def _measured(tokenizer: "Tokenizer", documents: "Iterable[Document]") -> dict[str, Any]:
    count = size = characters = tokens = 0
    seconds = 0.0
    for texts in _batches(documents):
        count += len(texts)
        size += sum(len(text.encode()) for text in texts)
        characters += sum(map(len, texts))
        began = time.perf_counter()
        tokens += sum(len(ids) for ids in tokenizer.encode_batch(texts))
        seconds += time.perf_counter() - began
    return {
        "documents": count,
        "bytes": size,
        "tokens": tokens,
        "bytes_per_token": size / max(1, tokens),
        "characters_per_token": characters / max(1, tokens),
        "bytes_per_second": size / max(1e-9, seconds),
    }


def _batches(documents: "Iterable[Document]") -> Iterator[list[str]]:
    texts: list[str] = []
    held = 0
    for document in documents:
        texts.append(document.text)
        held += len(document.text)
        if held >= BATCH_CHARACTERS:
            yield texts
            texts, held = [], 0
    if texts:
        yield texts


@dataclass(frozen=True)
class _Again:
    """Documents that are read anew each time."""

    read: "Callable[[], Iterator[Document]]"

    def __iter__(self) -> "Iterator[Document]":
        return self.read()


def _pieces(tokenizer: "Tokenizer", text: str) -> Any:
    from ziggurat.tokens.display import pieces

    return pieces(text, tokenizer.encode(text))


def _rows(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "tokenizer", found["kind"]
    yield "vocabulary", f"{found['vocabulary']:,}"
    yield "documents", f"{found['documents']:,}"
    yield "bytes of text", f"{found['bytes']:,}"
    yield "tokens", f"{found['tokens']:,}"
    yield "bytes per token", f"{found['bytes_per_token']:.3f}"
    yield "characters per token", f"{found['characters_per_token']:.3f}"
    if "train_seconds" in found:
        yield "seconds to train", f"{found['train_seconds']:.2f}"
    yield "MB encoded per second", f"{found['bytes_per_second'] / 1e6:.1f}"


COMMAND = open_to_settings(tokenize)
