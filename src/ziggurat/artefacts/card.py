"""The model card: ``README.md`` of a bundle, generated from what its manifest records and from nothing else.

*Idea.* A number that nobody can trace is worth nothing. Every figure of the card stands in a table beside the name of
its manifest entry, so that a reader (or a test) can look it up in ``ziggurat.json``.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

from ziggurat.artefacts.card_words import CHINESE, ENGLISH, Words
from ziggurat.artefacts.manifest import LABELS, ROLES, TAGS, TEXT, TEXT_VECTORS, TRANSLATIONS, WORD_VECTORS, Manifest

__all__ = ["write_card"]

MODEL = ("family", "model.parameters", "model.context", "model.width", "tokenizer.kind", "tokenizer.vocabulary")
IMPORTED = "training.imported_from"
IN_A_RUN = ("bundle", "adapter")
"""What a run folder calls its parts."""
TRAINING = (
    "corpus.splits.train.documents",
    "corpus.splits.train.bytes",
    "corpus.splits.dev.bytes",
    "corpus.splits.test.bytes",
    "corpus.near_duplicates_across_splits",
    "training.steps",
    "training.tokens",
    "training.seconds",
    "training.words_per_second",
    "training.dev_loss",
)
TASKS = {
    TEXT: "text-generation",
    TRANSLATIONS: "translation",
    LABELS: "text-classification",
    TAGS: "token-classification",
    ROLES: "token-classification",
    WORD_VECTORS: "feature-extraction",
    TEXT_VECTORS: "fill-mask",
}
"""What model hubs call what a model gives."""
COMMANDS = {
    TEXT: ('ziggurat generate FOLDER --prompt "…"', "ziggurat evaluate FOLDER TEXT…"),
    TRANSLATIONS: ('ziggurat generate FOLDER --temperature 0 --prompt "…"', "ziggurat evaluate FOLDER PAIRS…"),
    TAGS: ("ziggurat task ner predict FOLDER WORDS…", "ziggurat task ner evaluate FOLDER LABELLED…"),
    ROLES: ("ziggurat task roles predict FOLDER JSONL…", "ziggurat task roles evaluate FOLDER LABELLED…"),
    LABELS: (
        "ziggurat task classification predict FOLDER TEXT…",
        "ziggurat task classification evaluate FOLDER LABELLED…",
    ),
    TEXT_VECTORS: ("ziggurat embed FOLDER TEXT…", "ziggurat score FOLDER TEXT…"),
    WORD_VECTORS: ("ziggurat vectors nearest FOLDER WORD", "ziggurat vectors map FOLDER"),
}
PYTHON = {
    TEXT: ('print(ziggurat.load("FOLDER").generate("…"))',),
    TRANSLATIONS: ('print(ziggurat.load("FOLDER").generate("…", temperature=0))',),
    TAGS: ('print(ziggurat.load("FOLDER").tag([["…"]]))',),
    ROLES: ('print(ziggurat.load("FOLDER").roles([["…"]]))',),
    LABELS: ('print(ziggurat.load("FOLDER").classify(["…"]))',),
    TEXT_VECTORS: ('print(ziggurat.load("FOLDER").embed(["…"]))',),
    WORD_VECTORS: ('vectors = ziggurat.vectors("FOLDER")', 'print(vectors.nearest("…"), vectors["…"])'),
}
MEASURED = (
    *("masked_accuracy", "bits_per_byte", "accuracy", "label_accuracy", "spearman", "low", "high", "token_perplexity"),
    *("baseline_accuracy", "masked_loss", "masked_tokens", "pseudo_perplexity", "pseudo_tokens"),
    *("documents", "pairs_left_out", "bytes", "tokens_per_second"),
    *("bleu", "bleu_low", "bleu_high", "chrf", "exact_match", "exact_match_low", "exact_match_high"),
    *("execution_match", "execution_match_low", "execution_match_high", "query_match"),
    *("query_match_low", "query_match_high"),
    *("macro_f1", "span_f1", "argument_f1", "argument_f1_found", "calibration_error", "temperature", "examples"),
    *("semantic", "syntactic", "questions", "questions_skipped", "method"),
    *("spearman_of_all", "pairs", "pairs_skipped", "words_spelled", "vocabulary"),
)


def write_card(manifest: Manifest) -> str:
    """Return the card's Markdown: English first, then Chinese."""
    lines = [*_front_matter(manifest), *_page(manifest, ENGLISH), *_page(manifest, CHINESE)]
    return "\n".join(lines).rstrip("\n") + "\n"


def _front_matter(manifest: Manifest) -> Iterator[str]:
    """What model hubs read: library, task, tags."""
    yield from ("---", "library_name: ziggurat", f"pipeline_tag: {TASKS[manifest.gives]}")
    yield from (f"tags: [ziggurat, {manifest.family}]", "---", "")


def _page(manifest: Manifest, words: Words) -> Iterator[str]:
    title, purpose = manifest.recipe.get("name", manifest.family), words.purposes[manifest.gives]
    yield from (f"# {_one_line(title)}{words.title_ending}", "")
    yield from (purpose.opening.format(family=manifest.family, made=_made(manifest, words)), "")
    yield from (f"## {words.use}", "", *_usage(manifest, words))
    origin = IMPORTED if _value(manifest, IMPORTED) else "seed"  # what was imported was drawn from no seed of ours
    yield from (f"## {words.model}", "", *_table(manifest, _shown(manifest, (*MODEL, origin)), words))
    if rows := _shown(manifest, TRAINING):
        yield from (f"## {words.training}", "", *_table(manifest, rows, words))
    yield from (f"## {purpose.measured}", "")
    measured = [f"metrics.{name}.{quantity}" for name in manifest.metrics for quantity in MEASURED]
    rows = _shown(manifest, measured)
    yield from _table(manifest, rows, words) if rows else (purpose.not_measured, "")
    yield from (f"## {words.limits_title}", "", *(f"- {limit}" for limit in purpose.limits))
    lossy = [] if manifest.tokenizer["lossless"] or not purpose.lossy else [f"- {purpose.lossy}"]
    yield from (*lossy, "")


def _made(manifest: Manifest, words: Words) -> str:
    """Return how the model came about: imported, merged, trained further or trained from its beginning."""
    facts = manifest.training
    how = next((fact for fact in ("merged", "imported_from", "start") if facts.get(fact)), "")
    told = facts.get(how, {})
    source, adapter = (told["from"], told.get("adapter", "")) if isinstance(told, Mapping) and told else (told, "")
    return words.made[how].format(version=manifest.ziggurat, source=_called(source), adapter=_called(adapter))


def _called(place: Any) -> str:
    """Return a folder's or file's name without the way to it; what lies in a run folder goes by the run's name.

    A name may hold what would end its place in the Markdown.
    """
    path = PurePath(str(place))
    name = path.parent.name if path.name in IN_A_RUN and path.parent.name else path.name
    return _one_line(name.replace("`", "'"))


def _one_line(value: Any) -> str:
    return " ".join(str(value).split())


def _usage(manifest: Manifest, words: Words) -> Iterator[str]:
    yield from ("```sh", *COMMANDS[manifest.gives], "```", "")
    yield from ("```python", "import ziggurat", "", *PYTHON[manifest.gives])
    if architecture := manifest.model.get("architecture"):
        kind = _auto_class(architecture)
        yield from ("", f"# {words.elsewhere}", f"from transformers import {kind}, AutoTokenizer", "")
        yield f'model = {kind}.from_pretrained("FOLDER")'
        yield 'tokenizer = AutoTokenizer.from_pretrained("FOLDER")'
    yield from ("```", "")


def _auto_class(architecture: str) -> str:
    """Return transformers' name for whatever opens an architecture."""
    endings = {"ForMaskedLM": "AutoModelForMaskedLM", "ForCausalLM": "AutoModelForCausalLM", "Model": "AutoModel"}
    endings["LMHeadModel"] = endings["ForCausalLM"]
    endings["MTModel"] = "AutoModelForSeq2SeqLM"
    fitting = (kind for ending, kind in reversed(endings.items()) if architecture.endswith(ending))
    return next(fitting, "AutoModel")


def _shown(manifest: Manifest, entries: Iterable[str]) -> list[str]:
    return [entry for entry in entries if _value(manifest, entry) is not None]


def _table(manifest: Manifest, entries: Iterable[str], words: Words) -> Iterator[str]:
    yield from (f"| {' | '.join(words.heads)} |", "|---|---:|---|")
    for entry in entries:
        yield f"| {words.label(entry)} | {_number(_value(manifest, entry))} | `{entry}` |"
    yield ""


def _value(manifest: Manifest, entry: str) -> Any:
    try:
        return manifest.entry(entry)
    except (KeyError, TypeError):
        return None


def _number(value: Any) -> str:
    """Return a figure as the card shows it: four digits of a fraction, thousands apart."""
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else _one_line(value).replace("|", r"\|")
