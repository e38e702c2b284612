"""The model card: its figures, in both languages."""

import re
from dataclasses import replace
from typing import Any

import pytest

from ziggurat.artefacts.card import write_card
from ziggurat.artefacts.card_words import CHINESE, ENGLISH
from ziggurat.artefacts.manifest import LABELS, ROLES, TAGS, TEXT, TEXT_VECTORS, TRANSLATIONS, WORD_VECTORS, Manifest

WHOLE = Manifest(
    family="decoder",
    recipe={"name": "novels"},
    seed=5,
    tokenizer={"kind": "bpe", "vocabulary": 4096, "lossless": True, "fingerprint": "f00d"},
    model={"parameters": 3_141_593, "context": 256, "architecture": "Qwen3ForCausalLM"},
    corpus={
        "splits": {
            "train": {"documents": 97, "bytes": 1_700_003},
            "dev": {"documents": 11, "bytes": 190_027},
            "test": {"documents": 13, "bytes": 200_003},
        },
        "near_duplicates_across_splits": 0,
    },
    training={"steps": 700, "tokens": 2_867_200, "seconds": 598.6},
    metrics={
        "test": {
            "bits_per_byte": 1.98765,
            "low": 1.93,
            "high": 2.04,
            "token_perplexity": 61.7,
            "documents": 13,
            "bytes": 200_003,
            "tokens_per_second": 17_012.3,
        }
    },
    versions={},
)


def tables(card: str) -> list[dict[str, tuple[str, str]]]:
    """What each language's tables say: by entry, its label and its figure."""
    english, chinese = card.split("# novels（中文）")
    row = re.compile(r"^\| (.+) \| (.+) \| `(.+)` \|$", re.MULTILINE)
    return [{entry: (label, value) for label, value, entry in row.findall(page)} for page in (english, chinese)]


def test_both_languages_show_the_same_figures_under_their_own_labels() -> None:
    english, chinese = tables(write_card(WHOLE))
    assert list(english) == list(chinese)
    for entry in english:
        assert english[entry][1] == chinese[entry][1]
    assert english["training.steps"] == ("steps", "700")
    assert chinese["training.steps"] == ("训练步数", "700")
    assert english["metrics.test.low"][0] == "its 95 % interval, low end (test)"


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        ("model.parameters", "3,141,593"),
        ("model.context", "256"),
        ("metrics.test.bits_per_byte", "1.988"),  # four digits
        ("metrics.test.token_perplexity", "61.7"),
        ("metrics.test.tokens_per_second", "17,012"),  # thousands have no fraction
        ("training.seconds", "598.6"),
        ("corpus.near_duplicates_across_splits", "0"),  # none is a finding too
        ("tokenizer.kind", "bpe"),
    ],
)
def test_how_a_figure_is_shown(entry: str, shown: str) -> None:
    assert tables(write_card(WHOLE))[0][entry][1] == shown


def test_every_entry_of_a_card_has_words_in_both_languages() -> None:
    assert set(ENGLISH.labels) == set(CHINESE.labels)
    assert (
        list(ENGLISH.purposes)
        == list(CHINESE.purposes)
        == [TEXT, TRANSLATIONS, LABELS, TAGS, ROLES, WORD_VECTORS, TEXT_VECTORS]
    )
    for given in ENGLISH.purposes:
        english, chinese = ENGLISH.purposes[given], CHINESE.purposes[given]
        assert len(english.limits) == len(chinese.limits)
        for purpose in (english, chinese):
            assert "{family}" in purpose.opening
            assert "{made}" in purpose.opening
    assert list(ENGLISH.made) == list(CHINESE.made)
    for how, made in ENGLISH.made.items():
        for place in ("{version}", "{source}", "{adapter}"):
            assert (place in made) == (place in CHINESE.made[how])
    latin = [label for label in CHINESE.labels.values() if not re.search(r"[\u4e00-\u9fff]", label)]
    assert latin == []


def test_what_is_not_known_has_no_row() -> None:
    card = write_card(replace(WHOLE, corpus={}, training={}, model={"parameters": 5, "context": None}))
    english, _ = tables(card)
    assert "model.context" not in english
    assert not [entry for entry in english if entry.startswith(("corpus.", "training."))]
    assert "## Training" not in card
    assert "None" not in card


def test_each_text_that_was_measured_on_has_its_rows() -> None:
    more: dict[str, Any] = {**WHOLE.metrics, "letters": {"bits_per_byte": 2.5}}
    english, _ = tables(write_card(replace(WHOLE, metrics=more)))
    assert english["metrics.letters.bits_per_byte"] == ("bits per byte (letters)", "2.5")
    assert english["metrics.test.bits_per_byte"] == ("bits per byte (test)", "1.988")


def test_an_encoder_s_card_names_the_class_that_opens_it_and_its_own_figures() -> None:
    for architecture, kind in {
        "BertForMaskedLM": "AutoModelForMaskedLM",
        "RobertaModel": "AutoModel",
        "GPT2LMHeadModel": "AutoModelForCausalLM",
        "Qwen3ForCausalLM": "AutoModelForCausalLM",
    }.items():
        model = {"parameters": 5, "context": 9, "architecture": architecture, "gives": TEXT_VECTORS}
        assert f"{kind}.from_pretrained" in write_card(replace(WHOLE, model=model))
    measured = {
        "test": {"masked_accuracy": 0.3125, "low": 0.29, "baseline_accuracy": 0.0625, "pseudo_perplexity": 17.5}
    }
    model = {"parameters": 5, "gives": TEXT_VECTORS}
    card = write_card(replace(WHOLE, model=model, metrics=measured))
    english, chinese = tables(card)
    assert english["metrics.test.masked_accuracy"] == ("share of hidden tokens guessed rightly (test)", "0.3125")
    assert chinese["metrics.test.baseline_accuracy"][1] == "0.0625"
    assert "pipeline_tag: fill-mask" in card
    assert "perplexity per token" not in card


def test_transformers_is_spoken_of_only_where_it_opens_the_model() -> None:
    assert "AutoModelForCausalLM.from_pretrained" in write_card(WHOLE)
    plain = write_card(replace(WHOLE, model={"parameters": 5, "context": 9, "architecture": None}))
    assert "transformers" not in plain


def test_a_card_begins_with_what_hubs_read_and_ends_with_one_line_break() -> None:
    card = write_card(WHOLE)
    assert card.startswith("---\nlibrary_name: ziggurat\npipeline_tag: text-generation\ntags: [ziggurat, decoder]\n---")
    assert card.endswith("\n")
    assert not card.endswith("\n\n")
    assert card.count("```") % 2 == 0


def test_a_lossy_tokenizer_is_confessed_in_both_languages() -> None:
    lossy = write_card(replace(WHOLE, tokenizer={**WHOLE.tokenizer, "lossless": False}))
    for words in (ENGLISH, CHINESE):
        assert words.purposes[TEXT].lossy in lossy
        assert words.purposes[TEXT].lossy not in write_card(WHOLE)


def test_the_card_of_word_vectors_speaks_of_vectors() -> None:
    model = {"parameters": 1_700_300, "context": None, "gives": WORD_VECTORS, "width": 100}
    lossy = {**WHOLE.tokenizer, "kind": "words", "lossless": False}
    card = write_card(replace(WHOLE, family="some", model=model, metrics={}, tokenizer=lossy))
    english, chinese = tables(card)
    assert english["model.width"] == ("numbers in a vector", "100")
    assert chinese["model.width"] == ("每个向量的维数", "100")
    assert "pipeline_tag: feature-extraction\n" in card
    assert card.count("ziggurat vectors nearest FOLDER WORD") == card.count('ziggurat.vectors("FOLDER")') == 2
    for silent in ("bits per byte", "每字节", "ziggurat generate", "language model", "语言模型", "perplexit"):
        assert silent not in card.lower()
    assert all(limit in card for words in (ENGLISH, CHINESE) for limit in words.purposes[WORD_VECTORS].limits)


@pytest.mark.parametrize("gives", [TEXT, TRANSLATIONS, WORD_VECTORS, TEXT_VECTORS])
def test_what_other_software_made_is_not_called_ours(gives: str) -> None:
    model = {"parameters": 5, "gives": gives}
    training = {"imported_from": "SmolLM2-135M.gguf"}
    card = write_card(replace(WHOLE, model=model, training=training, corpus={}, metrics={}, seed=0))
    english, chinese = tables(card)
    assert english["training.imported_from"] == ("file or folder that it was opened from", "SmolLM2-135M.gguf")
    assert chinese["training.imported_from"][1] == "SmolLM2-135M.gguf"
    assert card.count("`SmolLM2-135M.gguf`") == 2  # each opening names it
    for lie in ("made with Ziggurat", f"由 Ziggurat {WHOLE.ziggurat} 训练"):
        assert lie not in card
        assert lie in write_card(replace(WHOLE, model=model))
    assert "made by other software and opened from `SmolLM2-135M.gguf`" in card
    assert "由其他软件制作" in card
    assert "seed" not in english  # nobody here drew its first weights


def test_a_merged_model_names_its_adapter_and_what_it_was_merged_into() -> None:
    facts = {"merged": {"from": "/somewhere/smol/bundle", "arrays": "f00d", "adapter": "/somewhere/tuned/adapter"}}
    card = write_card(replace(WHOLE, training=facts))
    assert "by merging the adapter `tuned` into `smol`." in card
    assert "将适配器 `tuned` 合并到 `smol` 而成的" in card
    assert "/somewhere" not in card


def test_a_model_that_was_trained_further_names_what_it_began_with() -> None:
    facts = {**WHOLE.training, "start": {"from": "smol-bundle", "arrays": "f00d"}}
    card = write_card(replace(WHOLE, training=facts))
    assert "trained further with Ziggurat" in card
    assert "从 `smol-bundle` 的权重继续训练的" in card


def test_a_name_cannot_end_its_place_in_the_card() -> None:
    card = write_card(replace(WHOLE, training={"imported_from": "a`b\n# c"}))
    assert "`a'b # c`" in card
    assert "\n# c" not in card
