"""Stop strings, found while text streams in and whatever the tokens' borders are."""

from collections.abc import Sequence

__all__ = ["StopMatcher"]


class StopMatcher:
    """Passes text on and ends it before the first stop string; text that may still become one is held back.

    *Idea.* The first is the one that is complete first, and the longest of those that end together: so it is the same
    one whether text comes whole or letter by letter.

    >>> matcher = StopMatcher(["aab"])
    >>> matcher.feed("x aa"), matcher.feed("ab"), matcher.stopped
    ('x ', 'a', True)
    """

    def __init__(self, stops: Sequence[str]) -> None:
        """Look for any of ``stops``; empty ones are passed over."""
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.stopped = False

    def feed(self, text: str) -> str:
        """Add ``text``; return what is now certain to stand before any stop string."""
        if self.stopped:
            return ""
        self._held += text
        found = [(place + len(stop), place) for stop in self._stops if (place := self._held.find(stop)) >= 0]
        if found:
            self.stopped = True
            _, start = min(found)
            passed, self._held = self._held[:start], ""
            return passed
        keep = max((self._overlap(stop) for stop in self._stops), default=0)
        passed, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return passed

    def finish(self) -> str:
        """Return what was held back: the text has ended and it is no stop string."""
        rest, self._held = self._held, ""
        return rest

    def _overlap(self, stop: str) -> int:
        """Length of the longest end of the held text that begins ``stop``."""
        longest = min(len(stop) - 1, len(self._held))
        return next((n for n in range(longest, 0, -1) if self._held.endswith(stop[:n])), 0)
