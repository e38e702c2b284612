"""Word vectors of a climb: learnt from its training split in seconds, and shown by the company that words keep.

*Idea.* Vectors of words predict no text, so they have no bits per byte and no rank. What they have learnt shows in
which words lie near each other. Nobody chooses the words that are shown: it is those that the text is about, by a rule
that knows no language.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ziggurat.artefacts.bundle import Bundle
from ziggurat.artefacts.fit import fit, prepare_material
from ziggurat.artefacts.recipe import Recipe, load_recipe
from ziggurat.core.errors import MissingExtraError, TooLittleTextError
from ziggurat.core.files import write_text
from ziggurat.core.protocols import TokenStream
from ziggurat.core.types import Listener
from ziggurat.study.clock import Clock
from ziggurat.study.cooccurrence import document_chunks
from ziggurat.study.entrants import Entry
from ziggurat.study.result import Neighbourhood, Place, WordSpace
from ziggurat.text.corpus import Corpus
from ziggurat.use.projection import neighbourhoods, project
from ziggurat.use.vectors import Vectors

__all__ = ["Spread", "learn_words", "passes", "rare", "spreads", "telling_words"]

RECIPE = "skipgram"
SHARE = 0.03
"""Part of the budget that learning words may take."""
WORDS_PER_SECOND = 500_000
"""Running words that a slow core learns from in a second, so that what is planned ends on time."""
MOST_PASSES = 25
LONG_BYTES = 1_000_000
"""Training text for each occurrence that a word must have to get a vector, from 2 to 5."""
SHOWN_WORDS, SHOWN_NEIGHBOURS = 12, 6
LEAST_MAPPED = 3
ASPECT = 1.4
"""Width of the map for a height of 1."""
LEAST_OCCURRENCES = 20
"""A word must occur so often to be shown: the vectors of rarer ones say little."""
LOOKED_AT = 1000
"""Of the most frequent words so many are candidates."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How a word is spread over a text's documents."""

    word: str
    count: int
    """Occurrences."""
    residual_bits: float
    """How many bits rarer it is among documents than its occurrences, dealt out by chance, would make it."""


def learn_words(entry: Entry, corpus: Corpus, clock: Clock, listener: Listener) -> WordSpace | None:
    """Train vectors of the training split's words in a small share of the budget; None where it has too few words.

    Raises:
        InterruptedRunError: the user stopped it.
    """
    recipe = load_recipe(RECIPE).change(
        {
            "seed": entry.seed,
            "tokens.split": "auto",
            "tokens.punctuation": False,
            "tokens.min_count": rare(corpus.train.size_bytes),
        }
    )
    recipe = dataclasses.replace(recipe, text=entry.text)
    folder = entry.folder / recipe.name
    try:
        material = prepare_material(corpus, recipe.tokenizer, recipe.tokens, folder / "tokens", listener=listener)
    except MissingExtraError:  # Chinese, and nothing to cut it into words: characters are better than none
        recipe = recipe.change({"tokens.split": "unicode"})
        material = prepare_material(corpus, recipe.tokenizer, recipe.tokens, folder / "tokens", listener=listener)
    running = len(material.train.tokens)
    recipe = recipe.change({"training.epochs": passes(SHARE * clock.budget_seconds, running), "training.threads": 1})
    write_text(folder / "recipe.toml", recipe.with_sources(entry.sources).to_toml())
    try:
        bundle = fit(recipe, material, folder, listener=listener)
    except TooLittleTextError:
        return None
    return _described(recipe, bundle, material.train)


def rare(size_bytes: int) -> int:
    """Return how often a word must occur in so much training text to get a vector: 2 to 5 times.

    >>> rare(500_000), rare(3_500_000), rare(10**9)
    (2, 3, 5)
    """
    return min(5, max(2, size_bytes // LONG_BYTES))


def passes(seconds: float, running_words: int) -> int:
    """Return how many passes over so many running words fit into the seconds: 1 to `MOST_PASSES`.

    >>> passes(9.0, 500_000), passes(0.3, 500_000), passes(9.0, 1000)
    (9, 1, 25)
    """
    return int(min(MOST_PASSES, max(1, seconds * WORDS_PER_SECOND // max(1, running_words))))


def spreads(words: Sequence[str], stream: TokenStream, first_word: int) -> list[Spread]:
    """Return how each word, whose id is its place beyond ``first_word``, is spread; in the order of ids.

    *Maths.* Residual inverse document frequency (Church & Gale 1995, section 4): −log2(d/D) + log2(1 − e^(−n/D)) for a
    word of n occurrences in d of D documents. Words of grammar are dealt out as by chance and have about 0; what a
    document is about returns in it and has more.

    *Cost.* Memory for some million tokens, or for those of the longest document; the text may be larger than memory.
    """
    documents, size = len(stream.starts) - 1, first_word + len(words)
    counts, holding = np.zeros((2, size), np.int64)
    for _, tokens, number_of in document_chunks(stream):
        counts += np.bincount(tokens, minlength=size)[:size]
        inside = np.unique(number_of * np.int64(stream.vocabulary.size) + tokens) % stream.vocabulary.size
        holding += np.bincount(inside, minlength=size)[:size]
    counts, holding = counts[first_word:], holding[first_word:]
    present = np.maximum(holding, 1)
    expected = -np.log2(-np.expm1(-np.maximum(counts, 1) / documents))
    residual: npt.NDArray[np.float64] = np.log2(documents / present) - expected
    return [Spread(*row) for row in zip(words, counts.tolist(), residual.tolist(), strict=True)]


def telling_words(found: Iterable[Spread], count: int) -> list[Spread]:
    """Return up to ``count`` words that the text is about, of those ``found``, which come most frequent first.

    *Idea.* Of the first `LOOKED_AT` words that occur `LEAST_OCCURRENCES` times or more, the most frequent fifth, which
    any text needs, is passed over. Of the others, those made of two or more letters alone are kept, and of these the
    quarter with the highest residual inverse document frequency, in order of frequency.
    """
    frequent = [one for one in found if one.count >= LEAST_OCCURRENCES][:LOOKED_AT]
    able = [one for one in frequent[len(frequent) // 5 :] if len(one.word) > 1 and one.word.isalpha()]
    telling = sorted(able, key=lambda one: -one.residual_bits)[: -(-len(able) // 4)]
    return sorted(telling, key=lambda one: -one.count)[:count]


def _described(recipe: Recipe, bundle: Bundle, stream: TokenStream) -> WordSpace:
    vectors = Vectors.of(bundle)
    words, facts = vectors.vocabulary_words, bundle.manifest.training
    found = spreads(words, stream, vectors.first_word)
    shown = telling_words(found, SHOWN_WORDS)
    near = vectors.answers([([one.word], []) for one in shown], SHOWN_NEIGHBOURS)
    running = len(stream.tokens) - len(stream.starts)
    covered = sum(one.count for one in found)
    training: Any = recipe.training
    return WordSpace(
        recipe=recipe.name,
        bundle=f"{recipe.name}/bundle",
        words=len(words),
        least_count=int(getattr(recipe.tokens, "min_count", 1)),
        covered=covered / max(1, running),
        running_words=running,
        width=vectors.width,
        epochs=int(training.epochs),
        loss=float(facts["loss"]),
        dev_loss=float(facts["dev_loss"]) if facts.get("dev_loss") is not None else None,
        seconds=float(facts["seconds"]),
        neighbourhoods=tuple(
            Neighbourhood(one.word, one.count, tuple(pairs)) for one, pairs in zip(shown, near, strict=True)
        ),
        **_map(vectors, [one.word for one in shown], seed=recipe.seed),
    )


def _map(vectors: Vectors, shown: Sequence[str], *, seed: int) -> dict[str, Any]:
    """Return where the shown words and those near them stand in the plane, and how far that is to be trusted."""
    chosen = neighbourhoods(vectors, shown, count=SHOWN_NEIGHBOURS)
    if len(chosen.words) < LEAST_MAPPED:
        return {"places": ()}
    matrix = vectors[chosen.words]
    try:
        layout = project(matrix, aspect=ASPECT, seed=seed)
    except MissingExtraError:
        layout = project(matrix, method="pca", aspect=ASPECT, seed=seed)
    points = zip(chosen.words, chosen.groups, layout.places.tolist(), strict=True)
    places = tuple(Place(word, group, round(x, 4), round(y, 4)) for word, group, (x, y) in points)
    return {"places": places, "layout": layout.method, "trust": layout.trust, "trust_neighbours": layout.neighbours}
