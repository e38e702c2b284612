"""A climb's numbers made again: held-out documents scored by the bundles, or by models trained anew, step for step."""

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ziggurat.artefacts.bundle import Bundle, load
from ziggurat.artefacts.fit import fit, prepare_material
from ziggurat.artefacts.recipe import load_recipe
from ziggurat.core.errors import ArtefactError, InputError
from ziggurat.core.types import Listener
from ziggurat.judge.evaluate import Evaluation, evaluate
from ziggurat.study.climb import RESULT
from ziggurat.study.result import Climb
from ziggurat.study.steps import in_steps
from ziggurat.text.corpus import Corpus, open_corpus

__all__ = ["TOLERANCE", "Check", "read_climb", "reproduce"]

TOLERANCE = 1e-3
"""Bits per byte by which a figure may differ: other processors add up in another order."""

_DATA = re.compile(r'<script type="application/json" id="climb">(.*?)</script>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Check:
    """One figure as it was and as it came out now."""

    name: str
    before: float
    after: float

    @property
    def holds(self) -> bool:
        """Whether the two agree within `TOLERANCE`."""
        return abs(self.after - self.before) <= TOLERANCE


def read_climb(path: Path) -> tuple[Climb, Path]:
    """Return the climb behind a report, its ``climb.json`` or its folder, and that folder.

    Raises:
        InputError: there is nothing of that kind.
        DamagedError: the data are damaged.
    """
    if path.is_dir():
        path = path / RESULT
    if not path.is_file():
        raise InputError(f"{path}: no such report; give a climb's report.html or its folder")
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        found = _DATA.search(text)
        if found is None:
            raise InputError(f"{path}: not the report of a climb: it holds no data")
        text = found.group(1)
    return Climb.from_json(text, where=str(path)), path.parent


def reproduce(path: Path, *, train: bool, listener: Listener) -> list[Check]:
    """Make every entrant's bits per byte again and return each beside what the report says.

    Raises:
        ArtefactError: the text or a bundle that the report speaks of is gone or damaged.
    """
    climb, folder = read_climb(path)
    corpus = open_corpus(folder / "corpus")
    if corpus.fingerprint != climb.corpus["fingerprint"]:
        raise ArtefactError(f"{folder / 'corpus'}: another text than the report's")
    bundles = {entrant.name: load(folder / entrant.bundle) for entrant in climb.entrants}
    if not train:
        return _checks(climb, _score(bundles, corpus, listener))
    with tempfile.TemporaryDirectory(prefix="ziggurat-reproduce-") as place:
        return _checks(climb, _score(_train_again(folder, bundles, corpus, Path(place), listener), corpus, listener))


def _score(bundles: Mapping[str, Bundle], corpus: Corpus, listener: Listener) -> dict[str, Evaluation]:
    listener({"event": "stage", "stage": "evaluate"})
    return {name: evaluate(bundle.language_model, bundle.tokenizer, corpus.test) for name, bundle in bundles.items()}


def _checks(climb: Climb, evaluations: Mapping[str, Evaluation]) -> list[Check]:
    return [
        Check(entrant.name, entrant.bits_per_byte, evaluations[entrant.name].bits_per_byte or 0.0)
        for entrant in climb.entrants
    ]


def _train_again(
    folder: Path, bundles: Mapping[str, Bundle], corpus: Corpus, place: Path, listener: Listener
) -> dict[str, Bundle]:
    """Train every entrant by its recipe, budgets in minutes replaced by the steps that they came to."""
    recipes = {name: in_steps(load_recipe(str(folder / name / "recipe.toml")), bundles[name]) for name in bundles}
    shared = next(iter(recipes.values()))  # the recipes of one climb have one tokenizer
    material = prepare_material(corpus, shared.tokenizer, shared.tokens, place / "material", listener=listener)
    made: dict[str, Bundle] = {}
    for name, recipe in sorted(recipes.items(), key=lambda item: len(item[1].parts)):
        parts: Sequence[Bundle] = [made[part.name] for part in recipe.parts]
        made[name] = fit(recipe, material, place / name, listener=listener, parts=parts)
    return made
