"""Stop strings: however text is cut into pieces, it ends at the same place, and nothing is lost or shown too early."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ziggurat.use.stopping import StopMatcher

few = settings(max_examples=300, deadline=None)

texts = st.text(alphabet="ab。", max_size=23)
stop_strings = st.lists(st.text(alphabet="ab。", min_size=1, max_size=5), max_size=3)


@st.composite
def pieces_of(draw: st.DrawFn) -> list[str]:
    text = draw(texts)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=7)))
    return [text[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def by_definition(stops: list[str], text: str) -> str:
    """Read letter by letter until the text read so far ends with a stop string; leave out the longest such."""
    for end in range(1, len(text) + 1):
        ended = [stop for stop in stops if text[:end].endswith(stop)]
        if ended:
            return text[: end - max(map(len, ended))]
    return text


@few
@given(stop_strings, pieces_of())
def test_text_ends_where_the_definition_says(stops: list[str], pieces: list[str]) -> None:
    matcher = StopMatcher(stops)
    found = "".join(matcher.feed(piece) for piece in pieces) + matcher.finish()
    text = "".join(pieces)
    assert found == by_definition(stops, text)
    assert matcher.stopped == any(stop in text for stop in stops)


@few
@given(stop_strings, pieces_of())
def test_what_was_shown_is_never_taken_back(stops: list[str], pieces: list[str]) -> None:
    matcher = StopMatcher(stops)
    shown, expected = "", by_definition(stops, "".join(pieces))
    for piece in pieces:
        shown += matcher.feed(piece)
        assert expected.startswith(shown)


@few
@given(stop_strings, pieces_of())
def test_only_a_beginning_of_a_stop_string_waits(stops: list[str], pieces: list[str]) -> None:
    matcher = StopMatcher(stops)
    read = shown = ""
    for piece in pieces:
        read, shown = read + piece, shown + matcher.feed(piece)
        if matcher.stopped:
            break
        waiting = read.removeprefix(shown)
        assert not waiting or any(stop.startswith(waiting) and stop != waiting for stop in stops)
