"""An encoder–decoder's folder opened by transformers as the Marian model that it is, from the same random weights.

*Left padding.* Positions count from the first place of a row, padding or not, there as in `Seq2seqNetwork.encoded`; so
a source padded on the left is another one to both, and they must agree on it.
"""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from tests.fakes.bundles import eleven_words
from tests.fakes.token_streams import MemoryStream
from ziggurat.artefacts.bundle import save
from ziggurat.artefacts.manifest import Provenance
from ziggurat.core.config import from_mapping
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.types import IdArray, Vocabulary
from ziggurat.models.blocks.conditioned import NeuralConditionalModel
from ziggurat.models.blocks.initialisation import fill_normal
from ziggurat.models.layouts.marian import LAYOUT
from ziggurat.models.registry import FAMILIES
from ziggurat.training import conditional
from ziggurat.training.job import Job
from ziggurat.use.completion import GenerationConfig
from ziggurat.use.translation import translate

FAMILY = FAMILIES.get("seq2seq")
VOCABULARY = Vocabulary(size=53, bos=2, eos=3, pad=2)
CONTEXT = 31
TOLERANCE = 1e-4
SMALL = {"layers": 3, "decoder_layers": 2, "width": 20, "heads": 4, "feedforward": 28, "context": CONTEXT}
FORMS: dict[str, dict[str, Any]] = {
    "article": {},
    "opus": {"activation": "silu"},  # what OPUS-MT's models are
    "unscaled": {"scale_embedding": False, "activation": "gelu", "decoder_layers": 5},
}

Pair = tuple[NeuralConditionalModel, Any]


def built(vocabulary: Vocabulary = VOCABULARY, **keys: Any) -> NeuralConditionalModel:
    config = from_mapping(FAMILY.config, {**SMALL, **keys}, where="test")
    model = FAMILY.build(config, vocabulary, seed=3)
    assert isinstance(model, NeuralConditionalModel)
    for name, parameter in model.network.named_parameters():
        fill_normal(parameter, std=0.4, seed=3, name=name)
    fill_normal(dict(model.network.named_buffers())["final_logits_bias"], std=0.4, seed=3, name="bias")
    return model


def open_by_transformers(folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its imports
        import transformers

    transformers.logging.disable_progress_bar()
    model, found = transformers.AutoModelForSeq2SeqLM.from_pretrained(folder, output_loading_info=True)
    assert not any(found.values()), found
    return model.eval()


@pytest.fixture(params=FORMS)
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Pair:
    model = built(**FORMS[request.param])
    keys, tensors = FAMILY.state(model)
    assert keys["model_type"] == "marian"
    (tmp_path / "config.json").write_text(json.dumps(keys))
    save_file(dict(tensors), tmp_path / "model.safetensors", metadata={"format": "pt"})
    return model, open_by_transformers(tmp_path)


def random_ids(rows: int, length: int, *, seed: int = 5) -> torch.Tensor:
    return torch.randint(4, VOCABULARY.size, (rows, length), generator=torch.Generator().manual_seed(seed))


def random_targets(rows: int, length: int) -> torch.Tensor:
    ids = random_ids(rows, length, seed=7)
    ids[:, 0] = VOCABULARY.bos
    return ids


def numbers(ids: torch.Tensor) -> IdArray:
    return ids.numpy().astype(np.int32)


def test_the_special_ids_are_the_same(pair: Pair) -> None:
    ours, theirs = pair
    config = theirs.config
    assert config.decoder_start_token_id == ours.vocabulary.bos == 2
    assert (config.eos_token_id, config.pad_token_id) == (3, 2)


@pytest.mark.parametrize(("source", "target"), [(1, 1), (1, 17), (17, 2), (CONTEXT, CONTEXT)])
def test_logits_of_whole_rows(pair: Pair, source: int, target: int) -> None:
    ours, theirs = pair
    source_ids, ids = random_ids(3, source), random_targets(3, target)
    with torch.no_grad():
        answer = theirs(input_ids=source_ids, decoder_input_ids=ids)
        memory = ours.network.encoded(source_ids)  # type: ignore[operator]
        read = ours.network.source(source_ids, torch.full((3,), source))
        logits = ours.network.logits(ours.network.hidden(ids, read))
    assert (memory - answer.encoder_last_hidden_state).abs().max() <= TOLERANCE
    assert (logits - answer.logits).abs().max() <= TOLERANCE


def test_logprobs_of_sources_padded_on_the_right(pair: Pair) -> None:
    ours, theirs = pair
    source_ids, ids, lengths = random_ids(3, 13), random_targets(3, 11), np.array([13, 1, 7], dtype=np.int32)
    keep_mask = (torch.arange(13) < torch.from_numpy(lengths)[:, None]).long()
    with torch.no_grad():
        logits = theirs(input_ids=source_ids, attention_mask=keep_mask, decoder_input_ids=ids).logits
    expected = logits[:, :-1].log_softmax(-1).gather(2, ids[:, 1:, None])[:, :, 0].numpy()
    conditioned = ours.condition(numbers(source_ids), lengths)
    told = conditioned.token_logprobs(numbers(ids), np.full(3, 11, dtype=np.int32))
    assert np.abs(told - expected).max() <= TOLERANCE


def test_logits_of_sources_padded_on_the_left(pair: Pair) -> None:
    ours, theirs = pair
    source_ids, ids = random_ids(3, 13), random_targets(3, 11)
    keep_mask = torch.arange(13) >= torch.tensor([0, 12, 6])[:, None]
    with torch.no_grad():
        answer = theirs(input_ids=source_ids, attention_mask=keep_mask.long(), decoder_input_ids=ids)
        network: Any = ours.network
        memory = network.encoded(source_ids, keep_mask)
        read = network.decoder.source(memory, keep_mask[:, None, None])
        logits = network.logits(network.hidden(ids, read))
    assert (memory - answer.encoder_last_hidden_state)[keep_mask].abs().max() <= TOLERANCE
    assert (logits - answer.logits).abs().max() <= TOLERANCE


def test_logprobs_with_the_cache(pair: Pair) -> None:
    ours, theirs = pair
    source_ids, ids, lengths = random_ids(3, 13), random_targets(3, 11), np.array([5, 13, 2], dtype=np.int32)
    keep_mask = (torch.arange(13) < torch.from_numpy(lengths)[:, None]).long()
    conditioned = ours.condition(numbers(source_ids), lengths)
    logprobs, state = conditioned.begin(numbers(ids[:, :3]), np.full(3, 3, dtype=np.int32))
    with torch.no_grad():
        answer = theirs(input_ids=source_ids, attention_mask=keep_mask, decoder_input_ids=ids[:, :3], use_cache=True)
        for t in range(3, 11):
            expected = answer.logits[:, -1].log_softmax(-1).numpy()
            assert np.abs(logprobs - expected).max() <= TOLERANCE
            logprobs, state = conditioned.step(state, numbers(ids[:, t]))
            answer = theirs(
                encoder_outputs=(answer.encoder_last_hidden_state,),
                attention_mask=keep_mask,
                decoder_input_ids=ids[:, t : t + 1],
                past_key_values=answer.past_key_values,
                use_cache=True,
            )


def test_beyond_the_context_is_a_clear_error(pair: Pair) -> None:
    ours, _ = pair
    said = rf"{CONTEXT + 1} ids are more than the model can read at once \(its context is {CONTEXT}\)"
    one = np.ones(1, dtype=np.int32)
    with pytest.raises(UsageError, match=said):
        ours.condition(numbers(random_ids(1, CONTEXT + 1)), one * (CONTEXT + 1))
    conditioned = ours.condition(numbers(random_ids(1, CONTEXT)), one * CONTEXT)
    ids = numbers(random_targets(1, CONTEXT + 1))
    _, state = conditioned.begin(ids[:, :CONTEXT], one * CONTEXT)
    with pytest.raises(UsageError, match=said):
        conditioned.step(state, ids[:, CONTEXT])
    # the last id of a sequence that is scored is predicted, not read
    assert conditioned.token_logprobs(ids, one * (CONTEXT + 1)).shape == (1, CONTEXT)
    with pytest.raises(UsageError, match=said):
        conditioned.token_logprobs(numbers(random_targets(1, CONTEXT + 2)), one * (CONTEXT + 2))


def test_what_transformers_saves_can_be_opened(pair: Pair, tmp_path: Path) -> None:
    ours, theirs = pair
    theirs.save_pretrained(tmp_path / "saved")
    keys = json.loads((tmp_path / "saved" / "config.json").read_text())
    opened = FAMILY.restore(keys, load_file(tmp_path / "saved" / "model.safetensors"))
    assert isinstance(opened, NeuralConditionalModel)
    assert (opened.vocabulary, opened.context) == (ours.vocabulary, CONTEXT)
    source_ids, lengths = numbers(random_ids(2, 11)), np.array([11, 7], dtype=np.int32)
    ids, said = numbers(random_targets(2, 9)), np.array([9, 5], np.int32)
    ours_told, told = (one.condition(source_ids, lengths).token_logprobs(ids, said) for one in (ours, opened))
    np.testing.assert_array_equal(told, ours_told)


def taught(vocabulary: Vocabulary) -> NeuralConditionalModel:
    """A model that has begun to learn to write its source backwards: random ones write one id for ever."""
    dice = np.random.default_rng(3)
    sources = [dice.integers(2, 11, size=dice.integers(1, 7)).tolist() for _ in range(400)]
    keys = {"steps": 150, "rows": 32, "window": 8, "learning_rate": 3e-3, "warmup_steps": 30}
    job = Job(
        family=FAMILY,
        model_config=from_mapping(
            FAMILY.config, {**SMALL, "width": 24, "layers": 1, "decoder_layers": 1}, where="test"
        ),
        config=from_mapping(conditional.Config, keys, where="test"),
        train=MemoryStream.of([source[::-1] for source in sources], vocabulary),
        train_sources=MemoryStream.of(sources, vocabulary),
        dev=None,
        seed=3,
    )
    model = conditional.fit(job).model
    assert isinstance(model, NeuralConditionalModel)
    return model


def test_a_bundle_writes_the_same_there(tmp_path: Path) -> None:
    tokenizer = eleven_words()
    model = taught(tokenizer.vocabulary)
    save(tmp_path / "bundle", family="seq2seq", model=model, tokenizer=tokenizer, provenance=Provenance())
    theirs = open_by_transformers(tmp_path / "bundle")
    assert theirs.generation_config.decoder_start_token_id == 0
    assert not theirs.generation_config.do_sample
    sources = ["one two three", "nine", "four four two seven eight six five one", "six two"]
    ours = translate(model, tokenizer, sources, GenerationConfig(temperature=0.0, max_tokens=19))
    for source, continuation in zip(sources, ours, strict=True):
        ids = [*tokenizer.encode(source).ids.tolist(), tokenizer.vocabulary.eos]
        with torch.no_grad():
            written = theirs.generate(torch.tensor([ids]), max_new_tokens=19, attention_mask=torch.ones(1, len(ids)))
        assert written[0].tolist() == [0, *continuation.ids]
    assert len({continuation.ids for continuation in ours}) == 4
    assert "end" in {continuation.reason for continuation in ours}


def test_other_forms_are_written_under_our_own_names(tmp_path: Path) -> None:
    for keys in (
        {"positions": "learned"}, {"norm": "rms"}, {"norm_place": "pre"}, {"bias": "none"}, {"query_norm": True},
        {"tied": False}, {"activation": "swiglu"}, {"key_heads": 2}, {"head_width": 6}, {"norm_epsilon": 1e-6},
    ):  # fmt: skip
        model = built(**keys)
        described, tensors = FAMILY.state(model)
        assert described["model_type"] == "ziggurat-seq2seq", keys
        opened = FAMILY.restore(json.loads(json.dumps(described)), tensors)
        source, lengths = numbers(random_ids(2, 7)), np.array([7, 3], dtype=np.int32)
        ids = numbers(random_targets(2, 5))
        assert isinstance(opened, NeuralConditionalModel)
        before, after = (one.condition(source, lengths).begin(ids, lengths)[0] for one in (model, opened))
        np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"activation_function": "tanh"}, "activation_function 'tanh' is not one of relu, gelu, swish, silu"),
        ({"normalize_before": True}, "normalize_before is true"),
        ({"add_final_layer_norm": True}, "add_final_layer_norm is true"),
        ({"decoder_attention_heads": 2}, r"encoder_attention_heads \(4\) and decoder_attention_heads \(2\) must agree"),
        ({"decoder_ffn_dim": 29}, r"encoder_ffn_dim \(28\) and decoder_ffn_dim \(29\) must agree"),
        ({"decoder_vocab_size": 54}, r"vocab_size \(53\) and decoder_vocab_size \(54\) must agree"),
        ({"share_encoder_decoder_embeddings": False}, "share_encoder_decoder_embeddings is false"),
    ],
)
def test_what_our_models_do_not_do_is_refused_by_its_key(changed: dict[str, Any], said: str) -> None:
    keys, _ = FAMILY.state(built())
    with pytest.raises(ArtefactError, match=said):
        LAYOUT.read({**keys, **changed})


def test_arrays_that_do_not_fit_are_named_as_they_are_called_there() -> None:
    keys, tensors = FAMILY.state(built())
    broken = dict(tensors)
    del broken["model.decoder.layers.1.encoder_attn.q_proj.bias"]
    broken["model.shared.weight"] = broken["model.shared.weight"][:-1]
    broken["model.encoder.layers.9.fc1.bias"] = broken["model.encoder.layers.0.fc1.bias"]
    with pytest.raises(ArtefactError) as raised:
        FAMILY.restore(keys, broken)
    for said in (
        "'model.decoder.layers.1.encoder_attn.q_proj.bias' is missing",
        "'model.shared.weight' has shape [52, 20] where [53, 20] is expected",
        "'model.encoder.layers.9.fc1.bias' is not known",
    ):
        assert said in str(raised.value)


def test_tables_of_positions_and_copies_of_the_embeddings_may_stand_in_a_file() -> None:
    keys, tensors = FAMILY.state(built())
    shared = tensors["model.shared.weight"]
    more = {
        **tensors,
        "lm_head.weight": shared,
        "model.encoder.embed_tokens.weight": shared,
        "model.decoder.embed_tokens.weight": shared,
        "model.encoder.embed_positions.weight": np.zeros((CONTEXT, 20), np.float32),
        "model.decoder.embed_positions.weight": np.zeros((CONTEXT, 20), np.float32),
    }
    assert FAMILY.restore(keys, more).vocabulary == VOCABULARY
