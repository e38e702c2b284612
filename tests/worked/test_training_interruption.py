"""A wish to stop: heard once, obeyed at once the second time, and afterwards everything is as it was."""

import os
import signal
import threading
from collections.abc import Callable

import pytest

from ziggurat.training.interruption import stop_requests

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def send(number: int) -> None:
    """Send this process a signal; Python hears it before the next line."""
    os.kill(os.getpid(), number)


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in SIGNALS]


@pytest.fixture(autouse=True)
def _handlers_stay() -> object:
    """A test that fails in the middle must not leave its handlers to others."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_is_a_wish(number: int) -> None:
    with stop_requests() as asked:
        assert not asked()
        send(number)
        assert asked()
        assert asked()  # it does not wear off


@pytest.mark.parametrize("first", SIGNALS)
def test_ctrl_c_after_a_wish_stops_at_once(first: int) -> None:
    with stop_requests() as asked:
        send(first)
        assert asked()
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)


@pytest.mark.parametrize("first", SIGNALS)
def test_a_second_sigterm_is_patient(first: int) -> None:
    # a machine that shuts down says it more than once; the checkpoint is being written
    with stop_requests() as asked:
        send(first)
        send(signal.SIGTERM)
        send(signal.SIGTERM)
        assert asked()


def test_afterwards_signals_mean_what_they_meant() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what runs behind it without one
    before = handlers()
    with stop_requests():
        assert handlers() != before
    assert handlers() == before
    with pytest.raises(KeyboardInterrupt):
        send(signal.SIGINT)


def test_an_error_inside_leaves_no_handler_behind() -> None:
    before = handlers()
    with pytest.raises(ZeroDivisionError), stop_requests():
        raise ZeroDivisionError
    assert handlers() == before


def test_a_handler_of_the_hosts_comes_back() -> None:
    heard: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    with stop_requests() as asked:
        send(signal.SIGTERM)
        assert (asked(), heard) == (True, [])
    send(signal.SIGTERM)
    assert heard == [signal.SIGTERM]


def test_the_inner_of_two_hears_and_the_outer_goes_on_hearing() -> None:
    # a part of a mixture is trained inside a run that listens too
    with stop_requests() as outer:
        with stop_requests() as inner:
            send(signal.SIGINT)
            assert (inner(), outer()) == (True, False)
        send(signal.SIGINT)
        assert outer()


def test_two_runs_one_after_another_have_their_own_wishes() -> None:
    with stop_requests() as first:
        send(signal.SIGINT)
    with stop_requests() as second:
        assert (first(), second()) == (True, False)


def test_in_another_thread_nothing_is_heard_and_nothing_changed() -> None:
    before, seen = handlers(), []

    def work() -> None:
        with stop_requests() as asked:
            seen.append((handlers() == before, asked()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(True, False)]
    assert handlers() == before


def test_a_thread_may_ask_whether_to_stop() -> None:
    found: list[bool] = []

    def look(asked: Callable[[], bool]) -> None:
        found.append(asked())

    with stop_requests() as asked:
        send(signal.SIGTERM)
        thread = threading.Thread(target=look, args=(asked,))
        thread.start()
        thread.join()
    assert found == [True]
