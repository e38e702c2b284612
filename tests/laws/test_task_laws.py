"""What is true of every task in ``use/tasks``, found through its registry."""

import re
from pathlib import Path
from typing import Any

import pytest

from ziggurat.artefacts.recipe import load_recipe
from ziggurat.core.errors import ArtefactError, InputError, UsageError
from ziggurat.core.protocols import Embeds
from ziggurat.core.tasks import NamesColumns, Task
from ziggurat.judge.answers import ANSWER_METRICS
from ziggurat.models.registry import FAMILIES
from ziggurat.surface.cli import COMMANDS
from ziggurat.surface.tasks import learns, suited
from ziggurat.text.options import TextConfig
from ziggurat.use.tasks import TASKS

pytestmark = pytest.mark.parametrize("name", TASKS.names())


def test_its_metrics_are_there_and_read_one_kind_of_answer(name: str) -> None:
    task = TASKS.get(name)
    assert task.name == name
    assert len({ANSWER_METRICS.get(metric).reads for metric in task.metrics}) == 1


def test_it_has_all_that_a_task_has(name: str) -> None:
    task = TASKS.get(name)
    for part in [*Task.__annotations__, *(verb for verb in vars(Task) if not verb.startswith("_"))]:
        assert getattr(task, part, None) is not None, part
    assert {type(found) for found in (task.metrics, task.recipes)} == {tuple}


def test_its_recipes_are_of_families_that_can_serve_it(name: str) -> None:
    task = TASKS.get(name)
    for recipe in map(load_recipe, task.recipes):
        assert isinstance(FAMILIES.get(recipe.family), task.learns)
        # what reads marks, or pairs that end in queries, is of no use where there are none, and the reverse
        assert [other for other in TASKS.names() if learns(recipe, TASKS.get(other))] == [name]


def test_its_verbs_are_commands(name: str) -> None:
    commands = dict(COMMANDS.functions())
    assert {f"task {name} {verb}" for verb in ("train", "evaluate", "predict", "serve")} <= set(commands)


def test_nothing_asked_is_nothing_said_and_a_language_model_is_none_of_it(name: str) -> None:
    task = TASKS.get(name)
    model = FAMILIES.get("ngram").tiny(seed=0)
    with pytest.raises(UsageError, match=f"ziggurat task {name} train"):
        task.decode(model, None, ["two"])  # type: ignore[arg-type]


def test_without_anything_at_hand_its_first_recipe_is_taken(name: str) -> None:
    task = TASKS.get(name)
    assert suited(task, start=None, vectors=None) == (task.recipes[0], "")


def test_vectors_at_hand_choose_a_recipe_that_can_begin_with_them(name: str) -> None:
    task = TASKS.get(name)
    with_embeddings = [
        name
        for name, one in ((name, load_recipe(name)) for name in task.recipes)
        if any(isinstance(FAMILIES.get(some.family), Embeds) for some in (one, *one.parts))
    ]
    if with_embeddings:
        assert suited(task, start=None, vectors="skipgram") == (with_embeddings[0], "")
    else:
        with pytest.raises(UsageError, match="--vectors: no recipe of this task has embeddings"):
            suited(task, start=None, vectors="skipgram")


def test_a_start_that_is_none_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=re.escape(str(tmp_path))):
        suited(TASKS.get(name), start=str(tmp_path), vectors=None)


@pytest.mark.parametrize("labelled", [True, False])
def test_its_files_are_read_as_the_options_say(name: str, labelled: bool, tmp_path: Path) -> None:
    path = tmp_path / "set.txt"
    path.write_bytes("café\n".encode())
    with pytest.raises(InputError, match=r"set\.txt:1: byte 3 \(0xc3\) is not ascii"):
        list(TASKS.get(name).read([str(path)], TextConfig(encoding="ascii"), labelled=labelled))


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("key", ["field", "label_field"])
def test_a_column_is_named_only_where_there_are_some(name: str, key: str, labelled: bool, tmp_path: Path) -> None:
    path = tmp_path / "set.txt"
    path.write_text("id,mood\n1,sunny\n", encoding="utf-8")
    task = TASKS.get(name)
    told = "unknown column 'tower'" if isinstance(task, NamesColumns) else rf"text\.{key}: names a column of a table"
    named: dict[str, Any] = {key: "tower"}
    with pytest.raises(UsageError, match=told):
        list(task.read([str(path)], TextConfig(**named), labelled=labelled))
