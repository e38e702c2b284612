"""A climb's numbers as one HTML page that opens offline."""

import html
import shlex
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from ziggurat.study.result import Climb, Comparison, Entrant
from ziggurat.surface.report import charts
from ziggurat.surface.report.vectors import vectors_section

__all__ = ["render", "sentences", "size", "style", "words"]


def words(lang: str) -> dict[str, str]:
    """Return every sentence of the report in ``lang`` (``en`` or ``zh``)."""
    text = resources.files(__package__).joinpath(f"words.{lang}.toml").read_text(encoding="utf-8")
    return {key: str(value) for key, value in tomllib.loads(text).items()}


def style() -> str:
    """Return the style sheet of every page."""
    return resources.files(__package__).joinpath("style.css").read_text(encoding="utf-8")


def render(climb: Climb, *, lang: str, run: Path) -> str:
    """Return the report's HTML; ``run`` is the run folder as the user would type it.

    Raises:
        MissingExtraError: the packages that draw (extra ``report``) are not installed.
    """
    import jinja2

    w = words(lang)
    template = resources.files(__package__).joinpath("page.html.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    lead, reasons = sentences(climb, w)
    best = run / climb.entrant(climb.recommended).bundle
    curve_rows = [
        {"name": e.name, "seconds": seconds, "bits_per_byte": bpb} for e in climb.entrants for seconds, bpb in e.curve
    ]
    levels = [{"name": e.name, "bits_per_byte": e.dev_bits_per_byte} for e in climb.entrants if not e.curve]
    return environment.from_string(template).render(
        w=w,
        style=style(),
        r=climb,
        lead=lead,
        reasons=[html.unescape(reason) for reason in reasons],
        next_command=f'ziggurat generate {shlex.quote(str(best))} --prompt "…"',
        table=_table(climb),
        ranking_svg=charts.ranking(_intervals(climb), _yardsticks(climb), axis=w["axis_bpb"]),
        comparisons=[_comparison(c, w) for c in climb.comparisons],
        curves_svg=charts.curves(curve_rows, levels, x_axis=w["axis_seconds"], y_axis=w["axis_dev"]),
        samples=_samples(climb),
        samples_note=w["samples_note"].format(**climb.sampling, seed=climb.seed),
        **vectors_section(climb, w, run),
        **_text_section(climb, w),
        **_tokenizer_section(climb, w),
        spent_sentence=w["spent_sentence"].format(seconds=climb.seconds, budget=climb.budget_seconds),
        spending_svg=charts.spending(_spending(climb, w), axis=w["axis_stage"]),
        reproduce_command=f"ziggurat reproduce {shlex.quote(str(run / 'report.html'))}",
        machine_sentence=w["machine"].format(**climb.machine, seed=climb.seed),
        # "<" can neither close the script element nor open a comment in it when it is escaped, which JSON allows
        data=climb.to_json().replace("<", "\\u003c"),
    )


def sentences(climb: Climb, w: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return the recommendation (HTML) and the sentences that say why, in the language of ``w``."""
    best, single = climb.entrant(climb.recommended), climb.entrant(climb.best_single)
    lead = w["lead"].format(
        best=html.escape(best.name),
        bpb=best.bits_per_byte,
        low=best.low,
        high=best.high,
        documents=climb.held_out_documents,
    )
    reasons = []
    if best.name != single.name:
        reasons.append(_against(_pair(climb, best.name, single.name), single, w))
    beaten = [y for y in climb.yardsticks if y.bits_per_byte > best.bits_per_byte]
    if beaten:
        rival = min(beaten, key=lambda y: y.bits_per_byte)
        percent = 100 * (1 - best.bits_per_byte / rival.bits_per_byte)
        reasons.append(w["reason_yardstick"].format(name=rival.name, bpb=rival.bits_per_byte, percent=percent))
    for rival in climb.yardsticks:
        if rival not in beaten:
            percent = 100 * (best.bits_per_byte / rival.bits_per_byte - 1)
            reasons.append(w["reason_behind"].format(name=rival.name, bpb=rival.bits_per_byte, percent=percent))
    small = min(climb.entrants, key=lambda e: e.size_bytes)
    if small.name != best.name and small.size_bytes * 1.5 < best.size_bytes:
        reasons.append(
            w["reason_smaller"].format(
                other=small.name,
                ratio=best.size_bytes / small.size_bytes,
                difference=small.bits_per_byte - best.bits_per_byte,
            )
        )
    return lead, reasons


def size(count: float) -> str:
    """Return bytes in the unit that a person reads: ``1.3 MB``."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _pair(climb: Climb, one: str, other: str) -> Comparison:
    return next(c for c in climb.comparisons if {c.better, c.worse} == {one, other})


def _against(pair: Comparison, single: Entrant, w: Mapping[str, str]) -> str:
    if not pair.distinguishable:
        return w["reason_tied"].format(
            other=single.name,
            difference=pair.difference,
            detectable=pair.smallest_detectable,
            factor=pair.text_factor,
        )
    percent = 100 * pair.difference / single.bits_per_byte
    return w["reason_single"].format(
        single=single.name, difference=pair.difference, percent=percent, p=_p(pair.p_value)
    )


def _table(climb: Climb) -> list[dict[str, Any]]:
    top = climb.entrants[0]
    rows: list[tuple[float, dict[str, Any]]] = []
    for e in climb.entrants:
        behind = "" if e is top else f"{e.bits_per_byte - top.bits_per_byte:+.3f}"
        cells = [
            e.name,
            f"{e.bits_per_byte:.3f}",
            f"{e.low:.3f} – {e.high:.3f}",
            behind,
            f"{e.token_perplexity:,.1f}",
            f"{e.parameters:,}",
            size(e.size_bytes),
            f"{e.train_seconds:.1f} s",
            f"{e.tokens_per_second:,.0f}",
        ]
        rows.append((e.bits_per_byte, {"kind": "best" if e.name == climb.recommended else "", "cells": cells}))
    for y in climb.yardsticks:
        cells = [y.name, f"{y.bits_per_byte:.3f}", "", f"{y.bits_per_byte - top.bits_per_byte:+.3f}", *[""] * 5]
        rows.append((y.bits_per_byte, {"kind": "yard", "cells": cells}))
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]


def _intervals(climb: Climb) -> list[dict[str, Any]]:
    return [{"name": e.name, "bits_per_byte": e.bits_per_byte, "low": e.low, "high": e.high} for e in climb.entrants]


def _yardsticks(climb: Climb) -> list[dict[str, Any]]:
    return [{"name": y.name, "bits_per_byte": y.bits_per_byte} for y in climb.yardsticks]


def _comparison(c: Comparison, w: Mapping[str, str]) -> dict[str, str]:
    verdict = w["verdict_yes"]
    if not c.distinguishable:
        verdict = w["verdict_no"].format(detectable=c.smallest_detectable, factor=c.text_factor)
    return {
        "pair": f"{c.better} – {c.worse}",
        "difference": f"{c.difference:.3f}",
        "interval": f"{c.low:.3f} – {c.high:.3f}",
        "p": _p(c.p_value).removeprefix("= "),
        "verdict": verdict,
    }


def _samples(climb: Climb) -> list[list[dict[str, str]]]:
    groups = zip(*(e.samples for e in climb.entrants), strict=True)
    return [
        [{"name": e.name, "prompt": s.prompt, "text": s.text} for e, s in zip(climb.entrants, group, strict=True)]
        for group in groups
    ]


def _text_section(climb: Climb, w: Mapping[str, str]) -> dict[str, Any]:
    facts = climb.corpus
    parts = [
        {"name": w[name], "documents": f"{part['documents']:,}", "bytes": size(part["bytes"])}
        for name, part in facts["splits"].items()
    ]
    removed = [
        {"reason": reason, "documents": f"{row['documents']:,}", "bytes": size(row["bytes"])}
        for reason, row in facts["removed"].items()
    ]
    total = facts["splits"].values()
    leak = w["leak"].format(found=facts["near_duplicates_across_splits"], pairs=facts["pairs_compared"])
    return {
        "parts": parts,
        "removed": removed,
        "text_sentence": w["text_sentence"].format(
            documents=f"{sum(part['documents'] for part in total):,}",
            bytes=size(sum(part["bytes"] for part in total)),
            sources=", ".join(climb.sources),
        ),
        "text_notes": [leak, *facts["notes"]],
    }


def _tokenizer_section(climb: Climb, w: Mapping[str, str]) -> dict[str, Any]:
    chosen = climb.tokenizer
    probes = [
        {
            "kind": "best" if (p.kind, p.vocabulary) == (chosen["kind"], chosen["vocabulary"]) else "",
            "cells": [p.kind, f"{p.vocabulary:,}", f"{p.bytes_per_token:.2f}", p.order, f"{p.dev_bits_per_byte:.3f}"],
        }
        for p in climb.probes
    ]
    sentence = w["tokenizer_sentence"].format(
        kind=chosen["kind"], size=f"{chosen['vocabulary']:,}", bytes_per_token=chosen["bytes_per_token"]
    )
    return {"probes": probes, "tokenizer_sentence": sentence}


def _spending(climb: Climb, w: Mapping[str, str]) -> list[dict[str, Any]]:
    def label(stage: str) -> str:
        head, _, name = stage.partition(" ")
        return w[f"stage_{head}"].format(name=name)

    return [{"stage": label(stage), "seconds": seconds} for stage, seconds in climb.spent.items()]
