"""One vector a text: the mean by hand, the ways to pool, what is cut, and what a folder of others says."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.bundles import eleven_words
from ziggurat.artefacts.bundle import save
from ziggurat.artefacts.interchange.formats import FORMATS
from ziggurat.artefacts.manifest import Provenance
from ziggurat.artefacts.sentence_facts import sentence_facts, write_sentence_files
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.types import FloatArray, IdArray, Vocabulary
from ziggurat.models.encoder import FAMILY, EncoderConfig
from ziggurat.models.registry import FAMILIES
from ziggurat.use.embedding import EmbeddingConfig, embed

TOKENIZER = eleven_words()


@dataclasses.dataclass(frozen=True)
class Ways:
    """How a fake encoder says that texts become vectors."""

    pooling: str = "mean"
    normalise: bool = False
    longest_text: int | None = None


class Plain:
    """An id i at place t has the vector (i, t, 1); a row's pooled vector is (its length, 0, 7)."""

    width = 3

    def __init__(self, ways: Ways | None = None, context: int | None = None) -> None:
        self.config, self.context = ways or Ways(), context
        self.vocabulary = TOKENIZER.vocabulary

    def encode(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        places = np.broadcast_to(np.arange(ids.shape[1]), ids.shape)
        inside = places < lengths[:, None]
        return (np.stack([ids, places, np.ones_like(places)], axis=2) * inside[..., None]).astype(np.float32)

    def pool(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        return np.stack([lengths, 0 * lengths, 0 * lengths + 7], axis=1).astype(np.float32)


def numbers(text: str) -> list[int]:
    return [int(token) for token in TOKENIZER.encode(text).ids]


def test_the_mean_counts_begin_and_end() -> None:
    one, two = numbers("one two")
    # rows (0, one, two, 0): ids sum to one + two, places to 0 + 1 + 2 + 3
    found = embed(Plain(), TOKENIZER, ["one two", ""]).vectors
    np.testing.assert_allclose(found, [[(one + two) / 4, 6 / 4, 1], [0, 1 / 2, 1]])


@pytest.mark.parametrize("pooling", ["first", "pooler"])
def test_other_ways_to_pool(pooling: Any) -> None:
    expected = {"first": [[0, 0, 1], [0, 0, 1]], "pooler": [[4, 0, 7], [3, 0, 7]]}[pooling]
    texts = ["one two", "three"]
    for model, config in ((Plain(Ways(pooling)), None), (Plain(), EmbeddingConfig(pooling=pooling))):
        np.testing.assert_array_equal(embed(model, TOKENIZER, texts, config).vectors, expected)


def test_length_one() -> None:
    plain = embed(Plain(), TOKENIZER, ["one", "two three"]).vectors
    unit = plain / np.sqrt(np.square(plain).sum(axis=1, keepdims=True))
    for model, config in ((Plain(Ways(normalise=True)), None), (Plain(), EmbeddingConfig(normalise="yes"))):
        np.testing.assert_allclose(embed(model, TOKENIZER, ["one", "two three"], config).vectors, unit, rtol=1e-6)
    asked = embed(Plain(Ways(normalise=True)), TOKENIZER, ["one"], EmbeddingConfig(normalise="no")).vectors
    np.testing.assert_allclose(asked, plain[:1])


@pytest.mark.parametrize(
    ("model", "config", "longest", "cut"),
    [
        (Plain(), None, None, 0),
        (Plain(context=5), None, 5, 1),  # five ids: three of text
        (Plain(Ways(longest_text=4), context=5), None, 4, 2),
        (Plain(Ways(longest_text=4), context=5), EmbeddingConfig(longest=5), 5, 1),
    ],
)
def test_how_much_of_a_text_is_read(
    model: Plain, config: EmbeddingConfig | None, longest: int | None, cut: int
) -> None:
    found = embed(model, TOKENIZER, ["one two three four", "one two three", "one"], config)
    assert (found.longest, found.cut) == (longest, cut)
    size = 6 if longest is None else longest
    # places 0 … size − 1 have the mean (size − 1) / 2
    assert found.vectors[0, 1] == pytest.approx((size - 1) / 2)


def test_the_order_of_texts_and_their_number_do_not_matter() -> None:
    model = FAMILY.tiny(seed=3)
    texts = [" ".join(["one", "two", "three"][: 1 + number % 3]) for number in range(13)]
    found = embed(model, TOKENIZER, texts).vectors
    for number, text in enumerate(texts):
        np.testing.assert_allclose(embed(model, TOKENIZER, [text]).vectors[0], found[number], atol=1e-5)
    assert embed(model, TOKENIZER, []).vectors.shape == (0, model.width)


def test_words_with_vectors_of_their_own_are_averaged() -> None:
    model: Any = FAMILIES.get("word_vectors").tiny(seed=3)
    one, two = numbers("one two")
    found = embed(model, TOKENIZER, ["one two", ""])
    np.testing.assert_allclose(found.vectors[0], (model.vectors[one] + model.vectors[two]) / 2, rtol=1e-5)
    assert not found.vectors[1:].any()
    cut = embed(model, TOKENIZER, ["one two"], EmbeddingConfig(longest=3, normalise="yes"))
    assert (cut.cut, cut.longest) == (0, 3)
    assert np.linalg.norm(cut.vectors[0]) == pytest.approx(1)
    with pytest.raises(UsageError, match="vectors of words have no first; take their mean"):
        embed(model, TOKENIZER, ["one"], EmbeddingConfig(pooling="first"))


def test_what_can_t_be() -> None:
    with pytest.raises(UsageError, match=r"longest: 9 tokens are more than the model reads \(5\)"):
        embed(Plain(context=5), TOKENIZER, ["one"], EmbeddingConfig(longest=9))
    plain = FAMILY.build(EncoderConfig(layers=1, width=8, heads=2), Vocabulary(size=11, bos=0, eos=0), seed=0)
    with pytest.raises(UsageError, match="this encoder has no pooler: take the mean"):
        embed(plain, TOKENIZER, ["one"], EmbeddingConfig(pooling="pooler"))
    with pytest.raises(UsageError, match="pooling = pooler needs a pooler"):
        EncoderConfig(pooling="pooler")
    with pytest.raises(UsageError, match=r"longest_text \(300\) is more than context \(256\)"):
        EncoderConfig(longest_text=300)


# -- what a folder of sentence-transformers says ----------------------------------------------------------------------

STEPS = ("Transformer", "Pooling", "Normalize")


def folder(path: Path, steps: Any = STEPS, pooling: Any = None, lengths: Any = None) -> Path:
    """Write the files beside the model that say how vectors are made."""
    listed = [
        {"idx": number, "path": f"{number}_{step}" if number else "", "type": f"sentence_transformers.models.{step}"}
        for number, step in enumerate(steps)
    ]
    (path / "modules.json").write_text(json.dumps(listed))
    (path / "1_Pooling").mkdir()
    (path / "1_Pooling" / "config.json").write_text(json.dumps(pooling or {"pooling_mode_mean_tokens": True}))
    if lengths is not None:
        (path / "sentence_bert_config.json").write_text(json.dumps(lengths))
    return path


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, {"normalise": True, "pooling": "mean"}),
        ({"steps": STEPS[:2]}, {"normalise": False, "pooling": "mean"}),
        ({"steps": STEPS[:1]}, {"normalise": False}),
        (
            {"pooling": {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}},
            {"normalise": True, "pooling": "first"},
        ),
        ({"pooling": {"pooling_mode": "cls"}}, {"normalise": True, "pooling": "first"}),
        ({"lengths": {"max_seq_length": 128}}, {"normalise": True, "pooling": "mean", "longest_text": 128}),
        ({"lengths": {"max_seq_length": None}}, {"normalise": True, "pooling": "mean"}),
    ],
)
def test_what_is_read_of_it(keys: dict[str, Any], expected: dict[str, Any], tmp_path: Path) -> None:
    assert sentence_facts(folder(tmp_path, **keys)) == expected


def test_a_folder_of_transformers_alone_says_nothing(tmp_path: Path) -> None:
    assert sentence_facts(tmp_path) == {}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"steps": (*STEPS[:2], "Dense")}, "the step Dense is not supported, only Transformer, Pooling, Normalize"),
        ({"pooling": {"pooling_mode_max_tokens": True}}, r"\['pooling_mode_max_tokens'\] is not supported"),
        (
            {"pooling": {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True}},
            "is not supported: vectors are",
        ),
        ({"pooling": {"pooling_mode": "lasttoken"}}, "config.json: lasttoken is not supported"),
    ],
)
def test_what_we_do_not_do_is_named(keys: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=message):
        sentence_facts(folder(tmp_path, **keys))


@pytest.mark.parametrize("text", ["{", "7", '[{"path": ""}]'])
def test_a_broken_list_of_steps(text: str, tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text(text)
    with pytest.raises(ArtefactError, match=r"modules\.json: (can't be read \(not JSON\)|not the list of steps)"):
        sentence_facts(tmp_path)


@pytest.mark.parametrize("content", ["[]", "3", '"mean"', "[" * 100_000])
def test_a_pooling_of_no_keys(content: str, tmp_path: Path) -> None:
    path = folder(tmp_path) / "1_Pooling" / "config.json"
    path.write_text(content)
    with pytest.raises(ArtefactError, match=r"1_Pooling.config\.json: (damaged: expected keys|can't be read)"):
        sentence_facts(tmp_path)


@pytest.mark.parametrize("length", ["abc", "128", -3, 0, 1.5, True, [128]])
def test_a_longest_text_that_is_no_number_of_tokens(length: Any, tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"sentence_bert_config\.json: max_seq_length can't be "):
        sentence_facts(folder(tmp_path, lengths={"max_seq_length": length}))


def test_lengths_of_no_keys(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"sentence_bert_config\.json: damaged: expected keys"):
        sentence_facts(folder(tmp_path, lengths=[128]))


@pytest.mark.parametrize("path", ["/etc", "../1_Pooling", "a/../../b", 3, None, "a\0b"])
def test_a_step_outside_the_folder_is_not_followed(path: Any, tmp_path: Path) -> None:
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text('{"pooling_mode": "mean"}')
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "modules.json").write_text(json.dumps([{"type": "a.Transformer"}, {"type": "a.Pooling", "path": path}]))
    with pytest.raises(ArtefactError, match=r"modules\.json: the path .* is none of a folder inside"):
        sentence_facts(inner)


@pytest.mark.parametrize("pooling", ["mean", "first"])
@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("longest", [None, 29])
def test_what_is_written_is_what_is_read(pooling: str, normalise: bool, longest: int | None, tmp_path: Path) -> None:
    facts = {"pooling": pooling, "normalise": normalise, **({"longest_text": longest} if longest else {})}
    write_sentence_files(tmp_path, {**facts, "width": 8})
    assert sentence_facts(tmp_path) == facts
    assert (tmp_path / "2_Normalize").is_dir() is normalise


def test_a_pooler_has_no_step(tmp_path: Path) -> None:
    write_sentence_files(tmp_path, {"pooling": "pooler", "normalise": False, "width": 8})
    assert not list(tmp_path.iterdir())


def test_an_export_keeps_how_vectors_are_made(tmp_path: Path) -> None:
    config = EncoderConfig(layers=1, width=8, heads=2, context=31, pooling="first", normalise=True, longest_text=17)
    vocabulary = TOKENIZER.vocabulary
    model = FAMILY.build(config, Vocabulary(11, vocabulary.bos, vocabulary.eos, unk=vocabulary.unk, mask=1), seed=0)
    bundle = save(tmp_path / "b", family="encoder", model=model, tokenizer=TOKENIZER, provenance=Provenance())
    FORMATS.get("transformers").write(bundle, tmp_path / "out")
    assert sentence_facts(tmp_path / "out") == {"pooling": "first", "normalise": True, "longest_text": 17}
    found: Any = FORMATS.get("transformers").read(tmp_path / "out").model
    assert (found.config.pooling, found.config.normalise, found.config.longest_text) == ("first", True, 17)
