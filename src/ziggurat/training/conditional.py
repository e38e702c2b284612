"""Train models that write a target given a source: `ziggurat.training.gradient` on pairs."""

from dataclasses import dataclass

from ziggurat.core.config import option
from ziggurat.training import gradient
from ziggurat.training.job import Fitted, Job
from ziggurat.training.objectives.targets import Targets

__all__ = ["Config", "fit"]


@dataclass(frozen=True)
class Config(gradient.Config):
    """The ``[training]`` keys of models that read pairs."""

    rows: int = option(
        64, "pairs of `window` tokens in a batch; of shorter pairs there are more, of longer fewer", low=1
    )
    window: int = option(32, "tokens of a pair's longer side, of which a batch holds `rows` pairs", low=1)
    label_smoothing: float = option(
        0.1, "part of each target's probability that is spread over all tokens", low=0.0, high=0.9
    )


def fit(job: Job) -> Fitted:
    """Train an encoder–decoder to predict targets from sources, as `ziggurat.training.gradient.run` says.

    Raises:
        TooLittleTextError: no pair fits the model's context.
    """
    config: Config = job.config
    return gradient.run(
        job,
        lambda job, model: Targets(job, model, tokens=config.rows * config.window, smoothing=config.label_smoothing),
    )
