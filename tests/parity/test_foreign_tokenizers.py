"""Tokenizers of older folders, without tokenizer.json, cut as transformers' own classes and SentencePiece do."""

import io
import json
import random
import warnings
from pathlib import Path
from typing import Any

import pytest

from ziggurat.artefacts.interchange.foreign_tokenizers import read_tokenizer
from ziggurat.artefacts.interchange.proof import TEXTS
from ziggurat.core.errors import ArtefactError, DamagedError
from ziggurat.core.protocols import Tokenizer
from ziggurat.tokens.fast import FastTokenizer

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its imports
    transformers = pytest.importorskip("transformers")

TEXT = (
    "The quick brown fox jumps over the lazy dog . She said that it's all right , isn't it ? Grüße naïve café "
    "The stranger climbed the tower in 1984 and counted 128 steps ; nobody believed him . "
    "零和博弈 与 语言模型 统计方法 神经网络 都在这里 塔楼 很高 ， 没有人 相信 他 。 👍🏽 🙂 日本語 Привет"
)
WORDS = TEXT.split()
ODD = (
    "",
    " ",
    "  two  spaces ",
    "tab\tline\nend\r\n",
    "▁already ▁ marked",
    "<s> is text, </s> and <unk> and [CLS] too",
    "Ｆｕｌｌ　ｗｉｄｔｈ ﬁ ½",
    "x" * 300,
    "unknown ☃ signs ☃☃ here",
    "ÀÉÎ résumé ŒUVRE",
)
TWO_MARKS = "a\u030a\u0323"
ALL_TEXTS = (*(text.replace(TWO_MARKS, "a\u030a") for text in TEXTS), *ODD, TEXT)


def sentences(count: int = 700) -> list[str]:
    dice = random.Random(3)
    return [" ".join(dice.choices(WORDS, k=dice.randint(2, 13))) for _ in range(count)]


def train_sentencepiece(path: Path, **options: Any) -> Any:
    """A small SentencePiece model, written to a file; the processor that reads it."""
    sentencepiece = pytest.importorskip("sentencepiece")
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences()),
        model_writer=model,
        minloglevel=2,
        num_threads=1,
        hard_vocab_limit=False,
        **options,
    )
    path.write_bytes(model.getvalue())
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def assert_cut_alike(ours: Tokenizer, theirs: Any, texts: tuple[str, ...] = ALL_TEXTS) -> None:
    for text in texts:
        assert ours.encode(text).ids.tolist() == theirs(text), repr(text)


# byte-level BPE


@pytest.fixture(scope="module")
def merges(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """vocab.json and merges.txt of a small byte-level BPE with Roberta's special tokens."""
    from tokenizers import ByteLevelBPETokenizer

    folder = tmp_path_factory.mktemp("bpe")
    trainer = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<|endoftext|>"]
    trainer.train_from_iterator(sentences(), vocab_size=401, special_tokens=special)
    trainer.save_model(str(folder))
    return folder


def folder_of(merges: Path, folder: Path, **said: Any) -> Path:
    folder.mkdir(exist_ok=True)
    for name in ("vocab.json", "merges.txt"):
        (folder / name).write_bytes((merges / name).read_bytes())
    write_json(folder / "tokenizer_config.json", said)
    return folder


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("GPT2Tokenizer", {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}),
        ("GPT2Tokenizer", {"eos_token": "<|endoftext|>", "add_prefix_space": True}),
        ("RobertaTokenizer", {"bos_token": "<s>", "eos_token": "</s>", "mask_token": "<mask>"}),
        ("RobertaTokenizer", {"bos_token": "<s>", "eos_token": "</s>", "add_prefix_space": True}),
        ("Qwen2Tokenizer", {"eos_token": "<|endoftext|>", "unk_token": None}),
    ],
)
def test_byte_level_bpe(name: str, said: dict[str, Any], merges: Path, tmp_path: Path) -> None:
    folder = folder_of(merges, tmp_path / "f", tokenizer_class=name, **said)
    theirs = getattr(transformers, name).from_pretrained(str(folder))
    ours = read_tokenizer(folder, {})
    texts = tuple(text for text in ALL_TEXTS if "<" not in text)  # theirs takes "<s>" in a text for the token
    assert_cut_alike(ours, lambda text: theirs(text, add_special_tokens=False)["input_ids"], texts)
    ids = ours.encode("塔楼 👍🏽 it's").ids
    assert ours.decode(ids) == theirs.decode(ids.tolist())
    assert ours.vocabulary.eos == theirs.eos_token_id


def test_robertas_ends_stand_around_a_text_for_other_programs(merges: Path, tmp_path: Path) -> None:
    said = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>"}
    folder = folder_of(merges, tmp_path / "f", tokenizer_class="RobertaTokenizer", **said)
    theirs = transformers.RobertaTokenizer.from_pretrained(str(folder))
    ours = read_tokenizer(folder, {})
    assert isinstance(ours, FastTokenizer)
    assert ours.core.encode("The tower").ids == theirs("The tower")["input_ids"]
    assert ours.core.encode("The tower", "it's").ids == theirs("The tower", "it's")["input_ids"]
    vocabulary = ours.vocabulary
    names = ["bos", "eos", "unk", "pad", "mask"]
    assert [getattr(vocabulary, name) for name in names] == [getattr(theirs, f"{name}_token_id") for name in names]


def test_gpt2s_unknown_token_is_its_end_and_therefore_none(merges: Path, tmp_path: Path) -> None:
    end = "<|endoftext|>"
    folder = folder_of(merges, tmp_path / "f", bos_token=end, eos_token={"content": end}, unk_token=end)
    vocabulary = read_tokenizer(folder, {}).vocabulary
    assert vocabulary.bos == vocabulary.eos == 5
    assert vocabulary.unk == 3  # <unk>, by its usual name


def test_where_no_token_begins_a_text_the_end_token_does(pieces: Path, tmp_path: Path) -> None:
    from tokenizers import Tokenizer as Core
    from tokenizers import models

    core = Core(models.WordLevel({"[END]": 0, "a": 1, "[START]": 2}))
    core.add_special_tokens(["[END]", "[START]"])
    core.save(str(tmp_path / "tokenizer.json"))
    write_json(tmp_path / "tokenizer_config.json", {"bos_token": None, "eos_token": "[END]"})
    assert (read_tokenizer(tmp_path, {}).vocabulary.bos, read_tokenizer(tmp_path, {}).vocabulary.eos) == (0, 0)
    # ids that config.json names come next, and what a translation begins with comes first
    assert read_tokenizer(tmp_path, {"bos_token_id": 2}).vocabulary.bos == 2
    assert read_tokenizer(tmp_path, {"bos_token_id": 0, "decoder_start_token_id": 2}).vocabulary.bos == 2
    assert read_tokenizer(tmp_path, {"bos_token_id": 99}).vocabulary.bos == 0


def test_added_tokens_keep_their_ids(merges: Path, tmp_path: Path) -> None:
    folder = folder_of(merges, tmp_path / "f", tokenizer_class="Qwen2Tokenizer", eos_token="<|im_end|>")  # noqa: S106
    write_json(folder / "added_tokens.json", {"<|im_start|>": 401, "<|im_end|>": 402})
    ours = read_tokenizer(folder, {"bos_token_id": 5})
    assert (ours.vocabulary.size, ours.vocabulary.eos, ours.vocabulary.bos) == (403, 402, 5)
    write_json(folder / "added_tokens.json", {"<|im_start|>": 401, "<|im_end|>": 404})
    with pytest.raises(DamagedError, match=r"the added token '<\|im_end\|>' can't have the id 404"):
        read_tokenizer(folder, {})


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("merges.txt", "#version: 0.2\na b c\n", r"merges.txt:2: damaged: expected two tokens"),
        ("merges.txt", "塔 楼\n", "damaged: its files are not those of a tokenizer"),
        ("vocab.json", "[]", r"vocab.json: damaged: expected keys"),
        ("vocab.json", "{", r"vocab.json: damaged: not JSON"),
        ("tokenizer_config.json", '{"tokenizer_class": "CLIPTokenizer"}', "for a CLIPTokenizer, which is not known"),
        ("special_tokens_map.json", "3", r"special_tokens_map.json: damaged"),
    ],
)
def test_files_that_are_none_are_named(name: str, content: str, said: str, merges: Path, tmp_path: Path) -> None:
    folder = folder_of(merges, tmp_path / "f", tokenizer_class="GPT2Tokenizer")
    (folder / name).write_text(content, encoding="utf-8")
    with pytest.raises(ArtefactError, match=said):
        read_tokenizer(folder, {})


# WordPiece


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tokenizers import BertWordPieceTokenizer

    folder = tmp_path_factory.mktemp("wordpiece")
    trainer = BertWordPieceTokenizer(lowercase=False, strip_accents=False)
    trainer.train_from_iterator([*sentences(), *(text.lower() for text in sentences())], vocab_size=401)
    trainer.save_model(str(folder))
    return folder


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"do_lower_case": False},
        {"do_lower_case": True, "strip_accents": False},
        {"do_lower_case": False, "strip_accents": True, "tokenize_chinese_chars": False},
    ],
)
def test_wordpiece(said: dict[str, Any], pieces: Path, tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_bytes((pieces / "vocab.txt").read_bytes())
    write_json(tmp_path / "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", **said})
    theirs = transformers.BertTokenizer.from_pretrained(str(tmp_path))
    ours = read_tokenizer(tmp_path, {})
    texts = tuple(text for text in ALL_TEXTS if "[CLS]" not in text and "[PAD]" not in text)
    assert_cut_alike(ours, lambda text: theirs(text, add_special_tokens=False)["input_ids"], texts)
    assert isinstance(ours, FastTokenizer)
    assert ours.core.encode("The tower").ids == theirs("The tower")["input_ids"]
    assert ours.core.encode("a", "b").ids == theirs("a", "b")["input_ids"]
    assert ours.core.encode("a", "b").type_ids == theirs("a", "b")["token_type_ids"]
    vocabulary = ours.vocabulary
    assert (vocabulary.bos, vocabulary.eos) == (theirs.cls_token_id, theirs.sep_token_id)
    assert (vocabulary.unk, vocabulary.mask) == (theirs.unk_token_id, theirs.mask_token_id)
    assert vocabulary.pad == theirs.pad_token_id


def test_wordpiece_without_its_special_tokens_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[UNK]\n[CLS]\na\n")
    with pytest.raises(ArtefactError, match=r"vocab.txt: has no line '\[SEP\]'"):
        read_tokenizer(tmp_path, {})


# SentencePiece


@pytest.mark.parametrize("name", ["tokenizer.model", "spiece.model"])
@pytest.mark.parametrize(
    "options",
    [
        {"model_type": "unigram", "vocab_size": 211, "character_coverage": 0.98},
        {"model_type": "unigram", "vocab_size": 461, "byte_fallback": True},
        {"model_type": "unigram", "vocab_size": 211, "normalization_rule_name": "nmt_nfkc_cf"},
        {"model_type": "unigram", "vocab_size": 211, "user_defined_symbols": ["<sep>", "ower"]},
        {"model_type": "unigram", "vocab_size": 211, "add_dummy_prefix": False, "remove_extra_whitespaces": False},
        {"model_type": "unigram", "vocab_size": 211, "split_by_whitespace": False},
        {"model_type": "bpe", "vocab_size": 307},
        {
            "model_type": "bpe",
            "vocab_size": 501,
            "byte_fallback": True,
            "normalization_rule_name": "identity",
            "remove_extra_whitespaces": False,
        },
    ],
)
def test_sentencepiece(options: dict[str, Any], name: str, tmp_path: Path) -> None:
    theirs = train_sentencepiece(tmp_path / name, **options)
    ours = read_tokenizer(tmp_path, {})
    texts = tuple(text for text in ALL_TEXTS if "<" not in text)
    assert_cut_alike(ours, theirs.encode, (*texts, "the <sep> tower <sep>"))
    unknown = theirs.unk_id()
    for text in texts:
        ids = theirs.encode(text)
        if unknown not in ids:
            assert ours.decode(ids) == theirs.decode(ids), repr(text)
    vocabulary = ours.vocabulary
    assert (vocabulary.size, vocabulary.bos, vocabulary.eos) == (len(theirs), theirs.bos_id(), theirs.eos_id())
    assert vocabulary.unk == unknown


def test_llamas_begin_token_is_put_by_other_programs(tmp_path: Path) -> None:
    theirs = train_sentencepiece(tmp_path / "tokenizer.model", model_type="bpe", vocab_size=501, byte_fallback=True)
    said = {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "add_eos_token": False}
    write_json(tmp_path / "tokenizer_config.json", said)
    ours = read_tokenizer(tmp_path, {})
    assert isinstance(ours, FastTokenizer)
    assert ours.core.encode("The tower").ids == [theirs.bos_id(), *theirs.encode("The tower")]
    assert ours.encode("The tower").ids.tolist() == theirs.encode("The tower")


def test_what_is_no_sentencepiece_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes(b"")
    with pytest.raises(DamagedError, match=r"tokenizer.model: damaged: a SentencePiece model without pieces"):
        read_tokenizer(tmp_path, {})
    (tmp_path / "tokenizer.model").write_bytes(b"\xff\xff\xff\xff")
    with pytest.raises(DamagedError, match=r"tokenizer.model: damaged: not a SentencePiece model"):
        read_tokenizer(tmp_path, {})


@pytest.mark.parametrize("kind", ["word", "char"])
def test_other_kinds_of_sentencepiece_are_refused(kind: str, tmp_path: Path) -> None:
    train_sentencepiece(tmp_path / "tokenizer.model", model_type=kind, vocab_size=31)
    with pytest.raises(ArtefactError, match="only unigram and bpe open here"):
        read_tokenizer(tmp_path, {})


def test_a_translators_two_models_share_ids(tmp_path: Path) -> None:
    source = train_sentencepiece(tmp_path / "source.spm", vocab_size=211, character_coverage=0.99)
    target = train_sentencepiece(
        tmp_path / "target.spm", vocab_size=307, normalization_rule_name="identity", character_coverage=1.0
    )
    own = ["</s>", "<unk>", ">>zho<<"]
    both = sorted({model.id_to_piece(i) for model in (source, target) for i in range(3, len(model))})
    ids = {piece: index for index, piece in enumerate([*own, *both, "<pad>"])}
    write_json(tmp_path / "vocab.json", ids)
    write_json(tmp_path / "tokenizer_config.json", {"tokenizer_class": "MarianTokenizer"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of sacremoses, which only tidies punctuation
        theirs = transformers.MarianTokenizer.from_pretrained(str(tmp_path))
    ours = read_tokenizer(tmp_path, {})
    texts = [text for text in ALL_TEXTS if "<" not in text and source.unk_id() not in source.encode(text)]
    assert len(texts) > 10
    expected = [theirs(text, add_special_tokens=False)["input_ids"] for text in texts]
    assert [ours.encode(text).ids.tolist() for text in texts] == expected
    assert ours.encode("☃ The").ids.tolist()[1] == ids["<unk>"]
    assert ours.encode(">>zho<< The tower").ids[0] == ids[">>zho<<"]
    written = [ids[piece] for piece in target.encode("塔楼 很高 said", out_type=str)]
    assert ours.decode(written) == "塔楼 很高 said" == theirs.decode(written)
    vocabulary = ours.vocabulary
    assert (vocabulary.bos, vocabulary.eos, vocabulary.pad) == (0, 0, len(ids) - 1)


def test_a_folder_without_the_package_says_which_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from ziggurat.core.errors import MissingExtraError

    (tmp_path / "tokenizer.model").write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(MissingExtraError, match=r"ziggurat\[formats\]"):
        read_tokenizer(tmp_path, {})


@pytest.mark.parametrize("kind", ["byte-level", "wordpiece", "unigram", "bpe"])
def test_a_bundle_with_it_opens_here_and_in_transformers(kind: str, merges: Path, pieces: Path, tmp_path: Path) -> None:
    from ziggurat.artefacts.bundle import load, save
    from ziggurat.artefacts.manifest import Provenance
    from ziggurat.models.decoder import FAMILY, DecoderConfig

    folder = tmp_path / "f"
    folder.mkdir()
    if kind == "byte-level":
        folder_of(merges, folder, tokenizer_class="RobertaTokenizer", bos_token="<s>", eos_token="</s>")  # noqa: S106
    elif kind == "wordpiece":
        (folder / "vocab.txt").write_bytes((pieces / "vocab.txt").read_bytes())
    else:
        train_sentencepiece(folder / "tokenizer.model", model_type=kind, vocab_size=307)
    tokenizer = read_tokenizer(folder, {})
    config = DecoderConfig(layers=1, width=6, heads=1, context=17)
    model = FAMILY.build(config, tokenizer.vocabulary, seed=3)
    save(tmp_path / "b", family="decoder", model=model, tokenizer=tokenizer, provenance=Provenance())
    opened = load(tmp_path / "b", verify=True)
    assert opened.tokenizer.vocabulary == tokenizer.vocabulary
    theirs = transformers.AutoTokenizer.from_pretrained(str(tmp_path / "b"))
    texts = tuple(text for text in ALL_TEXTS if "<" not in text and "[" not in text)
    assert_cut_alike(opened.tokenizer, lambda text: theirs(text, add_special_tokens=False)["input_ids"], texts)
    assert isinstance(tokenizer, FastTokenizer)
    assert theirs("The tower")["input_ids"] == tokenizer.core.encode("The tower").ids
    for role in ("bos", "eos", "unk", "mask", "pad"):
        ours = getattr(tokenizer.vocabulary, role)
        assert ours is None or getattr(theirs, f"{role}_token_id") == ours
