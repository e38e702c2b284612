"""Proving a foreign file: what is compared, and what is said where two models differ."""

import math
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.decoders import byte_pairs
from ziggurat.artefacts.interchange.proof import (
    TEXTS,
    Tolerance,
    compare_logprobs,
    compare_outputs,
    compare_tokens,
    greedy,
    next_logprobs,
    proof_texts,
    random_ids,
    with_greedy,
)
from ziggurat.core.errors import ArtefactError
from ziggurat.core.types import Vocabulary
from ziggurat.models.registry import FAMILIES, predicting

FILE = Path("some.gguf")


def model():
    return predicting(FAMILIES.get("decoder").tiny(seed=3), "tiny")


def test_differences_by_hand() -> None:
    expected = np.log(np.array([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]], np.float32))
    found = np.log(np.array([[0.25, 0.5, 0.25], [0.125, 0.75, 0.125]], np.float32))
    proof = compare_logprobs(expected, found, Tolerance(1.0), tokens=7, program="p", path=FILE)
    # the largest is log 2; the first row diverges by 0.5 log 2 - 0.25 log 2 = 0.25 log 2, the second by nothing
    assert proof.largest == pytest.approx(math.log(2))
    assert proof.divergence == pytest.approx(0.25 * math.log(2) / 2)
    assert (proof.tokens, proof.positions, proof.same_best, proof.program) == (7, 2, 1, "p")
    for tolerance in (Tolerance(0.69), Tolerance(1.0, 0.08)):
        with pytest.raises(ArtefactError, match=r"some\.gguf: read back by p, .* differ by up to 6\.9e-01 .*not kept"):
            compare_logprobs(expected, found, tolerance, tokens=0, program="p", path=FILE)


def test_what_is_no_number_is_never_equal() -> None:
    rows = np.zeros((1, 2), np.float32)
    with pytest.raises(ArtefactError, match="not kept"):
        compare_logprobs(rows, rows + np.nan, Tolerance(float("inf")), tokens=0, program="p", path=FILE)


def test_tokens_that_differ_are_named() -> None:
    tokenizer = byte_pairs()
    count = compare_tokens(tokenizer, lambda text: tokenizer.encode(text).ids.tolist(), where="f")
    assert count == sum(len(tokenizer.encode(text).ids) for text in proof_texts(tokenizer))

    def other(text: str) -> list[int]:
        ids = tokenizer.encode(text).ids.tolist()
        return [*ids[:5], 99, *ids[6:]] if text == TEXTS[2] else ids

    with pytest.raises(ArtefactError, match=r"f: the text '零和博弈.*gives other tokens there, from token 6 on"):
        compare_tokens(tokenizer, other, where="f")
    with pytest.raises(ArtefactError, match="gives other tokens"):
        compare_tokens(tokenizer, lambda text: tokenizer.encode(text).ids.tolist()[:-1], where="f")


def test_texts_hold_what_breaks_tokenizers() -> None:
    together = "".join(TEXTS)
    for piece in ("\u200d", "\u0301", "\r\n", "\n\n\n", "\t\t", "    ", "'LL", "12345", "零", "٣", "\u00a0", "\u3000"):
        assert piece in together
    assert max(map(len, TEXTS)) > 300
    tokenizer = byte_pairs()
    assert proof_texts(tokenizer) == proof_texts(tokenizer)
    assert len(proof_texts(tokenizer)) > len(TEXTS)


def test_random_ids_fit_the_model() -> None:
    ids = random_ids(Vocabulary(13, bos=3, eos=4), 7)
    assert ids.shape == (2, 7)
    assert ids[:, 0].tolist() == [3, 3]
    assert ids.min() >= 0
    assert ids.max() < 13
    assert random_ids(Vocabulary(13, bos=3, eos=4), None).shape == (2, 24)


def test_next_logprobs_are_those_of_scanning() -> None:
    ids = random_ids(model().vocabulary, 11)
    found = next_logprobs(model(), ids).reshape(2, 11, 11)
    told = model().token_logprobs(ids, np.array([11, 11], np.int32))
    picked = np.take_along_axis(found[:, :-1], ids[:, 1:, None], axis=2)[..., 0]
    assert np.allclose(picked, told, atol=1e-5)


def test_greedy_text_and_how_much_of_it_a_model_would_write() -> None:
    begun = np.array([0, 5, 3], np.int32)
    written = greedy(model(), begun, 13)
    assert 0 < len(written) <= 13
    ids = begun.tolist()
    for token in written:  # step by step, each time from the beginning
        logprobs, _ = model().begin(np.array([ids], np.int32), np.array([len(ids)], np.int32))
        assert int(logprobs[0].argmax()) == token
        ids.append(token)
    rows = np.zeros((1, 2), np.float32)
    bare = compare_logprobs(rows, rows, Tolerance(0.0), tokens=1, program="p", path=FILE)
    proof = with_greedy(bare, model(), begun, written)
    assert (proof.written, proof.same_written) == (len(written), len(written))
    changed = [*written[:-1], (written[-1] + 1) % 11]
    assert with_greedy(bare, model(), begun, changed).same_written == len(written) - 1
    assert with_greedy(bare, model(), begun, []) == bare


def test_greedy_text_stays_within_the_context() -> None:
    context = model().context
    assert context == 64
    assert len(greedy(model(), np.full(60, 5, np.int32), 99)) <= 4


def test_outputs_are_compared_beside_their_size() -> None:
    # |3.5 - 3| / 3 = 1/6 and |0.25 - 0| / max(1, 0) = 1/4, of which the larger counts; one row of two places
    ours, theirs = np.array([[[3.0], [0.0]]], np.float32), np.array([[[3.5], [0.25]]], np.float32)
    found = compare_outputs([(ours, theirs), (ours, ours)], 0.3, tokens=7, program="p", path=Path("some"))
    assert (found.tokens, found.positions, found.largest, found.same_best) == (7, 2, 0.25, None)
    with pytest.raises(ArtefactError, match=r"some: read back by p, what it gives differs by up to 2\.5e-01: not kept"):
        compare_outputs([(ours, theirs)], 0.2, tokens=7, program="p", path=Path("some"))
    with pytest.raises(ArtefactError, match="not kept"):
        compare_outputs([(ours, theirs * np.float32(np.nan))], 0.3, tokens=7, program="p", path=Path("some"))
