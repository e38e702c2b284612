"""Show what a bundle or a recipe is made of, where it came from, what it computes and what memory it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ziggurat.core.config import option
from ziggurat.core.errors import DamagedError, UsageError
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.cli.places import fonts_at, pictures_at
from ziggurat.surface.cli.settings import open_to_settings, split_settings
from ziggurat.surface.first_use import first_use
from ziggurat.surface.language import translate
from ziggurat.surface.terminal import Terminal, align

if TYPE_CHECKING:
    from ziggurat.artefacts.manifest import Manifest
    from ziggurat.surface.anatomy.subject import Subject

__all__ = ["COMMAND", "DescribeOptions", "describe"]


@dataclass(frozen=True)
class DescribeOptions:
    """For how much its figures are, and where a picture goes."""

    check: bool = option(False, "hash every file of a bundle first, the card included")
    rows: int | None = option(None, "sequences of a training batch; unless told, the recipe's", low=1)
    window: int | None = option(None, "tokens of each that are read at once; unless told, the recipe's", low=1)
    source: int | None = option(None, "tokens of the source, where it translates; unless told, the window", low=1)
    batch: int = option(1, "sequences written at once", low=1)
    length: int | None = option(None, "tokens of each when it ends; unless told, the context", low=1)
    picture: tuple[str, ...] = option((), "draw the model: a file .svg, .png or .html; repeat it for several")
    fonts: str | None = option(None, "font file, or folder of fonts, to draw with beside those of this machine")
    json: bool = option(False, "print JSON")


@with_options(DescribeOptions)
def describe(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="BUNDLE|RUN|RECIPE",
            help="A bundle, the run folder that holds it, or a recipe's name or file. Recipe keys: --model.layers 6",
        ),
    ] = None,
    *,
    options: DescribeOptions,
) -> None:
    """Show a bundle's manifest, where every row is an entry of its ziggurat.json, and draw what its model is made of.

    A recipe is drawn before anything is trained. Beside each part stand its parameters and its share of the
    floating-point operations; tables say where the numbers come from, and what memory training and writing take.
    """
    from ziggurat.core.anatomy import Sizes
    from ziggurat.surface.anatomy.subject import described, of_bundle, of_recipe

    names, flags = split_settings(words or [], context)
    if len(names) != 1:
        raise UsageError(f"give one bundle or recipe, not {len(names)}: ziggurat describe BUNDLE|RUN|RECIPE")
    terminal = Terminal()
    _check_pictures(options)
    sizes = Sizes(options.rows, options.window, options.source, options.batch, options.length)
    found = described(names[0], flags)
    if not isinstance(found, tuple):
        subjects = list(of_recipe(found, sizes))
        _write_recipe(terminal, names[0], found.family, subjects, options)
        return
    folder, manifest = found
    if options.check:
        from ziggurat.artefacts.bundle import check_files

        check_files(folder, manifest, verify=True)
    subjects, damage = [], None
    try:
        subjects = list(of_bundle(folder, manifest, sizes))
    except DamagedError as error:
        if options.picture:
            raise
        terminal.warn("the model is damaged, so there is nothing but the manifest")
        damage = error
    _draw(terminal, subjects, options)
    if options.json:
        _write_json(terminal, subjects, {"bundle": str(folder), "manifest": vars(manifest)})
    else:
        terminal.write(align(_manifest_rows(manifest), numbers=False))
        _write_subjects(terminal, subjects)
    if damage:
        raise damage
    if not options.json:
        terminal.next(first_use(manifest, folder))


def _write_recipe(
    terminal: Terminal, name: str, family: str, subjects: "list[Subject]", options: DescribeOptions
) -> None:
    if not subjects:
        raise UsageError(
            f"{name}: a model of family {family} has no size before it is trained: train it, and describe its bundle"
        )
    _draw(terminal, subjects, options)
    if options.json:
        _write_json(terminal, subjects, {"recipe": name})
        return
    _write_subjects(terminal, subjects)
    terminal.next(f"ziggurat train TEXT… --recipe {name}")


def _write_subjects(terminal: Terminal, subjects: "list[Subject]") -> None:
    for subject in subjects:
        terminal.write("\n" + _sheet(subject))


def _write_json(terminal: Terminal, subjects: "list[Subject]", head: Mapping[str, Any]) -> None:
    from ziggurat.surface.anatomy.tables import facts

    terminal.write_json({**head, "anatomy": [facts(subject) for subject in subjects]})


def _sheet(subject: "Subject") -> str:
    """Return a subject's drawing and its tables."""
    from ziggurat.surface.anatomy.sheet import tower_lines
    from ziggurat.surface.anatomy.tables import memories, memory_rows, operation_rows, part_rows
    from ziggurat.surface.anatomy.words import explained, form, symbols

    anatomy, memory = subject.anatomy, memories(subject)
    whole = anatomy.reading_flops(subject.training)
    said = translate("{name}: {form}, {count} parameters")
    blocks = [said.format(name=subject.name, form=form(anatomy), count=f"{anatomy.parameters:,}")]
    blocks += ["\n".join(tower_lines(tower, subject.training, whole)) for tower in anatomy.towers]
    blocks += [
        align(explained(symbols(anatomy, subject.training)), numbers=False),
        align(part_rows(subject), numbers=False),
    ]
    if subject.trains:
        blocks.append(align([(translate("floating-point operations"), "", ""), *operation_rows(subject)]))
    training, generation = memory_rows(subject, memory)
    if training:
        batch = subject.training
        said = translate("for {rows} × {tokens} tokens; here the recipe trains in {precision}")
        note = said.format(rows=batch.rows, tokens=f"{batch.text:,}", precision=memory.chosen)
        blocks.append(f"{align(training)}\n{note}")
    blocks += [align(generation)] if generation else []
    return "\n\n".join(blocks)


def _check_pictures(options: DescribeOptions) -> None:
    """Refuse, before anything is computed, what can't be drawn or drawn with."""
    if options.picture:
        from ziggurat.surface.anatomy.picture import ENDINGS

        pictures_at(options.picture, ENDINGS, where="--picture")
    fonts_at(options.fonts)


def _draw(terminal: Terminal, subjects: "list[Subject]", options: DescribeOptions) -> None:
    """Write the pictures that were asked for, of the first model that is described."""
    if not options.picture:
        return
    if not subjects:
        raise UsageError("--picture: this model is counts and has no parts to draw; leave it out")
    from ziggurat.surface.anatomy.picture import write_picture

    for name in options.picture:
        fonts = fonts_at(options.fonts)
        if not write_picture(subjects[0], Path(name), fonts=fonts):
            terminal.warn(
                "{file}: no font of this machine has Chinese characters, so it is written in English", file=name
            )
        terminal.say("picture: {file}", file=name)


def _manifest_rows(manifest: "Manifest") -> list[tuple[str, str]]:
    return _rows(
        {
            "family": manifest.family,
            "size_bytes": manifest.size_bytes,
            "model": manifest.model,
            "tokenizer": manifest.tokenizer,
            "seed": manifest.seed,
            "training": manifest.training,
            "metrics": manifest.metrics,
            "versions": {"ziggurat": manifest.ziggurat, **manifest.versions},
        }
    )


def _rows(entries: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Return nested entries as dotted names and values; lists are left to the JSON."""
    rows: list[tuple[str, str]] = []
    for name, value in entries.items():
        if isinstance(value, dict):
            rows += _rows(value, f"{prefix}{name}.")
        elif value is not None and not isinstance(value, list):
            rows.append((f"{prefix}{name}", f"{value:.6g}" if isinstance(value, float) else str(value)))
    return rows


COMMAND = open_to_settings(describe)
