"""What a plan says of the counts that a network stands on, counted by hand."""

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.fakes.machines import MACHINE
from tests.worked.test_plan_memory import ANATOMY, LOAD, work
from ziggurat.artefacts.recipe import load_recipe
from ziggurat.core.anatomy import Counted
from ziggurat.core.seeding import generator
from ziggurat.models.ngram_random import random_trie
from ziggurat.models.ngram_trie import entry_bytes
from ziggurat.study.planning.budget import Budget
from ziggurat.study.planning.counts import Counts, Growth, counts_of, growth_of
from ziggurat.study.planning.hardware import as_measured, named
from ziggurat.study.planning.memory import held
from ziggurat.study.planning.plan import Asked, Plan, make
from ziggurat.study.planning.step import from_sheet, measured
from ziggurat.study.planning.work import Work
from ziggurat.surface.language import speaking
from ziggurat.surface.planning.command import Order, train_command
from ziggurat.surface.planning.options import PlanOptions
from ziggurat.surface.planning.sheet import write_plans
from ziggurat.surface.planning.subjects import Planned, asked_of, planned
from ziggurat.surface.terminal import Terminal

# Trigrams of 11 ids, two distributions of which are handed on: 22 numbers a position; 3 folds.
COUNTED = Counted(order=3, ids=11, told=22, entry_bytes=14, longest_bytes=6)
HERE = as_measured(MACHINE)
AWAY = named("own", changes={"memory_gb": 1.0, "bandwidth_gb": 1.0, "f32_tflops": 1e-3, "bf16_tflops": 1e-3})
TEXT = 997.0


def counted(**changes: Any) -> Work:
    return replace(work(), anatomy=replace(ANATOMY, counted=COUNTED), folds=3, **changes)


def plan(budget: Budget, tokens: float | None = TEXT, **asked: Any) -> Plan:
    return make(counted(), HERE, Asked(budget, corpus_tokens=tokens, **asked))


# -- bytes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "order"), [(7, 1), (7, 2), (7, 5), (1 << 17, 1), (1 << 17, 3)])
def test_the_bytes_of_an_n_gram_are_those_of_the_arrays(order: int, size: int) -> None:
    trie = random_trie(generator(0, "bytes"), size=size, order=order)
    below, longest = entry_bytes(size)
    one = Counted(order, size, size, below, longest)
    counts = trie.counts()
    found = one.bytes_of(97, ngrams=lambda words, tokens: counts[words - 1])
    arrays = sum(array.nbytes for name, array in trie.state().items() if name != "starts")
    # one child more is held, and where there is one order only neither children nor back-offs are many
    assert found == pytest.approx(arrays, abs=4)
    assert found <= one.bytes_of(97)


def test_a_text_has_no_more_n_grams_than_tokens_and_than_ids_allow() -> None:
    # 11 unigrams, 121 bigrams that there can be, 997 trigrams that a text of 997 tokens can have
    assert COUNTED.bytes_of(997) == 14 * (11 + 121) + 6 * 997
    # 101 of each, in a text of 101 tokens
    assert COUNTED.bytes_of(101) == 14 * (11 + 101) + 6 * 101
    # 11³ = 1331 at most
    assert COUNTED.bytes_of(1e9) == 14 * (11 + 121) + 6 * 1331
    # and no more than the text is said to have
    assert COUNTED.bytes_of(1e9, ngrams=lambda words, tokens: 10.0**words) == 14 * (11 + 100) + 6 * 1000


def test_how_n_grams_grow_is_told_from_a_sample() -> None:
    # the first half has ab bc ca and abc bca; all of it ab bc ca ax xa cx and abc bca cax axa xac cxa
    found = growth_of([0, 1, 2, 0, 1, 2, 0, 7, 0, 1, 2, 7, 0], 3)
    assert found == Growth(13, half=(3, 3), whole=(6, 8))
    # twice as many in 13 tokens as in half of them: the power is 1, and 8 / 3 for trigrams
    assert found.ngrams(2, 130) == pytest.approx(60)
    assert found.ngrams(3, 26) == pytest.approx(8 * 8 / 3)
    assert growth_of([0, 1, 2] * 3, 3) is None
    assert growth_of([0, 1] * 50, 1) is None


def test_different_n_grams_are_those_that_counting_finds() -> None:
    ids = generator(0, "growth").integers(0, 13, 2003)
    found = growth_of(ids.tolist(), 5)
    assert found is not None
    for words in (2, 3, 4, 5):
        windows = np.lib.stride_tricks.sliding_window_view(ids, words)
        assert found.whole[words - 2] == len({tuple(one) for one in windows.tolist()})


def test_each_fold_has_counts_of_the_others() -> None:
    found = counts_of(counted(), HERE, TEXT)
    assert found is not None
    # of 997 tokens once, and three times of two thirds
    each = [14 * 132 + 6 * tokens for tokens in (997, 997 * 2 / 3)]
    assert found.bytes == pytest.approx(each[0] + 3 * each[1])
    # three orders of 3 · 997 tokens at 500 ns
    assert found.seconds == pytest.approx(3 * 3 * 997 * 5e-7)
    # 6 positions of 22 numbers
    assert found.read_bytes == 4 * 6 * 22
    assert (found.here, found.at_most, found.left_out) == (True, True, ())
    told = counts_of(counted(), HERE, TEXT, Growth(100, half=(10, 10), whole=(10, 10)))
    assert told is not None
    assert (told.bytes, told.at_most) == (4 * (14 * 21 + 60), False)


def test_what_stands_on_no_counts_is_planned_as_ever() -> None:
    assert counts_of(work(), HERE, TEXT) is None
    found = make(work(), HERE, Asked(Budget("steps", 7), corpus_tokens=TEXT))
    assert (found.counts, found.counting_seconds, found.step.counts) == (None, 0, 0)
    assert found.to_mapping()["counts"] is None


@pytest.mark.parametrize(
    ("hardware", "tokens", "left_out"),
    [
        (HERE, TEXT, ()),
        (HERE, None, ("bytes", "seconds")),
        (AWAY, TEXT, ("seconds", "reading", "sending")),
        (AWAY, None, ("bytes", "seconds", "reading", "sending")),
    ],
)
def test_what_is_not_known_is_told(hardware: Any, tokens: float | None, left_out: tuple[str, ...]) -> None:
    found = counts_of(counted(), hardware, tokens)
    assert found is not None
    assert found.left_out == left_out
    assert (found.beside_bytes > 0) is (hardware is HERE and tokens is not None)


# -- memory and time ---------------------------------------------------------------------------------------------------


def test_counts_leave_less_room_and_make_the_process_larger() -> None:
    with_text, without = (plan(Budget("steps", 7), tokens) for tokens in (TEXT, None))
    assert with_text.counts is not None
    size = with_text.counts.bytes or 0.0
    assert with_text.process_bytes - without.process_bytes == pytest.approx(size)
    # an allocator keeps a quarter more of everything else
    limits = [one.outcomes[0].limit for one in (without, with_text)]
    assert limits[0] - limits[1] == pytest.approx(size / 1.25, rel=1e-6)
    assert not plan(Budget("steps", 7), 1e9).outcomes[0].limit < 0  # 11 ids have few n-grams
    wide = replace(counted(), anatomy=replace(ANATOMY, counted=replace(COUNTED, ids=10_007)))
    assert not make(wide, HERE, Asked(Budget("steps", 7), corpus_tokens=1e9)).fits


@pytest.mark.parametrize("again", [False, True])
def test_what_is_read_stands_in_memory_twice_beside_what_is_kept(again: bool) -> None:
    told, plain = (held(one, "one", 1, recompute=again) for one in (counted(accumulate=3), work(accumulate=3)))
    assert (told.told, plain.told) == (2 * 528, 0)  # of one batch: 4 · 6 · 22
    assert told.peak - plain.peak == 1056


def test_what_counts_say_takes_its_time_in_each_batch() -> None:
    # 6 positions of 22 numbers at 3 ns, of both batches
    step = measured(counted(accumulate=2), MACHINE)
    assert step.counts == pytest.approx(2 * 6 * 22 * 3e-9)
    assert step.computing == pytest.approx(measured(work(accumulate=2), MACHINE).computing + step.counts)
    assert from_sheet(counted(), AWAY, reached=0.5).counts == 0
    slower = MACHINE.shared_by(3, cores=1)
    assert (slower.telling, slower.counting) == pytest.approx((9e-9, 1.5e-6))


def test_counting_is_of_the_minutes() -> None:
    steps, minute = plan(Budget("steps", 7)), plan(Budget("minutes", 1))
    counting = 3 * 3 * 997 * 5e-7
    assert steps.counting_seconds == minute.counting_seconds == pytest.approx(counting)
    assert steps.seconds == pytest.approx(7 * steps.step_seconds + counting)
    assert minute.seconds == pytest.approx(60)
    assert minute.steps == pytest.approx((60 - counting) / minute.step_seconds)


def test_evaluations_read_counts_as_steps_do() -> None:
    found = plan(Budget("steps", 7), evaluation_tokens=90)
    step = found.step
    each = (step.counts + (step.computing - step.counts) / 3) / 6
    assert found.evaluation_seconds == pytest.approx(90 * each)


def test_minutes_that_counting_takes_are_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    asked = Asked(Budget("minutes", 1e-5), corpus_tokens=TEXT)  # 0.6 ms; counting takes 4.5
    one = Planned("tower", counted(), None)
    for language, said in (("en", "tower: counting alone takes 4.5 ms"), ("zh", "tower：仅计数就需 4.5 ms")):
        with speaking(language):
            write_plans(Terminal(), Order("counted-gpt"), [(one, asked)], HERE)
        _, err = capsys.readouterr()
        assert said in err
        assert "ziggurat train" not in err  # it would end before its first step
    found = make(one.work, HERE, asked)
    assert (found.tokens, found.seconds) == (0, pytest.approx(3 * 3 * 997 * 5e-7))
    assert train_command(Order("counted-gpt"), [(one, found)]) is None


def test_what_no_gradient_goes_through_is_made_forward_only() -> None:
    (tower,) = ANATOMY.towers
    bottom, block, output = tower.parts
    changed = replace(ANATOMY, towers=(replace(tower, parts=(bottom, block, replace(output, forward_products=55))),))
    told, plain = replace(work(), anatomy=changed), work()
    # 55 products of 6 tokens: two operations each in place of six
    assert (plain.model_flops, told.model_flops) == (5760, 5760 - 4 * 55 * 6)
    assert told.done_flops(recompute=False) == told.model_flops
    less = measured(plain, MACHINE).products - measured(told, MACHINE).products
    assert less == pytest.approx(4 * 55 * 6 / 1e9)


# -- in words ----------------------------------------------------------------------------------------------------------


def sheet(capsys: pytest.CaptureFixture[str], hardware: Any, tokens: float | None, **asked: Any) -> str:
    one = Planned("tower", counted(), None)
    write_plans(Terminal(), Order("tower"), [(one, Asked(Budget("steps", 7), corpus_tokens=tokens, **asked))], hardware)
    return capsys.readouterr().out


def test_the_sheet_tells_counts_apart(capsys: pytest.CaptureFixture[str]) -> None:
    out = sheet(capsys, HERE, TEXT)
    assert "counts come on top" not in out
    rows = {line.partition("  ")[0]: line.split("  ")[-1].strip() for line in out.splitlines()}
    # 4 · 14 · 132 + 6 · (997 + 3 · 664.7) = 7392 + 17,946
    assert "counts of n-grams, at most" in rows
    assert "25.3 kB" in out
    for said in ("reading and weighing counts", "… of it for counting"):
        assert said in rows
    told = sheet(capsys, HERE, TEXT, growth=Growth(100, half=(10, 10), whole=(10, 10)))
    assert "counts of n-grams, about" in told


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_left_out_is_said_in_a_line(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    first = {"en": "counts come on top", "zh": "计数另计"}[language]
    with speaking(language):
        found = [sheet(capsys, *where) for where in ((HERE, None), (AWAY, TEXT), (AWAY, None))]
    assert [out.count(first) for out in found] == [1, 1, 2]
    assert ["--text-tokens" in out for out in found] == [True, False, True]
    assert ["528 B" in out for out in found] == [False, True, True]  # 4 · 6 · 22


def test_json_says_what_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    order = Order("tower", options=PlanOptions(json=True))
    write_plans(Terminal(), order, [(Planned("tower", counted(), None), Asked(Budget("steps", 7)))], AWAY)
    found = json.loads(capsys.readouterr().out)["plans"][0]["counts"]
    assert found == {
        "bytes": None, "at_most": True, "seconds": None, "read_bytes": 528, "here": False,
        "left_out": ["bytes", "seconds", "reading", "sending"],
    }  # fmt: skip
    assert set(found) - {"left_out"} == set(Counts.__dataclass_fields__)


# -- recipes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "channels"), [("counted-gpt", 1), ("counted-lstm", 3)])
def test_recipes_on_counts_say_so(name: str, channels: int) -> None:
    recipe = load_recipe(name).change({"training.optimiser": "adamw"})
    (one,) = planned(recipe, PlanOptions(hardware="h100-sxm"))
    assert one.work.anatomy.counted == Counted(5, 4096, channels * 4096, 14, 6)
    assert one.work.folds == 4


def test_only_of_a_text_that_is_counted_n_grams_are_told(tmp_path: Any) -> None:
    (tmp_path / "text.txt").write_text("the tower of the town " * 500)
    options = PlanOptions(hardware="h100-sxm")
    for name, told in (("counted-lstm", True), ("lstm", False)):
        recipe = load_recipe(name)
        (found,) = asked_of(recipe, planned(recipe, options), [str(tmp_path / "text.txt")], options, None)
        assert (found.growth is not None) is told
        if found.growth is not None:
            assert len(found.growth.whole) == 4  # of 2, 3, 4 and 5 words
            assert math.isfinite(found.growth.ngrams(5, 1e9))


def test_the_example_is_that_of_memory() -> None:
    assert LOAD.rows * LOAD.text == 6
