"""Writing nothing but what a grammar allows, with any model and any tokenizer that loses nothing.

*Idea.* A grammar says after each id which may follow. All others get no probability, and what is left is scaled to sum
to one: a model under a constraint is again a language model, so that whatever samples, searches or scores needs no
second version. The grammar is followed byte by byte, whatever the tokens: a token is allowed where some text of the
grammar begins with what is written and the token's bytes. Where the tokenizer has no such token, as one of words may
not, nothing has any probability: that way is a dead end.
"""

import copy
import importlib.util
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import MissingExtraError, UsageError
from ziggurat.core.numerics import log_softmax
from ziggurat.core.protocols import LanguageModel, State, Tokenizer
from ziggurat.core.types import FloatArray, IdArray, Vocabulary
from ziggurat.tokens.token_bytes import token_bytes

__all__ = ["ConstrainedModel", "Constraint", "Places", "RowConstraints", "followed"]

NO_WAY_ON = "NoExtensionBias"
"""What `llguidance` calls it where no token can follow."""

Places: TypeAlias = list[Any]
"""Where each text of a batch stands in the grammar; opaque to all but the constraint that made it."""


def followed() -> bool:
    """Whether grammars can be followed here: the package `llguidance` is installed."""
    return importlib.util.find_spec("llguidance") is not None


class Constraint:
    """What a grammar allows after each text of a batch.

    ``grammar`` is in the notation of Lark that the package `llguidance` reads; `ziggurat.use.sql_grammar` makes one.

    *Cost.* The tokens' bytes are gathered once; a mask takes less than a millisecond for most grammars.
    """

    def __init__(self, tokenizer: Tokenizer, grammar: str) -> None:
        """Read the grammar.

        Raises:
            UsageError: the tokenizer loses something of its texts, or the grammar has a fault (the message says where).
            MissingExtraError: the package `llguidance` is not installed.
        """
        try:
            import llguidance
        except ImportError as error:
            raise MissingExtraError("constrained output", "grammar") from error
        self.vocabulary = tokenizer.vocabulary
        self._tokenizer = tokenizer
        spellings = _Spellings(tokenizer)
        self.written: npt.NDArray[np.bool_] = np.array([bool(spelling) for spelling in spellings.tokens])
        self.written[self.vocabulary.eos] = True
        self._core = llguidance.LLTokenizer(
            llguidance.TokenizerWrapper(spellings),
            n_vocab=self.vocabulary.size,
            eos_token=self.vocabulary.eos,
        )
        self._first = self._matcher(grammar)

    def with_grammar(self, grammar: str) -> "Constraint":
        """Return a constraint by another grammar, for the same tokenizer, whose bytes need not be gathered again.

        Raises:
            UsageError: the grammar has a fault.
        """
        other = copy.copy(self)
        other._first = self._matcher(grammar)  # noqa: SLF001 - of one kind
        return other

    def _matcher(self, grammar: str) -> Any:
        import llguidance

        fault = llguidance.LLMatcher.validate_grammar(grammar, self._core)
        if fault:
            raise UsageError(f"the grammar has a fault: {' '.join(fault.split())}; mend it")
        return llguidance.LLMatcher(self._core, grammar)

    def begin(self, batch: int) -> Places:
        """Return the places of so many texts of which nothing is written."""
        return [self._first.deep_copy() for _ in range(batch)]

    def keep_mask(self, places: Places) -> npt.NDArray[np.bool_]:
        """Return (B, V): True where an id may come next; the end of text where `may_end` is True.

        All are False where the tokenizer has no id by which a text could go on, as words may not.

        Raises:
            UsageError: the grammar is too large to be followed.
        """
        from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask

        size = self.vocabulary.size
        bits = allocate_token_bitmask(len(places), size)
        for row, place in enumerate(places):
            fill_next_token_bitmask(place, bits, row)
            if _is_dead(place):
                bits[row] = 0
            elif place.is_error():
                raise UsageError(f"the grammar can't be followed further ({place.get_error()}); make it simpler")
        little = np.ascontiguousarray(bits).astype("<i4").view(np.uint8)
        allowed: npt.NDArray[np.bool_] = np.unpackbits(little, axis=1, count=size, bitorder="little").astype(bool)
        return allowed & self.written

    def advance(self, places: Places, ids: IdArray) -> None:
        """Write one id (B,) behind each text, in place; a text that can't go on stays as it is.

        Raises:
            UsageError: the grammar does not allow one of them.
        """
        for row, (place, index) in enumerate(zip(places, ids.tolist(), strict=True)):
            if not _is_dead(place) and not place.consume_token(index):
                raise UsageError(f"row {row}: the grammar does not allow id {index} here; write only what is allowed")

    def may_end(self, places: Places) -> npt.NDArray[np.bool_]:
        """Return (B,): True where the text so far is a whole one of the grammar."""
        return np.array([place.is_accepting() for place in places], dtype=bool)

    def reorder(self, places: Places, rows: IdArray) -> Places:
        """Return places whose row b is the old row ``rows[b]``; rows may repeat or drop."""
        return [places[row].deep_copy() for row in rows.tolist()]

    def accepts(self, text: str) -> bool:
        """Whether a whole text is one of the grammar."""
        place = self._first.deep_copy()
        ids = self._tokenizer.encode(text).ids.tolist()
        return place.try_consume_tokens(ids) == len(ids) and bool(place.is_accepting())


class RowConstraints(Constraint):
    """Constraints of one tokenizer, each for its own row of a batch."""

    def __init__(self, constraints: Sequence[Constraint]) -> None:
        """Take a constraint for each row."""
        self.vocabulary = constraints[0].vocabulary
        self.written = constraints[0].written
        self._each = tuple(constraints)

    def begin(self, batch: int) -> Places:
        """Return the places of texts of which nothing is written, each in its own grammar.

        Raises:
            UsageError: there are not as many rows as constraints.
        """
        if batch != len(self._each):
            raise UsageError(f"{batch} rows can't be held to {len(self._each)} constraints: give one for each row")
        return [place for constraint in self._each for place in constraint.begin(1)]

    def accepts(self, text: str) -> bool:
        """Whether a whole text is one of every row's grammar."""
        return all(constraint.accepts(text) for constraint in self._each)


class ConstrainedModel:
    """A language model that writes only what a constraint allows: all else has no probability, the rest sums to one.

    A sequence begins with one id, its ``bos``, that is no part of what the grammar describes. Texts that are longer
    than the model's context can't be written on.
    """

    def __init__(self, model: LanguageModel, constraint: Constraint) -> None:
        """Look at ``model`` through ``constraint``.

        Raises:
            UsageError: the model has fewer ids than the constraint's tokenizer.
        """
        if model.vocabulary.size < constraint.vocabulary.size:
            raise UsageError(
                f"the model knows {model.vocabulary.size} ids, the constraint's tokenizer "
                f"{constraint.vocabulary.size}; take the tokenizer of the model"
            )
        self.model = model
        self.constraint = constraint

    @property
    def vocabulary(self) -> Vocabulary:
        """The ids that the model knows."""
        return self.model.vocabulary

    @property
    def context(self) -> int | None:
        """Longest sequence that the model can read at once, in ids."""
        return self.model.context

    def score(self, ids: IdArray, lengths: IdArray) -> npt.NDArray[np.float64]:
        """Return (B,) nats; minus infinity where a row is not allowed."""
        return np.asarray(self.token_logprobs(ids, lengths).astype(np.float64).sum(axis=1))

    def token_logprobs(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        """Return (B, T − 1): log p of each id after the first; minus infinity from the first that is not allowed on."""
        batch, time = ids.shape
        found = np.zeros((batch, max(0, time - 1)), dtype=np.float32)
        allowed = np.ones(batch, dtype=bool)
        logprobs, state = self.begin(ids[:, :1], np.ones(batch, dtype=np.int32))
        for place in range(1, time):
            inside = place < lengths
            wanted = np.where(inside, ids[:, place], 0)
            logprob_B = logprobs[np.arange(batch), wanted]
            allowed &= ~inside | np.isfinite(logprob_B)
            found[:, place - 1] = np.where(inside, np.where(allowed, logprob_B, -np.inf), 0)
            if place + 1 < time:
                written = np.where(inside & allowed, wanted, logprobs.argmax(axis=1)).astype(np.int32)
                logprobs, state = self.step(state, written)
        return found

    def begin(self, ids: IdArray, lengths: IdArray) -> tuple[FloatArray, State]:
        """Read (B, T) prompts, each a ``bos`` and perhaps the beginning of a text of the grammar.

        Raises:
            UsageError: what follows ``bos`` begins no text of the grammar.
        """
        places = self.constraint.begin(len(ids))
        for row, length in enumerate(lengths.tolist()):
            for index in ids[row, 1:length]:
                self.constraint.advance(places[row : row + 1], np.array([index], dtype=np.int32))
        logprobs, state = self.model.begin(ids, lengths)
        return self._allowed(logprobs, places), (state, places)

    def step(self, state: State, ids: IdArray) -> tuple[FloatArray, State]:
        """Append one id (B,) to each row; ``state`` is used up.

        Raises:
            UsageError: the grammar does not allow one of them.
        """
        inner, places = state
        self.constraint.advance(places, ids)
        logprobs, inner = self.model.step(inner, ids)
        return self._allowed(logprobs, places), (inner, places)

    def reorder(self, state: State, rows: IdArray) -> State:
        """Return the state whose row b is the old row ``rows[b]``."""
        inner, places = state
        return self.model.reorder(inner, rows), self.constraint.reorder(places, rows)

    def _allowed(self, logprobs: FloatArray, places: Places) -> FloatArray:
        keep_mask = np.zeros(logprobs.shape, dtype=bool)
        keep_mask[:, : self.constraint.vocabulary.size] = self.constraint.keep_mask(places)
        kept_BV = np.where(keep_mask, logprobs.astype(np.float64), -np.inf)
        nothing = ~np.isfinite(kept_BV).any(axis=1, keepdims=True)
        # where the model holds all that is allowed for impossible, each of it is as likely
        kept_BV = np.where(nothing & keep_mask, 0.0, kept_BV)
        can_go_on = keep_mask.any(axis=1)
        kept_BV[can_go_on] = log_softmax(kept_BV[can_go_on])
        return kept_BV.astype(np.float32)


def _is_dead(place: Any) -> bool:
    """Whether a text can't go on, since the tokenizer lacks what the grammar asks for."""
    return bool(place.is_error()) and str(place.get_error()).startswith(NO_WAY_ON)


class _Spellings:
    """A tokenizer as `llguidance` asks for one."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self.tokens = token_bytes(tokenizer, spaced=True)
        self.eos_token_id = tokenizer.vocabulary.eos
        self.bos_token_id = tokenizer.vocabulary.bos
        self.special_token_ids = [index for index, spelling in enumerate(self.tokens) if not spelling]

    def __call__(self, text: bytes) -> list[int]:
        return [int(index) for index in self._tokenizer.encode(text.decode(errors="replace")).ids]
