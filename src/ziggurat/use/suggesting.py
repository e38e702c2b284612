"""What probably comes next while somebody types: one completion after each key, with any family.

*Idea.* What is typed may end inside a token: after ``the wal`` the next token is not what follows the tokens of that
text, but one that began before it. So the model's readings of the text are kept as a lattice: for each place in the
last bytes, the likeliest tokens that end there. What may come is every token that agrees with the bytes after such a
place (`Suggester.type` drops what does not). This is token healing without a rule where tokens may end, so it serves
bytes, characters, BPE and unigrams alike; only the tokenizer must lose nothing.

What is offered is what saves most keys on average: of all beginnings of what may come the one with the largest
probability × (characters − 1), a word's rest, the space after it, or several words. A second one is what saves most
beside the first, and so on.

*Cost.* A forward step of one row for each place that the readings really end at, and for each token that a suggestion
goes on with; both are kept while what is typed agrees with them. A key that changes nothing costs searches in the
sorted vocabulary only.
"""

import bisect
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ziggurat.core.config import option
from ziggurat.core.protocols import LanguageModel, State, Tokenizer
from ziggurat.tokens.token_bytes import token_bytes

__all__ = ["SuggestConfig", "Suggester", "Suggestion"]

LEAST_SHARE = 1e-3
"""Of the probability of what was typed: a reading with less is given up."""
FIRST_TOKENS = 5
"""Tokens of each reading that may begin a suggestion."""
LEAST_GROWTH = 0.2
"""Probability of a token given those before: with less, no suggestion goes on with it."""

LEAST_GAIN = 1e-6
"""Keys that a suggestion saves on average beside the others: with less it is not offered."""


@dataclass(frozen=True)
class SuggestConfig:
    """How many suggestions there are, and how far they go."""

    suggestions: int = option(1, "completions offered after each key", low=1)
    read_on: int = option(2, "likeliest beginnings that are gone on with", low=0)
    longest: int = option(8, "most tokens of a suggestion", low=1)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Text that may come next."""

    text: str
    probability: float
    """That what comes begins with it, as far as the model's readings were followed."""

    @property
    def gain(self) -> float:
        """Keys that it saves on average where taking it costs one."""
        return self.probability * (len(self.text) - 1)


@dataclass(frozen=True, slots=True)
class _Link:
    """Ids that a reading has passed, the last one first."""

    id: int
    before: "_Link | None"


@dataclass(slots=True)
class _Reading:
    """What the model makes of the text up to one place; read when it is first asked."""

    logprob: float
    """Of its tokens since the oldest reading that was kept."""
    passed: _Link
    parent: "_Reading | None"
    state: State = None
    length: int = 0
    """Ids that its state has read."""
    probabilities: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """Of the next token, in the order of `_Spellings`."""
    cumulated: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    following: dict[int, "_Reading"] = field(default_factory=dict)

    def mass(self, start: int, stop: int) -> float:
        """Return the probability of a stretch of the sorted vocabulary."""
        return float(self.cumulated[stop] - self.cumulated[start])


class _Spellings:
    """The vocabulary in the order of its bytes: tokens that begin alike stand together."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        told = token_bytes(tokenizer)
        self.ids = np.array(sorted((index for index, one in enumerate(told) if one), key=told.__getitem__), np.int64)
        self.bytes = [told[index] for index in self.ids]
        starts = [bisect.bisect_left(self.bytes, bytes([byte])) for byte in range(256)]
        self.first_bytes = np.array([*starts, len(self.bytes)], np.int64)
        """Where tokens begin that start with each byte; then where the last ones end."""

    def stretch(self, prefix: bytes) -> tuple[int, int, int]:
        """Return where tokens begin that start with ``prefix``, where those that are longer do, and where they end."""
        start = bisect.bisect_left(self.bytes, prefix)
        longer = bisect.bisect_right(self.bytes, prefix, lo=start)
        head = prefix.rstrip(b"\xff")
        after = head[:-1] + bytes([head[-1] + 1]) if head else b""
        stop = bisect.bisect_left(self.bytes, after, lo=longer) if after else len(self.bytes)
        return start, longer, stop


class Suggester:
    """Follows what one person types, and says what may come."""

    def __init__(self, model: LanguageModel, tokenizer: Tokenizer, config: SuggestConfig | None = None) -> None:
        """Begin with nothing typed.

        Raises:
            UsageError: the tokenizer loses text.
        """
        self._model, self._tokenizer = model, tokenizer
        self._config = SuggestConfig() if config is None else config
        self._spellings = _Spellings(tokenizer)
        self._text: list[str] = []
        self._recent = bytearray()  # bytes typed since the oldest reading
        self._dropped = 0
        self._readings: dict[int, _Reading] = {}
        self._refused: list[str] = []  # what does not come next
        self._restart()

    @property
    def text(self) -> str:
        """What was typed."""
        return "".join(self._text)

    def type(self, text: str, *, refused: Sequence[Suggestion] = ()) -> None:
        """Add what was typed, or a suggestion that was taken; ``refused`` are those that were seen and not taken.

        Who refuses a suggestion is taken to mean other text: neither it, nor anything that begins so, is suggested
        again, and all else gets likelier.
        """
        seen = [*self._refused, *(one.text for one in refused)]
        self._refused = [one[len(text) :] for one in seen if len(one) > len(text) and one.startswith(text)]
        for character in text:
            self._text.append(character)
            for byte in character.encode():
                self._advance(byte)
            if not self._readings:
                self._restart()

    def suggest(self) -> list[Suggestion]:
        """Return the suggestions that save most, the best first; none where nothing saves a key."""
        chances: dict[str, float] = {}
        for continuation, probability in self._continuations():
            text = _whole(continuation)
            if len(text) > 1:
                chances[text] = max(probability, chances.get(text, 0.0))
        found = {text: Suggestion(text, chance) for text, chance in _without(chances, self._refused).items()}
        chosen: list[Suggestion] = []
        for _ in range(min(self._config.suggestions, len(found))):
            best = min(found.values(), key=lambda one: (-_gain_beside(one, chosen), one.text))
            if _gain_beside(best, chosen) < LEAST_GAIN:
                break
            chosen.append(found.pop(best.text))
        return chosen

    def _continuations(self) -> Iterator[tuple[bytes, float]]:
        total = self._total()
        begun: dict[bytes, tuple[float, _Reading, int]] = {}
        for place, reading in self._readings.items():
            typed = self._recent[place - self._dropped :]
            _, start, stop = self._spellings.stretch(bytes(typed))
            for row in self._likeliest(reading, start, stop):
                continuation = self._spellings.bytes[row][len(typed) :]
                share = math.exp(reading.logprob) * float(reading.probabilities[row]) / total
                if share > begun.get(continuation, (0.0,))[0]:
                    begun[continuation] = (share, reading, row)
        for continuation in begun:
            yield continuation, self._beginning(continuation) / total
        likeliest = sorted(begun.items(), key=lambda item: -item[1][0])[: self._config.read_on]
        for continuation, (share, reading, row) in likeliest:
            yield from self._read_on(continuation, share, reading, row)

    def _read_on(self, text: bytes, share: float, reading: _Reading, row: int) -> Iterator[tuple[bytes, float]]:
        """Go on from a first token with the likeliest ones, as long as they are likely."""
        for _ in range(self._config.longest - 1):
            reading = self._after(reading, row)
            row = int(reading.probabilities.argmax())
            for beginning, mass in self._beginnings(reading):
                yield text + beginning, share * mass
            if reading.probabilities[row] < LEAST_GROWTH:
                return
            text += self._spellings.bytes[row]
            share *= float(reading.probabilities[row])

    def _beginnings(self, reading: _Reading) -> Iterator[tuple[bytes, float]]:
        """Yield what the likeliest token begins with, and with what probability the next one begins so.

        The same of the likeliest token of the likeliest first byte: a hundred words may begin with a space, none of
        which is likely.
        """
        masses = np.diff(reading.cumulated[self._spellings.first_bytes])
        likeliest = int(masses.argmax())
        if not masses[likeliest] > 0:
            return  # it is certain that the text ends
        start, stop = self._spellings.first_bytes[likeliest : likeliest + 2]
        first = int(start + reading.probabilities[start:stop].argmax())
        for token in {first, int(reading.probabilities.argmax())}:
            written = self._spellings.bytes[token]
            for end in range(1, len(written) + 1):
                begin, _, last = self._spellings.stretch(written[:end])
                yield written[:end], reading.mass(begin, last)

    def _beginning(self, continuation: bytes) -> float:
        """Return the probability that one token of a reading goes on with these bytes, or with more."""
        found = 0.0
        for place, reading in self._readings.items():
            start, _, stop = self._spellings.stretch(bytes(self._recent[place - self._dropped :]) + continuation)
            found += math.exp(reading.logprob) * reading.mass(start, stop)
        return found

    def _likeliest(self, reading: _Reading, start: int, stop: int) -> Sequence[int]:
        part = reading.probabilities[start:stop]
        if len(part) > FIRST_TOKENS:
            return [start + int(row) for row in np.argpartition(part, -FIRST_TOKENS)[-FIRST_TOKENS:]]
        return range(start, stop)

    def _total(self) -> float:
        """Return the probability of what was typed since the oldest reading, however it goes on."""
        found = 0.0
        for place, reading in self._readings.items():
            _, longer, stop = self._spellings.stretch(bytes(self._recent[place - self._dropped :]))
            found += math.exp(reading.logprob) * reading.mass(longer, stop)
        return found

    def _advance(self, byte: int) -> None:
        """Drop readings that do not agree with one more byte, and add the one that ends behind it."""
        if not self._readings:
            return
        self._recent.append(byte)
        shares: dict[int, float] = {}
        arrived: tuple[float, _Reading, int] | None = None
        for place, reading in self._readings.items():
            start, longer, stop = self._spellings.stretch(bytes(self._recent[place - self._dropped :]))
            shares[place] = math.exp(reading.logprob) * reading.mass(longer, stop)
            for row in range(start, longer):
                chance = math.exp(reading.logprob) * float(reading.probabilities[row])
                if chance > 0 and (arrived is None or chance > arrived[0]):
                    arrived = (chance, reading, row)
        total = sum(shares.values()) + (arrived[0] if arrived else 0.0)
        least = max(LEAST_SHARE * total, 0.0)
        kept = {place: self._readings[place] for place, share in shares.items() if share > least}
        if arrived is not None and arrived[0] >= least:
            chance, reading, row = arrived
            kept[self._dropped + len(self._recent)] = self._after(reading, row)
        self._readings = kept
        self._forget(total)

    def _forget(self, total: float) -> None:
        """Drop bytes before the oldest reading, and count log-probabilities from here, so that none gets too small."""
        if not self._readings:
            return
        oldest = min(self._readings)
        del self._recent[: oldest - self._dropped]
        self._dropped = oldest
        for reading in self._readings.values():
            reading.logprob -= math.log(total)

    def _restart(self) -> None:
        """Read what was typed as the tokenizer cuts it."""
        ids = [self._tokenizer.vocabulary.bos, *self._tokenizer.encode(self.text).ids.tolist()]
        passed: _Link | None = None
        for index in ids:
            passed = _Link(index, passed)
        assert passed is not None  # noqa: S101 - there is a bos
        reading = _Reading(0.0, passed, None)
        self._begin(reading)
        self._recent = bytearray()
        self._dropped = 0
        self._readings = {0: reading}

    def _after(self, reading: _Reading, row: int) -> _Reading:
        """Return the reading that goes on with one token; what was read once is kept."""
        found = reading.following.get(row)
        if found is None:
            found = _Reading(0.0, _Link(int(self._spellings.ids[row]), reading.passed), reading)
            reading.following[row] = found
            self._read(found)
        found.logprob = reading.logprob + math.log(max(float(reading.probabilities[row]), 1e-300))
        return found

    def _read(self, reading: _Reading) -> None:
        parent, context = reading.parent, self._model.context
        reading.parent = None
        if parent is None or (context is not None and parent.length + 1 > context):
            self._begin(reading, shortened=True)
            return
        state = self._model.reorder(parent.state, np.zeros(1, np.int32))
        logprobs, reading.state = self._model.step(state, np.array([reading.passed.id], np.int32))
        reading.length = parent.length + 1
        self._tell(reading, logprobs[0])

    def _begin(self, reading: _Reading, *, shortened: bool = False) -> None:
        context = self._model.context
        room = math.inf if context is None else max(1, context // 2) if shortened else context
        ids: list[int] = []
        link: _Link | None = reading.passed
        while link is not None and len(ids) < room:
            ids.append(link.id)
            link = link.before
        row = np.array([ids[::-1]], np.int32)
        logprobs, reading.state = self._model.begin(row, np.array([row.size], np.int32))
        reading.length = row.size
        self._tell(reading, logprobs[0])

    def _tell(self, reading: _Reading, logprobs: npt.NDArray[np.floating]) -> None:
        reading.probabilities = np.exp(logprobs[self._spellings.ids].astype(np.float64))
        reading.cumulated = np.concatenate([[0.0], np.cumsum(reading.probabilities)])


def _without(chances: Mapping[str, float], refused: Sequence[str]) -> dict[str, float]:
    """Return the probabilities of continuations where it is known that none of ``refused`` comes.

    *Maths.* p(t | none) = (p(t) − Σ p(r)) / (1 − Σ p(r)), above over those r that begin with t.
    """
    shortest = [
        one for one in dict.fromkeys(refused) if not any(one != other and one.startswith(other) for other in refused)
    ]
    lost = {one: chances.get(one, 0.0) for one in shortest}
    left = max(1.0 - sum(lost.values()), LEAST_SHARE)
    found = {}
    for text, chance in chances.items():
        if not text.startswith(tuple(shortest)):
            within = sum(each for one, each in lost.items() if one.startswith(text))
            found[text] = min(1.0, max(0.0, chance - within) / left)
    return found


def _gain_beside(one: Suggestion, others: Sequence[Suggestion]) -> float:
    """Return the keys that a suggestion saves on average beside others, of which the longest that agrees is taken."""
    longer = [other for other in others if other.text.startswith(one.text)]
    nearest = [each for each in longer if not any(each is not far and each.text.startswith(far.text) for far in longer)]
    shorter = max((len(other.text) - 1 for other in others if one.text.startswith(other.text)), default=0)
    return (one.probability - sum(each.probability for each in nearest)) * (len(one.text) - 1 - shorter)


def _whole(continuation: bytes) -> str:
    """Return the whole characters that bytes begin with."""
    return continuation.decode(errors="ignore")
