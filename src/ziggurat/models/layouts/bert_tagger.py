"""BERT that labels words, as transformers writes it: BertForTokenClassification, and beside it the weights of a CRF.

No layout of the registry: `ziggurat.models.encoder_tagger` reads and writes it. transformers opens such a file as it is
and says that it leaves the arrays of the CRF out; its logits at a word's first id are our emissions.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from ziggurat.core.types import Vocabulary
from ziggurat.models.layouts.bert import Bert
from ziggurat.models.layouts.bert_classifier import labels_of
from ziggurat.models.layouts.layout import Renaming

__all__ = ["CHAIN", "BertTagger"]

CHAIN = ("crf.transitions", "crf.start", "crf.end")
"""The arrays of the CRF, which no other program knows."""


class BertTagger(Bert):
    """Layout of a tagger that reads as BERT does, and scores a word's labels from the vector of its first id."""

    family: ClassVar[str] = "encoder_tagger"
    ignored: ClassVar[tuple[str, ...]] = (r"\.position_ids$", r"\.token_type_ids$", r"^bert\.(cls|pooler)\.")
    own: ClassVar[tuple[str, ...]] = ("scheme", "head_dropout")

    def holds(self, config: Any) -> bool:
        """Return whether a model of this configuration can be written so."""
        plain = config.word == "first" and not (config.character_filters or config.cells or config.reads_marks)
        return super().holds(config) and plain and len(config.labels) > 1

    def architecture(self, config: Any) -> str:
        """Return transformers' class for such a model."""
        del config
        return "BertForTokenClassification"

    def describe(self, config: Any, vocabulary: Vocabulary) -> dict[str, Any]:
        """Return what transformers writes for such a model."""
        return super().describe(config, vocabulary) | {
            "classifier_dropout": config.head_dropout,
            "id2label": {str(number): label for number, label in enumerate(config.labels)},
            "label2id": {label: number for number, label in enumerate(config.labels)},
        }

    def read(self, config: Mapping[str, Any]) -> tuple[dict[str, Any], Vocabulary]:
        """Return the ``[model]`` keys and the vocabulary of such a ``config.json``."""
        keys, vocabulary = super().read(config)
        return {**keys, "word": "first", "character_filters": 0, "cells": 0, "labels": labels_of(config)}, vocabulary

    def parts(self, names: Collection[str]) -> dict[str, Any]:
        """Return nothing: all parts are always there."""
        del names
        return {}

    def renamings(self, config: Any) -> Iterator[Renaming]:
        """Yield where each array stands."""
        for one in super().renamings(config):
            yield replace(one, ours=f"body.{one.ours}")
        for kind in ("weight", "bias"):
            yield Renaming(f"output.{kind}", f"classifier.{kind}")
        for name in CHAIN:
            yield Renaming(name, name)
