"""Completion and scoring through the one protocol, for every family that is found."""

import numpy as np
import pytest

from tests.fakes.bundles import eleven_words
from tests.fakes.families import LANGUAGE_FAMILIES, tiny_language_model
from ziggurat.core.protocols import LanguageModel
from ziggurat.use.completion import GenerationConfig, generate
from ziggurat.use.scoring import score_texts

TOKENIZER = eleven_words()
PROMPTS = ["one two", "", "nine nine nine six", "three"]

pytestmark = pytest.mark.parametrize("family", LANGUAGE_FAMILIES)


def model_of(family: str) -> LanguageModel:
    return tiny_language_model(family)


def test_a_continuation_reads_the_same_alone_and_in_company(family: str) -> None:
    model, config = model_of(family), GenerationConfig(max_tokens=9)
    together = generate(model, TOKENIZER, PROMPTS, config, seed=5)
    first = generate(model, TOKENIZER, PROMPTS[:1], config, seed=5)
    assert [c.ids for c in together][:1] == [c.ids for c in first]
    assert together == generate(model, TOKENIZER, PROMPTS, config, seed=5)


def test_samples_of_one_prompt_stand_together_and_differ(family: str) -> None:
    found = generate(model_of(family), TOKENIZER, ["one", "two"], GenerationConfig(max_tokens=11, samples=5), seed=1)
    assert len(found) == 10
    assert len({c.ids for c in found}) > 5


def test_greedy_is_the_likeliest_at_each_step(family: str) -> None:
    model = model_of(family)
    (found,) = generate(model, TOKENIZER, ["one two"], GenerationConfig(max_tokens=7, temperature=0.0))
    ids = [0, *TOKENIZER.encode("one two").ids.tolist()]
    total = 0.0
    for chosen in found.ids:
        logprobs, _ = model.begin(np.array([ids], np.int32), np.array([len(ids)], np.int32))
        assert chosen == int(logprobs[0].argmax())
        total += float(logprobs[0, chosen])
        ids.append(chosen)
    assert found.logprob == pytest.approx(total, abs=1e-4)


def test_the_log_probability_is_that_of_scoring(family: str) -> None:
    model = model_of(family)
    for found in generate(model, TOKENIZER, PROMPTS, GenerationConfig(max_tokens=6), seed=2):
        assert found.reason in ("length", "end")
        assert len(found.ids) <= 6
        assert (found.reason == "end") == (found.ids[-1] == 0)
    (one,) = generate(model, TOKENIZER, ["six"], GenerationConfig(max_tokens=6), seed=4)
    ids = np.array([[0, *TOKENIZER.encode("six").ids, *one.ids]], np.int32)
    scored = model.token_logprobs(ids, np.array([ids.size], np.int32))[0]
    assert one.logprob == pytest.approx(float(scored[-len(one.ids) :].sum()), abs=1e-4)


def test_what_streams_joins_to_the_text(family: str) -> None:
    streamed = dict.fromkeys(range(8), "")

    def hear(number: int, text: str) -> None:
        assert text
        streamed[number] += text

    config = GenerationConfig(max_tokens=9, samples=2, stop=("two",))
    found = generate(model_of(family), TOKENIZER, PROMPTS, config, seed=9, on_text=hear)
    assert [c.text for c in found] == [streamed[number] for number in range(8)]
    assert all("two" not in c.text for c in found)


def test_a_stop_string_ends_the_text_before_it(family: str) -> None:
    model = model_of(family)
    (free,) = generate(model, TOKENIZER, ["one"], GenerationConfig(max_tokens=13), seed=6)
    words = free.text.split()
    if len(words) > 2:
        (stopped,) = generate(model, TOKENIZER, ["one"], GenerationConfig(max_tokens=13, stop=(words[2],)), seed=6)
        assert stopped.reason == "stop"
        assert free.text.startswith(stopped.text)
        assert words[2] not in stopped.text


def test_nothing_is_written_where_nothing_may(family: str) -> None:
    (found,) = generate(model_of(family), TOKENIZER, ["one"], GenerationConfig(max_tokens=0))
    assert (found.text, found.ids, found.reason) == ("", (), "length")


def test_text_longer_than_the_context_goes_on(family: str, caplog: pytest.LogCaptureFixture) -> None:
    model = model_of(family)
    long = "one two three " * 40
    (found,) = generate(model, TOKENIZER, [long], GenerationConfig(max_tokens=150, temperature=3.0), seed=8)
    assert found.ids
    assert ("fit the model's context" in caplog.text) == (model.context is not None)


@pytest.mark.parametrize("text", ["one two six. nine", "", "three"])
def test_units_add_up(family: str, text: str) -> None:
    model = model_of(family)
    by_token, by_sentence, by_document = (
        score_texts(model, TOKENIZER, [text], by=by)[0] for by in ("token", "sentence", "document")
    )
    ids = np.array([[0, *TOKENIZER.encode(text).ids, 0]], np.int32)
    total = float(model.score(ids, np.array([ids.size], np.int32))[0])
    for parts in (by_token, by_sentence, by_document):
        assert sum(part.logprob for part in parts) == pytest.approx(total, abs=1e-4)
        assert sum(part.tokens for part in parts) == ids.size - 1
        assert "".join(text[part.start : part.start + len(part.text)] for part in parts) == "".join(
            part.text for part in parts
        )
    assert len(by_document) == 1
