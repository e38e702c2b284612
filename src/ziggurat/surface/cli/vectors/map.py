"""Draw a map of words: a picture, and a page in which one can zoom and search."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ziggurat.core.config import option
from ziggurat.surface import language
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.cli.places import fonts_at, pictures_at
from ziggurat.surface.cli.vectors.asking import BUNDLE_HELP, opened, questions
from ziggurat.surface.language import translate
from ziggurat.surface.terminal import Terminal

if TYPE_CHECKING:
    from ziggurat.surface.map.drawing import WordMap
    from ziggurat.use.projection import Layout, Selection
    from ziggurat.use.vectors import Vectors

__all__ = ["COMMAND", "MapOptions", "draw_map"]

FIRST_WIDE = 0x2E80
TITLED = 6
"""Words that a title names at most."""


@dataclass(frozen=True)
class MapOptions:
    """Which words are drawn, how they are laid out, and where the picture goes."""

    out: tuple[str, ...] = option(("map.png", "map.html"), "file to write: .png, .svg or .html; repeat it for several")
    neighbours: int = option(12, "words drawn around each word that is given; 0 draws only those given", low=0)
    frequent: int = option(300, "most frequent words to draw where none is given", low=3)
    restrict: int | None = option(None, "draw only words among the so many most frequent", low=1)
    layout: Literal["auto", "pca", "tsne"] = option(
        "auto", "pca: two straight axes; tsne: keeps neighbours; auto: pca up to 30 words"
    )
    groups: int = option(8, "colours for words without a given one, by k-means; 0 for one colour", low=0, high=14)
    title: str | None = option(None, "headline of the map")
    fonts: str | None = option(None, "font file, or folder of fonts, to draw with beside those of this machine")
    seed: int = option(0, "seed of the layout: the same seed draws the same map", low=0)
    json: bool = option(False, "print JSON")
    quiet: bool = option(False, "say nothing but warnings")


@with_options(MapOptions)
def draw_map(
    bundle: Annotated[Path, typer.Argument(help=BUNDLE_HELP)],
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WORD…]", help="Words to draw with those near them; - reads them; unless told, the most frequent"
        ),
    ] = None,
    *,
    options: MapOptions,
) -> None:
    """Draw words in the plane, those with vectors of like direction close together, as a picture and as a page.

    The map says how much of the space it could keep. The page is one file, opens offline, and shows more labels the
    further one zooms in.
    """
    from ziggurat.surface.map.drawing import ENDINGS, write_map

    terminal = Terminal(quiet=options.quiet)
    pictures = pictures_at(options.out, ENDINGS, where="--out")
    fonts_at(options.fonts)  # refused before anything is computed
    vectors = opened(bundle, terminal)
    given = [word for question in questions(words, vectors, least=1) for word in question.words] if words else []
    drawn, layout, describe = _drawn(vectors, given, options)
    for picture in pictures:
        html = picture.suffix.lower() == ".html"
        shown = drawn if html else _with_fonts(drawn, describe, str(picture), options, terminal)
        write_map(shown, picture, texts=_page_texts(), lang=language.current())
    if options.json:
        places = [
            {"word": word, "group": group, "x": round(float(x), 4), "y": round(float(y), 4)}
            for word, group, (x, y) in zip(drawn.words, drawn.groups, layout.places, strict=True)
        ]
        facts = {"layout": layout.method, "explained_variance": layout.explained, "trustworthiness": layout.trust}
        terminal.write_json({"bundle": str(bundle), "files": list(options.out), **facts, "words": places})
        return
    for name in options.out:
        terminal.write(name)
    for note in drawn.notes:
        terminal.say("{line}", line=note)


def _drawn(
    vectors: "Vectors", given: Sequence[str], options: MapOptions
) -> "tuple[WordMap, Layout, Callable[[WordMap], WordMap]]":
    """Return the map, its layout, and what writes title and notes on a map in the language spoken."""
    from ziggurat.surface.map.drawing import ASPECT, WordMap
    from ziggurat.use.projection import frequent, neighbourhoods, project

    if given:
        chosen = neighbourhoods(vectors, given, count=options.neighbours, restrict=options.restrict)
    else:
        chosen = frequent(vectors, min(options.frequent, options.restrict or options.frequent))
    layout = project(vectors[chosen.words], method=options.layout, aspect=ASPECT, seed=options.seed)
    groups = chosen.groups
    if not options.groups or not given or not options.neighbours:
        groups = _clusters(vectors, chosen, options)
    near = vectors.answers([([word], []) for word in chosen.words], 5)

    def describe(drawn: "WordMap") -> "WordMap":
        title = options.title or _title(given, chosen, options)
        return replace(drawn, title=title, notes=_notes(drawn, layout, vectors))

    drawn = WordMap(
        title="",
        notes=(),
        words=chosen.words,
        places=layout.places,
        groups=groups,
        seeds=frozenset(given if options.neighbours else ()),
        near=[_joined([word for word, _ in answer]) for answer in near],
    )
    return describe(drawn), layout, describe


def _with_fonts(
    drawn: "WordMap", describe: "Callable[[WordMap], WordMap]", name: str, options: MapOptions, terminal: Terminal
) -> "WordMap":
    """Return a map that the fonts of this machine can write: in English, where they have no Chinese characters."""
    from ziggurat.surface.map.drawing import draws

    fonts = fonts_at(options.fonts)
    if draws("".join((drawn.title, *drawn.notes, *drawn.words)), fonts=fonts):
        return drawn
    if draws("".join(drawn.words), fonts=fonts):
        terminal.warn("{file}: no font of this machine has Chinese characters, so it is written in English", file=name)
    else:
        terminal.warn(
            "{file}: no font of this machine has Chinese characters, so boxes stand in their place; install one "
            "(Noto Sans CJK), or give one with --fonts; a page uses the fonts of who opens it",
            file=name,
        )
    with language.speaking("en"):
        return describe(drawn)


def _clusters(vectors: "Vectors", chosen: "Selection", options: MapOptions) -> list[str]:
    """Return each word's group by k-means, named by its most typical words; empty names where there is only one."""
    from ziggurat.use.projection import cluster

    count = min(options.groups, len(chosen.words) // 6)
    if count < 2:
        return ["" for _ in chosen.words]
    members = cluster(vectors[chosen.words], count, seed=options.seed)
    names = []
    for group in range(count):
        own = [word for word, member in zip(chosen.words, members, strict=True) if member == group]
        typical = [word for word, _ in vectors.belonging(own)[:3]] if len(own) > 2 else own
        names.append(_joined(typical))
    return [names[member] for member in members]


def _joined(words: Sequence[str]) -> str:
    """Return words in a row, as their own script sets them apart."""
    return ("、" if any(ord(word[0]) > FIRST_WIDE for word in words if word) else ", ").join(words)


def _title(given: Sequence[str], chosen: "Selection", options: MapOptions) -> str:
    if not given:
        return translate("The {count} most frequent words").format(count=len(chosen.words))
    named = _joined(given[:TITLED]) + (" …" if len(given) > TITLED else "")
    if options.neighbours:
        return translate("Words near {words}").format(words=named)
    return named


def _notes(drawn: "WordMap", layout: "Layout", vectors: "Vectors") -> list[str]:
    if layout.method == "pca":
        meaning = translate(
            "The closer two words, the more alike their vectors, as far as two straight axes tell: these hold "
            "{explained:.0%} of the variance in {width} dimensions."
        )
    else:
        meaning = translate(
            "Neighbours have vectors of like direction. How far apart groups lie, and how wide they are, means "
            "nothing: t-SNE keeps only who is near whom."
        )
    trust = translate(
        "Trustworthiness {trust:.2f}, where 1 says that a word's {neighbours} nearest on the map are its nearest in "
        "all {width} dimensions."
    )
    facts = {"explained": layout.explained, "width": vectors.width}
    notes = [meaning.format(**facts), trust.format(trust=layout.trust, neighbours=layout.neighbours, **facts)]
    if drawn.unnamed:
        unnamed = translate("{count} of {total} words have a dot without a label, for want of room.")
        notes.append(unnamed.format(count=drawn.unnamed, total=len(drawn.words)))
    return notes


def _page_texts() -> dict[str, str]:
    return {
        "how": translate(
            "Scroll to zoom in, and more labels appear; drag to move, double-click to see all. Point at a dot for the "
            "words nearest to it; choose a colour above the map to see its group alone."
        ),
        "search": translate("Find words:"),
        "listing": translate("All words, and those nearest to each"),
    }


COMMAND = draw_map
