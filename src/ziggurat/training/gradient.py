"""The one loop that trains every neural family: batches, gradients, evaluation, checkpoints, budgets.

*Idea.* A step's batch, learning rate and dropout are functions of the seed and of what a checkpoint holds, so a run
that was stopped anywhere ends with the same weights as one that was not. Time enters only where the user gave a budget
in minutes, and there it becomes a number of steps as soon as it can (`ziggurat.training.schedules`).
"""

from collections.abc import Callable

import torch

from ziggurat.core.seeding import derive
from ziggurat.training.job import Fitted, Job
from ziggurat.training.loop.config import Config
from ziggurat.training.loop.machinery import chosen_device
from ziggurat.training.loop.run import Objectives, Run
from ziggurat.training.objectives.next_token import NextToken
from ziggurat.training.torchrun import current

__all__ = ["Config", "Objectives", "fit", "run"]


def fit(job: Job) -> Fitted:
    """Train a neural language model to predict next tokens, as `run` says.

    Raises:
        TooLittleTextError: the training text is shorter than two tokens.
    """
    config: Config = job.config
    return run(job, lambda job, model: NextToken(job, model, rows=config.rows, window=config.window))


def run(job: Job, objectives: Objectives, *, before: Callable[[], float] = lambda: 0.0) -> Fitted:
    """Train a neural model from its first weights, or go on from the newest checkpoint in the job's folder.

    ``before`` is called when all keys were found to be right, and does what an objective needs that takes long. It
    returns the seconds of it, which are of the budget of a run that begins; one that goes on has spent what its
    checkpoint says.

    Raises:
        UsageError: no budget is given, it was spent before the first step, or the model is no network.
        InterruptedRunError: the user stopped the run; a checkpoint is saved.
        DiskFullError: a checkpoint could not be written; the one before it is whole.
        DamagedError: the folder's checkpoints are damaged, or belong to another model.
    """
    device = chosen_device(job.config.device, current().device)
    with torch.random.fork_rng(devices=[] if device == "cpu" else [device]):
        # each process drops of its own rows what it draws itself; the first draws as one alone does
        torch.manual_seed(derive(job.seed, "dropout", *([rank] if (rank := current().rank) else [])))
        made = Run(job, objectives)
        made.budget.spend(before())
        return made.train()
