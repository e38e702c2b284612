"""RoFormer (Su et al. 2021): BERT's form, with queries and keys turned by their positions instead of added vectors."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from ziggurat.core.errors import ArtefactError
from ziggurat.core.types import TensorMap, Vocabulary
from ziggurat.models.blocks.positions import sinusoids
from ziggurat.models.layouts.bert import Bert, fits
from ziggurat.models.layouts.layout import Renaming

__all__ = ["LAYOUT", "Roformer"]

BASE = 10000.0
"""The base of its wavelengths, which no key changes."""


class Roformer(Bert):
    """Layout of RoFormer: pairs of coordinates that are turned are neighbours there; it has no pooler."""

    model_types: ClassVar[tuple[str, ...]] = ("roformer",)
    prefix: ClassVar[str] = "roformer."
    positions: ClassVar[str] = "rotary"
    ignored: ClassVar[tuple[str, ...]] = (
        *(pattern.replace("bert", "roformer") for pattern in Bert.ignored),
        r"^(roformer\.)?encoder\.embed_positions\.weight$",
    )
    classes: ClassVar[tuple[str, str]] = ("RoFormerForMaskedLM", "RoFormerModel")

    def holds(self, config: Any) -> bool:
        """Return whether a model of this configuration can be written so."""
        plain = config.rotary_base == BASE and config.rotary_stretch == "none"
        whole = config.token_types > 0 and not config.first_position and not config.pooler
        return fits(config, positions=self.positions) and plain and whole

    def describe(self, config: Any, vocabulary: Vocabulary) -> dict[str, Any]:
        """Return what transformers writes for such a model."""
        described = super().describe(config, vocabulary) | {"embedding_size": config.width, "rotary_value": False}
        return {key: value for key, value in described.items() if key != "position_embedding_type"}

    def read(self, config: Mapping[str, Any]) -> tuple[dict[str, Any], Vocabulary]:
        """Return the ``[model]`` keys and the vocabulary of such a ``config.json``."""
        if config.get("rotary_value"):
            raise ArtefactError("config.json: rotary_value is not supported: values are not turned here")
        if (config.get("embedding_size") or config["hidden_size"]) != config["hidden_size"]:
            raise ArtefactError("config.json: embedding_size is not hidden_size, which is not supported")
        return super().read(config)

    def tables(self, config: Any) -> TensorMap:
        """Return the sines and cosines of the angles, which transformers reads from the file."""
        name = f"{self.prefix}encoder.embed_positions.weight"
        return {name: sinusoids(config.context, config.resolved_head_width).numpy()}

    def renamings(self, config: Any) -> Iterator[Renaming]:
        """Yield where each array stands."""
        for one in super().renamings(config):
            if ".self_attn.q_proj." in one.ours or ".self_attn.k_proj." in one.ours:
                yield replace(one, neighbours=config.resolved_head_width)
            else:
                yield one


LAYOUT = Roformer()
