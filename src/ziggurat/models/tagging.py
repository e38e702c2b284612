"""What the families that label words have in common: building, saving and opening them."""

from typing import Any, ClassVar, Literal

from ziggurat.core.config import from_mapping, to_mapping
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.types import TensorMap, Vocabulary
from ziggurat.models.blocks.tagging import NeuralTagger, TaggingNetwork
from ziggurat.models.blocks.weights import check_tensors, load_tensors, shape_only, tensors_of

__all__ = ["TaggingFamily"]


class TaggingFamily:
    """Builds, saves and opens networks of one kind that label words."""

    trainers: ClassVar[tuple[str, ...]] = ("tagged",)
    reads_tags: ClassVar[Literal[True]] = True
    name: ClassVar[str]
    config: ClassVar[type[Any]]
    network: ClassVar[type[Any]]
    """The kind of `TaggingNetwork`, made of a configuration and a vocabulary; `fill` draws its first weights."""

    def build(self, config: Any, vocabulary: Vocabulary, *, seed: int) -> NeuralTagger:
        """Return an untrained network; one without labels is as large as one of two, and tells none."""
        network = self.network(config, vocabulary)
        network.fill(seed)
        return NeuralTagger(network)

    def state(self, model: Any) -> tuple[dict[str, Any], TensorMap]:
        """Return the configuration with the vocabulary, and the weights."""
        network: TaggingNetwork = model.network
        vocabulary = to_mapping(network.vocabulary)
        return {"model": to_mapping(network.config), "vocabulary": vocabulary}, tensors_of(network)

    def restore(self, config: dict[str, Any], tensors: TensorMap) -> NeuralTagger:
        """Return the network that `state` described.

        *Raises.* `ArtefactError` where a key or tensor is missing or does not fit.
        """
        own, vocabulary = self.configured(config, tensors)
        check_tensors(shape_only(lambda: self.network(own, vocabulary), own, tensors), tensors)
        network = self.network(own, vocabulary)
        load_tensors(network, tensors)
        return NeuralTagger(network)

    def configured(self, config: dict[str, Any], tensors: TensorMap) -> tuple[Any, Vocabulary]:
        """Return the configuration and the vocabulary that a ``config.json`` holds.

        *Raises.* `ArtefactError` where a key is missing or does not fit.
        """
        del tensors  # the file says all
        try:
            own = from_mapping(self.config, config["model"], where="config.json")
            if not own.labels:
                raise UsageError("model: labels: there are none")
            return own, from_mapping(Vocabulary, config["vocabulary"], where="config.json")
        except (KeyError, TypeError, UsageError) as error:
            raise ArtefactError(f"config.json does not describe a {self.name} model: {error}") from None
