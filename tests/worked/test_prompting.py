"""Prompts by hand: how examples are written, chosen and dropped, and what a scripted model answers to them."""

import math
from collections import Counter

import numpy as np
import pytest

from tests.fakes.scripted import Extending, Prefix, Scripted
from ziggurat.core.errors import UnknownNameError, UsageError
from ziggurat.core.protocols import LanguageModel
from ziggurat.tokens.loading import train_tokenizer
from ziggurat.use.prompting import (
    TEMPLATES,
    FewShotClassifier,
    Labelling,
    PromptConfig,
    Template,
    choose_examples,
    without_shown,
)

TOKENIZER = train_tokenizer(["abcdefghijklmnopqrstuvwxyz :\n"], "bytes")
"""One token a byte, so that lengths can be counted by eye."""

ANSWERS = {"0": "no", "1": "yes"}
EXAMPLES = [("dull", "0"), ("fine", "1")]
CONFIG = PromptConfig(template="{text}: {label}", separator=r"\n", no_calibrate=True)


def byte(letter: str) -> int:
    return int(TOKENIZER.encode(letter).ids[0])


def weights(**chances: float) -> list[float]:
    """Chances of letters; an underscore is a space."""
    row = [1e-6] * TOKENIZER.vocabulary.size
    for letter, chance in chances.items():
        row[byte(" " if letter == "_" else letter)] = chance
    return row


def written(prefix: Prefix) -> str:
    return TOKENIZER.decode(list(prefix))


def echo(prefix: Prefix) -> list[float]:
    """Yes where the line in question has an f, no where it has a d, and no twice as likely where it has neither."""
    line = written(prefix).rpartition("\n")[2]
    question, _, answer = line.partition(":")
    if not answer:
        return weights(_=1.0)
    if answer == " ":
        yes, no = (3.0, 1.0) if "f" in question else (1.0, 3.0) if "d" in question else (1.0, 2.0)
        return weights(y=yes, n=no)
    return weights(**{{"y": "e", "e": "s", "n": "o"}.get(answer[-1], "_"): 1.0})


def classifier(model: LanguageModel, config: PromptConfig = CONFIG, shots: int = 2) -> FewShotClassifier:
    return FewShotClassifier(model, TOKENIZER, EXAMPLES[:shots], ANSWERS, config)


# -- templates --------------------------------------------------------------------------------------------------------


def test_probabilities_are_those_of_the_logprobs() -> None:
    # ln 0.25 and ln 0.75 among two labels; raw: ln 0.5 twice
    told = {"a": math.log(0.25), "b": math.log(0.75)}
    raw = {"a": math.log(0.5), "b": math.log(0.5)}
    found = Labelling("b", "a", told, raw, 3, False)
    assert found.probabilities == pytest.approx({"a": 0.25, "b": 0.75})
    assert found.uncalibrated_probabilities == pytest.approx({"a": 0.5, "b": 0.5})


def test_what_the_prompt_shows_is_left_out_spaces_aside_and_both_copies_of_it() -> None:
    texts, labels = ["x  y", "z", "x y ", "xy"], ["0", "1", "1", "0"]
    assert without_shown(texts, labels, [("x y", "0")]) == (["z", "xy"], ["1", "0"])
    assert without_shown(texts, labels, []) == (texts, labels)


def test_a_template_writes_examples_questions_and_answers() -> None:
    template = Template("In: {text}\nOut:  {label} ({{sure}})")
    assert template.example(" fine ", "yes") == "In: fine\nOut:  yes ({sure})"
    assert template.question("fine") == "In: fine\nOut:"
    assert template.answer("yes") == "  yes"
    assert template.cue == "\nOut:"


def test_braces_in_a_text_are_text() -> None:
    assert Template("{text} = {label}").example("{label} {0} {", "x") == "{label} {0} { = x"


def test_chinese_is_written_without_spaces() -> None:
    template = Template(TEMPLATES["zh"])
    assert template.example("房间很大", "正面") == "文本：房间很大\n标签：正面"
    assert template.answer("正面") == "正面"


@pytest.mark.parametrize(
    "pattern",
    ["{text}", "{label}", "{label} {text}", "{text} {text} {label}", "{text} {label} {label}", "", "{} {label}"],
)
def test_a_template_has_each_field_once_and_in_order(pattern: str) -> None:
    with pytest.raises(UsageError, match=r"template"):
        Template(pattern)


def test_another_field_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown field 'lable'; did you mean 'label'"):
        Template("{text} {lable}")


@pytest.mark.parametrize("pattern", ["{text:>9} {label}", "{text} {label!r}"])
def test_a_field_is_written_as_it_is(pattern: str) -> None:
    with pytest.raises(UsageError, match="without ':' or '!'"):
        Template(pattern)


def test_a_lonely_brace_is_explained() -> None:
    with pytest.raises(UsageError, match="a brace that is text is written twice"):
        Template("{text} {label} }")


# -- choosing ---------------------------------------------------------------------------------------------------------

TEXTS = [f"t{number}" for number in range(29)]
LABELS = ["a"] * 19 + ["b"] * 7 + ["c"] * 3


@pytest.mark.parametrize(("count", "expected"), [(3, [1, 1, 1]), (9, [3, 3, 3]), (4, [1, 1, 2]), (5, [1, 2, 2])])
def test_balanced_examples_are_equally_many_of_each_label_but_for_one(count: int, expected: list[int]) -> None:
    for seed in range(5):
        chosen = choose_examples(TEXTS, LABELS, count, seed=seed)
        assert sorted(Counter(label for _, label in chosen).values()) == expected
        assert all(LABELS[TEXTS.index(text)] == label for text, label in chosen)
        assert len({text for text, _ in chosen}) == count


def test_the_seed_decides_and_order_is_random() -> None:
    assert choose_examples(TEXTS, LABELS, 6, seed=3) == choose_examples(TEXTS, LABELS, 6, seed=3)
    orders = {tuple(label for _, label in choose_examples(TEXTS, LABELS, 6, seed=seed)) for seed in range(20)}
    assert len(orders) > 5


def test_fewer_shots_are_the_first_of_more() -> None:
    assert choose_examples(TEXTS, LABELS, 3, seed=1) == choose_examples(TEXTS, LABELS, 9, seed=1)[:3]
    few = choose_examples(TEXTS, LABELS, 3, seed=1, balanced=False)
    assert few == choose_examples(TEXTS, LABELS, 9, seed=1, balanced=False)[:3]


def test_unbalanced_examples_follow_the_labels_share() -> None:
    drawn = Counter(
        label for seed in range(97) for _, label in choose_examples(TEXTS, LABELS, 5, seed=seed, balanced=False)
    )
    # of 485 draws 19/29 are a: 318 ± 3 · √(485 · 19/29 · 10/29) = ± 31
    assert 287 <= drawn["a"] <= 349


def test_too_few_examples_are_an_error_that_says_of_what() -> None:
    with pytest.raises(UsageError, match=r"label 'c' has only 3"):
        choose_examples(TEXTS, LABELS, 12, seed=0)
    with pytest.raises(UsageError, match=r"31 shots, but there are only 29"):
        choose_examples(TEXTS, LABELS, 31, seed=0, balanced=False)
    assert choose_examples(TEXTS, LABELS, 0, seed=0) == []


# -- labelling --------------------------------------------------------------------------------------------------------


def test_the_prompt_shows_the_examples_and_then_the_question() -> None:
    assert classifier(Scripted(TOKENIZER.vocabulary, echo)).prompt("fun") == "dull: no\nfine: yes\nfun:"
    told = PromptConfig(template=r"{text}\n{label}", separator="|", instruction=r"Say yes or no.\n\n")
    found = classifier(Scripted(TOKENIZER.vocabulary, echo), told)
    assert found.prompt("fun") == "Say yes or no.\n\ndull\nno|fine\nyes|fun\n"


def test_the_likeliest_label_is_the_answer_with_its_probability_among_labels() -> None:
    found = classifier(Scripted(TOKENIZER.vocabulary, echo)).label(["fun", "drab"])
    assert [one.label for one in found] == ["1", "0"]
    # fun has an f: yes 3, no 1
    assert found[0].logprobs == pytest.approx({"0": math.log(1 / 4), "1": math.log(3 / 4)}, abs=1e-3)
    assert found[0].logprobs == found[0].uncalibrated_logprobs
    assert (found[0].shots, found[0].shortened) == (2, False)


def test_calibration_divides_by_what_is_said_of_nothing() -> None:
    config = PromptConfig(template="{text}: {label}", separator=r"\n")
    calibrated = classifier(Scripted(TOKENIZER.vocabulary, echo), config)
    # "N/A", "[MASK]" and "" have neither f nor d: no 2/3, yes 1/3
    assert np.exp(calibrated.bias()).tolist() == pytest.approx([2 / 3, 1 / 3], abs=1e-3)
    (found,) = calibrated.label(["luck"])
    assert found.uncalibrated == "0"
    assert found.logprobs == pytest.approx({"0": math.log(1 / 2), "1": math.log(1 / 2)}, abs=1e-3)
    # drab: p̂ = (3/4, 1/4) → (9/8, 3/4), which is (3, 2) / 5
    (found,) = calibrated.label(["drab"])
    assert found.logprobs == pytest.approx({"0": math.log(3 / 5), "1": math.log(2 / 5)}, abs=1e-3)
    assert found.uncalibrated_logprobs == pytest.approx({"0": math.log(3 / 4), "1": math.log(1 / 4)}, abs=1e-3)


def test_the_mean_over_tokens_is_fair_to_long_labels() -> None:
    def letters(prefix: Prefix) -> list[float]:
        return weights(_=1.0, y=1.0, e=1.0, s=1.0, n=1.0, o=1.0)  # 1/6 each

    (total,) = classifier(Scripted(TOKENIZER.vocabulary, letters)).label(["x"])
    # " no" is 3 tokens and " yes" 4: no is 6 times as likely
    assert total.logprobs == pytest.approx({"0": math.log(6 / 7), "1": math.log(1 / 7)}, abs=1e-3)
    config = PromptConfig(template="{text}: {label}", no_calibrate=True, score="mean")
    (mean,) = classifier(Scripted(TOKENIZER.vocabulary, letters), config).label(["x"])
    assert mean.logprobs == pytest.approx({"0": math.log(1 / 2), "1": math.log(1 / 2)}, abs=1e-3)


def test_examples_are_read_once_for_all_texts_and_for_the_calibration() -> None:
    model = Extending(TOKENIZER.vocabulary, echo)
    found = classifier(model, PromptConfig(template="{text}: {label}", separator=r"\n"))
    found.label(["fun", "drab", "luck"])
    found.label(["some more", "text"])
    assert [[written(prefix) for prefix in batch] for batch in model.read] == [["dull: no\nfine: yes\n"]]
    assert sorted(written(row) for batch in model.extended for row in batch) == sorted(
        ["fun:", "drab:", "luck:", "N/A:", "[MASK]:", ":", "some more:", "text:"]
    )


def test_zero_shots_need_no_examples() -> None:
    found = classifier(Scripted(TOKENIZER.vocabulary, echo), shots=0)
    assert (found.shots, found.prompt("fun")) == (0, "fun:")
    assert [one.label for one in found.label(["fun", "drab"])] == ["1", "0"]


# -- what does not fit ------------------------------------------------------------------------------------------------


def fitting(context: int) -> tuple[FewShotClassifier, Extending]:
    model = Extending(TOKENIZER.vocabulary, echo, context=context)
    return classifier(model), model


def test_the_last_examples_are_dropped_where_the_context_is_short() -> None:
    # bos + "dull: no\n" 9 + "fine: yes\n" 10 + "fun:" 4 = 24, and 3 more of " yes" are read (the last is not): 27
    for context, shots in ((27, 2), (26, 1), (17, 1), (16, 0), (8, 0)):
        found, _ = fitting(context)
        (one,) = found.label(["fun"])
        assert (one.label, one.shots, one.shortened) == ("1", shots, False), context


def test_a_long_text_drops_examples_and_a_short_one_beside_it_keeps_them() -> None:
    found, model = fitting(27)
    together = found.label(["fun", "fun indeed", "drab"])
    assert [one.shots for one in together] == [2, 1, 1]
    assert [one.label for one in together] == ["1", "1", "0"]
    assert together == [one for text in ("fun", "fun indeed", "drab") for one in fitting(27)[0].label([text])]
    assert max(len(prefix) for batch in model.read for prefix in batch) <= 27


def test_a_text_that_is_too_long_by_itself_is_read_from_its_beginning() -> None:
    found, model = fitting(13)
    (one,) = found.label(["drab and long and f"])
    # bos + 8 letters + ":" + 3 = 13
    assert (one.label, one.shots, one.shortened) == ("0", 0, True)
    assert [[written(prefix) for prefix in batch] for batch in model.read] == [["drab and:"]]


def test_a_template_that_does_not_fit_is_an_error_with_both_numbers() -> None:
    found, _ = fitting(4)
    with pytest.raises(UsageError, match=r"takes 5 tokens, but the model reads 4 at once"):
        found.label(["fun"])


def test_the_calibration_of_fewer_examples_is_their_own() -> None:
    model = Extending(TOKENIZER.vocabulary, echo, context=27)
    found = FewShotClassifier(
        model, TOKENIZER, EXAMPLES, ANSWERS, PromptConfig(template="{text}: {label}", separator=r"\n")
    )
    found.label(["fun", "fun indeed"])
    # with two examples "[MASK]:" does not fit; it is asked after one
    rows = Counter(len(written(prefix)) for prefix in model.read[0])
    assert rows
    assert np.exp(found.bias(1)).tolist() == pytest.approx([2 / 3, 1 / 3], abs=1e-3)


# -- labels -----------------------------------------------------------------------------------------------------------


def test_labels_that_the_tokenizer_can_not_tell_apart() -> None:
    from tests.fakes.bundles import eleven_words

    tokenizer = eleven_words()
    model = Scripted(tokenizer.vocabulary, lambda prefix: [1.0] * 11)
    with pytest.raises(UsageError, match=r"labels '0' and '1' are the same tokens"):
        FewShotClassifier(model, tokenizer, [], {"0": "unseen", "1": "unknown"}, PromptConfig())


def test_one_label_and_a_label_that_is_not_there() -> None:
    model = Scripted(TOKENIZER.vocabulary, echo)
    with pytest.raises(UsageError, match="1 labels: there is nothing to tell apart"):
        FewShotClassifier(model, TOKENIZER, [], {"0": "no"}, CONFIG)
    with pytest.raises(UnknownNameError, match="unknown label '2'"):
        FewShotClassifier(model, TOKENIZER, [("x", "2")], ANSWERS, CONFIG)
    with pytest.raises(UsageError, match="label '' has no token"):
        FewShotClassifier(model, TOKENIZER, [], {"0": "", "1": "yes"}, PromptConfig(template="{text}:{label}"))


def test_a_first_word_gets_its_space_only_once() -> None:
    # This tokenizer writes a space before a text's first word: encoded alone, a label would get a second one.
    tokenizer = train_tokenizer(["label: yes no label: no yes text: label"] * 7, "unigram")
    found = FewShotClassifier(
        Scripted(tokenizer.vocabulary, lambda prefix: [1.0] * tokenizer.vocabulary.size),
        tokenizer,
        [],
        ANSWERS,
        PromptConfig(template="text: {text} label: {label}"),
    )
    whole = tokenizer.encode("label: yes").ids.tolist()
    assert whole == [*tokenizer.encode("label:").ids.tolist(), *found._scorer._labels[1]]


def test_the_default_template_speaks_the_examples_language() -> None:
    model = Scripted(TOKENIZER.vocabulary, echo)
    chinese = FewShotClassifier(model, TOKENIZER, [("房间很大", "1")], {"0": "负面", "1": "正面"}, PromptConfig())
    assert chinese.prompt("脏") == "文本：房间很大\n标签：正面\n\n文本：脏\n标签："
    assert classifier(model, PromptConfig(), shots=0).prompt("x") == "Text: x\nLabel:"


def test_where_calibration_leaves_nothing_the_models_own_preference_decides() -> None:
    def blind(prefix: Prefix) -> list[float]:
        """Yes to everything, whatever the text is."""
        answer = written(prefix).rpartition(":")[2]
        return weights(_=1.0) if not answer else weights(y=5.0, n=1.0) if answer == " " else echo(prefix)

    found = classifier(Scripted(TOKENIZER.vocabulary, blind), PromptConfig(template="{text}: {label}", separator=r"\n"))
    (one,) = found.label(["drab"])
    assert list(one.logprobs.values()) == pytest.approx([math.log(1 / 2)] * 2, abs=1e-5)
    assert one.label == one.uncalibrated == "1"


def test_equal_labels_are_told_by_name_in_whatever_order_they_come() -> None:
    def flat(prefix: Prefix) -> list[float]:
        return [1.0] * TOKENIZER.vocabulary.size

    for answers in ({"b": "yes", "a": "nil"}, {"a": "nil", "b": "yes"}):
        found = FewShotClassifier(Scripted(TOKENIZER.vocabulary, flat), TOKENIZER, [], answers, CONFIG)
        assert [one.label for one in found.label(["x"])] == ["a"]
