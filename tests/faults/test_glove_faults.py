"""What a user reads when GloVe can't do what was asked: one line that says what to do."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.glove_jobs import VOCABULARY, job, stream, with_text
from tests.fakes.token_streams import MemoryStream
from ziggurat.core.config import from_mapping
from ziggurat.core.errors import DamagedError, TooLittleTextError, UnknownNameError, UsageError
from ziggurat.models.word_vectors import WordVectorsConfig
from ziggurat.training import glove
from ziggurat.training.checkpoints import NEWEST, Checkpoint, read_newest, write_checkpoint


@pytest.mark.parametrize("documents", [[], [[2]], [[2], [3]], [[1, 2, 1]]])
def test_text_without_neighbours(documents: list[list[int]]) -> None:
    made = with_text(job(), MemoryStream.of(documents, VOCABULARY))
    with pytest.raises(TooLittleTextError, match=r"no two words stand near each other: .*tokens\.min_count"):
        glove.fit(made)


def test_character_ngrams_are_refused() -> None:
    made = dataclasses.replace(job(), model_config=WordVectorsConfig(width=7, longest_ngram=5, buckets=13))
    with pytest.raises(UsageError, match=r"model\.longest_ngram: GloVe learns words whole"):
        glove.fit(made)


def test_memory_that_is_no_size() -> None:
    with pytest.raises(UsageError, match=r"training\.memory: expected a size like 800M or 1\.5G, got 'much'"):
        glove.fit(job(memory="much"))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"window": 0}, "window: must be from 1 to 1000"),
        ({"x_max": 0.0}, "x_max: must be at least"),
        ({"epochs": 0}, "epochs: must be at least 1"),
        ({"learning_rate": -1.0}, "learning_rate: must be at least"),
        ({"learning_rate": float("nan")}, "learning_rate: expected a number"),
    ],
)
def test_keys_out_of_limits(keys: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        from_mapping(glove.Config, keys, where="recipe.toml [training]")


def test_keys_that_do_not_exist() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'x_max'"):
        from_mapping(glove.Config, {"xmax": 10.0}, where="recipe.toml [training]")
    with pytest.raises(UnknownNameError, match="did you mean 'sum'"):
        from_mapping(glove.Config, {"combine": "summ"}, where="recipe.toml [training]")


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    glove.fit(job(tmp_path, checkpoint_seconds=0.0))
    others = {
        "text": with_text(job(tmp_path), stream(10_007)),
        "seed": job(tmp_path, seed=8),
        "width": job(tmp_path, width=23),
        "epochs": job(tmp_path, epochs=5),
        "window": job(tmp_path, window=3),
    }
    for other in others.values():
        with pytest.raises(DamagedError, match=r"last\.safetensors: a checkpoint of another model or recipe"):
            glove.fit(other)
    glove.fit(job(tmp_path))


@pytest.mark.parametrize("missing", ["words", "contexts", "progress", "run"])
def test_a_checkpoint_that_lacks_a_part(tmp_path: Path, missing: str) -> None:
    glove.fit(job(tmp_path, checkpoint_seconds=0.0))
    whole = read_newest(tmp_path)
    assert whole is not None
    tensors = {name: np.asarray(array) for name, array in whole.tensors.items() if name != missing}
    facts = {name: fact for name, fact in whole.facts.items() if name not in (missing, "digest", "format")}
    write_checkpoint(tmp_path / NEWEST, Checkpoint(tensors, facts))
    with pytest.raises(DamagedError, match="another model or recipe"):
        glove.fit(job(tmp_path))
