"""Interpolated modified Kneser–Ney as its formulas say, with dictionaries and loops: the fast one is held to it."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

Ngram = tuple[str, ...]

BOS, EOS = "<s>", "</s>"
FALLBACK = (0.5, 1.0, 1.5)


class SlowKneserNey:
    """Probabilities of words (any strings) after words, by definition."""

    def __init__(
        self,
        sentences: Sequence[Sequence[str]],
        order: int,
        predictable: int,
        *,
        prune: Sequence[int] = (0,),
        discounts: tuple[float, float, float] | None = None,
    ) -> None:
        self.order, self.predictable = order, predictable
        thresholds = [*prune, *[prune[-1]] * order][:order]
        raw: Counter[Ngram] = Counter()
        for sentence in sentences:
            padded = (BOS, *sentence, EOS)
            for start in range(len(padded)):
                for stop in range(start + 1, min(start + order, len(padded)) + 1):
                    raw[padded[start:stop]] += 1
        left: dict[Ngram, set[str]] = defaultdict(set)
        for ngram in raw:
            left[ngram[1:]].add(ngram[0])
        self.counts: dict[Ngram, int] = {}
        for ngram, count in raw.items():
            plain = len(ngram) == order or ngram[0] == BOS
            self.counts[ngram] = count if plain else len(left[ngram])
        del self.counts[BOS,]  # never predicted
        self.discounts = [discounts or self._closed_form(k) for k in range(1, order + 1)]
        self.removed = {ngram for ngram in self.counts if raw[ngram] <= thresholds[len(ngram) - 1]}
        self.children: dict[Ngram, list[Ngram]] = defaultdict(list)
        for ngram in self.counts:
            self.children[ngram[:-1]].append(ngram)

    def _closed_form(self, k: int) -> tuple[float, float, float]:
        n = Counter(count for ngram, count in self.counts.items() if len(ngram) == k)
        if 0 in (n[1], n[2], n[3]):
            return FALLBACK
        y = n[1] / (n[1] + 2 * n[2])
        found = (1 - 2 * y * n[2] / n[1], 2 - 3 * y * n[3] / n[2], 3 - 4 * y * n[4] / n[3])
        return found if all(0 <= d <= c for c, d in enumerate(found, start=1)) else FALLBACK

    def _discount(self, ngram: Ngram) -> float:
        count = self.counts[ngram]
        return float(count) if ngram in self.removed else self.discounts[len(ngram) - 1][min(count, 3) - 1]

    def probability(self, word: str, history: Ngram) -> float:
        """Return p(word | history); history begins with BOS where the sentence does."""
        return self._probability(word, history[max(0, len(history) - self.order + 1) :])

    def _probability(self, word: str, history: Ngram) -> float:
        lower = 1 / self.predictable if not history else self._probability(word, history[1:])
        children = self.children.get(history, [])
        if not children:
            return lower
        total = sum(self.counts[child] for child in children)
        gamma = sum(self._discount(child) for child in children) / total
        ngram = (*history, word)
        own = self.counts[ngram] - self._discount(ngram) if ngram in self.counts else 0.0
        return own / total + gamma * lower

    def logprobs(self, sentence: Sequence[str]) -> list[float]:
        """Return log p of each word of a sentence and of its end."""
        padded = (BOS, *sentence, EOS)
        return [math.log(self.probability(padded[t], padded[:t])) for t in range(1, len(padded))]
