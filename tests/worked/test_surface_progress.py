"""What is said while a run goes on: figures by hand, lines on a stream that nobody looks at, silence where asked."""

import io
import math
from contextlib import suppress

import pytest

from ziggurat.core.types import Event
from ziggurat.surface import language, progress
from ziggurat.surface.progress import STAGES, ProgressDisplay, duration, thousands
from ziggurat.surface.terminal import Terminal

IDS: Event = {"event": "ids", "documents": 1234, "bytes": 3_000_000, "tokens": 750_000, "bytes_per_token": 4.0}


def step(number: int, loss: float, **more: float | str) -> Event:
    return {"event": "step", "step": number, "loss": loss, "seconds": 7.0, "seconds_left": 83.0, **more}


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capsys.readouterr()
    assert out == ""  # standard output is for data
    return str(err).splitlines()


def test_what_is_counted_is_said_where_only_hidden_tokens_are_predicted(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay(Terminal()) as display:
        display(step(3, 2.0, tokens_per_second=1234.6, per="hidden token"))
    assert lines(capsys) == ["step 3  loss 2.000  1,235 hidden tokens/s  1 min 23 s left"]


def test_a_step_in_figures(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay(Terminal()) as display:
        display(IDS)
        # 4 ln 2 nats a token are 4 bits a token; a token has 4 bytes: 1 bit per byte. 6 ln 2 on dev: 1.5
        display({"event": "eval", "step": 3, "loss": 6 * math.log(2)})
        display(step(3, 4 * math.log(2), tokens_per_second=12345.6))
    assert lines(capsys) == [
        "1,234 documents, 3.0 M bytes, 750,000 tokens of 4.00 bytes",
        "step 3  loss 2.773  1.000 bits per byte  held out 1.500  12,346 tokens/s  1 min 23 s left",
    ]


def test_bits_per_byte_are_not_told_before_they_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay(Terminal()) as display:
        display(step(1, 2.5))
    assert lines(capsys) == ["step 1  loss 2.500  1 min 23 s left"]


def test_passes_over_pairs_are_counted_and_are_no_bits(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay(Terminal()) as display:
        display(IDS)
        display({"event": "stage", "stage": "counting"})
        display({"event": "cooccurrences", "pairs": 20_166_716, "seconds": 3.4})
        display(step(96, 0.04321, per="pair", epoch=1.5, epochs=15, pairs_per_second=45_612_345.6))
    assert lines(capsys)[1:] == [
        "counting co-occurrences …",
        "20.2 M pairs of words near each other, in 3 s",
        "step 96  pass 1.5 of 15  loss 0.0432  45.6 M pairs/s  1 min 23 s left",
    ]


def test_word2vec_tells_words_a_second_and_a_loss_of_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    told: Event = step(41, 2.34567, per="pair", epoch=1.25, epochs=5, words=5_000, words_per_second=1_234_567.8)
    with ProgressDisplay(Terminal()) as display:
        display(IDS)
        display({"event": "eval", "step": 3, "loss": 1.0})  # of tokens, so it says nothing of pairs
        display(told)
    assert lines(capsys)[1:] == ["step 41  pass 1.2 of 5  loss 2.346  1.2 M words/s  1 min 23 s left"]


def test_vectors_that_a_network_begins_with_are_named_and_are_no_bits(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay(Terminal(), line_seconds=0.0) as display:
        display(IDS)
        display(step(7, 2.5, per="pair", part="cbow"))
        display({"event": "vectors", "from": "runs/塔", "found": 1_234, "of": 4_096})
        display(step(3, 4 * math.log(2)))  # the network's own loss is one of tokens again
    assert lines(capsys)[1:] == [
        "cbow: step 7  loss 2.500  1 min 23 s left",
        "embeddings begin with vectors of runs/塔: 1,234 of 4,096 tokens found",
        "step 3  loss 2.773  1.000 bits per byte  1 min 23 s left",
    ]


def test_pairs_are_counted_in_chinese_too(capsys: pytest.CaptureFixture[str]) -> None:
    language.choose("zh")
    try:
        with ProgressDisplay(Terminal()) as display:
            display({"event": "cooccurrences", "pairs": 4_321, "seconds": 83})
            display(step(96, 0.04321, per="pair", epoch=1.5, epochs=15, pairs_per_second=7_654.3))
    finally:
        language.choose(None)
    said = lines(capsys)
    assert "4,321" in said[0]
    assert "pairs" not in said[0] + said[1]
    assert "损失 0.0432" in said[1]
    assert "1.5" in said[1]
    assert "7,654" in said[1]


def test_a_part_of_a_mixture_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay(Terminal()) as display:
        display(step(1, 2.5, part="gpt"))
    assert lines(capsys)[0].startswith("gpt: step 1  loss")


def test_a_log_gets_a_line_every_ten_seconds(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay(Terminal()) as display:
        for number in range(61):  # one step a second
            display(step(number, 3.0))
            clock.now += 1.0
    # at seconds 0, 10, 20 … 60
    assert [int(line.split()[1]) for line in lines(capsys)] == [0, 10, 20, 30, 40, 50, 60]


def test_how_often_can_be_told(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay(Terminal(), line_seconds=25.0) as display:
        for number in range(61):
            display(step(number, 3.0))
            clock.now += 1.0
    assert [int(line.split()[1]) for line in lines(capsys)] == [0, 25, 50]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        *(({"event": "stage", "stage": name}, f"{words} …") for name, words in STAGES.items()),
        ({"event": "stage", "stage": "training", "recipe": "lstm"}, "training lstm …"),
        ({"event": "stage", "stage": "something new"}, "something new …"),
        ({"event": "start", "parameters": 1_234_567}, "1.2 M parameters"),
        ({"event": "resume", "step": 71}, "going on from step 71"),
        ({"event": "smoothed", "ngrams": 98765}, "98,765 n-grams"),
    ],
)
def test_what_is_said_of_other_events(event: Event, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay(Terminal()) as display:
        display(event)
    assert lines(capsys) == [line]


@pytest.mark.parametrize(
    "event",
    [{}, {"event": "unheard of", "x": 1}, {"event": "start", "family": "ngram"}, {"event": "eval", "loss": 3.0}],
)
def test_what_nobody_waits_for_is_passed_over(event: Event, capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay(Terminal()) as display:
        display(event)
    assert lines(capsys) == []


def test_quiet_says_nothing_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay(Terminal(quiet=True)) as display:
        display(IDS)
        display({"event": "stage", "stage": "text"})
        display(step(1, 3.0))
    assert lines(capsys) == []


@pytest.mark.parametrize(
    ("told", "english", "chinese"),
    [
        ({}, [], []),
        ({"flops_per_second": 3.1e11}, ["310 GFLOP/s while training"], ["训练速度 310 GFLOP/s"]),
        (
            {"flops_per_second": 4.05e14, "mfu": 0.4095},
            ["41 % of what the device can do (MFU), 405 TFLOP/s"],
            ["达到设备算力的 41 %（MFU），405 TFLOP/s"],
        ),
        (
            {"flops_per_second": 2e12, "mfu": 0.0202},
            ["2.0 % of what the device can do (MFU), 2.00 TFLOP/s"],
            ["达到设备算力的 2.0 %（MFU），2.00 TFLOP/s"],
        ),
    ],
)
def test_an_end_tells_what_was_made_of_the_machine(
    told: Event, english: list[str], chinese: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for speech, expected in (("en", english), ("zh", chinese)):
        with language.speaking(speech), ProgressDisplay(Terminal()) as display:
            display({"event": "end", "step": 3, "seconds": 1.0, **told})
        assert lines(capsys) == expected


def test_it_speaks_chinese_where_the_user_does(capsys: pytest.CaptureFixture[str]) -> None:
    language.choose("zh")
    try:
        with ProgressDisplay(Terminal()) as display:
            display(IDS)
            display({"event": "stage", "stage": "training", "recipe": "gpt"})
            display(step(5, 4 * math.log(2)))
    finally:
        language.choose(None)
    assert lines(capsys) == [
        "1,234 篇文档，3.0 M 字节，750,000 个词元，平均每个 4.00 字节",
        "训练 gpt……",
        "第 5 步  损失 2.773  每字节 1.000 比特  剩余 1 min 23 s",
    ]


# -- a terminal that a person looks at --------------------------------------------------------------------------------


class Screen(io.StringIO):
    """Standard error that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "170")
    monkeypatch.delenv("CI", raising=False)


def shown(events: list[Event], monkeypatch: pytest.MonkeyPatch, error: Exception | None = None) -> str:
    screen = Screen()
    with monkeypatch.context() as patch:
        patch.setattr("sys.stderr", screen)
        with suppress(ZeroDivisionError), ProgressDisplay(Terminal()) as display:
            for event in events:
                display(event)
            if error is not None:
                raise error
    return screen.getvalue()


@pytest.mark.usefixtures("terminal")
def test_a_terminal_gets_a_display_that_goes_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    training: Event = {"event": "stage", "stage": "training", "recipe": "gpt"}
    steps = [step(number, 4 * math.log(2)) for number in range(5)]
    text = shown([IDS, training, *steps, {"event": "stage", "stage": "bundle"}], monkeypatch)
    assert "1,234 documents" in text
    assert "writing the bundle" in text
    assert "step 4" not in text  # figures move in one line instead
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1  # the cursor comes back
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("terminal")
def test_the_cursor_comes_back_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown([{"event": "stage", "stage": "text"}], monkeypatch, ZeroDivisionError())
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(("name", "value"), [("TERM", "dumb"), ("CI", "1")])
def test_a_terminal_that_cannot_move_gets_lines(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    text = shown([{"event": "stage", "stage": "text"}, step(1, 3.0)], monkeypatch)
    assert text.splitlines() == ["reading text …", "step 1  loss 3.000  1 min 23 s left"]


# -- counts and times -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "0"), (999, "999"), (1000, "1,000"), (999_999, "999,999"), (1_000_000, "1.0 M"), (1_250_000_000, "1.2 G")],
)
def test_counts(value: float, expected: str) -> None:
    assert thousands(value) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (60, "1 min 00 s"),
        (3599, "59 min 59 s"),
        (3599.7, "1 h 00 min"),
        (3661, "1 h 01 min"),
        (90061, "25 h 01 min"),
    ],
)
def test_times(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected
