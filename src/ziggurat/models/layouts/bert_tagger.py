"""BERT that labels words, as transformers writes it: BertForTokenClassification, and beside it the weights of a CRF.

transformers opens such a file as it is and says that it leaves the arrays of the CRF out; its logits at a word's first
id are our emissions.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ziggurat.core.types import Vocabulary
from ziggurat.models.layouts.bert_labels import BertWithLabels
from ziggurat.models.layouts.layout import Renaming

__all__ = ["CHAIN", "BertTagger"]

CHAIN = ("crf.transitions", "crf.start", "crf.end")
"""The arrays of the CRF, which no other program knows."""


class BertTagger(BertWithLabels):
    """Layout of a tagger that reads as BERT does, and scores a word's labels from the vector of its first id."""

    family: ClassVar[str] = "encoder_tagger"
    called: ClassVar[str] = "BertForTokenClassification"
    layer: ClassVar[str] = "output"
    ignored: ClassVar[tuple[str, ...]] = (r"\.position_ids$", r"\.token_type_ids$", r"^bert\.(cls|pooler)\.")
    own: ClassVar[tuple[str, ...]] = ("scheme", "head_dropout")

    def holds(self, config: Any) -> bool:
        """Return whether a model of this configuration can be written so."""
        plain = config.word == "first" and not (config.character_filters or config.cells or config.reads_marks)
        return super().holds(config) and plain and len(config.labels) > 1

    def read(self, config: Mapping[str, Any]) -> tuple[dict[str, Any], Vocabulary]:
        """Return the ``[model]`` keys and the vocabulary of such a ``config.json``."""
        keys, vocabulary = super().read(config)
        return {**keys, "word": "first", "character_filters": 0, "cells": 0}, vocabulary

    def renamings(self, config: Any) -> Iterator[Renaming]:
        """Yield where each array stands."""
        yield from super().renamings(config)
        for name in CHAIN:
            yield Renaming(name, name)
