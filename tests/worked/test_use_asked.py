"""What may be asked of a task by other programs, and what is said of anything else."""

from typing import Any

import pytest

from ziggurat.core.errors import InputError
from ziggurat.use.asked import asked_text, asked_words
from ziggurat.use.tasks import TASKS


def test_texts_and_words_come_out_as_they_went_in() -> None:
    assert asked_text(" 一部好电影 ", where="inputs[0]") == " 一部好电影 "
    assert asked_words(["吴", "重", "阳"], where="inputs[0]") == ("吴", "重", "阳")


@pytest.mark.parametrize("value", [None, 3, True, "", " \n", ["a"], {"text": "a"}, "half \ud800"])
def test_what_is_no_text_is_refused_by_its_name(value: Any) -> None:
    with pytest.raises(InputError, match=r"^inputs\[4\]: .* is no text; give a string that is not empty$"):
        asked_text(value, where="inputs[4]")


@pytest.mark.parametrize("value", [None, "a b", [], [""], ["\udfff"], ["a", 3], [["a"]], {"words": ["a"]}])
def test_what_is_no_sentence_is_refused_by_its_name(value: Any) -> None:
    with pytest.raises(InputError, match=r"^inputs\[1\]: .* is no sentence; give a list of words"):
        asked_words(value, where="inputs[1]")


def test_long_values_are_shown_in_part() -> None:
    with pytest.raises(InputError) as refused:
        asked_text(["word"] * 1000, where="inputs[0]")
    assert len(str(refused.value)) < 150


@pytest.mark.parametrize("name", TASKS.names())
def test_every_task_says_what_it_can_not_be_asked(name: str) -> None:
    with pytest.raises(InputError, match=r"^inputs\[2\]: "):
        TASKS.get(name).asked(7, where="inputs[2]")
