"""The saved tokenizer.json means to others what it means to us: the same ids, offsets and text."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from tokenizers import Tokenizer as Core
from tokenizers import decoders, models, pre_tokenizers, processors

from tests.fakes.tokenizers import HARD_TEXTS, TEXTS, VARIANTS, trained
from ziggurat.tokens.fast import FastTokenizer
from ziggurat.tokens.loading import load_tokenizer

every_kind = pytest.mark.parametrize("kind", VARIANTS)
NO_SPECIALS = [text for text in HARD_TEXTS if "<|endoftext|>" not in text]


def given_to_others(kind: str, text: str) -> str:
    """Return a text as a program must be given it that knows nothing of Chinese words and phrases."""
    tokenizer = trained(kind)
    assert isinstance(tokenizer, FastTokenizer)
    return tokenizer.prepared(text)


@every_kind
@settings(max_examples=50, deadline=None)
@given(text=TEXTS)
def test_the_library_reads_the_file_and_gives_the_same_ids(kind: str, text: str) -> None:
    theirs = Core.from_str(trained(kind).to_json())
    theirs.encode_special_tokens = True  # text that looks like a special token is text
    given = given_to_others(kind, text)
    encoded, ours = theirs.encode(given, add_special_tokens=False), trained(kind).encode(text)
    vocabulary = trained(kind).vocabulary
    if vocabulary.unk is not None:  # a word that is spelled like the end of a text is unknown to us, and no end
        assume(not {vocabulary.bos, vocabulary.eos} & set(encoded.ids))
    assert encoded.ids == ours.ids.tolist()
    if given == text:
        assert encoded.offsets == [tuple(pair) for pair in ours.offsets.tolist()]
    assert theirs.decode(encoded.ids) == trained(kind).decode(ours.ids)


@every_kind
def test_transformers_opens_the_file_and_gives_the_same_ids(kind: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    path = tmp_path / "tokenizer.json"
    path.write_text(trained(kind).to_json(), encoding="utf-8")
    theirs = transformers.PreTrainedTokenizerFast(tokenizer_file=str(path))
    for text in NO_SPECIALS:
        given = given_to_others(kind, text)
        assert theirs(given, add_special_tokens=False)["input_ids"] == trained(kind).encode(text).ids.tolist()


@every_kind
def test_the_end_of_text_is_one_token_for_others(kind: str) -> None:
    theirs = Core.from_str(trained(kind).to_json())
    end = trained(kind).vocabulary.eos
    assert theirs.encode(theirs.id_to_token(end), add_special_tokens=False).ids == [end]


@every_kind
def test_the_vocabulary_in_the_file_is_as_large_as_we_say(kind: str) -> None:
    theirs = Core.from_str(trained(kind).to_json())
    vocabulary = theirs.get_vocab(with_added_tokens=True)
    assert theirs.get_vocab_size(with_added_tokens=True) == trained(kind).vocabulary.size
    assert sorted(vocabulary.values()) == list(range(trained(kind).vocabulary.size))


def their_bert() -> Core:
    unknown, begin, end = words = ("[UNK]", "[CLS]", "[SEP]")
    core = Core(models.WordLevel({unknown: 0, begin: 1, end: 2, "tower": 3}, unk_token=unknown))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    core.post_processor = processors.BertProcessing((end, 2), (begin, 1))
    core.enable_truncation(2)
    core.enable_padding(length=7)
    core.add_special_tokens(list(words))
    return core


def test_a_foreign_file_is_read_without_its_truncation_padding_and_frame() -> None:
    tokenizer = load_tokenizer(their_bert().to_str())
    assert (tokenizer.vocabulary.bos, tokenizer.vocabulary.eos, tokenizer.vocabulary.unk) == (1, 2, 0)
    assert tokenizer.encode("tower tower tower ?").ids.tolist() == [3, 3, 3, 0]
    assert [ids.tolist() for ids in tokenizer.encode_batch(["tower", "tower ? tower"])] == [[3], [3, 0, 3]]


def test_a_foreign_word_list_that_holds_its_end_token_does_not_end_a_text() -> None:
    tokenizer = load_tokenizer(their_bert().to_str())
    assert tokenizer.encode("tower [SEP] [CLS] tower").ids.tolist() == [3, 0, 0, 3]
    assert tokenizer.encode_batch(["[SEP] tower"])[0].tolist() == [0, 3]


def their_sentencepiece() -> Core:
    """Return what Llama 2's tokenizer is like: characters, bytes for the rest, and spaces as ▁."""
    letters = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "塔"]
    core = Core(models.BPE({letter: index for index, letter in enumerate(letters)}, [], byte_fallback=True))
    core.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    core.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse(), decoders.Metaspace()])
    core.add_special_tokens(["<unk>", "<s>", "</s>"])
    return core


def test_a_foreign_tokenizer_that_puts_a_space_before_texts_is_not_called_lossless() -> None:
    tokenizer = load_tokenizer(their_sentencepiece().to_str())
    assert not tokenizer.lossless
    assert (tokenizer.vocabulary.bos, tokenizer.vocabulary.eos, tokenizer.vocabulary.unk) == (1, 2, 0)
    # ▁ 塔, then U+697C as its three bytes E6 A5 BC: ids 3 + 0xE6, 3 + 0xA5, 3 + 0xBC
    assert tokenizer.encode("塔楼").ids.tolist() == [259, 260, 233, 168, 191]
    assert tokenizer.byte_lengths[[0, 1, 2, 260, 233]].tolist() == [0, 0, 0, 3, 1]


@pytest.mark.parametrize(
    ("change", "lossless"),
    [
        ({}, True),
        ({"normalizer": {"type": "NFC"}}, False),
        ({"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True}}, False),
    ],
)
def test_byte_level_is_lossless_while_nothing_touches_the_text_before(change: dict[str, Any], lossless: bool) -> None:
    raw = json.loads(trained("bytes").to_json())
    defaults = {"use_regex": True} if "pre_tokenizer" in change else {}
    changed = {key: {**value, **defaults} for key, value in change.items()}
    assert load_tokenizer(json.dumps({**raw, **changed})).lossless == lossless


def test_byte_level_that_lacks_a_byte_is_not_lossless() -> None:
    raw = json.loads(trained("bytes").to_json())
    lacking = {letter: index for letter, index in raw["model"]["vocab"].items() if letter != "é"}
    last = next(letter for letter, index in lacking.items() if index == 256)
    lacking[last] = raw["model"]["vocab"]["é"]  # ids without a gap
    raw["model"]["vocab"] = lacking
    assert not load_tokenizer(json.dumps(raw)).lossless


def test_an_ordinary_added_token_counts_the_bytes_of_its_text() -> None:
    core = Core.from_str(trained("bytes").to_json())
    core.add_tokens(["塔楼"])
    tokenizer = load_tokenizer(core.to_str())
    ids = tokenizer.encode("a塔楼").ids
    assert tokenizer.byte_lengths[ids].tolist() == [1, 6]
