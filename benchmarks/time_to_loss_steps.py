"""The processes that `benchmarks.time_to_loss` measures: a network or a count made from a text, to a model on disk.

What trains is given a file with the first nine tenths of the text, as nanoGPT cuts it, and no more; where an entry
tunes something, it puts the last twentieth of the whole text aside from these.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ziggurat.core.types import IdArray

__all__ = ["alphabet_of", "cut", "ids_of", "judge_nanogpt", "main", "put_aside", "train_ours", "train_peer"]

HELD_OUT, DEV = 0.9, 0.85
"""Where in the text the held-out part begins, and the part before it that is for tuning."""


def cut(letters: str) -> tuple[str, str]:
    """Return what is learnt and what is held out.

    >>> cut("abcdefghijklmnopqrst")
    ('abcdefghijklmnopqr', 'st')
    """
    held_out = int(len(letters) * HELD_OUT)
    return letters[:held_out], letters[held_out:]


def put_aside(learnt: str) -> tuple[str, str]:
    """Cut what is learnt once more: all but the last of it, and what is tuned on.

    >>> put_aside("abcdefghijklmnopqr")
    ('abcdefghijklmnopq', 'r')
    """
    dev = round(len(learnt) * DEV / HELD_OUT)
    return learnt[:dev], learnt[dev:]


def alphabet_of(letters: str) -> dict[str, int]:
    """Return the ids of the peer, as nanoGPT numbers characters.

    >>> alphabet_of("tower")
    {'e': 0, 'o': 1, 'r': 2, 't': 3, 'w': 4}
    """
    return {letter: index for index, letter in enumerate(sorted(set(letters)))}


def ids_of(letters: str, alphabet: Mapping[str, int]) -> IdArray:
    """Return the ids of a text."""
    return np.array([alphabet[letter] for letter in letters], dtype=np.int32)


def main(arguments: Sequence[str]) -> None:
    """Run one process and print its facts as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.time_to_loss_steps")
    parser.add_argument("what", choices=("ours", "peer", "nanogpt", "judge-nanogpt"))
    parser.add_argument("text", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--entry", default="{}")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--held-out", type=Path)
    parser.add_argument("--flag", action="append", default=[], help="one of nanoGPT's")
    options = parser.parse_args(arguments)
    if options.what == "nanogpt":
        run_nanogpt(options.folder, options.seed, options.flag)
        return
    letters = options.text.read_text(encoding="utf-8")
    if options.what == "ours":
        facts = train_ours(letters, options.folder, options.entry, options.seed)
    elif options.what == "peer":
        facts = train_peer(letters, options.folder, options.steps, options.seed)
    else:
        facts = judge_nanogpt(letters, options.held_out.read_text(encoding="utf-8"), options.folder)
    print(json.dumps(facts))


def train_ours(letters: str, folder: Path, entry_json: str, seed: int) -> dict[str, Any]:
    """Tokenize, fit an entry, write its bundle."""
    from benchmarks.entries import Entry, fit_entry
    from ziggurat.artefacts.fit import Material
    from ziggurat.core.types import Document
    from ziggurat.tokens.characters import CharactersConfig
    from ziggurat.tokens.loading import train_tokenizer
    from ziggurat.tokens.store import write_store

    entry = Entry.from_json(entry_json)
    tokenizer = train_tokenizer([letters], "characters", CharactersConfig(min_count=1))
    parts = dict(zip(("train", "dev"), put_aside(letters), strict=True)) if entry.dev else {"train": letters}
    stores = {name: write_store(tokenizer, [Document(name, part)], folder / name) for name, part in parts.items()}
    key = hashlib.sha256("\n".join(parts.values()).encode()).hexdigest()
    material = Material(tokenizer, stores["train"], stores.get("dev"), {}, key)
    return fit_entry(entry, material, folder / "run", seed=seed)


def train_peer(letters: str, folder: Path, steps: int, seed: int) -> dict[str, Any]:
    """Train the peer's network by its published recipe on all that is not held out, and write it."""
    import torch

    from benchmarks.plain_gpt import PlainGPT, Shape, Training, save, train

    alphabet = alphabet_of(letters)
    ids = ids_of(letters, alphabet)
    torch.manual_seed(seed)
    network = PlainGPT(Shape(), len(alphabet))
    facts = train(network, ids, Training(steps=steps), seed=seed)
    folder.mkdir(parents=True, exist_ok=True)
    save(network, folder / "peer.safetensors")
    return {**facts, "parameters": network.parameter_count}


def run_nanogpt(folder: Path, seed: int, flags: Sequence[str]) -> None:
    """Run nanoGPT's own ``train.py`` in this process, with a seed of ours in place of the one that it has fixed."""
    import os
    import runpy

    import torch

    own, chosen = torch.manual_seed, seed

    def with_our_seed(seed: Any) -> torch.Generator:
        del seed  # the one that nanoGPT has fixed
        return own(chosen)

    torch.manual_seed = with_our_seed
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    sys.argv = ["train.py", *flags]
    runpy.run_path("train.py", run_name="__main__")


def judge_nanogpt(learnt: str, held_out: str, folder: Path) -> dict[str, float]:
    """Measure the network that nanoGPT saved, through its own ``model.py``, on the held-out part."""
    import torch

    from benchmarks.held_out import carried_loss

    sys.path.insert(0, str(folder))
    from model import GPT, GPTConfig  # type: ignore[import-not-found]

    found = torch.load(folder / "out" / "ckpt.pt", map_location="cpu", weights_only=True)
    model = GPT(GPTConfig(**found["model_args"]))
    model.load_state_dict(found["model"])
    model.eval()

    def read(ids: IdArray, lengths: IdArray) -> Any:
        del lengths
        told = torch.from_numpy(ids).long()
        with torch.inference_mode():
            logits, _ = model(told[:, :-1], told[:, 1:].contiguous())
            return logits.log_softmax(-1).gather(-1, told[:, 1:, None])[..., 0].numpy()[None]

    alphabet = alphabet_of(learnt + held_out)
    if len(alphabet) != found["model_args"]["vocab_size"]:
        raise SystemExit(f"{folder}: nanoGPT knows {found['model_args']['vocab_size']} characters, not {len(alphabet)}")
    return {"loss": carried_loss(read, ids_of(held_out, alphabet), context=found["model_args"]["block_size"])}


if __name__ == "__main__":
    main(sys.argv[1:])
