"""Options that come from keys: which are offered, and how errors name them."""

import inspect
from dataclasses import dataclass

import pytest

from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.surface.cli.options import naming_flags, with_options


@dataclass(frozen=True)
class Keys:
    """Three keys."""

    top_k: int = option(5, "so many", low=1)
    samples: int = option(1, "continuations", low=1)
    seed: int = option(0, "a seed", low=0)


def test_a_key_without_an_option_keeps_its_default() -> None:
    found: list[Keys] = []

    @with_options(Keys, without=("samples",))
    def command(options: Keys) -> None:
        found.append(options)

    assert list(inspect.signature(command).parameters) == ["top_k", "seed"]
    command(top_k=7, seed=3)
    assert found == [Keys(top_k=7, samples=1, seed=3)]


def test_errors_about_a_key_name_its_option() -> None:
    with pytest.raises(UsageError, match=r"^--top-k: 9: more than there are$"), naming_flags(Keys):
        raise UsageError("top_k: 9: more than there are")


@pytest.mark.parametrize("message", ["model.gguf: not there", "nothing to name", "top_p: of another command"])
def test_other_errors_stay_as_they_are(message: str) -> None:
    with pytest.raises(UsageError) as caught, naming_flags(Keys):
        raise UsageError(message)
    assert str(caught.value) == message


def test_what_is_no_usage_error_passes() -> None:
    with pytest.raises(ValueError, match="top_k: x"), naming_flags(Keys):
        raise ValueError("top_k: x")
