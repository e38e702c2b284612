"""What a study of embedding sizes found: plain numbers that the report draws and the command line says."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from ziggurat.core.errors import DamagedError, NewerVersionError
from ziggurat.study.choice import Choice, Scored
from ziggurat.study.pip_loss import Opinion

__all__ = ["Cost", "EmbeddingSizes", "SpectrumFacts", "Verdict"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Cost:
    """What one size costs."""

    size: int
    train_seconds: float
    """Least over seeds: whatever disturbs a run makes it longer."""
    bundle_bytes: int
    parameters: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one yardstick says."""

    task: str
    """As the user named it."""
    label: str
    quantity: str
    """What is measured, a key of the report's words."""
    questions: int
    """That a score is made of; parts of the held-out text where it is a loss."""
    choice: Choice


@dataclass(frozen=True, slots=True)
class SpectrumFacts:
    """What the training-free opinion rests on."""

    words: int
    seen: float
    noise: float
    edge_ratio: float
    opinions: tuple[Opinion, ...]

    @property
    def usual(self) -> Opinion:
        """The opinion for the exponent of Word2Vec and GloVe, ½."""
        return next(one for one in self.opinions if one.alpha == 0.5)


@dataclass(frozen=True, slots=True)
class EmbeddingSizes:
    """A finished study."""

    title: str
    sources: tuple[str, ...]
    command: str
    recipe: str
    seed: int
    seeds: int
    sizes: tuple[int, ...]
    chosen: int
    """By the first yardstick."""
    bundle: str
    """Path of the chosen size's bundle, relative to the study's folder."""
    verdicts: tuple[Verdict, ...]
    costs: tuple[Cost, ...]
    spectrum: SpectrumFacts | None
    """None where there is too little text for it."""
    seconds: float
    """Of this run and of those that it went on from."""
    tokens: int
    vocabulary: int
    machine: dict[str, Any]
    format: int = FORMAT

    def cost(self, size: int) -> Cost:
        """Return what one size costs."""
        return next(cost for cost in self.costs if cost.size == size)

    def to_json(self) -> str:
        """Return the content of ``study.json``."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str, *, where: str) -> "EmbeddingSizes":
        """Read what `to_json` wrote; ``where`` names the file in errors.

        Raises:
            DamagedError: the text is no study, or a part of one.
            NewerVersionError: it was written by a newer version.
        """
        try:
            raw = json.loads(text)
            if raw["format"] > FORMAT:
                raise NewerVersionError(
                    f"{where}: written by a newer ziggurat (format {raw['format']}); upgrade to read it"
                )
            raw |= {"sources": tuple(raw["sources"]), "sizes": tuple(raw["sizes"])}
            raw["verdicts"] = tuple(_verdict(one) for one in raw["verdicts"])
            raw["costs"] = tuple(Cost(**one) for one in raw["costs"])
            if raw["spectrum"] is not None:
                opinions = tuple(_opinion(one) for one in raw["spectrum"]["opinions"])
                raw["spectrum"] = SpectrumFacts(**{**raw["spectrum"], "opinions": opinions})
            return cls(**raw)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DamagedError(f"{where}: not the data of a study ({type(error).__name__}: {error})") from error


def _verdict(raw: dict[str, Any]) -> Verdict:
    rows = tuple(Scored(**{**row, "by_seed": tuple(row["by_seed"])}) for row in raw["choice"]["rows"])
    return Verdict(**{**raw, "choice": Choice(**{**raw["choice"], "rows": rows})})


def _opinion(raw: dict[str, Any]) -> Opinion:
    return Opinion(**{**raw, "curve": tuple((int(k), float(loss)) for k, loss in raw["curve"])})
