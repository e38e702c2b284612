"""The two landing pages say what is on the disk, and say the same."""

import re
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGE, REPOSITORY, tracked
from tests.architecture.test_layers import ORDER

PAGES = ["README.md", "README.zh.md"]
TREE_LINE = re.compile(r"^[├└]── (\w+)/\s+(\S.*)$")
ROOMS = [room for layer in ORDER[1:] for room in layer.split(" | ")]


def page(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def tree(text: str) -> dict[str, str]:
    """Return ``{room: phrase}`` as the page draws the house."""
    drawn = next(block for block in blocks(text, "text") if block.startswith("src/ziggurat/\n"))
    return {m[1]: m[2] for line in drawn.splitlines()[1:] if (m := TREE_LINE.match(line))}


@pytest.mark.parametrize("name", PAGES)
def test_the_tree_is_the_house_on_disk_in_the_order_of_the_rooms(name: str) -> None:
    on_disk = {path.name for path in PACKAGE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    assert set(tree(page(name))) == on_disk
    assert list(tree(page(name))) == ROOMS


def test_a_wrong_tree_is_seen() -> None:
    drawn = "```text\nsrc/ziggurat/\n├── attic/      what was kept\n└── core/   plain types\n```\n"
    assert tree(drawn) == {"attic": "what was kept", "core": "plain types"}


@pytest.mark.parametrize("name", PAGES)
def test_the_rooms_files_are_described_by_themselves(name: str) -> None:
    assert all(len(phrase) < 110 for phrase in tree(page(name)).values())


def test_both_pages_give_the_same_commands() -> None:
    english, chinese = (
        [
            sorted(line.split("  #")[0].strip() for line in block.splitlines() if line)
            for block in blocks(page(name), "sh")
        ]
        for name in PAGES
    )
    translated = {
        '"Once upon a time"': '"从前"',
        "'.[report]'": "'.[report,zh]'",
        "king paris": "北京 音乐",
        "man king woman": "男人 国王 女人",
        "breakfast cereal dinner lunch": "早餐 午餐 晚餐 河流",
        "king music river": "北京 音乐 河流",
        "questions-words.txt --similarity wordsim353.tsv": "CA8_semantic.txt",
    }
    for here, there in translated.items():
        english = [sorted(line.replace(here, there) for line in block) for block in english]
    assert english == [sorted(block) for block in chinese]


def test_both_pages_have_the_same_parts() -> None:
    counts = [
        (
            len(re.findall(r"(?m)^## ", page(name))),
            len(re.findall(r"(?m)^\|", page(name))),
            len(re.findall(r"(?m)^- ", page(name))),
        )
        for name in PAGES
    ]
    assert counts[0] == counts[1]


@pytest.mark.parametrize("path", sorted(tracked("*.md", "docs/*.md", "docs/**/*.md")), ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_every_decision_has_its_three_parts_and_a_number_of_its_own() -> None:
    decisions = sorted((REPOSITORY / "docs" / "decisions").glob("*.md"))
    for number, path in enumerate(decisions, start=1):
        text = path.read_text(encoding="utf-8")
        assert path.name.startswith(f"{number:04d}-")
        assert text.startswith(f"# {number:04d}: ")
        assert [part for part in ("**Context.**", "**Decision.**", "**Consequence.**") if part not in text] == []
        assert len(text.split()) < 350, f"{path.name} is longer than half a page"
