"""Train models that label words: `ziggurat.training.gradient` on sentences with a label for each word."""

from dataclasses import dataclass, replace

from ziggurat.core.config import option
from ziggurat.core.types import Event
from ziggurat.training import gradient
from ziggurat.training.job import Fitted, Job
from ziggurat.training.objectives.tags import TaggedSentences

__all__ = ["Config", "fit"]

PER = "word"
"""What the loss is a mean over, which no reader of events may take for the tokens of a text."""


@dataclass(frozen=True)
class Config(gradient.Config):
    """The ``[training]`` keys of models that label words."""

    rows: int = option(
        16, "sentences of `window` words in a batch; of shorter ones there are more, of longer fewer", low=1
    )
    window: int = option(32, "words of a sentence, of which a batch holds `rows` sentences", low=1)
    keep_vectors: bool = option(
        True, "embeddings that begin with vectors stay as they are, so that words never trained on lie where they lay"
    )
    unknown: float = option(
        0.25, "a word seen n times is read as unknown with probability unknown / (n + unknown); 0: none is", low=0.0
    )


def fit(job: Job) -> Fitted:
    """Train a model to label words, as `ziggurat.training.gradient.run` says.

    Raises:
        UsageError: the job has no labels of words.
        TooLittleTextError: no sentence can be learnt from.
    """
    config: Config = job.config

    def tell(event: Event) -> None:
        job.listener({**event, "per": PER} if event["event"] in ("step", "eval") else event)

    return gradient.run(
        replace(job, listener=tell),
        lambda job, model: TaggedSentences(job, model, tokens=config.rows * config.window, unknown=config.unknown),
    )
