"""What heads that tell labels on BERT have in common in transformers' files: the body inside, the labels' names.

*Idea.* The body is written as `ziggurat.models.layouts.bert` says; the head stands beside it, and the labels' names in
``id2label``. There is no registry of such layouts: the family that has a form knows it.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from ziggurat.core.errors import ArtefactError
from ziggurat.core.types import Vocabulary
from ziggurat.models.layouts.bert import Bert
from ziggurat.models.layouts.layout import Renaming

__all__ = ["BertWithLabels"]


class BertWithLabels(Bert):
    """Layout of a model with BERT inside and a layer that scores labels on it."""

    called: ClassVar[str]
    """transformers' class for such a model."""
    layer: ClassVar[str]
    """What we call the layer that scores labels."""

    def architecture(self, config: Any) -> str:
        """Return transformers' class for such a model."""
        del config
        return self.called

    def describe(self, config: Any, vocabulary: Vocabulary) -> dict[str, Any]:
        """Return what transformers writes for such a model."""
        return super().describe(config, vocabulary) | {
            "classifier_dropout": config.head_dropout,
            "id2label": {str(number): label for number, label in enumerate(config.labels)},
            "label2id": {label: number for number, label in enumerate(config.labels)},
        }

    def read(self, config: Mapping[str, Any]) -> tuple[dict[str, Any], Vocabulary]:
        """Return the ``[model]`` keys and the vocabulary of such a ``config.json``.

        *Raises.* `ArtefactError` where the number of a label is missing.
        """
        keys, vocabulary = super().read(config)
        names = {int(number): label for number, label in config["id2label"].items()}
        if sorted(names) != list(range(len(names))):
            raise ArtefactError(f"config.json: id2label has the numbers {sorted(names)}, and not 0 to {len(names) - 1}")
        return {**keys, "labels": [str(names[number]) for number in range(len(names))]}, vocabulary

    def parts(self, names: Collection[str]) -> dict[str, Any]:
        """Return nothing: all parts are always there."""
        del names
        return {}

    def renamings(self, config: Any) -> Iterator[Renaming]:
        """Yield where each array stands."""
        for one in super().renamings(config):
            yield replace(one, ours=f"body.{one.ours}")
        for kind in ("weight", "bias"):
            yield Renaming(f"{self.layer}.{kind}", f"classifier.{kind}")
