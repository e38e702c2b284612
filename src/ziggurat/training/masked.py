"""Trains encoders: guess hidden tokens from those around them (Devlin et al. 2019, section 3.1)."""

from dataclasses import dataclass, replace

from ziggurat.core.config import option
from ziggurat.core.types import Event
from ziggurat.training import gradient
from ziggurat.training.job import Fitted, Job
from ziggurat.training.objectives.masked import MaskedTokens, commonest

__all__ = ["Config", "fit"]

PER = "hidden token"
"""What the loss is a mean over, which no reader of events may take for that of all tokens."""


@dataclass(frozen=True)
class Config(gradient.Config):
    """The ``[training]`` keys of encoders: those of every neural model, and what is hidden."""

    mask_part: float = option(0.15, "part of the tokens that are to be guessed", low=0.001, high=0.9)
    whole_words: bool = option(False, "hide all tokens of a word together, English and Chinese")


def fit(job: Job) -> Fitted:
    """Train an encoder to guess hidden tokens, as `ziggurat.training.gradient.run` says.

    Raises:
        TooLittleTextError: the training text is shorter than two tokens.
        UsageError: the tokenizer has no token that hides another, or the encoder has no head.
    """
    config: Config = job.config

    def tell(event: Event) -> None:
        job.listener({**event, "per": PER} if event["event"] in ("step", "eval") else event)

    fitted = gradient.run(
        replace(job, listener=tell),
        lambda job, model: MaskedTokens(
            job, model, rows=config.rows, window=config.window, part=config.mask_part, whole=config.whole_words
        ),
    )
    return replace(fitted, facts={**fitted.facts, **commonest(job.train)})
