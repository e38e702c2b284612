"""What the families that tell labels by a network have in common: building, saving and opening them.

*Idea.* A classifier is another family's network, its body, with a head on it (`ziggurat.models.blocks.classifying`).
Its configuration is that family's with `ClassifyingKeys`, so every key of the body is a key of the whole, and a trained
model of that family can be what it begins with.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, TypeAlias

from ziggurat.core.anatomy import NUMBER_BYTES, Anatomy, Part, Saved
from ziggurat.core.config import from_mapping, to_mapping
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.protocols import Family, Sizable
from ziggurat.core.types import TensorMap, Vocabulary
from ziggurat.models.blocks.classifying import ClassifierNetwork, NeuralClassifier
from ziggurat.models.blocks.initialisation import fill_normal
from ziggurat.models.blocks.weights import check_tensors, load_tensors, shape_only, tensors_of
from ziggurat.models.layouts.layout import Layout, check_arrays, fill_network, outward

__all__ = ["ClassifierFamily", "label_part"]

Networks: TypeAlias = Callable[[Any, Vocabulary], ClassifierNetwork]
Anatomies: TypeAlias = Callable[[Any, Vocabulary], tuple[Anatomy, int]]

OPTIONAL = frozenset({"pooler"})
"""Keys of parts on a body's top that a classifier may do without, or have anew."""
WIDE = 0.5
"""Spread of a tiny model's weights, so that its labels are far from equally probable."""


class ClassifierFamily:
    """Builds, saves and opens the networks of another family with a head that tells labels."""

    trainers: ClassVar[tuple[str, ...]] = ("labelled",)
    reads_labels: ClassVar[Literal[True]] = True

    def __init__(
        self,
        name: str,
        config: type[Any],
        *,
        network: Networks,
        anatomy: Anatomies,
        inside: Any,
        layout: Layout | None = None,
        fixed: Mapping[str, Any] | None = None,
    ) -> None:
        """Call it ``name``; ``config`` is that of the family ``inside`` with `ClassifyingKeys`.

        ``network`` makes its networks; ``anatomy`` tells their parts up to the head, and how wide the vectors are that
        are pooled; ``layout`` is the form in which other programs know some of them; ``fixed`` are keys that have one
        value whatever a body has.
        """
        self.name = name
        self.config = config
        self.embedding_key: str = inside.embedding_key
        self.body: str = inside.name
        self.optional = OPTIONAL & {field.name for field in dataclasses.fields(config)}
        self._network, self._anatomy, self._layout = network, anatomy, layout
        self._inside: Family = inside
        self._fixed = dict(fixed or {})

    def build(self, config: Any, vocabulary: Vocabulary, *, seed: int) -> NeuralClassifier:
        """Return an untrained model; one without labels is as large as one of two, and tells none."""
        network = self._network(config, vocabulary)
        network.fill(seed)
        return NeuralClassifier(network)

    def state(self, model: Any) -> tuple[dict[str, Any], TensorMap]:
        """Return ``config.json`` and the weights: in a layout that other programs know, or else in ours."""
        network: ClassifierNetwork = model.network
        config, vocabulary = network.config, network.vocabulary
        if self._layout is not None and self._layout.holds(config):
            return self._layout.describe(config, vocabulary), outward(network, self._layout.renamings(config))
        return {"model": to_mapping(config), "vocabulary": to_mapping(vocabulary)}, tensors_of(network)

    def restore(self, config: dict[str, Any], tensors: TensorMap) -> NeuralClassifier:
        """Return the model that `state` described.

        *Raises.* `ArtefactError` where a key or tensor is missing or does not fit.
        """
        own, vocabulary = self.configured(config, tensors)
        shapes = shape_only(lambda: self._network(own, vocabulary), own, tensors)
        layout = self._layout_of(config)
        if layout is None:
            check_tensors(shapes, tensors)
            network = self._network(own, vocabulary)
            load_tensors(network, tensors)
        else:
            check_arrays(shapes, tensors, layout, own)
            network = self._network(own, vocabulary)
            fill_network(network, tensors, layout, own)
        return NeuralClassifier(network)

    def configured(self, config: dict[str, Any], tensors: TensorMap) -> tuple[Any, Vocabulary]:
        """Return the configuration and the vocabulary that a ``config.json`` holds.

        *Raises.* `ArtefactError` where a key is missing or does not fit.
        """
        del tensors  # the file says all
        layout = self._layout_of(config)
        try:
            if layout is not None:
                keys, vocabulary = layout.read(config)
                own = from_mapping(self.config, keys, where="config.json")
            else:
                own = from_mapping(self.config, config["model"], where="config.json")
                vocabulary = from_mapping(Vocabulary, config["vocabulary"], where="config.json")
        except KeyError as error:
            raise ArtefactError(f"config.json describes no {self.name}: the key {error} is missing") from None
        except (TypeError, ValueError, AttributeError, ArithmeticError, UsageError) as error:
            raise ArtefactError(f"config.json describes no {self.name}: {error}") from None
        if not own.labels:
            raise ArtefactError(f"config.json describes no {self.name}: it names no labels")
        return own, vocabulary

    def anatomy(self, config: Any, vocabulary: Vocabulary) -> Anatomy:
        """Return the tower of the body, with the head on top.

        A configuration whose labels are not known yet is taken to have two, the fewest.
        """
        body, width = self._anatomy(config, vocabulary)
        (tower,) = body.towers
        head, symbols = label_part(config, width)
        towers = (dataclasses.replace(tower, parts=(*tower.parts, head)),)
        return dataclasses.replace(body, towers=towers, symbols=(*body.symbols, *symbols), generates=False, picks=None)

    def over(self, config: Any) -> Any:
        """Return the configuration of a classifier on a body of this configuration, which is one of the family `body`.

        Its labels, and how they are told, are the family's defaults.
        """
        own = {field.name for field in dataclasses.fields(self.config)}
        keys = {field.name: getattr(config, field.name) for field in dataclasses.fields(config) if field.name in own}
        return self.config(**{**keys, **self._fixed})

    def sized(self, parameters: int) -> Any:
        """Return a configuration whose body has about so many parameters beside the embeddings."""
        assert isinstance(self._inside, Sizable)  # noqa: S101 - a family of networks is
        return self.over(self._inside.sized(parameters))

    def tiny(self, *, seed: int) -> NeuralClassifier:
        """Return a small random model of three labels with wide weights, so that these are not equally probable."""
        inner: Any = self._inside.tiny(seed=seed)
        config = dataclasses.replace(self.over(inner.network.config), labels=("no", "perhaps", "yes"))
        model = self.build(config, inner.vocabulary, seed=seed)
        for name, parameter in model.network.named_parameters():
            if parameter.dim() > 1:
                fill_normal(parameter, std=WIDE, seed=seed, name=name)
        return model

    def _layout_of(self, config: Mapping[str, Any]) -> Layout | None:
        return (
            self._layout if self._layout is not None and config.get("model_type") in self._layout.model_types else None
        )


def label_part(config: Any, width: int) -> tuple[Part, tuple[tuple[str, int], ...]]:
    """Return the head on vectors of ``width`` numbers as a part, and the symbols of its sizes.

    *Maths.* It reads P pooled numbers of a row once and has P·Y + Y numbers for Y labels.
    """
    pooled, labels = width * config.pools, config.label_count
    sizes = (("P", pooled), ("Y", labels))
    part = Part(
        name="classifier",
        kind="output",
        formula="P·Y + Y",
        sizes=sizes,
        gives="Y",
        parameters=pooled * labels + labels,
        products=pooled * labels,
        reads="once",
        saved=Saved(row_f32=NUMBER_BYTES * 2 * (pooled + labels), row_bf16=NUMBER_BYTES * 2 * (pooled + labels)),
    )
    return part, sizes
