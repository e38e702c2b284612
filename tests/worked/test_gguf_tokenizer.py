"""Tokenizers from and to a GGUF file's metadata."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.decoders import TEXTS as TRAINED_ON
from tests.fakes.decoders import byte_pairs, tokenizer
from tests.fakes.tokenizers import HARD_TEXTS
from ziggurat.artefacts.interchange.gguf_splits import SPLITS, pre_tokenizer, splitting_name
from ziggurat.artefacts.interchange.gguf_tokenizer import tokenizer_from_gguf, tokenizer_to_gguf
from ziggurat.artefacts.interchange.proof import TEXTS
from ziggurat.artefacts.interchange.sentencepiece_models import merges_of
from ziggurat.core.errors import ArtefactError, DamagedError, UsageError
from ziggurat.tokens.fast import END, FastTokenizer, byte_alphabet

HELD: dict[str, dict[str, Any]] = {
    "bpe": {"vocab_size": 353},
    "bpe qwen2": {"vocab_size": 353, "pattern": "qwen2"},
    "bytes": {},
    "characters": {},
}


def held(name: str) -> Any:
    return tokenizer(name.split(maxsplit=1)[0], **HELD[name])


@pytest.mark.parametrize("name", HELD)
def test_our_own_come_back(name: str) -> None:
    ours = held(name)
    facts = tokenizer_to_gguf(ours, ours.vocabulary.size, where="here")
    back = tokenizer_from_gguf(facts, where="there")
    assert (back.vocabulary.size, back.vocabulary.bos, back.vocabulary.eos) == (ours.vocabulary.size, 0, 0)
    for text in (*TEXTS, *HARD_TEXTS, *TRAINED_ON):
        plain = text.replace("\u2581", "_") if name == "characters" else text  # the one difference, said in its place
        ids = ours.encode(plain).ids.tolist()
        assert back.encode(plain).ids.tolist() == ids
        assert back.decode(ids) == plain
    assert facts["tokenizer.ggml.add_bos_token"] is True


def test_names_of_our_patterns() -> None:
    facts = [tokenizer_to_gguf(held(name), 400, where="")["tokenizer.ggml.pre"] for name in ("bpe", "bpe qwen2")]
    assert facts == ["gpt-2", "qwen2"]
    assert tokenizer_to_gguf(held("bytes"), 257, where="")["tokenizer.ggml.pre"] == "gpt-2"


def test_ids_without_a_token_are_filled_up() -> None:
    ours = held("bytes")
    facts = tokenizer_to_gguf(ours, 263, where="here")
    assert facts["tokenizer.ggml.tokens"][257:] == [f"[PAD{number}]" for number in range(257, 263)]
    assert facts["tokenizer.ggml.token_type"] == [3] + [1] * 256 + [5] * 6  # control, normal, unused
    assert tokenizer_from_gguf(facts, where="there").vocabulary.size == 257


def test_a_list_of_merges_is_never_empty() -> None:
    facts = tokenizer_to_gguf(held("bytes"), 257, where="here")
    assert facts["tokenizer.ggml.merges"] == [f"{END} {END}"]
    assert tokenizer_from_gguf(facts, where="there").kind == "bytes"


@pytest.mark.parametrize("kind", ["unigram", "words", "wordpiece"])
def test_kinds_that_llama_cpp_has_not(kind: str) -> None:
    with pytest.raises(UsageError, match=rf"of the kind {kind} .*bpe \(pattern gpt2 or qwen2\), bytes or characters"):
        tokenizer_to_gguf(tokenizer(kind), 400, where="here")


def with_parts(**parts: Any) -> FastTokenizer:
    return FastTokenizer.from_json(json.dumps({**json.loads(byte_pairs().to_json()), **parts}))


def test_a_pattern_without_a_name_is_refused() -> None:
    split = {"type": "Split", "pattern": {"Regex": r"\w+"}, "behavior": "Isolated", "invert": False}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    strange = with_parts(pre_tokenizer={"type": "Sequence", "pretokenizers": [split, level]})
    with pytest.raises(UsageError, match=r"a pattern that llama\.cpp has no name for"):
        tokenizer_to_gguf(strange, 353, where="here")
    prefixed = with_parts(pre_tokenizer={**level, "use_regex": True, "add_prefix_space": True})
    with pytest.raises(UsageError, match="has no name for"):
        tokenizer_to_gguf(prefixed, 353, where="here")


def test_text_that_is_changed_first_is_refused() -> None:
    with pytest.raises(UsageError, match="no tokenizer that cuts text as this one"):
        tokenizer_to_gguf(with_parts(normalizer={"type": "Lowercase"}), 353, where="here")


@pytest.mark.parametrize("name", SPLITS)
def test_every_pattern_is_known_again(name: str) -> None:
    from tokenizers import Tokenizer

    core = Tokenizer.from_str(byte_pairs().to_json())
    core.pre_tokenizer = pre_tokenizer(SPLITS[name])
    raw = json.loads(core.to_str())
    raw["model"]["ignore_merges"] = SPLITS[name].whole_words
    found = splitting_name(raw)
    assert found is not None
    assert SPLITS[found] == SPLITS[name]


def test_digits_one_by_one_are_known_however_they_are_said() -> None:
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True}
    digits = {"type": "Digits", "individual_digits": True}
    raw = {
        **json.loads(byte_pairs().to_json()),
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [digits, level]},
    }
    assert splitting_name(raw) == "smollm"


CUTS = {
    # "ab  12345 it'S" by each pattern: what starts a part is marked by | (Radford et al. 2019; Qwen2; Llama 3)
    "gpt-2": ["ab", " ", " 12345", " it", "'", "S"],
    "smollm": ["ab", "  ", "1", "2", "3", "4", "5", " it", "'", "S"],
    "qwen2": ["ab", " ", " ", "1", "2", "3", "4", "5", " it", "'S"],
    "llama-bpe": ["ab", " ", " ", "123", "45", " it", "'S"],
    "default": ["ab", " ", " ", "123", "45", " it", "'", "S"],
}


@pytest.mark.parametrize("name", CUTS)
def test_where_text_is_cut(name: str) -> None:
    parts = pre_tokenizer(SPLITS[name]).pre_tokenize_str("ab  12345 it'S")
    assert [text.replace("Ġ", " ") for text, _ in parts] == CUTS[name]


def plain_facts(**changed: Any) -> dict[str, Any]:
    facts = tokenizer_to_gguf(byte_pairs(), 353, where="here")
    facts.update({f"tokenizer.ggml.{key}": value for key, value in changed.items()})
    return {key: value for key, value in facts.items() if value is not None}


def test_special_and_user_defined_tokens() -> None:
    tokens = [*plain_facts()["tokenizer.ggml.tokens"], "<|user|>", "<tool>"]
    facts = plain_facts(tokens=tokens, token_type=[3] + [1] * 352 + [3, 4], eos_token_id=353)
    found = tokenizer_from_gguf(facts, where="there")
    assert (found.vocabulary.bos, found.vocabulary.eos) == (0, 353)
    assert 353 not in found.encode("<|user|>").ids  # a control token is never text
    assert found.encode("a<tool>").ids.tolist()[-1] == 354  # one that users defined always is


def test_roles_and_beginnings() -> None:
    found = tokenizer_from_gguf(plain_facts(padding_token_id=7, unknown_token_id=5, mask_token_id=3), where="there")
    assert (found.vocabulary.pad, found.vocabulary.unk, found.vocabulary.mask) == (7, 5, 3)
    begun = tokenizer_from_gguf(plain_facts(add_bos_token=True), where="there")
    not_begun = tokenizer_from_gguf(plain_facts(add_bos_token=False), where="there")
    assert begun.core.encode("tower").ids[0] == 0
    assert not_begun.core.encode("tower").ids == begun.core.encode("tower").ids[1:]
    for one, said in ((begun, True), (not_begun, False)):
        assert tokenizer_to_gguf(one, 353, where="here")["tokenizer.ggml.add_bos_token"] is said


def test_llama3_begins_texts_where_the_file_does_not_say() -> None:
    found = tokenizer_from_gguf(plain_facts(pre="llama-bpe", add_bos_token=None), where="there")
    assert found.core.encode("x").ids[0] == 0
    assert tokenizer_from_gguf(plain_facts(add_bos_token=None), where="there").core.encode("x").ids[0] != 0


def test_no_name_means_default() -> None:
    found = tokenizer_from_gguf(plain_facts(pre=None), where="there")
    assert splitting_name(found.parsed) == "default"


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown pattern": ({"pre": "qwen99"}, "pre = 'qwen99'; known are gpt-2"),
    "a pattern that is no text": ({"pre": 5}, "pre = 5"),
    "an unknown kind": ({"model": "rwkv"}, "of the kind 'rwkv'; gpt2 and llama"),
    "no tokens": ({"tokens": None}, "tokens is no list of texts"),
    "tokens that are numbers": ({"tokens": [1, 2]}, "tokens is no list of texts"),
    "a token twice": ({"tokens": ["a"] * 353}, "a token stands twice"),
    "too few types": ({"token_type": [1, 1]}, "has not one entry for each token"),
    "no merges": ({"merges": None}, "merges is no list of texts"),
    "a role without a token": ({"eos_token_id": 353}, "the eos token 353 is none of 353 tokens"),
    "a role that is no number": ({"bos_token_id": "x"}, "the bos token 'x' is none"),
    "no end": ({"bos_token_id": None, "eos_token_id": None, "tokens": [f"t{i}" for i in range(353)]}, "end-of-text"),
}


@pytest.mark.parametrize("name", WRONG)
def test_damaged_metadata_is_named(name: str) -> None:
    changed, said = WRONG[name]
    with pytest.raises(ArtefactError, match=said) as caught:
        tokenizer_from_gguf(plain_facts(**changed), where="some.gguf")
    assert str(caught.value).startswith("some.gguf: ")


def test_merges_by_score() -> None:
    # the pieces of "abab": a b a b; the best score makes ab (-1) before ba (-2): ab ab, then abab (-3)
    tokens = [
        "<unk>",
        "<s>",
        "</s>",
        *(f"<0x{byte:02X}>" for byte in range(256)),
        "a",
        "b",
        "ab",
        "ba",
        "abab",
        "\u2581",
    ]
    types = [2, 3, 3] + [6] * 256 + [1] * 6
    scores = [0.0] * 259 + [-9.0, -9.0, -1.0, -2.0, -3.0, -9.0]
    facts = {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.scores": scores,
        "tokenizer.ggml.add_space_prefix": False,
    }
    found = tokenizer_from_gguf(facts, where="there")
    assert (found.vocabulary.bos, found.vocabulary.eos, found.vocabulary.unk) == (1, 2, 0)
    assert [tokens[number] for number in found.encode("abab").ids] == ["abab"]
    assert [tokens[number] for number in found.encode("bab").ids] == ["b", "ab"]
    assert [tokens[number] for number in found.encode("b a").ids] == ["b", "\u2581", "a"]
    # what has no token is spelled in bytes: é is C3 A9
    assert [tokens[number] for number in found.encode("aé").ids] == ["a", "<0xC3>", "<0xA9>"]
    assert found.decode(found.encode("b aé").ids) == "b aé"
    back = tokenizer_from_gguf(tokenizer_to_gguf(found, len(tokens), where="here"), where="there")
    for text in ("ababab bab", " a  b", "塔 ab", "aba"):
        assert back.encode(text).ids.tolist() == found.encode(text).ids.tolist()
    prefixed = tokenizer_from_gguf({**facts, "tokenizer.ggml.add_space_prefix": True}, where="there")
    assert [tokens[number] for number in prefixed.encode("ab").ids] == ["\u2581", "ab"]
    assert prefixed.decode(prefixed.encode("ab a").ids) == "ab a"
    with pytest.raises(DamagedError, match="scores has not one number for each token"):
        tokenizer_from_gguf({**facts, "tokenizer.ggml.scores": scores[:-1]}, where="there")


def test_sentencepiece_s_own_model(tmp_path: Path) -> None:
    pieces = pytest.importorskip("sentencepiece")
    text = tmp_path / "text.txt"
    text.write_text("\n".join(TRAINED_ON * 3), encoding="utf-8")
    pieces.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(tmp_path / "m"), vocab_size=701, model_type="bpe", byte_fallback=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, minloglevel=2, character_coverage=1.0,
    )  # fmt: skip
    theirs = pieces.SentencePieceProcessor(model_file=str(tmp_path / "m.model"))
    found = tokenizer_from_gguf(sentencepiece_facts(theirs), where="there")
    dice = random.Random(3)
    words = [word for line in TRAINED_ON for word in line.split()]
    for _ in range(97):
        line = " ".join(dice.choices([*words, "12", "née", "塔楼!", ""], k=dice.randrange(1, 11)))
        assert found.encode(line).ids.tolist() == theirs.encode(line), line


def sentencepiece_facts(model: Any) -> dict[str, Any]:
    """What a converter writes of a SentencePiece model."""
    count = model.get_piece_size()
    kinds = [
        (2 if model.is_unknown(number) else 3 if model.is_control(number) else 6 if model.is_byte(number) else 1)
        for number in range(count)
    ]
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": [model.id_to_piece(number) for number in range(count)],
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.scores": [float(model.get_score(number)) for number in range(count)],
        "tokenizer.ggml.bos_token_id": model.bos_id(),
        "tokenizer.ggml.eos_token_id": model.eos_id(),
        "tokenizer.ggml.unknown_token_id": model.unk_id(),
    }


def test_every_byte_has_a_letter() -> None:
    facts = tokenizer_to_gguf(byte_pairs(), 353, where="here")
    assert byte_alphabet().keys() <= set(facts["tokenizer.ggml.tokens"])


def test_merges_that_make_no_token_are_told(caplog: pytest.LogCaptureFixture) -> None:
    ours = held("bpe")
    facts = tokenizer_to_gguf(ours, ours.vocabulary.size, where="here")
    merges = list(facts["tokenizer.ggml.merges"])
    tokenizer_from_gguf(facts, where="there")
    assert not caplog.records
    # a result that is no token, a part that is none, and what is no pair
    spoilt = tokenizer_from_gguf({**facts, "tokenizer.ggml.merges": [*merges, "q q", "?! a", "qq"]}, where="there")
    assert f"there: 3 of {len(merges) + 3} merges of its tokenizer make no token" in caplog.text
    assert spoilt.encode("the tower").ids.tolist() == ours.encode("the tower").ids.tolist()


def test_a_merge_that_only_fills_the_list_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    tokenizer_from_gguf(tokenizer_to_gguf(held("bytes"), 257, where="here"), where="there")
    assert not caplog.records


def test_merges_of_scores_in_order() -> None:
    # "abc" scores highest: a + bc and ab + c make it, "a" comes before "ab"; then ab before bc, which scores the same
    scores = {"a": 0.0, "b": 0.0, "c": 0.0, "ab": -2.0, "bc": -2.0, "abc": -1.0}
    assert merges_of(scores) == [("a", "bc"), ("ab", "c"), ("a", "b"), ("b", "c")]
    later = {name: scores[name] for name in ("ab", "a", "b", "c", "bc", "abc")}
    assert merges_of(later) == [("ab", "c"), ("a", "bc"), ("a", "b"), ("b", "c")]
