"""Completion by hand: models that say what we tell them, so that every id, length and logarithm is known before."""

import math
from collections import Counter

import numpy as np
import pytest

from tests.fakes.bundles import eleven_words
from tests.fakes.scripted import Prefix, Scripted, reciting
from ziggurat.core.types import Vocabulary
from ziggurat.use.completion import GenerationConfig, generate

TOKENIZER = eleven_words()
ONE, TWO, THREE, FOUR = (int(TOKENIZER.encode(word).ids[0]) for word in ("one", "two", "three", "four"))
VOCABULARY = TOKENIZER.vocabulary


def weighed(**chances: float) -> list[float]:
    """Weights of the eleven ids: words by name, ``end`` for the end of text."""
    row = [0.0] * VOCABULARY.size
    for word, chance in chances.items():
        row[0 if word == "end" else int(TOKENIZER.encode(word).ids[0])] = chance
    return row


def coin(prefix: Prefix) -> list[float]:
    """One or two, whatever came before; it never ends."""
    return weighed(one=3.0, two=1.0)


# -- what is counted --------------------------------------------------------------------------------------------------


def test_the_log_probability_is_the_models_own_before_temperature_and_filters() -> None:
    # greedy takes "one" three times: p = 3/4 each under the model, 1 under what is drawn from
    (found,) = generate(Scripted(VOCABULARY, coin), TOKENIZER, [""], GenerationConfig(max_tokens=3, temperature=0.0))
    assert found.ids == (ONE, ONE, ONE)
    assert found.logprob == pytest.approx(3 * math.log(3 / 4))


def test_the_end_of_text_is_an_id_with_its_probability_but_no_text() -> None:
    def weights(prefix: Prefix) -> list[float]:
        return weighed(one=1.0) if len(prefix) < 3 else weighed(end=4.0, two=1.0)

    # <bos> → one → one → end: ln 1 + ln 1 + ln 4/5
    (found,) = generate(Scripted(VOCABULARY, weights), TOKENIZER, [""], GenerationConfig(temperature=0.0))
    assert (found.text, found.ids, found.reason) == ("one one", (ONE, ONE, 0), "end")
    assert found.logprob == pytest.approx(math.log(4 / 5), abs=1e-6)


@pytest.mark.parametrize(
    ("limit", "ids", "reason"),
    [(0, (), "length"), (1, (ONE,), "length"), (2, (ONE, TWO), "length"), (3, (ONE, TWO, 0), "end")],
)
def test_a_limit_counts_ids_and_the_end_of_text_is_one(limit: int, ids: tuple[int, ...], reason: str) -> None:
    model = reciting(VOCABULARY, [ONE, TWO])
    (found,) = generate(model, TOKENIZER, [""], GenerationConfig(max_tokens=limit))
    assert (found.ids, found.reason) == (ids, reason)


def test_an_end_that_comes_with_the_last_allowed_token_is_an_end() -> None:
    (found,) = generate(reciting(VOCABULARY, []), TOKENIZER, [""], GenerationConfig(max_tokens=1))
    assert (found.text, found.reason) == ("", "end")


def test_repetition_is_counted_over_prompt_and_continuation() -> None:
    # ln 1/2 = −0.69 for "one", ln 3/10 = −1.20 for "two", ln 1/5 = −1.61 for "three". Penalty 3 makes what was said
    # −2.08, −3.61, −4.83. After the prompt "one": two (−1.20). Then three (−1.61). Then all are said: one (−2.08).
    model = Scripted(VOCABULARY, lambda _: weighed(one=5.0, two=3.0, three=2.0))
    config = GenerationConfig(max_tokens=4, temperature=0.0, repetition_penalty=3.0)
    (found,) = generate(model, TOKENIZER, ["one"], config)
    assert found.ids == (TWO, THREE, ONE, ONE)


def test_draws_follow_the_model() -> None:
    config = GenerationConfig(max_tokens=1, samples=2000)
    drawn = Counter(c.ids[0] for c in generate(Scripted(VOCABULARY, coin), TOKENIZER, [""], config, seed=1))
    # binomial with p = 3/4: mean 1500, standard deviation √(2000 · 3/16) ≈ 19.4; five of them are 97
    assert abs(drawn[ONE] - 1500) < 97
    assert drawn[ONE] + drawn[TWO] == 2000


# -- rows and their generators ----------------------------------------------------------------------------------------


def test_each_continuation_has_dice_of_its_own() -> None:
    """What a continuation reads depends on seed and number, not on how many others there are or when they end."""

    def early(prefix: Prefix) -> list[float]:
        # what begins with "two" ends soon, so that rows leave the batch at different times
        return weighed(end=1.0, one=1.0) if prefix[1:2] == (TWO,) else coin(prefix)

    model = Scripted(VOCABULARY, early)
    many, few = (
        generate(model, TOKENIZER, [""], GenerationConfig(max_tokens=13, samples=samples), seed=7)
        for samples in (23, 11)
    )
    assert many[:11] == few
    assert len({c.ids for c in many}) > 11
    assert {c.reason for c in many} == {"end", "length"}
    assert generate(model, TOKENIZER, [""], GenerationConfig(max_tokens=13, samples=23), seed=8) != many


def test_the_next_samples_prompt_goes_on_counting_where_the_first_stopped() -> None:
    model = Scripted(VOCABULARY, coin)
    config = GenerationConfig(max_tokens=11, samples=3)
    two_prompts = generate(model, TOKENIZER, ["three", "four"], config, seed=2)
    six = generate(model, TOKENIZER, ["three"], GenerationConfig(max_tokens=11, samples=6), seed=2)
    # this model does not look at its prompt, so number n draws the same after either
    assert [c.ids for c in two_prompts] == [c.ids for c in six]


def test_rows_that_have_ended_cost_nothing() -> None:
    def weights(prefix: Prefix) -> list[float]:
        # the prompt's length says how long the text becomes
        goal = {ONE: 2, TWO: 4, THREE: 7}[prefix[1]]
        return weighed(one=1.0) if len(prefix) - 2 < goal - 1 else weighed(end=1.0)

    model = Scripted(VOCABULARY, weights)
    found = generate(model, TOKENIZER, ["one", "three", "two"], GenerationConfig())
    assert [len(c.ids) for c in found] == [2, 7, 4]
    assert [c.reason for c in found] == ["end"] * 3
    # the first id comes from reading the prompts; then 3 rows write a second, 2 a third and fourth, 1 up to the seventh
    assert model.steps == [3, 2, 2, 1, 1, 1]


def test_nothing_to_write_asks_the_model_nothing() -> None:
    model = Scripted(VOCABULARY, coin)
    assert generate(model, TOKENIZER, [], GenerationConfig()) == []
    assert generate(model, TOKENIZER, ["one"], GenerationConfig(max_tokens=0))[0].ids == ()
    assert (model.read, model.steps) == ([], [])


# -- the context ------------------------------------------------------------------------------------------------------


def test_a_long_prompt_is_read_from_as_far_back_as_fits(caplog: pytest.LogCaptureFixture) -> None:
    model = Scripted(VOCABULARY, coin, context=5)
    generate(model, TOKENIZER, ["one two three four one two"], GenerationConfig(max_tokens=1))
    assert model.read == [[(TWO, THREE, FOUR, ONE, TWO)]]
    assert "the prompt has 7 tokens; only its last 5 fit the model's context" in caplog.text


def test_a_text_that_outgrows_the_context_is_read_again_from_half_of_it() -> None:
    model = Scripted(VOCABULARY, coin, context=6)
    (found,) = generate(model, TOKENIZER, ["three"], GenerationConfig(max_tokens=11), seed=3)
    text = (0, THREE, *found.ids)
    # 2 ids are read, and 4 steps fill the context of 6 with text[:6]; the id after, text[6], does not fit, so the last
    # 3 are read: text[4:7]. 3 more steps fill it with text[4:10]; the last 3 of text[:11] are text[8:11].
    assert [rows[0] for rows in model.read] == [text[:2], text[4:7], text[8:11]]
    # the ids drawn: 1 + 4 + 1 + 3 + 1 = 10, and one more step for the eleventh
    assert len(model.steps) == 4 + 3 + 1


def test_a_context_of_one_id_is_enough() -> None:
    model = Scripted(VOCABULARY, lambda prefix: weighed(two=1.0) if prefix[-1] == ONE else weighed(one=1.0), context=1)
    (found,) = generate(model, TOKENIZER, ["one"], GenerationConfig(max_tokens=4))
    assert found.ids == (TWO, ONE, TWO, ONE)


def test_prompts_of_different_lengths_share_a_context_and_stay_right() -> None:
    def follow(prefix: Prefix) -> list[float]:
        """One after two, two after three, three after four, four after one: only the last id counts."""
        after = {ONE: "four", TWO: "one", THREE: "two", FOUR: "three"}
        return weighed(**{after.get(prefix[-1], "one"): 1.0})

    model = Scripted(VOCABULARY, follow, context=4)
    found = generate(model, TOKENIZER, ["one", "one two three four two two", ""], GenerationConfig(max_tokens=6))
    assert found[0].text.split() == ["four", "three", "two", "one", "four", "three"]
    assert found[1].text.split() == ["one", "four", "three", "two", "one", "four"]
    assert found[2].text.split() == ["one", "four", "three", "two", "one", "four"]


# -- what is heard ----------------------------------------------------------------------------------------------------


def test_pieces_come_as_soon_as_they_are_certain() -> None:
    heard: list[tuple[int, str]] = []
    model = reciting(VOCABULARY, [ONE, TWO, THREE])
    config = GenerationConfig(stop=("two four",))
    generate(model, TOKENIZER, [""], config, on_text=lambda number, text: heard.append((number, text)))
    # "two" may begin the stop string and waits for "three", which shows that it does not
    assert heard == [(0, "one"), (0, " "), (0, "two three")]


def test_a_stop_string_that_the_prompt_began_is_not_one() -> None:
    (found,) = generate(reciting(VOCABULARY, [TWO, ONE, TWO], start=2), TOKENIZER, ["one"], GenerationConfig())
    assert found.text == " two one two"
    config = GenerationConfig(stop=("one two",))
    (stopped,) = generate(reciting(VOCABULARY, [TWO, ONE, TWO], start=2), TOKENIZER, ["one"], config)
    assert (stopped.text, stopped.reason) == (" two ", "stop")
    assert stopped.ids == (TWO, ONE, TWO)


def test_ids_are_32_bit_at_the_models_door() -> None:
    types = set()

    class Watching(Scripted):
        def step(self, state: list[Prefix], ids: np.ndarray) -> tuple[np.ndarray, list[Prefix]]:
            types.add(ids.dtype)
            return super().step(state, ids)

    generate(Watching(Vocabulary(11, 0, 0), coin), TOKENIZER, [""], GenerationConfig(max_tokens=5))
    assert types == {np.dtype(np.int32)}
