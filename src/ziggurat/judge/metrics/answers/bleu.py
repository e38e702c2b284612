"""BLEU: how many of a text's word sequences stand in the right text (extra ``tasks``)."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from ziggurat.judge.metrics.answers.foreign import sacrebleu_metrics, signature_of
from ziggurat.judge.metrics.answers.sums import SummedMetric, Vector

__all__ = ["METRIC", "Bleu", "bleu_tokenizer"]

LONGEST = 4
UNSPACED = ("HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
"""Scripts without spaces, as Unicode's names of letters begin, whose words sacrebleu cuts only with more packages."""
HAN = "CJK"


class Bleu(SummedMetric):
    """Corpus BLEU of one reference, from 0 to 100, as sacrebleu computes it (Papineni et al. 2002; Post 2018).

    *Maths.* exp(min(0, 1 − r/c)) · exp(¼ Σ_n log p_n), where p_n of n-grams that are right / all of them, n from 1 to
    4, and c and r the lengths of both sides, each summed over the corpus (Papineni et al. 2002, section 2.3). Where
    none of length n is right, the numerator is ½, then ¼, and so on (``smooth:exp``; Chen & Cherry 2014, method 3).

    *Idea.* How sentences are cut follows from the letters of the right texts (`bleu_tokenizer`); the signature says it.

    *Departs.* `each` leaves out the n for which a sentence is too short, as sacrebleu's score of sentences does.

    Raises:
        MissingExtraError: sacrebleu is not installed.
    """

    name: ClassVar[str] = "bleu"
    reads: ClassVar[str] = "texts"
    highest: ClassVar[float] = 100.0

    def __init__(self) -> None:
        """Begin with nothing seen."""
        super().__init__()
        self._library = sacrebleu_metrics("BLEU")

    @property
    def signature(self) -> str:
        """How sacrebleu names what was computed."""
        return signature_of(self._library.BLEU(tokenize=self._tokenizer()))

    def seen(self, gold: Any, predicted: Any) -> tuple[str, str]:
        """Return both texts: how they are cut is known when all were seen."""
        return str(gold), str(predicted)

    def rows(self, examples: Sequence[tuple[str, str]]) -> Vector:
        """Return (10, examples): right n-grams, n-grams of what was said (n from 1 to 4), lengths of said and gold."""
        # a short sentence's own score, which nobody reads, leaves out what it has no n-grams for: without a warning
        bleu = self._library.BLEU(tokenize=self._tokenizer(), effective_order=True)
        told = [bleu.sentence_score(said, [gold]) for gold, said in examples]
        return np.array([[*one.counts, *one.totals, one.sys_len, one.ref_len] for one in told], dtype=np.float64).T

    def statistic(self, sums: Vector) -> Vector:
        """Return (R,) scores from (10, R) sums."""
        return _scores(sums, np.full(sums.shape[1], LONGEST))

    def each(self) -> Vector:
        """Return (examples,) scores of single sentences, by the n-grams that each is long enough for."""
        rows = self._counted()
        return _scores(rows, np.maximum((rows[LONGEST : 2 * LONGEST] > 0).sum(axis=0), 1))

    def _tokenizer(self) -> str:
        return bleu_tokenizer(gold for gold, _ in self._examples)


def bleu_tokenizer(texts: Iterable[str]) -> str:
    """Return how sacrebleu cuts texts into words, by the script of their letters.

    A third of them decides, as one letter of Chinese says more than one of English.

    >>> bleu_tokenizer(["Ein Hund läuft."]), bleu_tokenizer(["他们喝绿茶。"]), bleu_tokenizer(["犬が走っている"])
    ('13a', 'zh', 'char')
    """
    counts = Counter(letter for text in texts for letter in text if letter.isalpha())
    kinds: Counter[str] = Counter()
    for letter, count in counts.items():
        kinds[unicodedata.name(letter, "").split(" ")[0].split("-")[0]] += count
    unspaced = sum(kinds[script] for script in UNSPACED)
    if 3 * (unspaced + kinds[HAN]) <= counts.total():
        return "13a"
    return "char" if 10 * unspaced > counts.total() else "zh"


def _scores(sums: Vector, orders: Any) -> Vector:
    """Return (R,) scores by the n-grams up to the length in ``orders`` (R,)."""
    right, said, (written, stands) = sums[:LONGEST], sums[LONGEST : 2 * LONGEST], sums[2 * LONGEST :]
    wrong = right == 0
    shares = np.where(wrong, 0.5 ** np.cumsum(wrong, axis=0), right) / np.maximum(said, 1)
    counted = np.arange(LONGEST)[:, None] < orders
    mean = np.exp(np.where(counted, np.log(shares), 0).sum(axis=0) / orders)
    scored = (right.sum(axis=0) > 0) & ~(counted & (said == 0)).any(axis=0)
    brevity = np.exp(np.minimum(0, 1 - stands / np.maximum(written, 1)))
    return np.asarray(np.minimum(100 * np.where(scored, brevity * mean, 0), 100), dtype=np.float64)


METRIC = Bleu
