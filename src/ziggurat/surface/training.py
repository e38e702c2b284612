"""One training from end to end: text, tokens, model, measurement, bundle."""

from ziggurat.artefacts.bundle import Bundle, load, record
from ziggurat.artefacts.fit import fit, recipe_material
from ziggurat.artefacts.runs import Run
from ziggurat.core.errors import InterruptedRunError
from ziggurat.core.types import Listener
from ziggurat.core.workers import HERE, Workers
from ziggurat.judge.measuring import figures, measurable
from ziggurat.surface.material import prepared
from ziggurat.training.saves import resuming
from ziggurat.training.torchrun import current

__all__ = ["MEASURED_ON", "train_run"]

MEASURED_ON = "test"
"""The manifest's name for the held-out split of the run's own text."""


def train_run(run: Run, listener: Listener, workers: Workers = HERE) -> Bundle:
    """Bring a run to its end, from wherever it stands; return its bundle, measured on the test split.

    Of several processes the first prepares the text and measures; all must see the run's folder. The ``workers``
    prepare the text and count n-grams; the bundle's model does not depend on who they are.

    Raises:
        InterruptedRunError: the user stopped it; the message says how to go on.
    """
    recipe, processes = run.recipe, current()
    try:
        with processes.first_alone(), workers:
            corpus = prepared(run, listener, workers)
            material = recipe_material(recipe, corpus, run.folder / "tokens", listener=listener, workers=workers)
        with workers:  # anew, at the first task: most trainers have none, and nobody shall wait beside them
            bundle = fit(recipe, material, run.folder, listener=listener, workers=workers)
    except (InterruptedRunError, KeyboardInterrupt) as error:
        stopped = str(error).partition(";")[0] or "interrupted"
        raise InterruptedRunError(f"{stopped}; go on with: {resuming(run.folder)}") from error
    if processes.rank:
        return bundle
    if measurable(bundle.model) and len(corpus.test) and MEASURED_ON not in bundle.manifest.metrics:
        listener({"event": "stage", "stage": "evaluate"})
        found = figures(
            bundle.model,
            bundle.tokenizer,
            corpus.test,
            name=str(bundle.path),
            training=bundle.manifest.training,
            seed=recipe.seed,
        )
        record(bundle.path, {MEASURED_ON: found})
        bundle = load(bundle.path, verify=False)
    return bundle
