"""A model's figures in tables: what its parts hold and why, what it computes, what memory it takes."""

from typing import Any, NamedTuple

from ziggurat.core.anatomy import Load, Part
from ziggurat.surface.anatomy.figures import operations, size
from ziggurat.surface.anatomy.subject import Subject
from ziggurat.surface.anatomy.words import called
from ziggurat.surface.language import translate
from ziggurat.training.footprint import Footprint, training_flops, training_flops_per_token, training_footprint
from ziggurat.training.precision import trains_in_bfloat16

__all__ = ["Memory", "facts", "memories", "memory_rows", "operation_rows", "part_rows"]


class Memory(NamedTuple):
    """What training and generating take."""

    f32: Footprint
    bf16: Footprint
    chosen: str
    """With which precision the recipe trains on this machine."""
    weights: int
    cache: int
    generation: int
    """Both."""

    @property
    def training(self) -> Footprint:
        """The footprint of the precision that is chosen."""
        return self.bf16 if self.chosen == "bf16" else self.f32


def memories(subject: Subject) -> Memory:
    """Return the memory that a subject takes."""
    anatomy = subject.anatomy
    prints = [
        training_footprint(anatomy, subject.vocabulary, subject.training, half=half, trained=subject.trained)
        for half in (False, True)
    ]
    half = trains_in_bfloat16(subject.precision, anatomy.parameters)
    written = subject.generation
    taken = anatomy.weight_bytes, anatomy.cache_bytes(written), anatomy.generation_bytes(written)
    return Memory(prints[0], prints[1], "bf16" if half else "f32", *taken)


def part_rows(subject: Subject) -> list[tuple[str, ...]]:
    """Return each part from the top down: its name, its parameters in symbols and in numbers, and all of it."""
    head = (translate("part"), translate("parameters"), "", translate("of all alike"), translate("gives"))
    rows: list[tuple[str, ...]] = []
    for tower in subject.anatomy.towers:
        prefix = f"{called(tower)}: " if len(subject.anatomy.towers) > 1 else ""
        for part, times in tower.opened():
            alike = f"{times} × {part.each:,} = {times * part.each:,}" if times > 1 else f"{part.each:,}"
            rows.append((prefix + called(part), part.formula or "–", _evaluated(part), alike, part.gives))
    return [head, *rows]


def operation_rows(subject: Subject) -> list[tuple[str, str, str]]:
    """Return what is computed, for what, and how much of it a token costs."""
    anatomy, batch, written = subject.anatomy, subject.training, subject.generation
    one, each = anatomy.reading_flops(batch), anatomy.reading_flops_per_token(batch)
    said = (
        translate("{tokens} tokens") if not batch.source else translate("{tokens} tokens beside {source} of a source")
    )
    read = said.format(tokens=f"{batch.text:,}", source=f"{batch.source:,}")
    rows = [
        (translate("reading {what}").format(what=read), operations(one), _each(anatomy.reading_flops_per_token(batch)))
    ]
    if anatomy.generates:
        step = anatomy.step_flops(written)
        rows.append((translate("writing token {place} with the cache").format(place=f"{written.text:,}"),
                     operations(step), _each(step)))  # fmt: skip
    if subject.trains:
        step_flops = training_flops(anatomy, subject.vocabulary, batch)
        each = training_flops_per_token(anatomy, subject.vocabulary, batch)
        what = translate("a training step on {rows} × {tokens} tokens")
        rows.append((what.format(rows=batch.rows, tokens=f"{batch.text:,}"), operations(step_flops),
                     _each(each)))  # fmt: skip
    return rows


def memory_rows(subject: Subject, memory: Memory) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Return the tables of training, with a column for each precision, and of generation."""
    names = ("weights", "gradients", "moments", "copies", "activations", "logits", "total", "peak")
    training: list[tuple[str, ...]] = [(translate("memory for training"), "f32", "bf16")]
    training += [
        (translate(NAMES[name]), *(size(getattr(one, name)) if getattr(one, name) else "–" for one in memory[:2]))
        for name in names
    ]
    written = subject.generation
    said = translate("memory for generating {rows} × {tokens} tokens")
    generation: list[tuple[str, ...]] = [
        (said.format(rows=written.rows, tokens=f"{written.text:,}"), ""),
        (translate("weights"), size(memory.weights)),
        (translate(_remembered(subject)), size(memory.cache)),
        (translate("in all"), size(memory.generation)),
    ]
    return training if subject.trains else [], generation if subject.anatomy.generates else []


NAMES = {
    "weights": "weights",
    "gradients": "gradients",
    "moments": "the optimiser's moments",
    "copies": "16-bit copies of matrices",
    "activations": "activations kept for the backward pass",
    "logits": "log-probabilities of all ids",
    "total": "in all",
    "peak": "highest at any moment",
}
"""What the entries of a `Footprint` are called."""


def facts(subject: Subject) -> dict[str, Any]:
    """Return everything as JSON holds it."""
    anatomy, batch, written = subject.anatomy, subject.training, subject.generation
    memory = memories(subject)
    found: dict[str, Any] = {
        "name": subject.name,
        "family": subject.family,
        "parameters": anatomy.parameters,
        "symbols": dict(anatomy.symbols),
        "context": anatomy.context,
        "vocabulary": subject.vocabulary,
        "towers": [tower.to_mapping(batch) for tower in anatomy.towers],
        "reading": {**_load(batch), "flops": anatomy.reading_flops(batch)},
    }
    if anatomy.generates:
        found["generation"] = {
            **_load(written),
            "flops": anatomy.step_flops(written),
            "weights_bytes": memory.weights,
            "cache_bytes": memory.cache,
        }
    if subject.trains:
        found["training"] = {
            **_load(batch),
            "flops": training_flops(anatomy, subject.vocabulary, batch),
            "precision": memory.chosen,
            "memory_bytes": {"f32": memory.f32.to_mapping(), "bf16": memory.bf16.to_mapping()},
        }
    return found


def _evaluated(part: Part) -> str:
    """Return a formula with the numbers put in, for example ``4·256·4·64 + 2·64``."""
    values = sorted(part.sizes, key=lambda pair: -len(pair[0]))
    text = part.formula
    for number, (symbol, _) in enumerate(values):
        text = text.replace(symbol, f"{{{number}}}")
    return text.format(*(value for _, value in values)) if text else ""


def _remembered(subject: Subject) -> str:
    grows = any(part.cached for part, _ in subject.anatomy.whole.walk())
    return "cache of keys and values" if grows else "states of the cells"


def _each(flops: float) -> str:
    return translate("{flops} a token").format(flops=operations(flops))


def _load(load: Load) -> dict[str, int]:
    found = {"rows": load.rows, "tokens": load.text}
    found |= {"source": load.source} if load.source else {}
    return found | ({"picked": load.picked} if load.picked is not None else {})
