"""A model's vectors before all the sets that a user names: answers, figures under shared names, and comparisons."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ziggurat.core.config import from_mapping, option
from ziggurat.core.errors import UsageError
from ziggurat.core.types import FloatArray
from ziggurat.judge.intrinsic.analogies import AnalogyAnswers, answer_analogies
from ziggurat.judge.intrinsic.chance import Comparison
from ziggurat.judge.intrinsic.lexicon import Lexicon
from ziggurat.judge.intrinsic.scores import (
    AnalogyScore,
    analogy_scores,
    compare_analogies,
    compare_similarity,
    similarity_interval,
)
from ziggurat.judge.intrinsic.similarity import SimilarityAnswers, Spell, answer_similarity
from ziggurat.judge.intrinsic.word_sets import AnalogySet, SimilaritySet, read_analogies, read_similarity
from ziggurat.judge.significance import Interval
from ziggurat.use.vectors import Vectors

__all__ = ["Asking", "Judged", "compare_judged", "figures", "judge_files", "judge_rows", "judge_vectors"]


@dataclass(frozen=True)
class Asking:
    """How vectors are asked; figures compare only where they were asked alike."""

    restrict: int = option(30_000, "analogies know only the so many most frequent words; 0: all of them", low=0)
    method: Literal["add", "multiply"] = option("add", "analogies by 3CosAdd, or by 3CosMul (multiply)")
    case_sensitive: bool = option(False, "tell capitals from small letters, instead of taking the most frequent form")
    spelled: bool = option(False, "give pairs' unknown words vectors made of their character n-grams")
    seed: int = option(0, "seed of the bootstrap", low=0)


@dataclass(frozen=True, slots=True)
class Judged:
    """The answers of one model to all sets."""

    analogies: tuple[AnalogyAnswers, ...]
    similarity: tuple[SimilarityAnswers, ...]


def judge_vectors(
    vectors: Vectors, analogies: Sequence[AnalogySet], similarity: Sequence[SimilaritySet], asking: Asking
) -> Judged:
    """Ask ``vectors`` everything in these sets.

    Raises:
        UsageError: no set was given, two are called alike, or unknown words are to be spelled by a model that has no
            character n-grams.
    """
    names = [one.name for one in analogies] + [one.name for one in similarity]
    if not names:
        raise UsageError("nothing to ask; give --analogies FILE or --similarity FILE")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"two sets are called '{twice}'; give each file a name of its own")
    spell = _speller(vectors) if asking.spelled else None
    words, rows = vectors.vocabulary_words, vectors.matrix[vectors.first_word :]
    return judge_rows(words, rows, (analogies, similarity), asking, spell=spell)


def judge_rows(
    words: Sequence[str],
    rows: FloatArray,
    sets: tuple[Sequence[AnalogySet], Sequence[SimilaritySet]],
    asking: Asking,
    *,
    spell: Spell | None = None,
) -> Judged:
    """Ask the ``rows`` (V, D) of ``words``, the most frequent first, everything in sets of analogies and of pairs."""
    fold = not asking.case_sensitive
    some = Lexicon(words, rows, restrict=asking.restrict or None, fold=fold)
    every = some if len(some) == len(words) else Lexicon(words, rows, fold=fold)
    return Judged(
        tuple(answer_analogies(some, one, method=asking.method) for one in sets[0]),
        tuple(answer_similarity(every, one, spell=spell) for one in sets[1]),
    )


def judge_files(
    vectors: Vectors,
    analogies: Sequence[str | os.PathLike[str]] = (),
    similarity: Sequence[str | os.PathLike[str]] = (),
    **asking: Any,
) -> dict[str, dict[str, Any]]:
    """Return the figures of ``vectors`` on files of analogies and of word pairs; ``asking`` are the keys of `Asking`.

    Raises:
        InputError: a file is of another form; the message names the line.
        UnknownNameError: a key that does not exist; the nearest is named.
    """
    how = from_mapping(Asking, asking, where="asking")
    sets = [read_analogies(name) for name in analogies], [read_similarity(name) for name in similarity]
    return figures(judge_vectors(vectors, *sets, how), how)


def figures(judged: Judged, asking: Asking) -> dict[str, dict[str, Any]]:
    """Return by set what a manifest, a table and JSON say of it, under the names that they share.

    *Shapes and units.* ``accuracy`` and ``spearman`` are fractions with ``low`` and ``high``, their 95 % bootstrap
    interval; None where a figure is undefined.
    """
    found = {one.questions.name: _analogies(one, asking) for one in judged.analogies}
    return found | {one.pairs.name: _similarity(one, asking) for one in judged.similarity}


def compare_judged(ours: Sequence[Judged], theirs: Sequence[Judged], asking: Asking) -> dict[str, list[Comparison]]:
    """Return by set the comparisons of two recipes whose models answered the same sets.

    A recipe is one model, or several that differ in their seeds. Of analogies there is a comparison for each section,
    then for each total, the last of all questions; of pairs there is one.

    Raises:
        TooLittleTextError: a set has too little that all models know.
    """
    found = {}
    for number, answers in enumerate(ours[0].analogies):
        one, other = ([judged.analogies[number] for judged in side] for side in (ours, theirs))
        found[answers.questions.name] = compare_analogies(one, other, seed=asking.seed)
    for number, pairs in enumerate(ours[0].similarity):
        two, others = ([judged.similarity[number] for judged in side] for side in (ours, theirs))
        found[pairs.pairs.name] = [compare_similarity(two, others, seed=asking.seed)]
    return found


def _analogies(answers: AnalogyAnswers, asking: Asking) -> dict[str, Any]:
    scores = analogy_scores(answers, seed=asking.seed)
    totals = {score.name: score for score in scores if score.total}
    overall = totals.pop("overall")
    return {
        **_measured("accuracy", overall.accuracy, overall.interval),
        **{name: score.accuracy for name, score in totals.items()},
        "questions": overall.asked,
        "questions_skipped": overall.skipped,
        "vocabulary": answers.vocabulary,
        "method": asking.method,
        "case_sensitive": asking.case_sensitive,
        "sections": [_section(score) for score in scores],
    }


def _similarity(answers: SimilarityAnswers, asking: Asking) -> dict[str, Any]:
    return {
        **_measured("spearman", answers.correlation, similarity_interval(answers, seed=asking.seed)),
        "spearman_of_all": answers.correlation_of_all,
        "pairs": int(answers.asked.sum()),
        "pairs_skipped": int((~answers.asked).sum()),
        "words_spelled": answers.spelled,
        "vocabulary": answers.vocabulary,
        "case_sensitive": asking.case_sensitive,
    }


def _speller(vectors: Vectors) -> Spell:
    if not vectors.model.config.spells:
        raise UsageError("this model has no character n-grams to spell unknown words with; leave --spelled out")

    def spell(word: str) -> FloatArray | None:
        return vectors.vector(word) if vectors.id_of(word) is None and word in vectors else None

    return spell


def _measured(quantity: str, value: float | None, interval: Interval | None) -> dict[str, float | None]:
    return {
        quantity: value,
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
    }


def _section(score: AnalogyScore) -> Mapping[str, Any]:
    facts = asdict(score)
    del facts["interval"]
    return {**facts, **_measured("accuracy", score.accuracy, score.interval)}
