"""Laws of the beam search on every family, found by discovery: what the definition says, by trying all strings."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from tests.fakes.families import CONDITIONAL_FAMILIES, LANGUAGE_FAMILIES, PLAIN_LANGUAGE_FAMILIES, tiny_language_model
from ziggurat.core.protocols import ConditionalModel, LanguageModel
from ziggurat.core.types import IdArray
from ziggurat.models.registry import FAMILIES
from ziggurat.use.beam import BeamConfig, Hypothesis, beam_search, length_penalty

LENGTH = 3
STRINGS = 1 + 10 + 100 + 10**3
"""An end at once; one id and an end; two and an end, or three of which the last is no end (bos = eos = 0)."""
CLOSE = 1e-4
START = np.zeros(1, dtype=np.int32)


def every_string() -> Iterator[tuple[int, ...]]:
    """All that can be written in three ids: what ends in time, and what is cut off."""
    for length in range(LENGTH):
        yield from ((*ids, 0) for ids in itertools.product(range(1, 11), repeat=length))
    yield from itertools.product(range(1, 11), repeat=LENGTH)


def scored(model: LanguageModel, prompt: IdArray, exponent: float) -> dict[tuple[int, ...], tuple[float, float]]:
    """Each string's log-probability after the prompt, and its score."""
    strings = list(every_string())
    assert len(strings) == STRINGS
    ids = np.zeros((STRINGS, len(prompt) + LENGTH), dtype=np.int32)
    for row, string in enumerate(strings):
        ids[row, : len(prompt)] = prompt
        ids[row, len(prompt) : len(prompt) + len(string)] = string
    lengths = np.array([len(prompt) + len(string) for string in strings], dtype=np.int32)
    told = model.token_logprobs(ids, lengths)[:, len(prompt) - 1 :].sum(axis=1, dtype=np.float64)
    return {
        string: (float(nats), float(nats) / length_penalty(len(string), exponent))
        for string, nats in zip(strings, told, strict=True)
    }


def close(found: list[Hypothesis], expected: list[Hypothesis]) -> None:
    assert [(one.ids, one.reason) for one in found] == [(one.ids, one.reason) for one in expected]
    assert [one.score for one in found] == pytest.approx([one.score for one in expected], abs=CLOSE)
    assert [one.logprob for one in found] == pytest.approx([one.logprob for one in expected], abs=CLOSE)


@pytest.mark.parametrize("family", LANGUAGE_FAMILIES)
def test_a_beam_of_full_width_finds_the_best_there_is(family: str) -> None:
    model = tiny_language_model(family)
    for exponent in (0.0, 0.6, 2.0):
        table = scored(model, START, exponent)
        config = BeamConfig(beams=STRINGS, length_exponent=exponent, max_tokens=LENGTH, best=5)
        found = beam_search(model, [START], config)[0]
        ranked = sorted((score for _, score in table.values()), reverse=True)
        assert [one.score for one in found] == pytest.approx(ranked[:5], abs=CLOSE)
        for one in found:
            assert (one.logprob, one.score) == pytest.approx(table[one.ids], abs=CLOSE)
            assert one.reason == ("end" if one.ids[-1] == 0 else "length")


@pytest.mark.parametrize("family", LANGUAGE_FAMILIES)
def test_a_beam_of_full_width_holds_all_probability(family: str) -> None:
    config = BeamConfig(beams=STRINGS, length_exponent=0.0, max_tokens=LENGTH, best=STRINGS)
    found = beam_search(tiny_language_model(family), [START], config)[0]
    assert len({one.ids for one in found}) == STRINGS
    assert sum(np.exp(one.logprob) for one in found) == pytest.approx(1.0, abs=CLOSE)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


@pytest.mark.parametrize("family", LANGUAGE_FAMILIES)
def test_one_beam_takes_the_likeliest_token_each_time(family: str) -> None:
    model = tiny_language_model(family)
    (found,) = beam_search(model, [START], BeamConfig(beams=1, max_tokens=7))[0]
    logprobs, state = model.begin(START[None], np.ones(1, dtype=np.int32))
    total = 0.0
    for place, index in enumerate(found.ids):
        assert logprobs[0].argmax() == index
        assert (index == 0) == (place == len(found.ids) - 1 and found.reason == "end")
        total += float(logprobs[0, index])
        logprobs, state = model.step(state, np.array([index], dtype=np.int32))
    assert found.logprob == pytest.approx(total, abs=CLOSE)
    assert len(found.ids) == 7 or found.reason == "end"


@pytest.mark.parametrize("family", PLAIN_LANGUAGE_FAMILIES)
def test_a_prompt_is_continued_the_same_alone_or_in_company(family: str) -> None:
    model = tiny_language_model(family)
    prompts = [np.array(ids, dtype=np.int32) for ids in ([0], [0, 3, 7, 2], [0, 5], [0, 9, 9])]
    config = BeamConfig(beams=3, max_tokens=9, best=3)
    limits = [9, 5, 2, 40]
    together = beam_search(model, prompts, config, limits=limits)
    for prompt, limit, found in zip(prompts, limits, together, strict=True):
        close(found, beam_search(model, [prompt], config, limits=[limit])[0])
        assert max(len(one.ids) for one in found) <= min(limit, 9)


@pytest.mark.parametrize("family", PLAIN_LANGUAGE_FAMILIES)
def test_after_a_prompt_too_the_widest_beam_is_exact(family: str) -> None:
    model, prompt = tiny_language_model(family), np.array([0, 4, 8], dtype=np.int32)
    table = scored(model, prompt, 1.0)
    config = BeamConfig(beams=STRINGS, length_exponent=1.0, max_tokens=LENGTH)
    (found,) = beam_search(model, [prompt], config)[0]
    assert found.score == pytest.approx(max(score for _, score in table.values()), abs=CLOSE)


@pytest.mark.parametrize("family", CONDITIONAL_FAMILIES)
def test_each_row_is_searched_beside_its_own_source(family: str) -> None:
    model = FAMILIES.get(family).tiny(seed=3)
    assert isinstance(model, ConditionalModel)
    sources = [[3, 7, 5, 0], [9, 0], [2, 2, 6, 8, 1, 0]]
    ids = np.zeros((3, 6), dtype=np.int32)
    for row, source in enumerate(sources):
        ids[row, : len(source)] = source
    lengths = np.array([len(source) for source in sources], dtype=np.int32)
    config = BeamConfig(beams=4, max_tokens=11, best=2)
    together = beam_search(model.condition(ids, lengths), [START] * 3, config)
    for row, source in enumerate(sources):
        alone = model.condition(np.array([source], dtype=np.int32), lengths[row : row + 1])
        close(together[row], beam_search(alone, [START], config)[0])


@pytest.mark.parametrize("family", LANGUAGE_FAMILIES)
def test_ids_without_a_token_are_never_written(family: str) -> None:
    config = BeamConfig(beams=5, max_tokens=6, best=5)
    found = beam_search(tiny_language_model(family), [START], config, size=4)[0]
    assert {index for one in found for index in one.ids} <= {0, 1, 2, 3}
