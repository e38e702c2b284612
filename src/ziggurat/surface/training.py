"""One training from end to end: text, tokens, model, measurement, bundle."""

from ziggurat.artefacts.bundle import Bundle, load, record
from ziggurat.artefacts.fit import fit, prepare_material
from ziggurat.artefacts.runs import Run
from ziggurat.core.errors import InterruptedRunError
from ziggurat.core.protocols import ConditionalModel, LanguageModel
from ziggurat.core.types import Listener
from ziggurat.judge.evaluate import Evaluation, evaluate, evaluate_pairs
from ziggurat.surface.material import prepared
from ziggurat.text.corpus import Corpus
from ziggurat.text.parallel import ParallelCorpus

__all__ = ["MEASURED_ON", "train_run"]

MEASURED_ON = "test"
"""The manifest's name for the held-out split of the run's own text."""


def train_run(run: Run, listener: Listener) -> Bundle:
    """Bring a run to its end, from wherever it stands; return its bundle, measured on the test split.

    Raises:
        InterruptedRunError: the user stopped it; the message says how to go on.
    """
    recipe = run.recipe
    try:
        corpus = prepared(run, listener)
        material = prepare_material(corpus, recipe.tokenizer, recipe.tokens, run.folder / "tokens", listener=listener)
        bundle = fit(recipe, material, run.folder, listener=listener)
    except (InterruptedRunError, KeyboardInterrupt) as error:
        stopped = str(error).partition(";")[0] or "interrupted"
        raise InterruptedRunError(f"{stopped}; go on with: ziggurat train --resume {run.folder}") from error
    if len(corpus.test) and MEASURED_ON not in bundle.manifest.metrics:
        evaluation = _evaluation(bundle, corpus, listener)
        if evaluation is not None:
            record(bundle.path, {MEASURED_ON: evaluation.figures(seed=recipe.seed)})
            bundle = load(bundle.path, verify=False)
    return bundle


def _evaluation(bundle: Bundle, corpus: Corpus | ParallelCorpus, listener: Listener) -> Evaluation | None:
    """Measure a model on the test split; None where it predicts nothing."""
    model = bundle.model
    if isinstance(model, (LanguageModel, ConditionalModel)):
        listener({"event": "stage", "stage": "evaluate"})
    if isinstance(model, ConditionalModel) and isinstance(corpus, ParallelCorpus):
        return evaluate_pairs(model, bundle.tokenizer, corpus.test)
    if isinstance(model, LanguageModel) and isinstance(corpus, Corpus):
        return evaluate(model, bundle.tokenizer, corpus.test)
    return None
