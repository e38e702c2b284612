"""Parts of a network that stay as they are while the rest is trained."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from torch import nn

from ziggurat.core.errors import UnknownNameError, UsageError
from ziggurat.models.blocks.lora import LowRankOptions, adapt

__all__ = ["choose_trained", "freeze", "frozen_names"]


def choose_trained(
    network: nn.Module, *, frozen: Iterable[str], options: LowRankOptions, on: Iterable[str], seed: int
) -> None:
    """Freeze what is to stay as it is; with a rank above 0, all but low-rank changes beside the projections ``on``.

    *Raises.* As `freeze` and `ziggurat.models.blocks.lora.adapt`.
    """
    if options.rank:
        adapt(network, on, options, seed=seed)
    elif named := list(frozen):
        freeze(network, named)


def freeze(network: nn.Module, parts: Iterable[str]) -> None:
    """Let no gradient change ``parts``: names of modules or weights, in which ``*`` stands for anything.

    ``stack.layers.0`` is the whole first block, ``stack.layers.*.mlp`` every block's feed-forward layers. A weight
    that two places share is frozen where either is named.

    *Raises.* `UnknownNameError` where a name fits nothing; `UsageError` where nothing is left to be trained.
    """
    weights = dict(network.named_parameters(remove_duplicate=False))
    for part in parts:
        found = [name for name in weights if _within(name, part)]
        if not found:
            known = [name for name, _ in network.named_modules() if name]
            raise UnknownNameError("part of the model", part, [*known, *weights], where="frozen")
        for name in found:
            weights[name].requires_grad = False
    if not any(weight.requires_grad for weight in weights.values()):
        raise UsageError("frozen: no part of the model is left to be trained; leave some out")


def frozen_names(network: nn.Module) -> frozenset[str]:
    """Return the names of all weights that are not trained."""
    weights = network.named_parameters(remove_duplicate=False)
    return frozenset(name for name, weight in weights if not weight.requires_grad)


def _within(name: str, part: str) -> bool:
    """Whether a weight is the part, or inside it."""
    words, wanted = name.split("."), part.split(".")
    head = words[: len(wanted)]
    return len(head) == len(wanted) and all(fnmatchcase(word, one) for word, one in zip(head, wanted, strict=True))
