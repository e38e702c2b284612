"""What a climb found: plain numbers that the report draws and ``ziggurat reproduce`` runs again."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from ziggurat.core.errors import DamagedError, NewerVersionError

__all__ = [
    "Climb",
    "Comparison",
    "Entrant",
    "Neighbourhood",
    "Place",
    "Probe",
    "Sample",
    "VectorsTrial",
    "WordSpace",
    "Yardstick",
]

FORMAT = 2
"""1 knew no word vectors; what it wrote is still read."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One tokenizer tried with an n-gram model on the dev split."""

    kind: str
    vocabulary: int
    bytes_per_token: float
    order: int
    dev_bits_per_byte: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Sample:
    """What a model wrote after a held-out beginning."""

    prompt: str
    text: str


@dataclass(frozen=True, slots=True)
class Entrant:
    """One trained model with its held-out figures."""

    name: str
    """The recipe's name."""
    family: str
    bundle: str
    """Path of the bundle, relative to the run folder."""
    parameters: int
    size_bytes: int
    train_seconds: float
    steps: int
    bits_per_byte: float
    low: float
    high: float
    """95 % bootstrap interval over held-out documents."""
    token_perplexity: float
    tokens_per_second: float
    nats: tuple[float, ...]
    """Negative log-likelihood of each held-out document, for paired tests and for `reproduce`."""
    curve: tuple[tuple[float, float], ...]
    """(training seconds, dev bits per byte) at each evaluation; empty for models fitted in one go."""
    dev_bits_per_byte: float
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A paired test of two entrants on the same documents."""

    better: str
    worse: str
    difference: float
    """Bits per byte by which ``worse`` is worse."""
    low: float
    high: float
    p_value: float
    """After Holm's correction over all comparisons of the report."""
    distinguishable: bool
    smallest_detectable: float
    """Bits per byte that this test set could have told apart (80 % power at 5 %)."""
    text_factor: float
    """How many times more held-out text it would take to tell these two apart; ≤ 1 where it is enough already."""


@dataclass(frozen=True, slots=True)
class Yardstick:
    """A general-purpose compressor on the same held-out text."""

    name: str
    bits_per_byte: float


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """A word and those whose vectors point most nearly the same way."""

    word: str
    count: int
    """Occurrences in the training text."""
    nearest: tuple[tuple[str, float], ...]
    """(word, cosine), nearest first."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a word stands on the map."""

    word: str
    group: str
    """The shown word that it is nearest to, or is."""
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class WordSpace:
    """Vectors of words, learnt from the training split; they predict no text and have no rank."""

    recipe: str
    bundle: str
    """Path of the bundle, relative to the run folder."""
    words: int
    least_count: int
    """Occurrences from which on a word has a vector."""
    covered: float
    """Part of the training text's running words that have one."""
    running_words: int
    width: int
    epochs: int
    loss: float
    """Mean loss of the objective in training, nats per pair."""
    dev_loss: float | None
    """The same on the dev split; None where that was not measured."""
    seconds: float
    neighbourhoods: tuple[Neighbourhood, ...]
    places: tuple[Place, ...]
    """The map; empty where fewer than three words are shown."""
    layout: str = ""
    """How the map was laid out: pca or tsne."""
    trust: float = 0.0
    """Trustworthiness of the map's neighbourhoods (Venna & Kaski 2001)."""
    trust_neighbours: int = 0
    """Neighbours of each word that it looks at."""


@dataclass(frozen=True, slots=True)
class VectorsTrial:
    """Whether a network gains by embeddings that begin with vectors: two entrants alike in all else."""

    plain: str
    """The entrant whose embeddings begin by chance."""
    begun: str
    """The entrant whose embeddings begin with vectors; it makes the same steps on the same batches."""
    vectors: str
    """The recipe of the vectors, trained on the same ids."""
    found: int
    of: int
    """Ids with a vector, of all."""
    seconds: float
    """What the vectors took."""
    needed_minutes: float = 0.0
    """Where the budget was too short for a second network: the budget that is long enough; else 0."""


@dataclass(frozen=True, slots=True)
class Climb:
    """A finished climb."""

    title: str
    sources: tuple[str, ...]
    command: str
    seed: int
    budget_seconds: float
    seconds: float
    spent: dict[str, float]
    corpus: dict[str, Any]
    """`text.corpus.Corpus.facts()`."""
    tokenizer: dict[str, Any]
    probes: tuple[Probe, ...]
    held_out_documents: int
    held_out_bytes: int
    entrants: tuple[Entrant, ...]
    """Best first."""
    comparisons: tuple[Comparison, ...]
    yardsticks: tuple[Yardstick, ...]
    recommended: str
    best_single: str
    """Best entrant that is not made of others."""
    sampling: dict[str, Any]
    """Options of the samples: temperature, top_p, tokens."""
    machine: dict[str, Any]
    word_space: WordSpace | None
    """None where the text has too few words."""
    trial: VectorsTrial | None
    """None in climbs of before there were vectors."""
    format: int = FORMAT

    def to_json(self) -> str:
        """Return the content of ``climb.json``."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str, *, where: str) -> "Climb":
        """Read what `to_json` wrote; ``where`` names the file in errors.

        Raises:
            DamagedError: the text is no climb, or a part of one.
            NewerVersionError: it was written by a newer version.
        """
        try:
            raw = json.loads(text)
            if raw["format"] > FORMAT:
                raise NewerVersionError(
                    f"{where}: written by a newer ziggurat (format {raw['format']}); upgrade to read it"
                )
            raw["probes"] = tuple(Probe(**item) for item in raw["probes"])
            raw["entrants"] = tuple(_entrant(item) for item in raw["entrants"])
            raw["comparisons"] = tuple(Comparison(**item) for item in raw["comparisons"])
            raw["yardsticks"] = tuple(Yardstick(**item) for item in raw["yardsticks"])
            raw["sources"] = tuple(raw["sources"])
            if raw["format"] < 2:
                raw |= {"word_space": None, "trial": None}
            if raw["word_space"] is not None:
                raw["word_space"] = _word_space(raw["word_space"])
            if raw["trial"] is not None:
                raw["trial"] = VectorsTrial(**raw["trial"])
            return cls(**raw)
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedError(f"{where}: not the data of a climb ({type(error).__name__}: {error})") from error

    def entrant(self, name: str) -> Entrant:
        """Return one entrant by name."""
        return next(e for e in self.entrants if e.name == name)


def _word_space(raw: dict[str, Any]) -> WordSpace:
    near = [
        Neighbourhood(one["word"], one["count"], tuple((word, float(cosine)) for word, cosine in one["nearest"]))
        for one in raw["neighbourhoods"]
    ]
    places = tuple(Place(**one) for one in raw["places"])
    return WordSpace(**{**raw, "neighbourhoods": tuple(near), "places": places})


def _entrant(raw: dict[str, Any]) -> Entrant:
    raw["nats"] = tuple(raw["nats"])
    raw["curve"] = tuple((float(s), float(b)) for s, b in raw["curve"])
    raw["samples"] = tuple(Sample(**item) for item in raw["samples"])
    return Entrant(**raw)
