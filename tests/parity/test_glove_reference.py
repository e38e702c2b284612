"""Co-occurrence counts beside those of the reference programs (see ``tests/golden/glove/make.py``)."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.token_streams import MemoryStream
from tests.golden.glove.make import FORMS, MIN_COUNT
from tests.worked.test_cooccurrences import dense
from ziggurat.core.types import Vocabulary
from ziggurat.training.cooccurrences import Window, count_cooccurrences
from ziggurat.training.ngram_counting import Budget

GOLDEN = Path(__file__).parents[1] / "golden" / "glove"
UNKNOWN = 1


@pytest.fixture(scope="module")
def text() -> tuple[list[str], MemoryStream]:
    """The words, id 2 first, and the text; rare words are unknown."""
    lines = [line.split() for line in (GOLDEN / "text.txt").read_text(encoding="utf-8").splitlines()]
    counts = Counter(word for line in lines for word in line)
    words = sorted(word for word, count in counts.items() if count >= MIN_COUNT)
    assert len(words) < len(counts)  # some are unknown
    ids = {word: number for number, word in enumerate(words, start=2)}
    documents = [[ids.get(word, UNKNOWN) for word in line] for line in lines]
    return words, MemoryStream.of(documents, Vocabulary(len(words) + 2, bos=0, eos=0, unk=UNKNOWN))


@pytest.mark.parametrize("form", FORMS)
def test_counts(text: tuple[list[str], MemoryStream], form: str) -> None:
    words, stream = text
    window, symmetric, weighted = FORMS[form]
    counts = count_cooccurrences(stream, Window(window, bool(symmetric), bool(weighted)), Budget(1 << 30, 1, None))
    found = dense(counts)
    if not symmetric:
        found = found.T  # the program's rows are the words before; the paper's, and ours, have them as contexts
    expected = np.zeros_like(found)
    for one, other, x in json.loads((GOLDEN / "counts.json").read_text(encoding="utf-8"))[form]:
        expected[words.index(one) + 2, words.index(other) + 2] = x
    assert np.array_equal(found != 0, expected != 0)
    assert np.allclose(found, expected, rtol=1e-12)
