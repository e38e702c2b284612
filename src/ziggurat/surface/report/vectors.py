"""The report's section on word vectors: the company that words keep, and whether a network gains by it."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ziggurat.study.result import Climb, Comparison, WordSpace
from ziggurat.surface.map.drawing import WordMap, specification
from ziggurat.surface.report import charts

__all__ = ["trial_sentences", "vectors_section"]


def vectors_section(climb: Climb, w: Mapping[str, str], run: Path) -> dict[str, Any]:
    """Return what the page's template asks of word vectors; empty strings and lists where a climb has none."""
    space = climb.word_space
    found: dict[str, Any] = {
        "trial": trial_sentences(climb, w),
        "space_sentences": [],
        "near": [],
        "map_svg": "",
        "map_notes": [],
    }
    if space is None:
        return {**found, "vectors_command": ""}
    shown = [one.word for one in space.neighbourhoods]
    if space.places:
        found["map_svg"] = charts.svg({**specification(_word_map(space)), "title": None, "background": "transparent"})
        trust = w["map_trust"].format(trust=space.trust, neighbours=space.trust_neighbours, width=space.width)
        found["map_notes"] = [w[f"map_{space.layout}"], trust]
    command = f"ziggurat vectors nearest {shlex.quote(str(run / space.bundle))} {shlex.join(shown[:1])}"
    return {
        **found,
        "space_sentences": _space_sentences(space, w),
        "near": [
            {
                "word": one.word,
                "count": f"{one.count:,}",
                "nearest": [{"word": word, "cosine": f"{cosine:.2f}"} for word, cosine in one.nearest],
            }
            for one in space.neighbourhoods
        ],
        "vectors_command": command if shown else "",
    }


def _word_map(space: WordSpace) -> WordMap:
    near = {one.word: ", ".join(word for word, _ in one.nearest) for one in space.neighbourhoods}
    return WordMap(
        title="",
        notes=[],
        words=[place.word for place in space.places],
        places=np.array([(place.x, place.y) for place in space.places]),
        groups=[place.group for place in space.places],
        seeds=frozenset(near),
        near=[near.get(place.word, "") for place in space.places],
    )


def _space_sentences(space: WordSpace, w: Mapping[str, str]) -> list[str]:
    said = w["vectors_sentence"].format(
        recipe=space.recipe,
        width=space.width,
        words=f"{space.words:,}",
        least=space.least_count,
        covered=100 * space.covered,
        running=f"{space.running_words:,}",
        epochs=space.epochs,
        seconds=space.seconds,
    )
    loss = w["vectors_loss"].format(loss=space.loss)
    dev = [] if space.dev_loss is None else [w["vectors_dev_loss"].format(loss=space.dev_loss)]
    return [said, loss, *dev]


def trial_sentences(climb: Climb, w: Mapping[str, str]) -> list[str]:
    """Return what the climb found about beginning with vectors: what was compared, the answer, how far it reaches."""
    trial = climb.trial
    if trial is None:
        return []
    if trial.needed_minutes:
        short = w["trial_short"].format(plain=trial.plain, minutes=f"{trial.needed_minutes:g}")
        return [short]
    pair = next(c for c in climb.comparisons if {c.better, c.worse} == {trial.plain, trial.begun})
    compared = w["trial_compared"].format(
        begun=trial.begun,
        plain=trial.plain,
        vectors=trial.vectors,
        found=f"{trial.found:,}",
        of=f"{trial.of:,}",
        seconds=trial.seconds,
    )
    return [_answer(pair, trial.plain, trial.begun, w), compared, w["trial_reach"].format(seed=climb.seed)]


def _answer(pair: Comparison, plain: str, begun: str, w: Mapping[str, str]) -> str:
    key = "trial_tied"
    if pair.distinguishable:
        key = "trial_pays" if pair.better == begun else "trial_costs"
    p = "< 0.001" if pair.p_value < 0.001 else f"= {pair.p_value:.3f}"
    return w[key].format(
        begun=begun,
        plain=plain,
        better=pair.better,
        difference=pair.difference,
        low=pair.low,
        high=pair.high,
        p=p,
        detectable=pair.smallest_detectable,
    )
