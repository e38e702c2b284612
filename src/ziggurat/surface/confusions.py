"""What a model confuses with what, as a picture: a field for each pair of labels, as dark as the pair is frequent."""

from collections import Counter
from pathlib import Path
from typing import Any

from ziggurat.core.errors import UnknownNameError, UsageError
from ziggurat.core.files import atomic_file
from ziggurat.judge.answers import AnswersReport
from ziggurat.surface.language import translate
from ziggurat.surface.map.drawing import FONT, SHARPNESS, converter, draws
from ziggurat.surface.report.charts import PALETTE, altair, styled

__all__ = ["ENDINGS", "MOST_LABELS", "write_confusions"]

ENDINGS = (".png", ".svg")
MOST_LABELS = 40
FIELD = 34
"""Pixels of a field's side."""
NOTHING = "–"
"""Stands where no label does: of a span that was missed, or that is none."""
DARK = 0.55
"""From this part on a field is so dark that its number is written in white."""


def write_confusions(report: AnswersReport, path: Path, *, fonts: Path | None = None) -> bool:
    """Draw the ``MOST_LABELS`` most frequent labels of a report; return whether all its letters could be drawn.

    A drawing of lines (SVG) uses the fonts of who opens it; only a PNG needs them here, or in the folder ``fonts``.

    *Idea.* A row for each right label, a column for each that was said. A field's number is how often; how dark it is,
    which part of its row. What is right, the diagonal, has another colour than what is wrong.

    Raises:
        UnknownNameError: another ending than .png and .svg.
        UsageError: there are no labels to confuse.
        MissingExtraError: the extra ``report`` is not installed.
        DiskFullError: the disk is full.
    """
    if path.suffix.lower() not in ENDINGS:
        raise UnknownNameError("file ending", path.suffix or path.name, ENDINGS, where=str(path))
    chart = styled(_chart(report), background="white").configure(font=FONT).to_dict()
    drawn, ending = converter(), path.suffix.lower()
    words = "".join([translate("said"), translate("right label"), *(row.label for row in report.classes)])
    known = ending != ".png" or draws(words, fonts=fonts)
    content = (
        drawn.vegalite_to_png(chart, scale=SHARPNESS)
        if ending == ".png"
        else str(drawn.vegalite_to_svg(chart)).encode()
    )
    with atomic_file(path) as partial:
        partial.write_bytes(content)
    return known


def _chart(report: AnswersReport) -> Any:
    alt = altair()
    fields = _fields(report)
    order = [row.label for row in report.classes[:MOST_LABELS]]
    order += [NOTHING] * any(NOTHING in (one["right"], one["said"]) for one in fields)
    axes = {
        "x": alt.X("said:N", sort=order, scale=alt.Scale(domain=order), title=translate("said"), axis=_axis("top")),
        "y": alt.Y("right:N", sort=order, scale=alt.Scale(domain=order), title=translate("right label")),
    }
    base = alt.Chart(alt.Data(values=fields)).encode(**axes)
    colour = alt.condition("datum.right === datum.said", alt.value(PALETTE[0]), alt.value(PALETTE[1]))
    squares = base.mark_rect().encode(
        color=colour, opacity=alt.Opacity("part:Q", scale=alt.Scale(domain=[0, 1], range=[0.06, 1]), legend=None)
    )
    ink = alt.condition(f"datum.part > {DARK}", alt.value("white"), alt.value("#222"))
    numbers = base.mark_text(fontSize=11).encode(text="count:Q", color=ink)
    side = FIELD * len(order)
    return (squares + numbers).properties(width=side, height=side)


def _axis(place: str) -> Any:
    return altair().Axis(orient=place, labelAngle=-45)


def _fields(report: AnswersReport) -> list[dict[str, Any]]:
    """Return the pairs that occur, of the labels that are shown, each with its part of its row."""
    shown = {row.label for row in report.classes[:MOST_LABELS]}
    if not shown:
        raise UsageError("no labels: there is nothing to confuse, and no picture to draw")
    whole: Counter[str] = Counter()
    for one in report.confusions:
        whole[one.gold] += one.count
    return [
        {
            "right": one.gold or NOTHING,
            "said": one.predicted or NOTHING,
            "count": one.count,
            "part": one.count / whole[one.gold],
        }
        for one in report.confusions
        if {one.gold, one.predicted} <= shown | {""}
    ]
