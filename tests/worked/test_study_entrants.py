"""The entrants of a climb: what is trained, with which share of the budget, and what is said of it."""

import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.corpora import prepared, write_lines
from tests.fakes.texts import documents
from ziggurat.artefacts.bundle import Bundle, load
from ziggurat.artefacts.fit import Material, prepare_material
from ziggurat.artefacts.recipe import Recipe, load_recipe
from ziggurat.core.errors import UsageError
from ziggurat.judge.evaluate import evaluate
from ziggurat.models.registry import FAMILIES
from ziggurat.study import entrants as module
from ziggurat.study.clock import Clock
from ziggurat.study.entrants import TOGETHER, Entry, Trained, describe, train_all, try_vectors
from ziggurat.study.result import Sample, VectorsTrial
from ziggurat.study.sizing import parameters_for
from ziggurat.text.corpus import Corpus
from ziggurat.text.options import TextConfig
from ziggurat.tokens.loading import TOKENIZERS


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("entrants")
    return prepared(folder, write_lines(folder / "a.jsonl", [json.dumps({"text": text}) for text in documents(61)]))


@pytest.fixture(scope="module")
def material(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Material:
    bpe = TOKENIZERS.get("bpe").config(vocab_size=300)
    return prepare_material(corpus, "bpe", bpe, tmp_path_factory.mktemp("material"))


@dataclass
class Facts:
    """What a manifest says of a training."""

    training: dict[str, Any]


@dataclass
class Made:
    """A bundle as far as the study looks into it."""

    name: str
    manifest: Facts


class SlowFit:
    """Makes bundles that hold nothing, and takes as long as a recipe's budget, or a second, by the test's clock.

    A network makes ten steps a second.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.recipes: dict[str, Recipe] = {}
        self.parts: dict[str, list[str]] = {}

    def __call__(self, recipe: Recipe, material: Any, folder: Path, *, listener: Any, parts: Any) -> Any:
        self.recipes[recipe.name] = recipe
        self.parts[recipe.name] = [part.name for part in parts]
        seconds = 60 * (getattr(recipe.training, "minutes", None) or 1 / 60)
        if steps := getattr(recipe.training, "steps", None):
            seconds = steps / 10
        self.seconds += seconds
        facts = {"steps": round(10 * seconds), "decay_steps": 7, "evaluate_steps": 3}
        if recipe.vectors:
            self.seconds += 2.5
            facts["vectors"] = {"found": 290, "of": 300, "seconds": 2.5}
        return Made(recipe.name, Facts(facts))


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> SlowFit:
    slow = SlowFit()
    monkeypatch.setattr(module, "fit", slow)
    monkeypatch.setattr(module, "measured_flops", lambda: 1e12)
    return slow


def entered(folder: Path, minutes: float, **changes: Any) -> Entry:
    return Entry(("a.jsonl",), folder, minutes, "title", "ziggurat climb a.jsonl", **changes)


def silence(event: Any) -> None:
    """Hear nothing."""


def run(fits: SlowFit, material: Material, folder: Path, minutes: float, **changes: Any) -> list[Trained]:
    clock = Clock(60 * minutes, now=lambda: fits.seconds)
    return train_all(entered(folder, minutes, **changes), material, clock, order=7, listener=silence)


def test_the_networks_share_what_is_left_and_a_reserve_stays(fits: SlowFit, material: Material, tmp_path: Path) -> None:
    # 2 minutes: 120 s. The n-gram takes 1 s; 12 % = 14.4 s are kept.
    # LSTM: (119 − 14.4) / 3 = 34.867 s. It takes them all; GPT: (120 − 35.867 − 14.4) / 2, the same; then the last.
    trained = run(fits, material, tmp_path, 2)
    assert [one.recipe.name for one in trained] == ["ngram", "lstm", "gpt", "counted-lstm", TOGETHER]
    for name in ("lstm", "gpt", "counted-lstm"):
        assert 60 * fits.recipes[name].training.minutes == pytest.approx(104.6 / 3)
    assert fits.seconds == pytest.approx(1 + 104.6 + 1)


def test_a_longer_budget_also_asks_whether_vectors_pay(fits: SlowFit, material: Material, tmp_path: Path) -> None:
    # 10 minutes: 600 s, 72 s are kept, the n-gram takes 1 s. LSTM: (599 − 72) / 4 = 131.75 s, which are 1318 steps.
    # GPT: (600 − 132.75 − 72) / 3 = the same, and so the counted. The other LSTM makes as many steps as the
    # first, after its vectors.
    trained = run(fits, material, tmp_path, 10)
    assert [one.recipe.name for one in trained] == ["ngram", "lstm", "gpt", "counted-lstm", "lstm-vectors", TOGETHER]
    plain, begun = fits.recipes["lstm"], fits.recipes["lstm-vectors"]
    assert 60 * plain.training.minutes == pytest.approx(131.75)
    assert (begun.training.minutes, begun.training.steps) == (None, 1318)
    assert (begun.training.decay_steps, begun.training.evaluate_steps) == (7, 3)
    assert 60 * fits.recipes["gpt"].training.minutes == pytest.approx(131.75)
    # 1 + 3 × 131.75 + 2.5 + 131.8 + 1 for the mixture
    assert fits.seconds == pytest.approx(531.55, abs=1e-3)
    # they differ in their vectors and in how the budget is written, and in nothing else
    assert (begun.model, begun.seed, begun.tokens, begun.text) == (plain.model, plain.seed, plain.tokens, plain.text)
    own = {"minutes", "steps", "decay_steps", "evaluate_steps"}
    same = [{key: value for key, value in asdict(one.training).items() if key not in own} for one in (plain, begun)]
    assert same[0] == same[1]
    assert isinstance(begun.vectors, Recipe)
    assert begun.vectors.model.width == begun.model.embedding
    assert begun.vectors.training.threads == 1  # so that it can be made again to the bit


@pytest.mark.parametrize(("late_seconds", "tried"), [(65, True), (67, False)])
def test_what_is_left_decides_whether_it_is_still_tried(
    late_seconds: float, tried: bool, material: Material, tmp_path: Path
) -> None:
    class Late(SlowFit):
        def __call__(self, recipe: Recipe, *rest: Any, **more: Any) -> Any:
            found = super().__call__(recipe, *rest, **more)
            self.seconds += late_seconds if recipe.name == "gpt" else 0
            return found

    late = Late()
    clock = Clock(600, now=lambda: late.seconds)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "fit", late)
        patch.setattr(module, "measured_flops", lambda: 1e12)
        trained = train_all(entered(tmp_path, 10), material, clock, order=7, listener=silence)
    # of 131.75 s for the last network three quarters, 98.8 s, must be left: GPT may be late by twice 32.9 s, of which
    # the counted network bears the half
    assert ("lstm-vectors" in [one.recipe.name for one in trained]) is tried
    assert trained[-1].recipe.name == TOGETHER
    # ten minutes ought to have been enough: a quarter more, 12.5, in whole minutes
    assert try_vectors(trained, clock).needed_minutes == (0 if tried else 13)


@pytest.mark.parametrize(("minutes", "tried"), [(3.42, False), (3.43, True)])
def test_where_trying_begins(minutes: float, tried: bool, fits: SlowFit, material: Material, tmp_path: Path) -> None:
    # four networks of 45 s and the n-gram's second are 181 s, which are 88 % of 205.7 s = 3.428 minutes
    found = run(fits, material, tmp_path, minutes)
    assert ("lstm-vectors" in [one.recipe.name for one in found]) is tried


def test_what_is_said_of_the_trial(fits: SlowFit, material: Material, tmp_path: Path) -> None:
    clock = Clock(600, now=lambda: fits.seconds)
    trained = train_all(entered(tmp_path, 10), material, clock, order=7, listener=silence)
    assert try_vectors(trained, clock) == VectorsTrial("lstm", "lstm-vectors", "cbow", found=290, of=300, seconds=2.5)


def test_what_is_said_where_nothing_was_tried(fits: SlowFit, material: Material, tmp_path: Path) -> None:
    clock = Clock(100, now=lambda: fits.seconds)
    with clock.stage("text"):
        fits.seconds += 20
    trained = train_all(entered(tmp_path, 100 / 60), material, clock, order=7, listener=silence)
    # (4 × 45 + 20 + 1) / 0.88 = 228.4 s, which are 3.8 minutes
    assert try_vectors(trained, clock).needed_minutes == 4


def test_what_one_network_leaves_the_next_one_has(fits: SlowFit, material: Material, tmp_path: Path) -> None:
    class Quick(SlowFit):
        def __call__(self, recipe: Recipe, *rest: Any, **more: Any) -> Any:
            found = super().__call__(recipe, *rest, **more)
            if recipe.name == "lstm":
                self.seconds -= 20  # it stopped early
            return found

    quick = Quick()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "fit", quick)
        run(quick, material, tmp_path, 2)
    # (120 − (1 + 34.867 − 20) − 14.4) / 2 = 44.867 s
    assert 60 * quick.recipes["gpt"].training.minutes == pytest.approx(44.867, abs=1e-3)


def test_the_mixture_is_made_of_all_that_was_trained(fits: SlowFit, material: Material, tmp_path: Path) -> None:
    trained = run(fits, material, tmp_path, 10)
    together = fits.recipes[TOGETHER]
    assert fits.parts[TOGETHER] == ["ngram", "lstm", "gpt", "counted-lstm", "lstm-vectors"]
    assert [part.name for part in together.parts] == fits.parts[TOGETHER]
    assert together.model.parts == ("ngram", "recurrent", "decoder", "counted_recurrent", "recurrent")
    assert list(together.parts) == [one.recipe for one in trained[:-1]]


def test_every_recipe_alone_says_how_to_train_its_model_again(
    fits: SlowFit, material: Material, tmp_path: Path
) -> None:
    trained = run(fits, material, tmp_path, 10, seed=5, text=TextConfig(dev=0.07))
    for one in trained:
        written = load_recipe(str(tmp_path / one.recipe.name))
        assert written.sources == ("a.jsonl",)
        assert replace(written, sources=(), head="").to_mapping() == one.recipe.to_mapping()
        assert (written.seed, written.text.dev, written.tokenizer) == (5, 0.07, "bpe")
        assert written.tokens.vocab_size == 300
    assert fits.recipes["ngram"].model.order == 7
    # a few hundred tokens are read thousands of times, with as much dropout as there may be; where the recipe has none
    # there stays none
    assert (fits.recipes["lstm"].model.dropout_hidden, fits.recipes["lstm"].model.dropout_weights) == (0.5, 0.0)
    assert fits.recipes["gpt"].model.dropout == 0.5
    assert (fits.recipes["gpt"].training.optimiser, fits.recipes["gpt"].training.learning_rate) == ("adamw", 0.003)


def test_a_longer_climb_has_larger_networks_up_to_what_the_text_carries(material: Material, tmp_path: Path) -> None:
    widths = []
    for minutes in (0.5, 2, 600):
        fits = SlowFit()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "fit", fits)
            patch.setattr(module, "measured_flops", lambda: 1e9)
            run(fits, replace(material, train=_Long(3_000_000)), tmp_path / str(minutes), minutes)  # type: ignore[arg-type]
        widths.append(fits.recipes["gpt"].model.width * fits.recipes["gpt"].model.layers)
    assert widths == sorted(widths)
    assert widths[0] < widths[-1]


def test_a_text_that_is_read_once_needs_no_dropout(fits: SlowFit, material: Material, tmp_path: Path) -> None:
    run(fits, replace(material, train=_Long(10**9)), tmp_path, 2)  # type: ignore[arg-type]
    model = fits.recipes["lstm"].model
    assert (model.dropout_input, model.dropout_hidden, model.dropout_output) == (0.0, 0.0, 0.0)
    assert fits.recipes["gpt"].model.dropout == 0.0
    assert (fits.recipes["gpt"].training.optimiser, fits.recipes["gpt"].training.learning_rate) == ("muon", 0.006)
    assert fits.recipes["counted-lstm"].training.folds == 4


def test_counts_beneath_a_network_are_of_the_probed_order_and_their_time_is_the_network_s(
    fits: SlowFit, material: Material, tmp_path: Path
) -> None:
    run(fits, replace(material, train=_Long(4_000_000)), tmp_path, 2)  # type: ignore[arg-type]
    recipe = fits.recipes["counted-lstm"]
    # the n-gram took a second: nine of 34.867 for eight folds and the whole, so 25.867 are left to train in
    assert (recipe.model.order, recipe.training.folds) == (7, 8)
    assert 60 * recipe.training.minutes == pytest.approx(104.6 / 3)
    family: Any = FAMILIES.get("counted_recurrent")
    keys: Any = {"flops": 1e12, "training_tokens": 4_000_000}
    own, plain = (family.sized(parameters_for(seconds=s, **keys)).hidden for s in (104.6 / 3 - 9, 104.6 / 3))
    assert recipe.model.hidden == own
    assert fits.recipes["lstm"].model.hidden == plain


def test_where_counting_takes_too_long_the_others_have_the_time(material: Material, tmp_path: Path) -> None:
    class Slow(SlowFit):
        def __call__(self, recipe: Recipe, *rest: Any, **more: Any) -> Any:
            self.seconds += 9 if recipe.name == "ngram" else 0
            return super().__call__(recipe, *rest, **more)

    slow = Slow()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "fit", slow)
        patch.setattr(module, "measured_flops", lambda: 1e12)
        trained = run(slow, material, tmp_path, 2)
    # (120 − 10 − 14.4) / 3 = 31.9 s, and three counts take 30
    assert [one.recipe.name for one in trained] == ["ngram", "lstm", "gpt", TOGETHER]
    assert slow.parts[TOGETHER] == ["ngram", "lstm", "gpt"]


class _Long:
    """A store that only says how long it is."""

    def __init__(self, count: int) -> None:
        self.tokens = range(count)


@pytest.mark.parametrize("minutes", [0.01, 0.1])
def test_a_budget_for_nothing_is_refused_with_what_to_do(
    minutes: float, fits: SlowFit, material: Material, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=f"^{minutes:g} minutes are too short for this text: give more --minutes$"):
        run(fits, material, tmp_path, minutes)
    assert "lstm" not in fits.recipes


def test_seconds_are_charged_to_each_recipe(fits: SlowFit, material: Material, tmp_path: Path) -> None:
    clock = Clock(120, now=lambda: fits.seconds)
    train_all(entered(tmp_path, 2), material, clock, order=3, listener=silence)
    assert list(clock.spent()) == [
        "train ngram",
        "train lstm",
        "train gpt",
        "train counted-lstm",
        "train mixture",
    ]
    assert sum(clock.spent().values()) == pytest.approx(clock.elapsed_seconds)


@pytest.fixture(scope="module")
def counted(material: Material, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Bundle]:
    from ziggurat.artefacts.fit import fit

    folder = tmp_path_factory.mktemp("climb")
    return folder, fit(load_recipe("ngram").change({"model.order": 3}), material, folder / "ngram")


def test_an_entrant_s_figures_are_those_of_its_bundle_and_evaluation(
    counted: tuple[Path, Bundle], corpus: Corpus, material: Material
) -> None:
    folder, bundle = counted
    evaluation = evaluate(bundle.language_model, bundle.tokenizer, corpus.test)
    trained = Trained(load_recipe("ngram"), bundle, 3.5)
    assert material.dev is not None
    sample = (Sample("The", " tower"),)
    found = describe(entered(folder, 10, seed=2), trained, evaluation, sample, corpus, material.dev)
    interval = evaluation.interval(seed=2)
    assert (found.bits_per_byte, found.low, found.high) == (interval.value, interval.low, interval.high)
    assert found.bits_per_byte == evaluation.bits_per_byte
    assert (found.nats, found.samples, found.train_seconds) == (evaluation.nats, sample, 3.5)
    assert (found.name, found.family, found.bundle) == ("ngram", "ngram", "ngram/bundle")
    assert load(folder / found.bundle).manifest.size_bytes == found.size_bytes
    assert found.parameters == bundle.manifest.model["parameters"]
    assert found.curve == ()  # counted in one pass
    on_dev = evaluate(bundle.language_model, bundle.tokenizer, corpus.dev)
    assert found.dev_bits_per_byte == pytest.approx(on_dev.bits_per_byte, rel=1e-4)


def test_a_curve_is_told_in_bits_per_byte(counted: tuple[Path, Bundle], corpus: Corpus, material: Material) -> None:
    folder, bundle = counted
    assert material.dev is not None
    events = [{"event": "eval", "seconds": second, "loss": loss} for second, loss in ((1.0, 5.0), (2.0, 4.0))]
    path = folder / "lstm" / "metrics.jsonl"
    path.parent.mkdir()
    path.write_text("".join(json.dumps(event) + "\n" for event in [{"event": "step", "loss": 9.0}, *events]))
    evaluation = evaluate(bundle.language_model, bundle.tokenizer, corpus.test)
    manifest = replace(bundle.manifest, training={"dev_loss": 4.0, "steps": 2})
    trained = Trained(load_recipe("lstm"), replace(bundle, manifest=manifest), 3.5)
    found = describe(entered(folder, 10), trained, evaluation, (), corpus, material.dev)
    # a loss of so many nats a token; all tokens but the first are predicted
    bits = (len(material.dev.tokens) - 1) / math.log(2) / material.dev.size_bytes
    assert found.curve == (pytest.approx((1.0, 5 * bits)), pytest.approx((2.0, 4 * bits)))
    assert found.dev_bits_per_byte == pytest.approx(4 * bits)
    assert found.steps == 2
