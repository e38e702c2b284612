"""A bundle measured or asked for scores on what its model reads: texts, or pairs of a source and a target."""

from collections.abc import Sequence

from ziggurat.artefacts.bundle import Bundle
from ziggurat.core.errors import TooLittleTextError
from ziggurat.core.protocols import ConditionalModel
from ziggurat.judge.evaluate import Evaluation, evaluate, evaluate_pairs
from ziggurat.surface.documents import cut_where_few, read_documents
from ziggurat.text.pairs import read_pairs
from ziggurat.use.scoring import Scored, Unit, score_pairs, score_texts

__all__ = ["measure", "scores"]


def measure(bundle: Bundle, names: Sequence[str], *, whole: bool = False) -> Evaluation:
    """Measure a bundle on files: of texts, those that are few cut into blocks unless ``whole``; or of pairs.

    Raises:
        InputError: a file can't be used; the message names file and line.
        UsageError: the model predicts nothing.
    """
    if isinstance(bundle.model, ConditionalModel):
        return evaluate_pairs(bundle.model, bundle.tokenizer, read_pairs(names))
    documents = read_documents(names)
    return evaluate(bundle.language_model, bundle.tokenizer, documents if whole else cut_where_few(documents))


def scores(bundle: Bundle, names: Sequence[str], *, by: Unit, lines: bool = False) -> list[list[Scored]]:
    """Score the texts in files, or each of their ``lines``; where the model reads pairs, score their targets.

    Raises:
        InputError: a file can't be used; the message names file and line.
        TooLittleTextError: there is nothing in them.
        UsageError: the model predicts nothing, or a source is longer than it can read.
    """
    if isinstance(bundle.model, ConditionalModel):
        pairs = list(read_pairs(names))
        if not pairs:
            raise TooLittleTextError(f"{', '.join(names[:3])}: no pairs in it")
        return score_pairs(bundle.model, bundle.tokenizer, pairs, by=by)
    texts = [document.text for document in read_documents(names)]
    if lines:
        texts = [line for text in texts for line in text.splitlines() if line.strip()]
    return score_texts(bundle.language_model, bundle.tokenizer, texts, by=by)
