"""transformers opens our bundles as they are: the tokenizer always, the model where it has a class for it."""

from pathlib import Path

import numpy as np
import pytest

from tests.fakes.bundles import WORDS, make_bundle
from tests.fakes.families import PLAIN_LANGUAGE_FAMILIES
from ziggurat.artefacts.bundle import save
from ziggurat.artefacts.manifest import Provenance
from ziggurat.core.protocols import MaskedLanguageModel
from ziggurat.models.registry import FAMILIES
from ziggurat.tokens.loading import TOKENIZERS, load_tokenizer, train_tokenizer

transformers = pytest.importorskip("transformers")

TEXT = "The tower was climbed; 塔楼 很高, said the stranger's 3 friends."


def test_auto_tokenizer_opens_a_bundle(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", FAMILIES.names()[0])
    theirs = transformers.AutoTokenizer.from_pretrained(str(bundle.path))
    assert theirs(WORDS, add_special_tokens=False)["input_ids"] == bundle.tokenizer.encode(WORDS).ids.tolist()
    assert (theirs.bos_token_id, theirs.eos_token_id, theirs.unk_token_id) == (0, 0, 1)


@pytest.mark.parametrize("kind", TOKENIZERS.names())
def test_auto_tokenizer_cuts_as_every_kind_does(kind: str, tmp_path: Path) -> None:
    trained = train_tokenizer([TEXT, "The stranger climbed the tower."], kind)
    tokenizer = load_tokenizer(trained.to_json())
    model = FAMILIES.get("decoder").build(_small(), tokenizer.vocabulary, seed=0)
    save(tmp_path / "b", family="decoder", model=model, tokenizer=tokenizer, provenance=Provenance())
    theirs = transformers.AutoTokenizer.from_pretrained(str(tmp_path / "b"))
    ids = theirs(TEXT, add_special_tokens=False)["input_ids"]
    assert ids == tokenizer.encode(TEXT).ids.tolist()
    assert theirs.decode(ids) == tokenizer.decode(ids)


def _small() -> object:
    from ziggurat.core.config import from_mapping

    return from_mapping(FAMILIES.get("decoder").config, {"layers": 1, "width": 8, "heads": 2}, where="test")


@pytest.mark.parametrize("family", PLAIN_LANGUAGE_FAMILIES)
def test_auto_model_gives_the_same_probabilities(family: str, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", family, seed=5)
    if not bundle.manifest.model["architecture"]:
        pytest.skip(f"transformers has no form like {family}")
    import torch

    architecture = str(bundle.manifest.model["architecture"])
    opens = (
        transformers.AutoModelForMaskedLM if architecture.endswith("MaskedLM") else transformers.AutoModelForCausalLM
    )
    theirs = opens.from_pretrained(str(bundle.path), dtype=torch.float32)
    ids = np.array([[0, 3, 5, 2, 7, 9]], np.int32)
    if isinstance(bundle.model, MaskedLanguageModel):
        with torch.no_grad():
            logprobs = theirs(torch.from_numpy(ids).long()).logits.log_softmax(-1)[0].numpy()
        told, likeliest = bundle.model.guess(ids, np.array([6], np.int32), ids)
        np.testing.assert_allclose(told[0], logprobs[range(6), ids[0]], atol=1e-4)
        assert likeliest[0].tolist() == logprobs.argmax(-1).tolist()
        return
    with torch.no_grad():
        logprobs = theirs(torch.from_numpy(ids).long()).logits.log_softmax(-1)[0]
    expected = [float(logprobs[place, token]) for place, token in enumerate(ids[0, 1:].tolist())]
    ours = bundle.language_model.token_logprobs(ids, np.array([6], np.int32))[0]
    np.testing.assert_allclose(ours, expected, atol=1e-4)
    assert theirs.generation_config.eos_token_id == 0
