"""Characters of tiny Shakespeare: our decoder, n-grams and their mixture beside nanoGPT's recipe for a processor.

::

    python -m benchmarks.shakespeare [--quick] [--data DIR] [--nanogpt DIR]

The last tenth of the text is held out, as nanoGPT does it. Our models learn from the first 95 % of the rest; the other
5 % tune the mixture. Both networks have 4 layers of width 128 with 4 heads, read 64 characters at once and 12 such
windows a step. Wall times are those of whole processes. Every network and table is then asked for every held-out
character in cold windows of 64 (nothing before the window is known), the only measure that is the same for both sides;
what our models reach when the context is carried over stands beside it.

``--nanogpt`` is a checkout of nanoGPT, which is run as it is; without it only our side is measured.
"""

import argparse
import itertools
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.harness import Measured, alternate, data_folder, median_spread, print_table, report, run

__all__ = ["main"]

WINDOW = 64
STEPS = 2000
ORDER = 8
SETTINGS = (
    "--device=cpu --compile=False --eval_iters=20 --log_interval=1 --block_size=64 --batch_size=12 "
    "--n_layer=4 --n_head=4 --n_embd=128 --dropout=0.0"
)
"""The flags of the recipe in nanoGPT's README."""
JUDGE = """
import sys, numpy, torch
from model import GPT, GPTConfig
found = torch.load("out/ckpt.pt", map_location="cpu")
model = GPT(GPTConfig(**found["model_args"])); model.load_state_dict(found["model"]); model.eval()
data = torch.from_numpy(numpy.fromfile("data/shakespeare_char/val.bin", dtype=numpy.uint16).astype("int64"))
total, count = 0.0, 0
with torch.no_grad():
    for start in range(0, len(data) - 1, 64):
        x, y = data[start : start + 64][None], data[start + 1 : start + 65][None]
        x = x[:, : y.shape[1]]
        total += model(x, y)[1].item() * y.numel(); count += y.numel()
print(total / count)
"""


def main(arguments: Sequence[str]) -> None:
    """Run the benchmark, or with ``--ours`` one of its measured processes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shakespeare", description="beside nanoGPT")
    parser.add_argument("--quick", action="store_true", help="a tenth of the steps, once")
    parser.add_argument("--data", type=Path, help="folder with input.txt (default: tiny_shakespeare)")
    parser.add_argument("--nanogpt", type=Path, help="a checkout of nanoGPT")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--ours", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--minutes", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    text = data_folder(options.data, "tiny_shakespeare") / "input.txt"
    if options.ours:
        print(json.dumps(measure_ours(text, options.ours, options.steps, options.minutes)))
        return
    steps = options.steps // 10 if options.quick else options.steps
    with tempfile.TemporaryDirectory() as place:
        compare(text, Path(place), options.nanogpt, steps, 1 if options.quick else options.repeats)


def compare(text: Path, place: Path, nanogpt: Path | None, steps: int, repeats: int) -> None:
    """Run both sides in turn and print what came of it."""
    sides: dict[str, Callable[[], Measured]] = {"decoder, same steps": partial(_ours, text, place, f"--steps={steps}")}
    if nanogpt:
        peer = prepare_peer(nanogpt, text, place / "peer")
        sides = {"nanoGPT": partial(_train_peer, peer, steps)} | sides
    taken = alternate(repeats, **sides)
    rows: list[list[str]] = []
    facts: dict[str, Any] = {}
    if nanogpt:
        seconds = statistics.median(one.seconds for one in taken["nanoGPT"])
        loss = float(run(["sh", "-c", f'cd "{peer}" && "{sys.executable}" -c \'{JUDGE}\'']).output.split()[-1])
        rows.append(["nanoGPT", median_spread([one.seconds for one in taken["nanoGPT"]]), f"{loss:.3f}", ""])
        facts |= {"peer": {"seconds": seconds, "loss": loss}}
        start = min(one.seconds - json.loads(one.output)["decoder"]["seconds"] for one in taken["decoder, same steps"])
        taken["decoder, same time"] = [_ours(text, place, f"--minutes={max(1.0, seconds - start) / 60}")]
    for name, runs in taken.items():
        if name == "nanoGPT":
            continue
        found = json.loads(runs[-1].output)
        rows.append([name, median_spread([one.seconds for one in runs]), *_losses(found["decoder"])])
        facts[name.replace(", ", "_").replace(" ", "_")] = {
            "seconds": statistics.median(one.seconds for one in runs),
            "loss": found["decoder"]["cold"],
            "steps": found["decoder"]["steps"],
        }
    rows.append([f"n-grams of order {ORDER}", f"{found['ngram']['seconds']:.2f}", *_losses(found["ngram"])])
    rows.append(["n-grams and last decoder", median_spread([runs[-1].seconds]), *_losses(found["mixture"])])
    facts |= {"ngram": found["ngram"], "mixture": found["mixture"]}
    print_table(["model", "wall s", f"nats a character, cold windows of {WINDOW}", "context carried over"], rows)
    ours = facts["decoder_same_steps"]
    ratio = facts["peer"]["seconds"] / ours["seconds"] if nanogpt else None
    report("shakespeare", ratio, ours=ours, **{k: v for k, v in facts.items() if k != "decoder_same_steps"})


def measure_ours(text: Path, folder: Path, steps: int, minutes: float | None) -> dict[str, Any]:
    """Train a decoder, an n-gram model and their mixture; return what each took and reached."""
    from ziggurat.artefacts.recipe import load_recipe
    from ziggurat.core.types import Document
    from ziggurat.models.registry import FAMILIES
    from ziggurat.tokens.loading import train_tokenizer
    from ziggurat.tokens.store import Store, write_store
    from ziggurat.training.job import Fitted, Job, trainer

    letters = text.read_text(encoding="utf-8")
    edges = [0, int(len(letters) * 0.855), int(len(letters) * 0.9), len(letters)]
    parts = [letters[start:stop] for start, stop in itertools.pairwise(edges)]
    tokenizer = train_tokenizer(parts[:1], "characters")
    shutil.rmtree(folder, ignore_errors=True)
    train, dev, held_out = (
        write_store(tokenizer, [Document(id=str(i), text=part)], folder / str(i)) for i, part in enumerate(parts)
    )

    def fit(recipe: str, settings: dict[str, Any], dev: Store | None = None, parts: Sequence[Any] = ()) -> Fitted:
        chosen = load_recipe(recipe).change(settings)
        family = FAMILIES.get(chosen.family)
        families = ("ngram", "decoder")[: len(parts)]
        job = Job(family, chosen.model, chosen.training, train, dev, seed=0, parts=tuple(parts), part_families=families)
        return trainer(family).fit(job)

    shape = {"model.layers": 4, "model.width": 128, "model.heads": 4, "model.context": WINDOW}
    budget = {"training.steps": steps} if minutes is None else {"training.minutes": minutes}
    unset = {"training.minutes": None} if minutes is None else {}
    network = {**shape, "training.rows": 12, "training.window": WINDOW, "training.keep": "last", **unset, **budget}
    counted = fit("ngram", {"model.order": ORDER})
    decoder = fit("gpt", network)
    mixed = fit("mixture", {}, dev, [counted.model, decoder.model])
    found = {}
    for name, fitted in (("ngram", counted), ("decoder", decoder), ("mixture", mixed)):
        found[name] = _judge(fitted.model, held_out) | {"seconds": float(fitted.facts["seconds"])}
    found["decoder"]["steps"] = float(decoder.facts["steps"])
    return found


def prepare_peer(source: Path, text: Path, folder: Path) -> Path:
    """Lay out nanoGPT's programs and the text in a folder of their own; return it."""
    data = folder / "data" / "shakespeare_char"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns(".git", "out*"))
    shutil.copyfile(text, data / "input.txt")
    (data / "requests.py").touch()  # imported for a download that is not needed
    run([sys.executable, data / "prepare.py"])
    return folder


def _train_peer(folder: Path, steps: int) -> Measured:
    flags = f"{SETTINGS} --max_iters={steps} --lr_decay_iters={steps} --out_dir=out"
    command = f'cd "{folder}" && "{sys.executable}" train.py config/train_shakespeare_char.py {flags}'
    return run(["sh", "-c", command])


def _ours(text: Path, place: Path, budget: str) -> Measured:
    flags = ["--ours", str(place / "ours"), "--data", str(text.parent), budget]
    return run([sys.executable, "-m", "benchmarks.shakespeare", *flags])


def _judge(model: Any, held_out: Any) -> dict[str, float]:
    """Return nats a character in cold windows, and with the context carried over."""
    import numpy as np

    from ziggurat.models.windows import document_logprobs

    ids = held_out.document(0)[1:-1]
    whole = (len(ids) - 1) // WINDOW
    windows = np.lib.stride_tricks.sliding_window_view(ids, WINDOW + 1)[::WINDOW][:whole].astype(np.int32)
    cold = model.token_logprobs(windows, np.full(whole, WINDOW + 1))
    carried = document_logprobs(model, [held_out.document(0)])[0]
    return {"cold": -float(cold.mean(dtype=np.float64)), "carried": -float(carried.mean(dtype=np.float64))}


def _losses(found: dict[str, float]) -> list[str]:
    return [f"{found['cold']:.3f}", f"{found['carried']:.3f}"]


if __name__ == "__main__":
    main(sys.argv[1:])
