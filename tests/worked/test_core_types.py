"""The plain values: frozen, small, and with the defaults that callers rely on."""

import dataclasses

import numpy as np
import pytest

from ziggurat.core import types
from ziggurat.core.types import Continuation, Document, Encoding, Span, Vocabulary

VALUES = [
    Document("a", "text"),
    Span(0, 3, "PER"),
    Encoding(np.zeros(2, np.int32), np.zeros((2, 2), np.int32)),
    Vocabulary(11, 0, 0),
    Continuation("b", (3, 5), -1.5, "stop"),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_cannot_be_changed(value: object) -> None:
    first = dataclasses.fields(value)[0].name  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, first, None)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_carries_no_dictionary(value: object) -> None:
    assert not hasattr(value, "__dict__")


def test_a_document_needs_only_its_name_and_its_text() -> None:
    assert Document("a", "text") == Document("a", "text", source="", language="")


def test_a_vocabulary_may_begin_and_end_alike_and_lack_unknown() -> None:
    assert Vocabulary(11, 0, 0).unk is None
    assert Vocabulary(11, bos=1, eos=2) != Vocabulary(11, bos=2, eos=1)


def test_the_listed_names_are_there() -> None:
    assert [name for name in types.__all__ if not hasattr(types, name)] == []
