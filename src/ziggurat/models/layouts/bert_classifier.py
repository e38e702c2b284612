"""A classifier on BERT (Devlin et al. 2019, section 4.1), as transformers' BertForSequenceClassification has it.

*Idea.* The body is written as `ziggurat.models.layouts.bert` says; the head stands beside it, and the labels' names in
``id2label``. There is no registry of such layouts: the one family that has this form knows it.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from ziggurat.core.errors import ArtefactError
from ziggurat.core.types import Vocabulary
from ziggurat.models.layouts.bert import Bert
from ziggurat.models.layouts.layout import Renaming

__all__ = ["BertClassifier", "labels_of"]


class BertClassifier(Bert):
    """Layout of a classifier that reads as BERT does, and whose label is told from the pooler's vector."""

    family: ClassVar[str] = "encoder_classifier"
    ignored: ClassVar[tuple[str, ...]] = (r"\.position_ids$", r"\.token_type_ids$", r"^bert\.cls\.")
    own: ClassVar[tuple[str, ...]] = ("pool", "head_dropout")

    def holds(self, config: Any) -> bool:
        """Return whether a model of this configuration can be written so."""
        return super().holds(config) and config.pooler and config.pool == "first" and len(config.labels) > 1

    def architecture(self, config: Any) -> str:
        """Return transformers' class for such a model."""
        del config
        return "BertForSequenceClassification"

    def describe(self, config: Any, vocabulary: Vocabulary) -> dict[str, Any]:
        """Return what transformers writes for such a model."""
        return super().describe(config, vocabulary) | {
            "classifier_dropout": config.head_dropout,
            "id2label": {str(number): label for number, label in enumerate(config.labels)},
            "label2id": {label: number for number, label in enumerate(config.labels)},
            "problem_type": "single_label_classification",
        }

    def read(self, config: Mapping[str, Any]) -> tuple[dict[str, Any], Vocabulary]:
        """Return the ``[model]`` keys and the vocabulary of such a ``config.json``."""
        keys, vocabulary = super().read(config)
        return {"pool": "first", **keys, "pooler": True, "labels": labels_of(config)}, vocabulary

    def parts(self, names: Collection[str]) -> dict[str, Any]:
        """Return nothing: all parts are always there."""
        del names
        return {}

    def renamings(self, config: Any) -> Iterator[Renaming]:
        """Yield where each array stands."""
        for one in super().renamings(config):
            yield replace(one, ours=f"body.{one.ours}")
        for kind in ("weight", "bias"):
            yield Renaming(f"classifier.{kind}", f"classifier.{kind}")


def labels_of(config: Mapping[str, Any]) -> list[str]:
    """Return the labels of a ``config.json`` of transformers, in the order of their numbers.

    *Raises.* `ArtefactError` where a number is missing.
    """
    names = {int(number): label for number, label in config["id2label"].items()}
    if sorted(names) != list(range(len(names))):
        raise ArtefactError(f"config.json: id2label has the numbers {sorted(names)}, and not 0 to {len(names) - 1}")
    return [str(names[number]) for number in range(len(names))]
