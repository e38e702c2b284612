"""Pictures of a study of sizes: quality against size and against cost, and what theory expects."""

from collections.abc import Mapping, Sequence
from typing import Any

from ziggurat.surface.report.charts import PALETTE, altair, styled

__all__ = ["cost", "png", "quality", "spectrum", "svg"]

Row = Mapping[str, Any]

WIDTH, HEIGHT = 760, 300
STATES = (PALETTE[0], PALETTE[2], PALETTE[1])
"""Colours of the chosen size, of those as good as the best, and of worse ones."""
SOFT = "#8a8478"
HIGHEST = 1.2
"""Of the loss without vectors that is drawn: a size beyond it is worse than none at all."""


def quality(rows: Sequence[Row], *, best: Row, words: Mapping[str, str], axis: str) -> Any:
    """Return the chart of scores against sizes, a bar for what chance leaves open of the difference to the best.

    ``rows`` have ``size``, ``score``, ``low``, ``high`` (of the bar), ``state`` (0 chosen, 1 alike, 2 worse), ``label``
    and ``seeds``; ``best`` has ``score`` and ``label``.
    """
    alt = altair()
    sizes = [row["size"] for row in rows]
    room = (sizes[-1] / sizes[0]) ** 0.07
    scale = alt.Scale(type="log", domain=[sizes[0] / room, sizes[-1] * room], nice=False)
    x = alt.X("size:Q", scale=scale, title=words["axis_size"], axis=alt.Axis(values=sizes, format="d", grid=False))
    y = alt.Y("score:Q", scale=alt.Scale(zero=False, nice=True, padding=24), title=axis)
    means = alt.Chart(alt.Data(values=[_told(row, words) for row in rows]))
    dots = alt.Chart(alt.Data(values=[{"size": r["size"], "score": s} for r in rows for s in r["seeds"]]))
    left = rows[0]["score"] != best["score"]  # where the label of the level meets no point
    edge = {"size": sizes[0] / room if left else sizes[-1] * room, "align": "left" if left else "right"}
    level = alt.Chart(alt.Data(values=[{"score": best["score"], "label": best["label"], "size": edge["size"]}]))
    colour = _colour(words)
    layers = [
        level.mark_rule(strokeDash=[6, 4], color=SOFT, strokeWidth=1.5).encode(y=y),
        level.mark_text(align=edge["align"], dx=4 if left else -4, dy=-7, color=SOFT, fontSize=12).encode(
            x=x, y=y, text="label:N"
        ),
        means.mark_line(color="#cfc9bc", strokeWidth=2).encode(x=x, y=y),
        means.mark_rule(strokeWidth=5, opacity=0.45).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour),
        dots.mark_point(filled=True, size=16, color="#22201c", opacity=0.55).encode(x=x, y=y),
        means.mark_point(filled=True, size=150, opacity=1).encode(x=x, y=y, color=colour),
        means.mark_text(dx=12, dy=-10, align="left", fontSize=13).encode(x=x, y=y, text="label:N"),
    ]
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)


def cost(rows: Sequence[Row], *, words: Mapping[str, str], axis: str) -> Any:
    """Return the chart of scores against seconds of training and against bytes of the bundle, side by side.

    ``rows`` have ``size``, ``score``, ``state``, ``seconds`` and ``megabytes``.
    """
    alt = altair()
    base = alt.Chart(alt.Data(values=[_told(row, words) for row in rows]))
    y = alt.Y("score:Q", scale=alt.Scale(zero=False, nice=True, padding=18), title=axis)
    panels = []
    for field, title in (("seconds", words["axis_seconds"]), ("megabytes", words["axis_megabytes"])):
        x = alt.X(f"{field}:Q", title=title, scale=alt.Scale(zero=True, nice=True), axis=alt.Axis(tickCount=6))
        panels.append(
            alt.layer(
                base.mark_line(color="#cfc9bc", strokeWidth=2).encode(x=x, y=y, order="size:Q"),
                base.mark_point(filled=True, size=130, opacity=1).encode(x=x, y=y, color=_colour(words)),
                base.mark_text(dx=10, dy=-9, align="left", fontSize=12).encode(x=x, y=y, text="size:Q"),
            ).properties(width=WIDTH // 2 - 45, height=HEIGHT - 80)
        )
    return alt.hconcat(*panels)


def spectrum(
    curves: Mapping[str, Sequence[tuple[int, float]]], *, usual: Row, chosen: Row, words: Mapping[str, str]
) -> Any:
    """Return the chart of expected PIP losses against sizes, one line for each exponent.

    ``usual`` has ``name`` of the curve whose least is marked, ``best``, ``low`` and ``high``; ``chosen`` has ``size``
    and ``label`` of the size that the study chose.
    """
    alt = altair()
    rows = [{"name": name, "size": k, "loss": loss} for name, curve in curves.items() for k, loss in curve]
    least = next(row for row in rows if row["name"] == usual["name"] and row["size"] == usual["best"])
    x = alt.X("size:Q", scale=alt.Scale(type="log", nice=False), title=words["axis_size"], axis=alt.Axis(grid=False))
    y = alt.Y("loss:Q", title=words["axis_pip"], scale=alt.Scale(domain=[0, HIGHEST]))
    names = list(curves)
    colour = alt.Color("name:N", title=None, scale=alt.Scale(domain=names, range=[PALETTE[3], PALETTE[0], PALETTE[4]]))
    band = alt.Chart(alt.Data(values=[{"low": usual["low"], "high": usual["high"]}]))
    point = alt.Chart(alt.Data(values=[{**least, "label": f"{usual['best']}"}]))
    line = alt.Chart(alt.Data(values=[{"size": chosen["size"], "loss": 0, "label": chosen["label"]}]))
    layers = [
        band.mark_rect(opacity=0.14, color=PALETTE[0]).encode(x=alt.X("low:Q", title=words["axis_size"]), x2="high:Q"),
        line.mark_rule(strokeDash=[6, 4], color=SOFT, strokeWidth=1.5).encode(x=x),
        line.mark_text(align="left", dx=5, dy=-9, color=SOFT, fontSize=12).encode(x=x, y=y, text="label:N"),
        alt.Chart(alt.Data(values=rows)).mark_line(strokeWidth=2.5, clip=True).encode(x=x, y=y, color=colour),
        point.mark_point(filled=True, size=120, color=PALETTE[0], opacity=1).encode(x=x, y=y),
        point.mark_text(dy=18, fontSize=13, color=PALETTE[0]).encode(x=x, y=y, text="label:N"),
    ]
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT - 40)


def svg(chart: Any) -> str:
    """Return a chart as SVG, for a page.

    Raises:
        MissingExtraError: the packages that draw (extra ``report``) are not installed.
    """
    import vl_convert

    return str(vl_convert.vegalite_to_svg(styled(chart).to_dict()))


def png(charts: Mapping[str, Any], *, title: str, lines: Sequence[str]) -> bytes:
    """Return charts, each under its name, one below the other as PNG, under a title and lines that say what they show.

    Raises:
        MissingExtraError: the packages that draw (extra ``report``) are not installed.
    """
    import vl_convert

    alt = altair()
    heading = alt.TitleParams(
        title,
        subtitle=list(lines),
        anchor="start",
        fontSize=18,
        subtitleFontSize=13,
        subtitleColor="#6d675c",
        offset=18,
    )
    named = [
        chart.properties(title=alt.TitleParams(name, anchor="start", fontSize=14, offset=10))
        for name, chart in charts.items()
    ]
    stacked = alt.vconcat(*named, spacing=28, title=heading, padding=24).resolve_scale(color="independent")
    whole = styled(stacked, background="#fdfcf9")
    return bytes(vl_convert.vegalite_to_png(whole.to_dict(), scale=2))


def _told(row: Row, words: Mapping[str, str]) -> dict[str, Any]:
    state = words[("chosen", "alike", "worse")[row["state"]]]
    return {**{key: value for key, value in row.items() if key != "seeds"}, "state": state}


def _colour(words: Mapping[str, str]) -> Any:
    alt = altair()
    names = [words[name] for name in ("chosen", "alike", "worse")]
    legend = alt.Legend(symbolOpacity=1, symbolType="circle", labelFontSize=12)
    return alt.Color("state:N", title=None, legend=legend, scale=alt.Scale(domain=names, range=list(STATES)))
