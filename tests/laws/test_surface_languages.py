"""Whatever the command line can say in English it can say in Chinese, and the catalogue holds nothing else."""

import ast
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.machines import MACHINE
from ziggurat.study.planning.hardware import OWN, as_measured, named, names
from ziggurat.surface.chinese import SENTENCES
from ziggurat.surface.cli import COMMANDS, main, parser
from ziggurat.surface.commands import first_line
from ziggurat.surface.progress import STAGES

SPEAKING = ("translate", "say", "warn", "next")
NAMES = [name for name, _ in COMMANDS.functions()]
PLACE = re.compile(r"{[^}]*}")


def known(sentence: str) -> bool:
    """Whether the catalogue has a sentence; a full stop at its end makes no difference."""
    return sentence in SENTENCES or sentence.removesuffix(".") in SENTENCES


def trees(repository: Path) -> list[ast.Module]:
    folder = repository / "src" / "ziggurat" / "surface"
    paths = [path for path in folder.rglob("*.py") if path.parent.name != "chinese"]
    return [ast.parse(path.read_text(encoding="utf-8")) for path in paths]


def literals(node: ast.AST) -> Iterator[str]:
    """Return the strings of an argument: one literal, or the literals of a tuple or list."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Tuple | ast.List):
        for item in node.elts:
            yield from literals(item)


def spoken(tree: ast.Module) -> Iterator[str]:
    """Return what is given to a speaking function in the source, in lists and by ``map`` too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ListComp) and getattr(getattr(node.elt, "func", None), "id", "") == "translate":
            yield from filter(str.islower, literals(node.generators[0].iter))  # F1 is F1 in any language
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        arguments = node.args
        if name == "map" and getattr(arguments[0], "id", "") == "translate":
            name, arguments = "translate", arguments[1:]
        if name in SPEAKING[:3] and arguments:
            yield from literals(arguments[0])


def help_of(name: str) -> list[str]:
    command = parser(name)
    paragraphs = [" ".join(part.split()) for part in (command.help or "").split("\n\n")]
    return paragraphs + [str(getattr(p, "help", "")) for p in command.params if p.name != "help"]


@pytest.mark.parametrize("name", NAMES)
def test_what_help_says(name: str) -> None:
    assert [sentence for sentence in help_of(name) if not known(sentence)] == []


@pytest.mark.parametrize("name", NAMES)
def test_help_comes_in_chinese_and_keeps_every_flag(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    pages = []
    for language in ("en", "zh"):
        assert main([*name.split(), "--help", "--lang", language]) == 0
        pages.append(capsys.readouterr().out)
    flags = [re.findall(r"(?m)^  (--[a-z-]+)", page) for page in pages]
    assert flags[0] == flags[1] != []
    for words in ("Usage", "Options", "Arguments", "Show this", "required", "default:"):
        assert words not in pages[1]
    assert "".join(SENTENCES[help_of(name)[0]].split())[:20] in "".join(pages[1].split())


def test_what_is_said_on_the_way(repository: Path) -> None:
    said = set(STAGES.values()) | {sentence for tree in trees(repository) for sentence in spoken(tree)}
    assert len(said) > 25
    assert sorted(sentence for sentence in said if not known(sentence)) == []


@pytest.mark.parametrize("group", [[], ["vectors"]])
def test_the_overview_has_no_line_in_english(group: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main([*group, "--lang", "zh"])
    lines = [line for line in capsys.readouterr().out.splitlines() if line]
    assert [line for line in lines if not re.search(r"[\u4e00-\u9fff]", line)] == []


def test_translations_keep_the_places_and_how_they_are_written() -> None:
    for english, chinese in SENTENCES.items():
        assert sorted(PLACE.findall(english)) == sorted(PLACE.findall(chinese)), english


def test_one_unit_has_one_name_in_chinese(repository: Path) -> None:
    """A nat is 奈特 in every sentence, card and report."""
    folder = repository / "src" / "ziggurat"
    files = [path for ending in ("*.py", "*.toml") for path in folder.rglob(ending)]
    assert [path.name for path in files if "纳特" in path.read_text(encoding="utf-8")] == []


def written(repository: Path) -> set[str]:
    """Return every sentence that stands in the source outside the catalogue, however help shows it."""
    found: set[str] = set()
    for tree in trees(repository):
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                parts = [" ".join(part.split()) for part in node.value.split("\n\n")] + [node.value]
                found |= {word[:1].upper() + word[1:] for word in parts} | set(parts)
                found |= {node.value.partition("\n")[0].removesuffix(".")}
    found |= {sentence.removesuffix(".") for sentence in found}
    from ziggurat.judge.intrinsic.judging import Asking
    from ziggurat.use.completion import GenerationConfig
    from ziggurat.use.embedding import EmbeddingConfig
    from ziggurat.use.prompting import PromptConfig
    from ziggurat.use.rescoring import RescoringConfig
    from ziggurat.use.suggesting import SuggestConfig
    from ziggurat.use.translation import TranslationConfig

    # options of generate, embed, prompt, transcribe, complete, translate and vectors evaluate stand where they are used
    declared = (
        GenerationConfig,
        EmbeddingConfig,
        PromptConfig,
        RescoringConfig,
        SuggestConfig,
        TranslationConfig,
        Asking,
    )
    for field in (field for config in declared for field in dataclasses.fields(config)):
        doc = str(field.metadata["doc"])
        found |= {doc, doc[:1].upper() + doc[1:]}
    from ziggurat.use.tasks import TASKS

    return found | hardware_words() | {first_line(TASKS.source(name)) for name in TASKS.names()}


def hardware_words() -> set[str]:
    """Return what hardware is called and where its figures come from, as a plan's head says it."""
    devices = [named(name).device for name in (*names(), OWN)]
    return {as_measured(MACHINE).device.source, *(word for one in devices for word in (one.title, one.source))}


def test_where_figures_of_hardware_come_from_is_said_in_chinese() -> None:
    makers = {word for word in hardware_words() if word.startswith("NVIDIA ")}
    assert len(makers) == len(names())
    assert [word for word in hardware_words() - makers if not known(word)] == []


def test_no_entry_has_outlived_its_sentence(repository: Path) -> None:
    assert sorted(set(SENTENCES) - written(repository)) == []


def test_the_catalogue_is_no_witness_for_itself(repository: Path) -> None:
    """Chinese stands nowhere else in the surface, so a source that holds a translation holds the catalogue."""
    assert written(repository).isdisjoint(set(SENTENCES.values()) - set(SENTENCES))
