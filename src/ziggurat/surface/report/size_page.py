"""A study of embedding sizes as sentences, as one HTML page that opens offline, and as one picture."""

import html
import re
import shlex
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from ziggurat.study.choice import Scored
from ziggurat.study.size_result import EmbeddingSizes, Verdict
from ziggurat.surface.report import size_charts
from ziggurat.surface.report.page import size as in_bytes
from ziggurat.surface.report.page import style

__all__ = ["picture", "render", "score_text", "sentences", "words"]

NOTABLE = 1.2
"""How many times cheaper the choice must be for that to be said."""


def words(lang: str) -> dict[str, str]:
    """Return every sentence of the report in ``lang`` (``en`` or ``zh``)."""
    text = resources.files(__package__).joinpath(f"study.{lang}.toml").read_text(encoding="utf-8")
    return {key: str(value) for key, value in tomllib.loads(text).items()}


def sentences(study: EmbeddingSizes, w: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return "choose N because …" (HTML) and the sentences that bear it out, in the language of ``w``."""
    first = study.verdicts[0]
    choice = first.choice
    chosen, best = choice.row(choice.chosen), choice.row(choice.best)
    if choice.all_alike:
        kind = "alike"
    elif chosen.size != best.size:
        kind = "smaller"
    else:
        kind = "first" if chosen.size == study.sizes[0] else "best"
    lead = w[f"lead_{kind}"].format(
        chosen=chosen.size,
        best=best.size,
        quantity=w[first.quantity],
        score=score_text(chosen.score),
        best_score=score_text(best.score),
    )
    reasons = [*_reasons(study, first, w)]
    for verdict in study.verdicts[1:]:
        other = verdict.choice
        facts = {"label": verdict.label, "quantity": w[verdict.quantity], "chosen": other.chosen, "best": other.best}
        reasons.append(w["other_verdict"].format(**facts))
    reasons.append(_opinion(study, w))
    if study.seeds == 1:
        reasons.append(w["one_seed"])
    return lead, reasons


def render(study: EmbeddingSizes, *, lang: str, run: Path) -> str:
    """Return the report's HTML; ``run`` is the study's folder as the user would type it.

    Raises:
        MissingExtraError: the packages that draw (extra ``report``) are not installed.
    """
    import jinja2

    w = words(lang)
    template = resources.files(__package__).joinpath("study.html.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    lead, reasons = sentences(study, w)
    spectrum = study.spectrum
    return environment.from_string(template).render(
        w=w,
        r=study,
        style=style(),
        lead=lead,
        reasons=[html.unescape(reason) for reason in reasons],
        next_command=f"ziggurat describe {shlex.quote(str(run / study.bundle))}",
        parts=[_part(study, verdict, w) for verdict in study.verdicts],
        opinion=_opinion(study, w),
        spectrum_svg=size_charts.svg(_spectrum(study, w)) if spectrum else "",
        spectrum_note=w["spectrum_note"].format(seen=spectrum.seen, words=spectrum.words, edge=spectrum.edge_ratio)
        if spectrum
        else "",
        machine_sentence=w["machine"].format(
            **study.machine,
            recipe=study.recipe,
            first=study.seed,
            last=study.seed + study.seeds - 1,
            tokens=f"{study.tokens:,}",
            vocabulary=f"{study.vocabulary:,}",
            seconds=study.seconds,
        ),
        data=study.to_json().replace("<", "\\u003c"),  # "<" can neither close the script element nor open a comment
    )


def picture(study: EmbeddingSizes, *, lang: str) -> bytes:
    """Return quality against size, against cost, and theory's opinion as one PNG that says what to choose.

    Raises:
        MissingExtraError: the packages that draw (extra ``report``) are not installed.
    """
    w = words(lang)
    lead, reasons = sentences(study, w)
    first = study.verdicts[0]
    charts = {w["quality"]: _quality(first, w), w["cost"]: _cost(study, first, w)}
    if study.spectrum:
        charts[w["spectrum"]] = _spectrum(study, w)
    return size_charts.png(charts, title=_plain(lead), lines=reasons[:2])


def score_text(value: float) -> str:
    """Return a score with four figures that say something: ``0.3412``, ``2.013``."""
    return f"{value:.4f}" if abs(value) < 1 else f"{value:.3f}"


def _reasons(study: EmbeddingSizes, first: Verdict, w: Mapping[str, str]) -> list[str]:
    choice = first.choice
    chosen, best = choice.row(choice.chosen), choice.row(choice.best)
    found = []
    if chosen.size != best.size:
        found.append(w["reason_behind"].format(**_difference(chosen)))
        found.append(_cheaper(study, chosen.size, best.size, w))
    smaller = [row for row in choice.rows if row.size < chosen.size]
    if smaller:
        found.append(w["reason_next"].format(size=smaller[-1].size, **_difference(smaller[-1])))
    if choice.all_alike:
        detectable = score_text(choice.smallest_detectable)
        facts = {"seeds": study.seeds, "questions": f"{first.questions:,}", "detectable": detectable}
        found.append(w["reason_detectable"].format(**facts))
    if chosen.size == study.sizes[-1]:
        found.append(w["reason_largest"])
    if chosen.size == study.sizes[0]:
        found.append(w["reason_smallest"])
    return [reason for reason in found if reason]


def _cheaper(study: EmbeddingSizes, chosen: int, best: int, w: Mapping[str, str]) -> str:
    ours, theirs = study.cost(chosen), study.cost(best)
    faster = theirs.train_seconds / max(ours.train_seconds, 1e-9)
    smaller = theirs.bundle_bytes / max(ours.bundle_bytes, 1)
    if max(faster, smaller) < NOTABLE:
        return ""
    return w["reason_cheaper"].format(best=best, faster=faster, smaller=smaller)


def _opinion(study: EmbeddingSizes, w: Mapping[str, str]) -> str:
    if study.spectrum is None:
        return w["pip_missing"]
    usual = study.spectrum.usual
    said = w["pip"].format(low=usual.low, high=usual.high, best=usual.best, words=f"{study.spectrum.words:,}")
    where = "below" if study.chosen < usual.low else "above" if study.chosen > usual.high else "agrees"
    return f"{said}{'' if w['lang'] == 'zh' else ' '}{w[f'pip_{where}']}"


def _difference(row: Scored) -> dict[str, str]:
    return {"behind": score_text(row.behind), "low": score_text(row.low), "high": score_text(row.high)}


def _part(study: EmbeddingSizes, verdict: Verdict, w: Mapping[str, str]) -> dict[str, Any]:
    choice = verdict.choice
    rows = []
    for row in choice.rows:
        cost, best = study.cost(row.size), row.size == choice.best
        state = ("chosen", "alike", "worse")[_state(verdict, row)]
        interval = "" if best else f"{score_text(row.low)} – {score_text(row.high)}"
        cells = [
            row.size,
            score_text(row.score),
            "" if best else score_text(row.behind),
            interval,
            f"{cost.train_seconds:.1f} s",
            in_bytes(cost.bundle_bytes),
            f"{cost.parameters:,}",
            w[state],
        ]
        rows.append({"kind": "best" if row.size == choice.chosen else "", "cells": cells})
    columns = ("size", "score", "behind", "interval", "seconds", "bundle", "parameters", "verdict")
    heading = w[verdict.quantity] if verdict.task == "loss" else f"{w[verdict.quantity]} ({verdict.label})"
    return {
        "heading": heading,
        "head": [w[f"table_{name}"] for name in columns],
        "rows": rows,
        "quality_svg": size_charts.svg(_quality(verdict, w)),
        "cost_svg": size_charts.svg(_cost(study, verdict, w)),
    }


def _state(verdict: Verdict, row: Scored) -> int:
    return 0 if row.size == verdict.choice.chosen else 2 if row.worse else 1


def _axis(verdict: Verdict, w: Mapping[str, str]) -> str:
    return f"{w[verdict.quantity]} ({w[verdict.quantity.replace('quantity', 'unit')]})"


def _quality(verdict: Verdict, w: Mapping[str, str]) -> Any:
    choice = verdict.choice
    best = choice.row(choice.best)
    sign = -1 if choice.higher_is_better else 1
    rows = [
        {
            "size": row.size,
            "score": row.score,
            "low": best.score + sign * row.low,
            "high": best.score + sign * row.high,
            "state": _state(verdict, row),
            "label": score_text(row.score),
            "seeds": row.by_seed,
        }
        for row in choice.rows
    ]
    label = w["best_level"].format(best=best.size)
    return size_charts.quality(rows, best={"score": best.score, "label": label}, words=w, axis=_axis(verdict, w))


def _cost(study: EmbeddingSizes, verdict: Verdict, w: Mapping[str, str]) -> Any:
    rows = []
    for row in verdict.choice.rows:
        cost = study.cost(row.size)
        facts = {"seconds": cost.train_seconds, "megabytes": cost.bundle_bytes / 1e6}
        rows.append({"size": row.size, "score": row.score, "state": _state(verdict, row), **facts})
    return size_charts.cost(rows, words=w, axis=w[verdict.quantity])


def _spectrum(study: EmbeddingSizes, w: Mapping[str, str]) -> Any:
    spectrum = study.spectrum
    if spectrum is None:
        raise ValueError("no spectrum to draw")
    curves = {w["alpha"].format(alpha=_alpha(one.alpha)): one.curve for one in spectrum.opinions}
    usual = spectrum.usual
    facts = {"name": w["alpha"].format(alpha=_alpha(0.5)), "best": usual.best, "low": usual.low, "high": usual.high}
    chosen = {"size": study.chosen, "label": f"{w['chosen']}: {study.chosen}"}
    return size_charts.spectrum(curves, usual=facts, chosen=chosen, words=w)


def _alpha(value: float) -> str:
    return "½" if value == 0.5 else f"{value:g}"


def _plain(lead: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", lead))
