"""Writing on after a prompt, with any family, through the one protocol."""

import logging
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from ziggurat.core.config import option
from ziggurat.core.protocols import LanguageModel, State, Tokenizer
from ziggurat.core.seeding import generator
from ziggurat.core.types import Continuation, FloatArray, IdArray
from ziggurat.use.sampling import SamplingConfig, draw, filtered
from ziggurat.use.stopping import StopMatcher

__all__ = ["GenerationConfig", "OnText", "generate"]

_LOG = logging.getLogger("ziggurat")

OnText: TypeAlias = Callable[[int, str], None]
"""Called with the number of a continuation and a new piece of its text; pieces never split a character."""

TAIL_TOKENS = 16
"""Tokens that wait at most for the rest of a character, and that are decoded before new ones."""

LONGEST_CHARACTER = 4
"""Bytes of UTF-8: a character that begins before the last so many tokens is whole or broken for good."""


@dataclass(frozen=True)
class GenerationConfig(SamplingConfig):
    """How a continuation is written and when it ends."""

    max_tokens: int = option(100, "most tokens to write", low=0)
    samples: int = option(1, "continuations of each prompt", low=1)
    stop: tuple[str, ...] = option((), "strings that end a continuation and are not part of it")


def generate(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompts: Sequence[str | IdArray] | Mapping[int, str],
    config: GenerationConfig,
    *,
    seed: int = 0,
    on_text: OnText | None = None,
    ends: Collection[int] = (),
) -> list[Continuation]:
    """Return ``config.samples`` continuations of each prompt, those of one prompt together.

    *Idea.* All continuations go through the model in one batch and leave it when they end. Each draws from a
    generator of its own, so it reads the same alone or in company.

    A prompt is text, or the ids of one with whatever begins it. ``ends`` are ids that end a continuation beside the end
    of text: those that end a turn of a conversation, for example.

    A prompt longer than the model's context is read from as far back as fits; so is a text that grows past it, from
    half of the context, so that the model goes on with what came last.

    Draws follow from a prompt's number: its place, or what a mapping says, where these are some of many.

    A model may have more ids than its tokenizer has tokens (vocabularies are filled up to a round number): those are
    never drawn.
    """
    endings = frozenset({tokenizer.vocabulary.eos, *ends})
    rows = [
        _Row(config.samples * number + sample, _prompt_ids(model, tokenizer, prompt), config, seed, on_text, endings)
        for number, prompt in (prompts.items() if isinstance(prompts, Mapping) else enumerate(prompts))
        for sample in range(config.samples)
    ]
    active = [row for row in rows if not row.ended]
    if active:
        batch = _Batch(model, [row.ids for row in active])
        while active:
            chosen = _choose(batch.logprobs[:, : tokenizer.vocabulary.size], active, config)
            for row, index, logprobs in zip(active, chosen.tolist(), batch.logprobs, strict=True):
                row.append(index, float(logprobs[index]), tokenizer)
            kept = [place for place, row in enumerate(active) if not row.ended]
            active = [active[place] for place in kept]
            if active:
                batch.advance(kept, [row.ids for row in active])
    return [row.continuation() for row in rows]


class _Batch:
    """The model's state for all rows that still write."""

    def __init__(self, model: LanguageModel, texts: list[list[int]]) -> None:
        self._model = model
        self._length = 0
        self.logprobs: FloatArray
        self._state: State
        self._read(texts)

    def advance(self, kept: list[int], texts: list[list[int]]) -> None:
        """Keep only rows ``kept`` and read the last id of each; begin anew where the context is full."""
        context = self._model.context
        if context is not None and self._length + 1 > context:
            self._read(texts, shortened=True)
            return
        if len(kept) < len(self.logprobs):
            self._state = self._model.reorder(self._state, np.array(kept, dtype=np.int32))
        newest = np.array([text[-1] for text in texts], dtype=np.int32)
        self.logprobs, self._state = self._model.step(self._state, newest)
        self._length += 1

    def _read(self, texts: list[list[int]], *, shortened: bool = False) -> None:
        context = self._model.context
        if context is not None:
            room = max(1, context // 2) if shortened else context
            texts = [text[-room:] for text in texts]
        lengths = np.array([len(text) for text in texts], dtype=np.int32)
        ids = np.zeros((len(texts), int(lengths.max())), dtype=np.int32)
        for row, text in enumerate(texts):
            ids[row, : len(text)] = text
        self.logprobs, self._state = self._model.begin(ids, lengths)
        self._length = int(lengths.max())


@dataclass
class _Row:
    """One continuation while it is written."""

    number: int
    ids: list[int]
    """Prompt and continuation."""
    config: GenerationConfig
    seed: int
    on_text: OnText | None
    ends: frozenset[int]
    """Ids that end it."""
    logprob: float = 0.0
    reason: Literal["length", "stop", "end"] | None = None
    text: str = ""
    prompt_length: int = field(init=False)

    def __post_init__(self) -> None:
        self.prompt_length = len(self.ids)
        self.generator = generator(self.seed, "generate", self.number)
        self.matcher = StopMatcher(self.config.stop)
        self._decoded = self.prompt_length
        self._borders: deque[int] = deque()  # where the newest stretches of decoded ids begin
        if self.config.max_tokens == 0:
            self.reason = "length"

    @property
    def ended(self) -> bool:
        return self.reason is not None

    def append(self, index: int, logprob: float, tokenizer: Tokenizer) -> None:
        """Add a drawn id, pass on what text it makes certain, and see whether the row has ended."""
        self.ids.append(index)
        self.logprob += logprob
        if index in self.ends:
            self.reason = "end"
        elif len(self.ids) - self.prompt_length >= self.config.max_tokens:
            self.reason = "length"
        self._emit(self.matcher.feed(self._fresh(tokenizer, last=self.ended)))
        if self.matcher.stopped:
            self.reason = "stop"
        elif self.ended:
            self._emit(self.matcher.finish())

    def _fresh(self, tokenizer: Tokenizer, *, last: bool) -> str:
        """Return text that the newest ids complete; ids that end inside a character wait for the rest of it."""
        # a few ids before give the decoder what stands left of the new text (a space, for example)
        if not self._borders:
            self._borders.append(_clean_start(tokenizer, self.ids[: self.prompt_length]))
        while len(self._borders) > 1 and self._borders[1] <= self._decoded - TAIL_TOKENS:
            self._borders.popleft()
        lead = self.ids[self._borders[0] : self._decoded]
        waiting = self.ids[self._decoded :]
        before, after = tokenizer.decode(lead), tokenizer.decode(lead + waiting)
        if after.endswith("\ufffd") and not last:
            if len(waiting) < TAIL_TOKENS:
                return ""
            waiting = waiting[:-LONGEST_CHARACTER]
            after = after[: len(tokenizer.decode(lead + waiting))]
        self._borders.append(self._decoded)
        self._decoded += len(waiting)
        return after[len(before) :]

    def _emit(self, text: str) -> None:
        self.text += text
        if text and self.on_text is not None:
            self.on_text(self.number, text)

    def continuation(self) -> Continuation:
        """Return what was written."""
        assert self.reason is not None  # noqa: S101 - narrows the type
        return Continuation(self.text, tuple(self.ids[self.prompt_length :]), self.logprob, self.reason)


def _clean_start(tokenizer: Tokenizer, ids: list[int]) -> int:
    """Return where in a prompt's ids a few of its last begin that do not start inside a character."""
    count = TAIL_TOKENS
    while count < len(ids) and tokenizer.decode(ids[-count:]).startswith("\ufffd"):
        count += 1
    return max(0, len(ids) - count)


def _prompt_ids(model: LanguageModel, tokenizer: Tokenizer, prompt: str | IdArray) -> list[int]:
    if isinstance(prompt, str):
        ids = [tokenizer.vocabulary.bos, *tokenizer.encode(prompt).ids.tolist()]
    else:
        ids = [int(index) for index in prompt]
    if model.context is not None and len(ids) > model.context:
        _LOG.warning("the prompt has %d tokens; only its last %d fit the model's context", len(ids), model.context)
    return ids


def _choose(logprobs: FloatArray, rows: Sequence[_Row], config: GenerationConfig) -> IdArray:
    said = [np.array(row.ids, dtype=np.int32) for row in rows]
    return draw(filtered(logprobs, config, said), [row.generator for row in rows])
