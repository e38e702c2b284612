"""Writing what follows from sources, with any model that is conditioned on one: many sources at once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import ConditionalModel, LanguageModel, Tokenizer
from ziggurat.core.types import Continuation, IdArray
from ziggurat.tokens.batches import padded
from ziggurat.use.beam import BeamConfig, beam_search
from ziggurat.use.completion import GenerationConfig, OnText, generate

__all__ = ["TranslationConfig", "Within", "source_ids", "translate", "translate_beam"]

Within: TypeAlias = Callable[[LanguageModel, Sequence[int]], LanguageModel]
"""Another look at the model of what follows from the sources of these numbers."""

BATCH_TOKENS = 1 << 13
"""Source tokens, padding included, that are read together."""

SPARE_TOKENS = 20
"""What a target may have beyond so many times its source's tokens: a short source may need many."""


@dataclass(frozen=True)
class TranslationConfig(BeamConfig):
    """How the likeliest targets are searched for, and how long they may become."""

    longest_ratio: float = option(3.0, "most tokens to write for each token of the source, and 20 more", low=0.0)


def translate(
    model: ConditionalModel,
    tokenizer: Tokenizer,
    sources: Sequence[str],
    config: GenerationConfig,
    *,
    seed: int = 0,
    on_text: OnText | None = None,
) -> list[Continuation]:
    """Return ``config.samples`` targets of each source, those of one source together.

    *Idea.* Given its source the model is a language model, which `generate` writes with from the begin token on.
    Sources of like length go through it together; each target reads the same alone or in company. A target ends at the
    model's context at the latest.

    Raises:
        UsageError: a source is longer than the model's context; the message says which.
    """
    read = [source_ids(model, tokenizer, text, name=f"source {n}") for n, text in enumerate(sources, start=1)]
    if model.context is not None:
        config = replace(config, max_tokens=min(config.max_tokens, model.context))
    found: list[list[Continuation]] = [[] for _ in sources]
    for batch in _batches([len(ids) for ids in read], config.samples):
        conditioned = model.condition(*padded([read[number] for number in batch for _ in range(config.samples)]))
        prompts = dict.fromkeys(batch, "")
        written = generate(conditioned, tokenizer, prompts, config, seed=seed, on_text=on_text)
        for place, number in enumerate(batch):
            found[number] = written[place * config.samples : (place + 1) * config.samples]
    return [continuation for of_one in found for continuation in of_one]


def translate_beam(
    model: ConditionalModel,
    tokenizer: Tokenizer,
    sources: Sequence[str],
    config: TranslationConfig,
    *,
    names: Sequence[str] | None = None,
    within: Within | None = None,
) -> list[list[Continuation]]:
    """Return the ``config.best`` targets of each source that `beam_search` finds, the best first.

    Sources of like length go through the model together; each target reads the same alone or in company. ``names`` say
    in errors which source is meant. ``within`` may look otherwise at the model of what follows from some sources, as
    `ziggurat.use.constraints` does; it is told their numbers.

    Raises:
        UsageError: a source is longer than the model's context; the message says which.
    """
    named = names or [f"source {number}" for number in range(1, len(sources) + 1)]
    read = [source_ids(model, tokenizer, text, name=name) for text, name in zip(sources, named, strict=True)]
    vocabulary = tokenizer.vocabulary
    found: list[list[Continuation]] = [[] for _ in sources]
    for batch in _batches([len(ids) for ids in read], config.beams):
        conditioned = model.condition(*padded([read[number] for number in batch]))
        hypotheses = beam_search(
            conditioned if within is None else within(conditioned, batch),
            [np.array([vocabulary.bos], dtype=np.int32)] * len(batch),
            config,
            size=vocabulary.size,
            ends={vocabulary.eos},
            limits=[int(config.longest_ratio * len(read[number])) + SPARE_TOKENS for number in batch],
        )
        for number, best in zip(batch, hypotheses, strict=True):
            found[number] = [Continuation(tokenizer.decode(h.ids), h.ids, h.logprob, h.reason) for h in best]
    return found


def source_ids(model: ConditionalModel, tokenizer: Tokenizer, text: str, *, name: str) -> IdArray:
    """Return a source as the model reads it: its ids and the end token; white space at its ends is left out.

    Raises:
        UsageError: it is longer than the model's context; ``name`` says in the message which it is.
    """
    ids = np.append(tokenizer.encode(text.strip()).ids, tokenizer.vocabulary.eos).astype(np.int32)
    if model.context is not None and len(ids) > model.context:
        raise UsageError(
            f"{name}: {len(ids)} tokens are more than the model can read at once (its context is {model.context}): "
            "shorten it or cut it into sentences"
        )
    return ids


def _batches(lengths: Sequence[int], samples: int) -> Iterator[list[int]]:
    """Cut sources, shortest first, where rows × longest would pass the bound."""
    batch: list[int] = []
    for number in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * samples * lengths[number] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch
