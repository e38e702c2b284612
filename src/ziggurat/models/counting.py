"""What the families that stand on counts have in common: building, saving and opening them.

*Idea.* A family on counts is another family, a causal network, with an n-gram model beneath it. Its configuration is
that family's with `CountingKeys`, so every key of the network inside is a key of the whole.
"""

import dataclasses
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from ziggurat.core.anatomy import Anatomy, Counted, Part, Saved
from ziggurat.core.config import from_mapping, to_mapping
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.protocols import Dissects, Family, Sizable
from ziggurat.core.seeding import generator
from ziggurat.core.types import FloatArray, IdArray, TensorMap, Vocabulary
from ziggurat.models.blocks.counted import CountedNetwork
from ziggurat.models.blocks.initialisation import fill_normal
from ziggurat.models.blocks.network import CausalNetwork, NeuralLanguageModel
from ziggurat.models.blocks.weights import check_tensors, load_tensors, shape_only, tensors_of
from ziggurat.models.ngram_random import random_trie
from ziggurat.models.ngram_reading import Counts, NgramReader
from ziggurat.models.ngram_trie import NgramTrie, entry_bytes
from ziggurat.models.recalling import Recall

__all__ = ["CountedFamily", "counted_by", "reader_of"]

_COUNTS = "counts."
"""Stands before the names of the n-gram model's arrays."""


class _NothingCounted:
    """Stands for counts until there are some: every id is equally probable, and nothing is recalled."""

    def __init__(self, orders: int, recalled: int, size: int) -> None:
        self._shape = (orders + recalled, size)
        self._orders = orders

    def read(self, before: IdArray, ids: IdArray) -> FloatArray:
        """Return (B, T, K + R, V): −log V, and 0."""
        del before
        found = np.full((*ids.shape, *self._shape), -np.log(self._shape[1]), np.float32)
        found[:, :, self._orders :] = 0
        return found


class CountedFamily:
    """Builds, saves and opens the networks of another family on counts."""

    trainers: ClassVar[tuple[str, ...]] = ("counted",)

    def __init__(self, name: str, config: type[Any], *, inside: Any) -> None:
        """Call it ``name``; ``config`` is that of the family ``inside`` with `CountingKeys`."""
        self.name = name
        self.config = config
        self.embedding_key: str = inside.embedding_key
        self._inside: Family = inside

    def build(self, config: Any, vocabulary: Vocabulary, *, seed: int) -> NeuralLanguageModel:
        """Return an untrained model; until something is counted every id is equally probable to its counts."""
        network = self._network(config, self._inside.build(config, vocabulary, seed=seed))
        network.fill(seed)
        return NeuralLanguageModel(network)

    def state(self, model: Any) -> tuple[dict[str, Any], TensorMap]:
        """Return the configuration with the vocabulary, and the weights beside the arrays of the counts.

        A model that was never fitted stands on nothing, and says so: ``counted`` is false.
        """
        network: CountedNetwork = model.network
        counts = network.counts.trie.state() if isinstance(network.counts, NgramReader) else {}
        facts: dict[str, Any] = {"model": to_mapping(network.config), "vocabulary": to_mapping(network.vocabulary)}
        facts["counted"] = bool(counts)
        return facts, {**tensors_of(network), **{f"{_COUNTS}{name}": array for name, array in counts.items()}}

    def restore(self, config: dict[str, Any], tensors: TensorMap) -> NeuralLanguageModel:
        """Return the model that `state` described; the counts' arrays may be memory maps and are not read through.

        *Raises.* `ArtefactError` where a key or tensor is missing or does not fit.
        """
        own, vocabulary = self.configured(config, tensors)
        weights = {name: array for name, array in tensors.items() if not name.startswith(_COUNTS)}
        counts = {name.removeprefix(_COUNTS): tensors[name] for name in tensors.keys() - weights.keys()}

        def make() -> CountedNetwork:
            return self._network(own, self._inside.build(own, vocabulary, seed=0))

        if not counts and config.get("counted", True):
            raise ArtefactError("model.safetensors: its counts are missing (tensors counts.…); put a whole copy there")
        check_tensors(shape_only(make, own, weights), weights)
        network = make()
        load_tensors(network, weights)
        if counts:
            counted_by(network, NgramTrie.restore(counts, vocabulary_size=vocabulary.size))
        return NeuralLanguageModel(network)

    def configured(self, config: dict[str, Any], tensors: TensorMap) -> tuple[Any, Vocabulary]:
        """Return the configuration and the vocabulary that a ``config.json`` holds.

        *Raises.* `ArtefactError` where a key is missing or does not fit.
        """
        del tensors  # the file says all
        try:
            own = from_mapping(self.config, config["model"], where="config.json")
            return own, from_mapping(Vocabulary, config["vocabulary"], where="config.json")
        except (KeyError, TypeError, UsageError) as error:
            raise ArtefactError(f"config.json does not describe a {self.name}: {error}") from None

    def anatomy(self, config: Any, vocabulary: Vocabulary) -> Anatomy:
        """Return the tower of the network inside, with what reads the counts beneath and what weighs them on top.

        *Maths.* `expected` multiplies K distributions of V numbers with the embeddings, K·V·E, and then by its own
        K·E²; `trust` has U weights and a bias for each of J, the K orders and what is recalled.

        *Departs.* What training keeps of the distributions themselves, J·V 32-bit numbers a token, is said; the copies
        of embeddings that 16-bit products with them make are said too large by K − 1 of them. The arrays of the counts
        are no weights, and follow the text: `Anatomy.counted` says how.
        """
        assert isinstance(self._inside, Dissects)  # noqa: S101 - a family of networks is
        inner = self._inside.anatomy(config, vocabulary)
        (tower,) = inner.towers
        orders, size = len(config.resolved_orders(vocabulary.size)), vocabulary.size
        told = orders + config.recalled
        embedding: int = getattr(config, self.embedding_key)
        output = tower.parts[-1]
        width = output.products // size
        expected = Part(
            name="what counts expect",
            kind="feedforward",
            formula="K·E²",
            sizes=(("K", orders), ("E", embedding)),
            gives="n × E",
            parameters=orders * embedding**2,
            products=orders * embedding * (embedding + size),
            forward_products=orders * embedding * size,
            saved=Saved(f32=4 * orders * embedding, bf16=2 * orders * embedding),
        )
        trust = Part(
            name="trust in counts",
            kind="output",
            formula="J·U + J",
            sizes=(("J", told), ("U", width)),
            gives="n × V",
            parameters=told * (width + 1),
            products=told * width,
            saved=Saved(f32=4 * told * size, bf16=4 * told * size + 2 * width),
        )
        parts = (tower.parts[0], expected, *tower.parts[1:], trust)
        symbols = (*inner.symbols, ("K", orders), ("J", told), ("E", embedding), ("U", width))
        counted = Counted(config.order, size, told * size, *entry_bytes(size))
        return replace(inner, towers=(replace(tower, parts=parts),), symbols=symbols, counted=counted)

    def sized(self, parameters: int) -> Any:
        """Return a configuration whose network inside has about so many parameters beside the embeddings."""
        assert isinstance(self._inside, Sizable)  # noqa: S101 - a family of networks is
        inner = self._inside.sized(parameters)
        return self.config(**{field.name: getattr(inner, field.name) for field in dataclasses.fields(inner)})

    def tiny(self, *, seed: int) -> NeuralLanguageModel:
        """Return a small model on random counts of trigrams, with wide weights."""
        inner: Any = self._inside.tiny(seed=seed)
        keys = {
            field.name: getattr(inner.network.config, field.name) for field in dataclasses.fields(inner.network.config)
        }
        network = self._network(self.config(**keys, order=3, orders=(2, 3), recall=11), inner)
        for name in ("trust.weight", "trust.bias", "expected.weight"):
            fill_normal(network.get_parameter(name), std=0.4, seed=seed, name=name)
        counted_by(network, random_trie(generator(seed, "counted", "tiny"), size=network.vocabulary.size, order=3))
        return NeuralLanguageModel(network)

    def _network(self, config: Any, inner: Any) -> CountedNetwork:
        network: CausalNetwork = inner.network
        orders = len(config.resolved_orders(network.vocabulary.size))
        counts: Counts = _NothingCounted(orders, config.recalled, network.vocabulary.size)
        return CountedNetwork(config, network, counts, orders=orders)


def counted_by(network: CountedNetwork, trie: NgramTrie) -> NgramReader:
    """Let ``network`` stand on the counts of ``trie``; return what reads them.

    *Raises.* `ArtefactError` where the trie is of another order.
    """
    if trie.order != network.config.order:
        raise ArtefactError(f"counts of order {trie.order} for a network that stands on order {network.config.order}")
    reader = reader_of(network, trie)
    network.counts = reader
    return reader


def reader_of(network: CountedNetwork, trie: NgramTrie) -> NgramReader:
    """Return what reads ``trie`` for ``network``, and what it recalls."""
    config, vocabulary = network.config, network.vocabulary
    recall = None
    if config.recall:
        recall = Recall(trie.logprobs[: vocabulary.size], bos=vocabulary.bos, reach=config.recall)
    return NgramReader(trie, config.resolved_orders(vocabulary.size), recall=recall)
