"""Stop strings in streaming text: where text ends, and what may be shown before one is sure of it."""

import pytest

from ziggurat.use.stopping import StopMatcher


def stream(stops: list[str], pieces: list[str]) -> tuple[list[str], bool]:
    """Return what each piece let through (and the end, where there was no stop), and whether it stopped."""
    matcher = StopMatcher(stops)
    passed = [matcher.feed(piece) for piece in pieces]
    return [*passed, matcher.finish()], matcher.stopped


@pytest.mark.parametrize(
    ("stops", "pieces", "passed"),
    [
        # within one piece
        (["."], ["One. Two."], ["One", ""]),
        # over the border of two tokens: what may become a stop string waits
        (["\n\n"], ["end\n", "\nnext"], ["end", "", ""]),
        (["END"], ["the E", "N", "D of it"], ["the ", "", "", ""]),
        # it did not become one after all
        (["END"], ["the E", "N", "ough"], ["the ", "", "ENough", ""]),
        (["END"], ["ENEN", "D"], ["EN", "", ""]),
        # text ends while something waits: it is text
        (["END"], ["the E"], ["the ", "E"]),
        # a stop string at the very beginning
        (["Q:"], ["Q", ": again"], ["", "", ""]),
        # a stop string that overlaps itself
        (["aab"], ["aa", "ab", "aab"], ["", "a", "", ""]),
        (["ABABC"], ["ABAB", "ABC"], ["", "AB", ""]),
    ],
)
def test_text_ends_before_a_stop_string(stops: list[str], pieces: list[str], passed: list[str]) -> None:
    found, stopped = stream(stops, pieces)
    assert found == passed
    assert stopped == any(stop in "".join(pieces) for stop in stops)


@pytest.mark.parametrize(
    ("stops", "text", "expected"),
    [
        # the first in the text, not the first in the list
        (["two", "one"], "zero one two", "zero "),
        # "c" is complete when "abcd" is not
        (["abcd", "c"], "xabcd", "xab"),
        # of those that end together, the longest
        (["\n", "\n\n", ".\n"], "end.\n\n", "end"),
        (["b", "ab", "aab"], "xaab", "x"),
        # one inside the other: the inner one is complete first
        (["abc", "b"], "xabc", "xa"),
        # of one begun before the other, the one that is complete
        (["aab", "ba"], "aaab", "a"),
    ],
)
@pytest.mark.parametrize("width", [1, 2, 3, 99])
def test_the_first_that_is_complete_counts_however_text_comes(
    stops: list[str], text: str, expected: str, width: int
) -> None:
    pieces = [text[start : start + width] for start in range(0, len(text), width)]
    for order in (stops, stops[::-1]):
        found, stopped = stream(order, pieces)
        assert "".join(found) == expected
        assert stopped


def test_characters_of_many_bytes_are_matched_as_characters() -> None:
    assert stream(["。"], ["塔楼", "很高。", "河"]) == (["塔楼", "很高", "", ""], True)
    assert stream(["下一页"], ["见下", "一", "章"]) == (["见", "", "下一章", ""], False)
    # the family emoji is five code points; half of it waits
    family = "👨\u200d👩\u200d👧"
    assert stream([family], ["we: 👨\u200d", "👩\u200d👧!"]) == (["we: ", "", ""], True)


def test_nothing_passes_after_the_end() -> None:
    matcher = StopMatcher(["."])
    assert matcher.feed("One.") == "One"
    assert (matcher.feed("Two"), matcher.finish(), matcher.stopped) == ("", "", True)


@pytest.mark.parametrize("stops", [[], [""], ["", ""]])
def test_without_stop_strings_all_passes_at_once(stops: list[str]) -> None:
    assert stream(stops, ["One.", "", "Two."]) == (["One.", "", "Two.", ""], False)


def test_no_more_is_held_back_than_may_become_a_stop_string() -> None:
    matcher = StopMatcher(["</answer>"])
    shown = [matcher.feed(letter) for letter in "a </answe"]
    assert shown == ["a", " ", "", "", "", "", "", "", ""]
    assert matcher.feed("d") == "</answed"
