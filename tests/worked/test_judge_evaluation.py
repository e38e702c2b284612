"""Bits per byte by hand, and evaluations of models whose answer is known."""

import bz2
import json
import lzma
import math
from typing import Any

import pytest

from tests.fakes.bundles import eleven_words
from tests.fakes.evaluations import evaluation
from tests.fakes.families import tiny_language_model
from tests.fakes.texts import documents
from ziggurat.core.errors import DamagedError, TooLittleTextError, UsageError
from ziggurat.core.types import Document
from ziggurat.judge import compressors
from ziggurat.judge.evaluate import METRICS, Evaluation, evaluate
from ziggurat.models.registry import FAMILIES
from ziggurat.tokens.loading import TOKENIZERS, train_tokenizer


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # 8 · ln 2 · 100 nats over 200 bytes: 800 bits / 200 = 4 bits a byte
        ("bits_per_byte", 4.0),
        # 800 ln 2 / 160 tokens = 5 ln 2 nats a token, or a choice among 2⁵
        ("nats_per_token", 5 * math.log(2)),
        ("token_perplexity", 32.0),
    ],
)
def test_metrics_by_hand(name: str, expected: float) -> None:
    metric = METRICS.get(name)()
    metric.update([300 * math.log(2)], [100], [150])
    metric.update([500 * math.log(2)], [60], [50])
    assert metric.value() == pytest.approx(expected)


def test_a_perplexity_beyond_numbers_is_infinite() -> None:
    assert METRICS.get("token_perplexity").of(evaluation([1e9], tokens=1)) == math.inf


def known_nothing(tokenizer: Any) -> Any:
    """A model that has seen nothing: each id that can follow is equally probable."""
    family = FAMILIES.get("ngram")
    return family.build(family.config(), tokenizer.vocabulary, seed=0)


def test_a_model_that_knows_nothing_needs_the_logarithm_of_its_vocabulary() -> None:
    # 11 ids; "one two six" is 3 tokens and the end: 4 · log2 11 bits over 11 bytes
    tokenizer = eleven_words()
    found = evaluate(known_nothing(tokenizer), tokenizer, [Document("a", "one two six"), Document("b", "nine")])
    assert found.ids == ("a", "b")
    assert found.tokens == (4, 2)
    assert found.document_bytes == (11, 4)
    assert found.nats == pytest.approx((4 * math.log(11), 2 * math.log(11)), rel=1e-6)
    assert found.token_perplexity == pytest.approx(11, rel=1e-6)
    assert found.bits_per_byte is None  # words lose the spaces between them
    with pytest.raises(UsageError, match="a tokenizer that loses nothing"):
        found.interval()
    assert "bits_per_byte" not in found.figures()


def test_bytes_of_chinese_are_counted_as_bytes() -> None:
    # 256 bytes and the end: every byte costs log2 257 bits, and so does the end of each document
    tokenizer = train_tokenizer(["x"], "bytes", TOKENIZERS.get("bytes").config())
    found = evaluate(known_nothing(tokenizer), tokenizer, [Document("a", "塔楼"), Document("b", "")])
    assert found.document_bytes == (6, 0)
    assert found.tokens == (7, 1)
    assert found.bits_per_byte == pytest.approx(8 / 6 * math.log2(tokenizer.vocabulary.size), rel=1e-6)


def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = eleven_words()
    model = tiny_language_model("ngram", seed=1)
    texts = [Document(str(n), " ".join(["one", "two", "nine", "six"][: n % 5] * 3)) for n in range(23)]
    whole = evaluate(model, tokenizer, texts)
    monkeypatch.setattr("ziggurat.judge.evaluate.BATCH_DOCUMENTS", 5)
    parts = evaluate(model, tokenizer, iter(texts))
    assert (parts.ids, parts.tokens, parts.document_bytes) == (whole.ids, whole.tokens, whole.document_bytes)
    assert parts.nats == pytest.approx(whole.nats, rel=1e-6)


def test_no_documents_are_an_error() -> None:
    tokenizer = eleven_words()
    with pytest.raises(TooLittleTextError, match="give more text"):
        evaluate(known_nothing(tokenizer), tokenizer, [])


def test_figures_are_what_manifests_and_tables_share() -> None:
    found = evaluation([70.0, 80.0, 90.0]).figures(seed=3)
    assert list(found)[:3] == ["bits_per_byte", "low", "high"]
    assert found["low"] < found["bits_per_byte"] < found["high"]
    assert (found["documents"], found["bytes"], found["tokens"]) == (3, 300, 75)
    assert found["tokens_per_second"] == 37.5
    assert found == evaluation([70.0, 80.0, 90.0]).figures(seed=3)


def test_json_gives_the_same_evaluation_back() -> None:
    before = evaluation([1.5, 2.25], ids=["ü", "文"])
    assert Evaluation.from_json(before.to_json(), where="x") == before


@pytest.mark.parametrize("text", ["", "[]", "7", "{}", '{"ids": []}', json.dumps({"no": 1})])
def test_what_is_no_evaluation_is_refused_by_its_file(text: str) -> None:
    with pytest.raises(DamagedError, match=r"test\.json: not an evaluation"):
        Evaluation.from_json(text, where="test.json")


def as_documents(texts: list[str]) -> list[Document]:
    return [Document(str(number), text) for number, text in enumerate(texts)]


def test_compressors_are_python_s_own() -> None:
    texts = documents(7)
    raw = b"\0".join(text.encode() for text in texts)
    found = compressors.alone(as_documents(texts))
    assert found["bzip2 -9"] == 8 * len(bz2.compress(raw, 9)) / len(raw)
    assert found["xz -9e"] <= 8 * len(lzma.compress(raw, preset=9 | lzma.PRESET_EXTREME)) / len(raw)
    assert found["xz -9e"] == pytest.approx(8 * len(lzma.compress(raw, preset=9)) / len(raw), rel=0.05)


def test_a_compressor_that_has_read_the_text_before_needs_next_to_nothing() -> None:
    texts = as_documents(documents(31))
    alone = compressors.alone(texts)["xz -9e"]
    assert compressors.given_training_text(texts, texts) < 0.1 * alone
    assert compressors.given_training_text(as_documents(["unrelated 1234567890"]), texts) == pytest.approx(
        alone, rel=0.1
    )


def test_compressing_nothing_is_an_error() -> None:
    with pytest.raises(TooLittleTextError, match="no text to compress"):
        compressors.alone([])
    with pytest.raises(TooLittleTextError, match="no text to compress"):
        compressors.given_training_text(as_documents(["x"]), as_documents([""]))
