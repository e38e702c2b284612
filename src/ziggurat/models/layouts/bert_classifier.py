"""A classifier on BERT (Devlin et al. 2019, section 4.1), as transformers' BertForSequenceClassification has it."""

from collections.abc import Mapping
from typing import Any, ClassVar

from ziggurat.core.types import Vocabulary
from ziggurat.models.layouts.bert_labels import BertWithLabels

__all__ = ["BertClassifier"]


class BertClassifier(BertWithLabels):
    """Layout of a classifier that reads as BERT does, and whose label is told from the pooler's vector."""

    family: ClassVar[str] = "encoder_classifier"
    called: ClassVar[str] = "BertForSequenceClassification"
    layer: ClassVar[str] = "classifier"
    ignored: ClassVar[tuple[str, ...]] = (r"\.position_ids$", r"\.token_type_ids$", r"^bert\.cls\.")
    own: ClassVar[tuple[str, ...]] = ("pool", "head_dropout")

    def holds(self, config: Any) -> bool:
        """Return whether a model of this configuration can be written so."""
        return super().holds(config) and config.pooler and config.pool == "first" and len(config.labels) > 1

    def describe(self, config: Any, vocabulary: Vocabulary) -> dict[str, Any]:
        """Return what transformers writes for such a model."""
        return super().describe(config, vocabulary) | {"problem_type": "single_label_classification"}

    def read(self, config: Mapping[str, Any]) -> tuple[dict[str, Any], Vocabulary]:
        """Return the ``[model]`` keys and the vocabulary of such a ``config.json``."""
        keys, vocabulary = super().read(config)
        return {"pool": "first", **keys, "pooler": True}, vocabulary
