"""Special tokens by their roles: text that is spelled like one is unknown; what a tokenizer is cut to keeps them."""

import json
from typing import Any

import pytest

from ziggurat.core.errors import ArtefactError
from ziggurat.tokens.fast import FastTokenizer
from ziggurat.tokens.loading import load_tokenizer
from ziggurat.tokens.word_tokenizer import WordTokenizer

NAMES = ["<u>", "<begin>", "<end>", "<hide>", "<fill>"]
ROLES = dict(zip(("unk", "bos", "eos", "mask", "pad"), NAMES, strict=True))
WORDS = ["tower", "stone"]


def written(kind: str, *, added: bool) -> str:
    """A tokenizer.json whose ids 0 to 4 are special and 5 and 6 words; ``added``: the library knows them as such."""
    vocabulary = [*NAMES, *WORDS]
    model: dict[str, Any] = {"type": kind}
    if kind == "Unigram":
        model |= {"unk_id": 0, "vocab": [[name, -1.0] for name in vocabulary]}
    else:
        model |= {"unk_token": "<u>", "vocab": {name: number for number, name in enumerate(vocabulary)}}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    tokens = [{"id": number, "content": name, **flags} for number, name in enumerate(NAMES)] if added else []
    raw = {"version": "1.0", "added_tokens": tokens, "pre_tokenizer": {"type": "WhitespaceSplit"}, "model": model}
    return json.dumps(raw | {"normalizer": None, "post_processor": None, "decoder": None})


@pytest.mark.parametrize("kind", ["Unigram", "WordLevel"])
@pytest.mark.parametrize("added", [True, False])
def test_a_word_spelled_like_any_special_token_is_unknown(kind: str, added: bool) -> None:
    tokenizer = load_tokenizer(written(kind, added=added), ROLES)
    vocabulary = tokenizer.vocabulary
    assert (vocabulary.unk, vocabulary.bos, vocabulary.eos, vocabulary.mask, vocabulary.pad) == (0, 1, 2, 3, 4)
    text = "tower <begin> <end> <hide> <fill> stone"
    assert tokenizer.encode(text).ids.tolist() == [5, 0, 0, 0, 0, 6]
    assert isinstance(tokenizer, FastTokenizer)
    assert [ids.tolist() for ids in tokenizer.encode_batch([text, "stone <hide>"])] == [[5, 0, 0, 0, 0, 6], [6, 0]]


def test_a_word_tokenizer_is_made_with_its_roles() -> None:
    source = written("WordLevel", added=True)
    plain = FastTokenizer.from_json(source, ROLES)
    opened = WordTokenizer.of(plain, source)
    assert opened.roles == ROLES
    assert WordTokenizer(plain.core, roles=ROLES).vocabulary == opened.vocabulary == plain.vocabulary
    with pytest.raises(ArtefactError, match="has no token '<none>', which is named as its pad token"):
        _ = WordTokenizer(plain.core, roles={**ROLES, "pad": "<none>"}).vocabulary


def test_a_bpe_that_is_cut_keeps_its_roles() -> None:
    names = ["<begin>", "<end>", "a", "b", "ab", "abb"]
    raw = {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "model": {
            "type": "BPE",
            "vocab": {name: number for number, name in enumerate(names)},
            "merges": [["a", "b"], ["ab", "b"]],
        },
    }
    # 6 ids, 2 of which are merges: with 5, only "ab" is left
    tokenizer = FastTokenizer.from_json(json.dumps(raw), {"bos": "<begin>", "eos": "<end>"})
    cut = tokenizer.truncated(5)
    assert cut.roles == tokenizer.roles
    assert (cut.vocabulary.size, cut.vocabulary.bos, cut.vocabulary.eos) == (5, 0, 1)
    assert tokenizer.encode("abb").ids.tolist() == [5]
    assert cut.encode("abb").ids.tolist() == [4, 3]
