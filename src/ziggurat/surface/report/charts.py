"""The report's pictures: one Vega-Lite specification each, rendered to SVG."""

from collections.abc import Mapping, Sequence
from typing import Any

from ziggurat.core.errors import MissingExtraError

__all__ = ["PALETTE", "altair", "curves", "ranking", "spending", "styled", "svg"]

Row = Mapping[str, Any]

WIDTH = 760
TICKS = 8
NARROW, WIDE = 7, 12
"""Pixels of a Latin and of a Chinese letter in an axis label, at the widest: what draws the page has other fonts."""
PALETTE = ["#0b6e4f", "#c8553d", "#3d5a80", "#e0a458", "#7b506f", "#6b705c"]


def ranking(rows: Sequence[Row], yardsticks: Sequence[Row], *, axis: str) -> str:
    """Return the SVG of models as points with intervals and yardsticks as crosses, best first.

    ``rows`` have ``name``, ``bits_per_byte``, ``low``, ``high``; ``yardsticks`` have ``name``, ``bits_per_byte``.
    """
    alt = altair()
    models = [{"name": r["name"], "bpb": r["bits_per_byte"], "low": r["low"], "high": r["high"]} for r in rows]
    others = [{"name": r["name"], "bpb": r["bits_per_byte"]} for r in yardsticks]
    order = [r["name"] for r in sorted([*models, *others], key=lambda r: float(r["bpb"]))]
    y = alt.Y("name:N", sort=order, title=None, scale=alt.Scale(domain=order), axis=_room_for(order))
    x = alt.Scale(zero=False, nice=True)
    base = alt.Chart(alt.Data(values=models))
    rule = base.mark_rule(strokeWidth=3, color=PALETTE[0]).encode(
        y=y, x=alt.X("low:Q", scale=x, title=axis, axis=alt.Axis(tickCount=TICKS)), x2="high:Q"
    )
    point = base.mark_point(filled=True, size=90, color=PALETTE[0], opacity=1).encode(y=y, x="bpb:Q")
    label = base.mark_text(dy=-11, fontSize=11).encode(y=y, x="bpb:Q", text=alt.Text("bpb:Q", format=".3f"))
    layers = [rule, point, label]
    if others:
        crosses = alt.Chart(alt.Data(values=others))
        layers.append(crosses.mark_point(shape="cross", size=70, color="#888", filled=True).encode(y=y, x="bpb:Q"))
        layers.append(
            crosses.mark_text(dy=-11, fontSize=11, color="#777").encode(
                y=y, x="bpb:Q", text=alt.Text("bpb:Q", format=".3f")
            )
        )
    return _svg(alt.layer(*layers).properties(width=WIDTH, height=alt.Step(38)))


def curves(rows: Sequence[Row], levels: Sequence[Row], *, x_axis: str, y_axis: str) -> str:
    """Return the SVG of dev bits per byte against training seconds, one line a model.

    ``rows`` have ``name``, ``seconds``, ``bits_per_byte``; ``levels`` (``name``, ``bits_per_byte``) are models that are
    fitted in one go, drawn as dashed level lines.
    """
    alt = altair()
    names = list(dict.fromkeys([*(str(r["name"]) for r in rows), *(str(r["name"]) for r in levels)]))
    colour = alt.Color("name:N", title=None, scale=alt.Scale(domain=names, range=PALETTE[: len(names)]))
    y = alt.Y("bits_per_byte:Q", scale=alt.Scale(zero=False), title=y_axis)
    lines = alt.Chart(alt.Data(values=list(rows))).mark_line(point=True, strokeWidth=2)
    layers = [lines.encode(x=alt.X("seconds:Q", title=x_axis), y=y, color=colour)]
    if levels:
        dashed = alt.Chart(alt.Data(values=list(levels))).mark_rule(strokeDash=[5, 4], strokeWidth=2)
        layers.append(dashed.encode(y="bits_per_byte:Q", color=colour))
    return _svg(alt.layer(*layers).properties(width=WIDTH, height=280))


def spending(rows: Sequence[Row], *, axis: str) -> str:
    """Return the SVG of how many seconds each stage took; ``rows`` have ``stage`` and ``seconds``, in order."""
    alt = altair()
    order = [str(r["stage"]) for r in rows]
    base = alt.Chart(alt.Data(values=list(rows))).encode(
        y=alt.Y("stage:N", sort=order, title=None, axis=_room_for(order)),
        x=alt.X("seconds:Q", title=axis, axis=alt.Axis(tickCount=TICKS)),
    )
    bars = base.mark_bar(color=PALETTE[2], height={"band": 0.7})
    text = base.mark_text(align="left", dx=4, fontSize=11).encode(text=alt.Text("seconds:Q", format=".1f"))
    return _svg((bars + text).properties(width=WIDTH, height=alt.Step(24)))


def svg(specification: Mapping[str, Any]) -> str:
    """Return the SVG of a Vega-Lite specification."""
    try:
        import vl_convert
    except ImportError as error:
        raise MissingExtraError("a report with pictures", "report") from error
    return str(vl_convert.vegalite_to_svg(dict(specification)))


def _room_for(labels: Sequence[str]) -> Any:
    """Return an axis that leaves room for its longest label."""
    widths = [sum(WIDE if ord(letter) > 0x2E80 else NARROW for letter in label) for label in labels]
    return altair().Axis(minExtent=min(260, max(widths, default=0)))


def altair() -> Any:
    """Return the library that describes charts.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import altair as alt
    except ImportError as error:
        raise MissingExtraError("a report with pictures", "report") from error
    return alt


def styled(chart: Any, *, background: str = "transparent") -> Any:
    """Return a chart in the look of all pictures."""
    return (
        chart.configure(font="system-ui, sans-serif", background=background)
        .configure_view(stroke=None)
        .configure_axis(labelLimit=260, gridColor="#e6e3dc", domainColor="#bbb", tickColor="#bbb")
        .configure_legend(orient="top")
    )


def _svg(chart: Any) -> str:
    return svg(styled(chart).to_dict())
