"""Vectors brought to the ids of another tokenizer, and how a model's embeddings begin with them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.fakes.bundles import WORDS, eleven_words, make_bundle
from tests.fakes.jobs import VOCABULARY, fit, job, weights
from ziggurat.artefacts.beginning import check_vectors, counterparts, first_vectors
from ziggurat.artefacts.bundle import Bundle, save
from ziggurat.artefacts.manifest import Provenance
from ziggurat.artefacts.recipe import load_recipe
from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import Embeds, Tokenizer
from ziggurat.models.blocks.initialisation import fill_from
from ziggurat.models.registry import FAMILIES
from ziggurat.models.word_vectors import WordVectors
from ziggurat.tokens.loading import TOKENIZERS, train_tokenizer
from ziggurat.training.job import FirstVectors
from ziggurat.training.loop.step import Made, Stepper

LSTM = load_recipe("lstm").change({"model.embedding": 5, "model.hidden": 7, "model.layers": 1})


def trained(kind: str, text: str, **keys: object) -> Tokenizer:
    return train_tokenizer([text], kind, TOKENIZERS.get(kind).config(**keys))


def saved(path: Path, tokenizer: Tokenizer, vectors: np.ndarray) -> Bundle:
    model = WordVectors(vectors.astype(np.float32), tokenizer.vocabulary)
    return save(path, family="word_vectors", model=model, tokenizer=tokenizer, provenance=Provenance())


def numbered(tokenizer: Tokenizer, width: int = 5) -> np.ndarray:
    """Vectors that say whose they are: id i has i, i + 1, …; special ids have zeros, as word vectors do."""
    vectors = np.arange(tokenizer.vocabulary.size)[:, None] + np.arange(float(width))
    vectors[[tokenizer.vocabulary.eos, tokenizer.vocabulary.unk or 0]] = 0
    return np.asarray(vectors)


# -- which id is which ------------------------------------------------------------------------------------------------


def test_the_same_tokenizer_has_the_same_ids_but_for_special_ones() -> None:
    # 0 is the end of text and 1 the unknown word: they stand for no text
    assert counterparts(eleven_words(), eleven_words()).tolist() == [-1, -1, *range(2, 11)]


def test_words_are_found_by_their_spelling() -> None:
    # ids by falling frequency, then by the alphabet: 2 cat, 3 dog, 4 the; and 2 emu, 3 the, 4 cat
    source, target = trained("words", "the dog cat"), trained("words", "emu emu emu the the cat")
    assert counterparts(source, target).tolist() == [-1, -1, -1, 4, 2]


def test_the_other_tokenizer_s_way_with_case_counts() -> None:
    folded, cased = trained("words", "the cat", lowercase=True), trained("words", "The The CAT the")
    # cased: 2 The, 3 CAT, 4 the; folded: 2 cat, 3 the
    assert counterparts(folded, cased).tolist() == [-1, -1, 3, 2, 3]
    # the other way: "cat" is not "CAT"
    assert counterparts(cased, folded).tolist() == [-1, -1, -1, 4]


def test_a_piece_with_its_space_finds_the_word() -> None:
    words, pieces = trained("words", WORDS), trained("bpe", " ".join([WORDS] * 7), vocab_size=300)
    found = counterparts(words, pieces)
    ids = {pieces.decode([piece]): int(word) for piece, word in enumerate(found) if word >= 0}
    assert words.decode([ids[" seven"]]) == "seven"
    for piece, word in enumerate(found):
        if word >= 0:
            assert words.decode([int(word)]) == pieces.decode([piece]).strip()
    # bytes of which a character is made stand for no text of their own
    assert found[[piece for piece in range(300) if "\ufffd" in pieces.decode([piece])]].max() == -1


def test_pieces_find_pieces_of_a_larger_vocabulary() -> None:
    text = " ".join([WORDS] * 7)
    large, small = trained("bpe", text, vocab_size=300), trained("bpe", text, vocab_size=280)
    found = counterparts(large, small)
    for piece in np.flatnonzero(found >= 0):
        assert large.decode([int(found[piece])]) == small.decode([int(piece)])
    whole = [piece for piece in range(1, 280) if "\ufffd" not in small.decode([piece])]
    assert (found[whole] >= 0).all()


def test_chinese_characters_find_each_other() -> None:
    source, target = trained("words", "天 地 玄 黄"), trained("characters", "天天天地地宇", min_count=1)
    vectors = counterparts(source, target)
    found = {target.decode([token]): int(other) for token, other in enumerate(vectors) if other >= 0}
    assert found.keys() == {"天", "地"}
    assert source.decode([found["地"]]) == "地"


# -- vectors and what is said of them ---------------------------------------------------------------------------------


def test_each_found_token_has_the_vector_of_its_word(tmp_path: Path) -> None:
    source, target = trained("words", "the dog cat"), trained("words", "emu emu emu the the cat")
    begun = first_vectors(LSTM, saved(tmp_path / "v", source, numbered(source)), target)
    assert begun.first.found_mask.tolist() == [False, False, False, True, True]
    # "the" is their 4, "cat" their 2
    np.testing.assert_array_equal(begun.first.vectors[3], [4, 5, 6, 7, 8])
    np.testing.assert_array_equal(begun.first.vectors[4], [2, 3, 4, 5, 6])
    np.testing.assert_array_equal(begun.first.vectors[:3], np.zeros((3, 5)))
    assert (begun.facts["found"], begun.facts["of"], begun.facts["from"]) == (2, 5, str(tmp_path / "v"))


def test_a_vector_without_direction_or_without_numbers_is_none(tmp_path: Path) -> None:
    tokenizer = eleven_words()
    vectors = numbered(tokenizer)
    vectors[3], vectors[4, 2], vectors[5, 1] = 0, np.nan, np.inf
    begun = first_vectors(LSTM, saved(tmp_path / "v", tokenizer, vectors), tokenizer)
    assert begun.first.found_mask.nonzero()[0].tolist() == [2, 6, 7, 8, 9, 10]


# -- how embeddings begin ---------------------------------------------------------------------------------------------


def test_vectors_get_the_spread_of_what_was_drawn() -> None:
    # drawn: six numbers ±1, mean 0, standard deviation 1
    weight = torch.tensor([[1.0, -1.0], [1.0, -1.0], [1.0, -1.0]])
    vectors = np.array([[4, 0], [77, 77], [0, 2]], np.float32)
    fill_from(weight, vectors, np.array([True, False, True]))
    # their mean is (2, 1); without it (2, −1) and (−2, 1); root mean square √((4 + 1 + 4 + 1) / 4) = √2.5
    expected = np.array([[2, -1], [0, 0], [-2, 1]]) / np.sqrt(2.5)
    expected[1] = [1, -1]
    np.testing.assert_allclose(weight.numpy(), expected, rtol=1e-6)


def test_vectors_that_are_all_alike_change_nothing() -> None:
    weight = torch.tensor([[1.0, -1.0], [2.0, 3.0]])
    fill_from(weight, np.full((2, 2), 7, np.float32), np.array([True, True]))
    assert weight.tolist() == [[1, -1], [2, 3]]


@pytest.mark.parametrize("family", [name for name in FAMILIES.names() if isinstance(FAMILIES.get(name), Embeds)])
def test_every_family_that_embeds_begins_with_the_vectors(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = job(family, steps=1)
    chosen = asked.family
    assert isinstance(chosen, Embeds)
    width = getattr(asked.model_config, chosen.embedding_key)
    dice = np.random.default_rng(3)
    first = FirstVectors(
        dice.normal(size=(VOCABULARY.size, width)).astype(np.float32), np.arange(VOCABULARY.size) % 5 > 0
    )
    drawn = chosen.build(asked.model_config, asked.train.vocabulary, seed=asked.seed).network.token_embedding  # type: ignore[attr-defined]
    drawn = drawn.detach().numpy().copy()
    monkeypatch.setattr(Stepper, "make", lambda *_: Made(0.0, 0.0))
    from dataclasses import replace

    begun = fit(replace(asked, first_vectors=first)).model.network.token_embedding.detach().numpy()  # type: ignore[attr-defined]
    np.testing.assert_array_equal(begun[::5], drawn[::5])
    known = first.vectors[first.found_mask].astype(np.float64)
    known -= known.mean(axis=0)
    expected = known * drawn.std(dtype=np.float64) / np.sqrt(np.square(known).mean())
    np.testing.assert_allclose(begun[first.found_mask], expected, rtol=1e-4, atol=1e-6)
    # the rest of the network is as chance made it: the same seed, the same weights
    others = weights(fit(asked))
    beginning = weights(fit(replace(asked, first_vectors=first)))
    changed = [name for name, value in others.items() if not np.array_equal(value, beginning[name])]
    assert len(changed) == 1


# -- what can't be ----------------------------------------------------------------------------------------------------


def test_vectors_of_another_width_are_refused_with_the_key(tmp_path: Path) -> None:
    bundle = saved(tmp_path / "v", eleven_words(), numbered(eleven_words(), width=7))
    said = f"vectors: those of {bundle.path} have 7 numbers each and model.embedding is 5: set model.embedding to 7, or"
    with pytest.raises(UsageError, match=said):
        first_vectors(LSTM, bundle, eleven_words())
    with pytest.raises(UsageError, match=said):
        check_vectors(LSTM.change({"vectors": str(bundle.path)}))


def test_vectors_of_other_words_are_refused(tmp_path: Path) -> None:
    source = trained("words", "uno due tre")
    with pytest.raises(
        UsageError, match="has a vector for 0 of 11 tokens, too few to begin with: train vectors on text"
    ):
        first_vectors(LSTM, saved(tmp_path / "v", source, numbered(source)), eleven_words())


@pytest.mark.parametrize("family", ["ngram", "recurrent"])
def test_a_bundle_without_vectors_is_refused(family: str, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "v", family)
    with pytest.raises(UsageError, match=f"a {family} model gives no vectors; give one that does"):
        first_vectors(LSTM, bundle, eleven_words())
