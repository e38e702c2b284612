"""A chat template stays with its bundle: saved, opened, recorded on, read from wherever programs put it."""

import json
from pathlib import Path

import pytest

from tests.fakes.bundles import eleven_words, make_bundle
from ziggurat.artefacts.bundle import chat_template, load, record, save
from ziggurat.artefacts.manifest import Provenance
from ziggurat.core.errors import DamagedError
from ziggurat.models.registry import FAMILIES

TEMPLATE = "{% for message in messages %}<{{ message.role }}>\n{{ message.content }}\n{% endfor %}塔楼"


def test_a_template_is_saved_opened_and_kept_when_figures_are_added(tmp_path: Path) -> None:
    family = FAMILIES.names()[0]
    model, words = FAMILIES.get(family).tiny(seed=3), eleven_words()
    path, papers = tmp_path / "b", Provenance()
    saved = save(path, family=family, model=model, tokenizer=words, provenance=papers, chat_template=TEMPLATE)
    assert saved.chat_template == TEMPLATE
    record(path, {"test": {"bits_per_byte": 1.5}})
    assert load(path, verify=True).chat_template == TEMPLATE


def test_a_bundle_without_a_template_says_so(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "b", FAMILIES.names()[0])
    assert bundle.chat_template == ""
    assert "chat_template" not in (tmp_path / "b" / "tokenizer_config.json").read_text()


@pytest.mark.parametrize(
    "said",
    [
        TEMPLATE,
        [{"name": "tool_use", "template": "x"}, {"name": "default", "template": TEMPLATE}],
    ],
)
def test_a_template_stands_in_the_tokenizers_configuration(said: object, tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": said}))
    assert chat_template(tmp_path) == TEMPLATE


def test_a_file_of_its_own_is_stronger(tmp_path: Path) -> None:
    assert chat_template(tmp_path) == ""
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": "old"}))
    (tmp_path / "chat_template.jinja").write_text(TEMPLATE)
    assert chat_template(tmp_path) == TEMPLATE


@pytest.mark.parametrize("content", ["[1", "[]", '{"chat_template": [{"name": "default"}]}'])
def test_a_damaged_configuration_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text(content)
    with pytest.raises(DamagedError, match=r"tokenizer_config\.json: damaged"):
        chat_template(tmp_path)


def test_transformers_writes_conversations_by_it(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    family = FAMILIES.names()[0]
    model = FAMILIES.get(family).tiny(seed=3)
    save(
        tmp_path / "b",
        family=family,
        model=model,
        tokenizer=eleven_words(),
        provenance=Provenance(),
        chat_template=TEMPLATE,
    )
    theirs = transformers.AutoTokenizer.from_pretrained(str(tmp_path / "b"))
    said = theirs.apply_chat_template([{"role": "user", "content": "one"}], tokenize=False)
    assert said == "<user>\none\n塔楼"
