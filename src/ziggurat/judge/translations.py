"""How good translations are, by others' measure: corpus BLEU and chrF of sacrebleu (extra ``tasks``)."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import MissingExtraError, TooLittleTextError, UsageError
from ziggurat.core.seeding import generator

__all__ = ["bleu_tokenizer", "translation_figures"]

Counts = npt.NDArray[np.int64]

RESAMPLES = 1000
CHUNK = 50
LEVEL = 0.95
BY_CHARACTERS = ("ja", "km", "lo", "my", "th", "yue")
"""Languages without spaces that sacrebleu cuts into words only with more packages, or not at all."""


def translation_figures(
    targets: Sequence[str], said: Mapping[str, Sequence[str]], *, language: str, seed: int, resamples: int = RESAMPLES
) -> dict[str, Any]:
    """Return what is known of one or several ways (``said``) to translate the same sentences, rightly ``targets``.

    *Maths.* Corpus BLEU (Papineni et al. 2002) and chrF (Popović 2015) of one reference, as sacrebleu computes them
    (Post 2018), each with the ``signature`` that says how. The interval of BLEU is the percentile bootstrap's over
    sentences, whose counts are summed before the score is made of them (Koehn 2004). With two ways ``difference`` is
    the BLEU of the second less that of the first, its interval from the same resamples, and the p-value that of
    approximate randomisation: sentences change sides at random, and (1 + hits) / (1 + resamples) of such differences
    are as large (Riezler & Maxwell 2005, section 4.2).

    *Shapes and units.* BLEU and chrF from 0 to 100. ``language`` is that of the targets, which decides how BLEU cuts
    them (`bleu_tokenizer`).

    Raises:
        UsageError: the numbers of sentences differ.
        TooLittleTextError: there are no sentences.
        MissingExtraError: sacrebleu is not installed.
    """
    if not targets:
        raise TooLittleTextError("no sentences: there is nothing to compare translations with")
    metrics = _sacrebleu()
    bleu, chrf = metrics.BLEU(tokenize=bleu_tokenizer(language)), metrics.CHRF()
    counts: dict[str, Counts] = {}
    found: dict[str, Any] = {"sentences": len(targets)}
    for name, sentences in said.items():
        if len(sentences) != len(targets):
            raise UsageError(f"{name}: {len(sentences)} translations of {len(targets)} sentences can't be compared")
        counts[name] = _counts(metrics, sentences, targets, language)
        found[name] = {
            "bleu": bleu.corpus_score(list(sentences), [list(targets)]).score,
            "chrf": chrf.corpus_score(list(sentences), [list(targets)]).score,
        }
    drawn = _resampled(counts, seed, resamples)
    for name, values in drawn.items():
        found[name] |= _interval(values)
    if len(said) == 2:
        first, second = said
        value = found[second]["bleu"] - found[first]["bleu"]
        p_value = _exchanged(counts[first], counts[second], abs(value), seed, resamples)
        found["difference"] = {"value": value, **_interval(drawn[second] - drawn[first]), "p_value": p_value}
    if said:
        found["signatures"] = {"bleu": str(bleu.get_signature()), "chrf": str(chrf.get_signature())}
    return found


def bleu_tokenizer(language: str) -> str:
    """Return how sacrebleu cuts sentences of a language (BCP 47) before it compares them.

    >>> bleu_tokenizer("de"), bleu_tokenizer("zh-Hant"), bleu_tokenizer("ja")
    ('13a', 'zh', 'char')
    """
    code = language.lower().replace("_", "-").split("-")[0]
    if code == "zh":
        return "zh"
    return "char" if code in BY_CHARACTERS else "13a"


def _sacrebleu() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what its own imports complain of
            from sacrebleu import metrics
    except ImportError as error:
        raise MissingExtraError("BLEU", "tasks") from error
    return metrics


def _counts(metrics: Any, sentences: Sequence[str], targets: Sequence[str], language: str) -> Counts:
    """Return (sentences, 10): n-grams that match and all n-grams, n from 1 to 4, and the lengths of both sides."""
    # a short sentence's own score, which nobody reads, leaves out what it has no n-grams for: without a warning
    bleu = metrics.BLEU(tokenize=bleu_tokenizer(language), effective_order=True)
    told = [bleu.sentence_score(one, [other]) for one, other in zip(sentences, targets, strict=True)]
    return np.array([[*one.counts, *one.totals, one.sys_len, one.ref_len] for one in told], dtype=np.int64)


def _score(sums: Counts) -> float:
    from sacrebleu.metrics import BLEU

    numbers = [int(number) for number in sums]
    return float(BLEU.compute_bleu(numbers[:4], numbers[4:8], numbers[8], numbers[9], smooth_method="exp").score)


def _resampled(counts: Mapping[str, Counts], seed: int, resamples: int) -> dict[str, npt.NDArray[np.float64]]:
    """Return BLEU of each way in each resample; the ways are judged on the same sentences of a resample."""
    draw, drawn = generator(seed, "bleu"), {name: np.empty(resamples) for name in counts}
    sentences = len(next(iter(counts.values()), ()))
    for start in range(0, resamples if counts else 0, CHUNK):
        stop = min(start + CHUNK, resamples)
        times = draw.multinomial(sentences, np.full(sentences, 1 / sentences), size=stop - start)
        for name, table in counts.items():
            drawn[name][start:stop] = [_score(sums) for sums in times @ table]
    return drawn


def _interval(values: npt.NDArray[np.float64]) -> dict[str, float]:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {"low": float(low), "high": float(high)}


def _exchanged(first: Counts, second: Counts, observed: float, seed: int, resamples: int) -> float:
    draw, hits = generator(seed, "exchange"), 0
    both, gap = first.sum(axis=0) + second.sum(axis=0), second - first
    for start in range(0, resamples, CHUNK):
        sides = draw.integers(0, 2, size=(min(CHUNK, resamples - start), len(first)))
        for one in first.sum(axis=0) + sides @ gap:
            hits += abs(_score(both - one) - _score(one)) >= observed - 1e-9
    return (1 + hits) / (1 + resamples)
