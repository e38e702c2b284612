"""RoBERTa (Liu et al. 2019): BERT's form with other names for the head, positions counted from behind the padding."""

from collections.abc import Mapping
from typing import Any, ClassVar

from ziggurat.core.types import Vocabulary
from ziggurat.models.layouts.bert import Bert, fits

__all__ = ["LAYOUT", "Roberta"]


class Roberta(Bert):
    """Layout of RoBERTa and XLM-R.

    The table of positions begins with rows that no text uses: the padding token's number and one more (fairseq counts
    positions from there). The head's activation is always GELU.
    """

    model_types: ClassVar[tuple[str, ...]] = ("roberta", "xlm-roberta", "camembert")
    prefix: ClassVar[str] = "roberta."
    ignored: ClassVar[tuple[str, ...]] = (
        r"\.position_ids$",
        r"\.token_type_ids$",
        r"^(roberta\.)?lm_head\.(decoder\.weight|decoder\.bias|bias)$",
        r"^(roberta\.)?(classifier|qa_outputs)\.",
    )
    classes: ClassVar[tuple[str, str]] = ("RobertaForMaskedLM", "RobertaModel")
    head: ClassVar[dict[str, str]] = {
        "dense": "lm_head.dense",
        "norm": "lm_head.layer_norm",
        "decoder": "lm_head.decoder",
        "bias": "lm_head.bias",
    }

    def holds(self, config: Any) -> bool:
        """Return whether a model of this configuration can be written so."""
        return fits(config) and config.first_position > 0 and config.token_types > 0 and config.activation == "gelu"

    def describe(self, config: Any, vocabulary: Vocabulary) -> dict[str, Any]:
        """Return what transformers writes for such a model."""
        return super().describe(config, vocabulary) | {"pad_token_id": config.first_position - 1}

    def first_position(self, config: Mapping[str, Any]) -> int:
        """Return the number of a text's first position."""
        pad = config.get("pad_token_id")
        return (1 if pad is None else int(pad)) + 1


LAYOUT = Roberta()
