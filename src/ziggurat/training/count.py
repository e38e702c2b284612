"""Fitting an n-gram model: one pass that counts, one that smooths."""

import time
from dataclasses import dataclass

from ziggurat.core.compiled import thread_count
from ziggurat.core.config import option
from ziggurat.core.errors import TooLittleTextError
from ziggurat.models.ngram import NgramLanguageModel
from ziggurat.training.job import Fitted, Job
from ziggurat.training.kneser_ney import smooth
from ziggurat.training.ngram_counting import Budget, count_ngrams
from ziggurat.training.ngram_sorting import Shape
from ziggurat.training.scratch import memory_limit

__all__ = ["Config", "fit"]


@dataclass(frozen=True)
class Config:
    """The counting trainer's recipe keys."""

    memory: str = option(
        "auto", "Memory that counting may use, like 800M or 4G; what does not fit goes to disk (auto: half of it)."
    )
    threads: int = option(0, "Threads that count at once; 0 uses all cores.", low=0)


def fit(job: Job) -> Fitted:
    """Count the job's training text and return the smoothed model.

    The model depends on the text and the family's configuration alone: neither memory, threads nor seed change it.

    Raises:
        TooLittleTextError: the text has no token to predict.
        UsageError: `Config.memory` is not a size.
        DiskFullError: the working files do not fit on disk.
    """
    started = time.perf_counter()
    config, model_config, train = job.config, job.model_config, job.train
    if train.tokens.size < 2:
        raise TooLittleTextError("the training text is empty: an n-gram model needs at least one token")
    vocabulary = train.vocabulary
    shape = Shape(model_config.order, vocabulary.size, vocabulary.bos, vocabulary.eos)
    threads = thread_count(config.threads)
    budget = Budget(memory_limit(config.memory, where="training.memory"), threads, job.working_folder())
    prune = model_config.thresholds()
    found = count_ngrams(train.tokens, shape, budget, raw=any(prune[:-1]), workers=job.workers)
    seen = [int(count) for count in found.starts[1:] - found.starts[:-1]]
    job.listener({"event": "counted", "tokens": int(train.tokens.size), "ngrams": sum(seen)})
    given = model_config.discounts or None
    trie, discounts = smooth(found, discounts=given, prune=prune, threads=threads)
    seconds = time.perf_counter() - started
    job.listener({"event": "smoothed", "ngrams": sum(trie.counts()), "seconds": seconds})
    facts = {
        "tokens": int(train.tokens.size),
        "ngrams_seen": seen,
        "ngrams_kept": trie.counts(),
        "discounts": [list(three) for three in discounts],
        "on_disk": found.scratch.on_disk,
        "seconds": seconds,
    }
    return Fitted(NgramLanguageModel(trie, vocabulary), facts)
