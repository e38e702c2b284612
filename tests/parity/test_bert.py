"""An encoder's folder opened by transformers as the BERT or RoBERTa that it is, from the same random weights."""

import dataclasses
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.types import IdArray, Vocabulary
from ziggurat.models.blocks.encoding import NeuralEncoder, NeuralMaskedModel
from ziggurat.models.blocks.initialisation import fill_normal
from ziggurat.models.encoder import FAMILY, EncoderConfig

CONTEXT = 31
TOLERANCE = 1e-4
PAD = 1
VOCABULARY = Vocabulary(size=53, bos=2, eos=3, unk=5, mask=7, pad=PAD)
SMALL = EncoderConfig(layers=3, width=24, heads=4, feedforward=28, context=CONTEXT)
FORMS: dict[str, dict[str, Any]] = {
    "bert": {},
    "bert with tanh": {"activation": "gelu_tanh", "norm_epsilon": 1e-5, "dropout": 0.1},
    "bert with relu": {"activation": "relu", "token_types": 3},
    "roberta": {"token_types": 1, "first_position": PAD + 1, "norm_epsilon": 1e-5},
}
"""What each form has other than `SMALL`."""


def random_model(**keys: Any) -> NeuralEncoder:
    model = FAMILY.build(dataclasses.replace(SMALL, **keys), VOCABULARY, seed=3)
    for name, parameter in model.network.named_parameters():
        if "norm.weight" not in name:
            fill_normal(parameter, std=0.4, seed=3, name=name)
    return model


def written(model: NeuralEncoder, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    keys, tensors = FAMILY.state(model)
    (folder / "config.json").write_text(json.dumps(keys))
    save_file(dict(tensors), folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def opened(folder: Path) -> NeuralEncoder:
    return FAMILY.restore(json.loads((folder / "config.json").read_text()), load_file(folder / "model.safetensors"))


def open_by_transformers(folder: Path, kind: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its imports
        import transformers

    transformers.logging.disable_progress_bar()
    model, found = getattr(transformers, kind).from_pretrained(folder, output_loading_info=True)
    assert not any(found.values()), found
    return model.eval()


def random_ids(rows: int, length: int) -> torch.Tensor:
    # never the padding token, at which RoBERTa does not count
    return torch.randint(PAD + 1, VOCABULARY.size, (rows, length), generator=torch.Generator().manual_seed(5))


@pytest.fixture(params=FORMS)
def keys(request: pytest.FixtureRequest) -> dict[str, Any]:
    return FORMS[request.param]


@pytest.fixture
def pair(keys: dict[str, Any], tmp_path: Path) -> tuple[NeuralEncoder, Any]:
    model = random_model(**keys)
    return model, open_by_transformers(written(model, tmp_path / "ours"), "AutoModelForMaskedLM")


def test_the_class_is_the_one_that_is_written(pair: tuple[NeuralEncoder, Any], keys: dict[str, Any]) -> None:
    roberta = "first_position" in keys
    assert type(pair[1]).__name__ == ("RobertaForMaskedLM" if roberta else "BertForMaskedLM")
    assert pair[1].config.max_position_embeddings == CONTEXT + (2 if roberta else 0)
    assert pair[1].config.pad_token_id == PAD


@pytest.mark.parametrize("length", [1, 2, 17, CONTEXT])
def test_logits_of_whole_rows(pair: tuple[NeuralEncoder, Any], length: int) -> None:
    ours, theirs = pair
    ids = random_ids(3, length)
    with torch.no_grad():
        difference = ours.network.logits(ours.network.hidden(ids)) - theirs(ids).logits
    assert difference.abs().max() <= TOLERANCE


def test_token_types(pair: tuple[NeuralEncoder, Any], keys: dict[str, Any]) -> None:
    ours, theirs = pair
    ids, types = random_ids(2, 13), torch.arange(13).expand(2, 13) % keys.get("token_types", 2)
    with torch.no_grad():
        difference = ours.network.logits(ours.network.hidden(ids, types=types)) - theirs(ids, token_type_ids=types)[0]
    assert difference.abs().max() <= TOLERANCE


@pytest.mark.parametrize("side", ["right", "left"])
def test_real_positions_of_padded_rows(pair: tuple[NeuralEncoder, Any], keys: dict[str, Any], side: str) -> None:
    ours, theirs = pair
    ids, lengths = random_ids(4, 13), torch.tensor([13, 2, 7, 1])
    real = torch.arange(13) < lengths[:, None]
    padded, kept, places = ids.masked_fill(~real, PAD), real, torch.arange(13).expand(4, 13)
    if side == "left":
        shifts = [13 - int(length) for length in lengths]
        padded, kept, places = (
            torch.stack([row.roll(shift) for row, shift in zip(rows, shifts, strict=True)])
            for rows in (padded, kept, places)
        )
    # RoBERTa counts past padding by itself, BERT is told the positions
    told = {} if "first_position" in keys else {"position_ids": places}
    with torch.no_grad():
        logits = theirs(padded, attention_mask=kept.long(), **told).logits
        mine = ours.network.logits(ours.network.hidden(ids, lengths=lengths))
    assert (logits[kept] - mine[real]).abs().max() <= TOLERANCE


def test_more_than_the_context_is_refused(pair: tuple[NeuralEncoder, Any]) -> None:
    ids = random_ids(1, CONTEXT + 1).numpy().astype(np.int32)
    with pytest.raises(UsageError, match=rf"{CONTEXT + 1} ids are more .* context is {CONTEXT}\)"):
        pair[0].encode(ids, np.array([CONTEXT + 1], np.int32))


def test_guesses_are_theirs(pair: tuple[NeuralEncoder, Any]) -> None:
    ours, theirs = pair
    assert isinstance(ours, NeuralMaskedModel)
    ids = random_ids(3, 11)
    targets = np.full((3, 11), -1, np.int32)
    targets[[0, 1, 2, 2], [2, 3, 5, 7]] = [11, 13, 17, 19]
    told, best = ours.guess(ids.numpy().astype(np.int32), np.full(3, 11, np.int32), targets)
    with torch.no_grad():
        logprobs = theirs(ids).logits.log_softmax(-1).numpy()
    for row, place in np.argwhere(targets >= 0):
        assert told[row, place] == pytest.approx(logprobs[row, place, targets[row, place]], abs=TOLERANCE)
        assert best[row, place] == logprobs[row, place].argmax()
    assert not told[targets < 0].any()
    assert (best[targets < 0] == -1).all()


@pytest.mark.parametrize("pooler", [True, False])
def test_a_body_alone(keys: dict[str, Any], pooler: bool, tmp_path: Path) -> None:
    ours = random_model(head=False, pooler=pooler, **keys)
    assert not isinstance(ours, NeuralMaskedModel)
    folder = written(ours, tmp_path / "ours")
    import transformers

    theirs = transformers.AutoModel.from_pretrained(folder, **({} if pooler else {"add_pooling_layer": False})).eval()
    ids, lengths = random_ids(3, 13), np.array([13, 5, 2], np.int32)
    keep_mask = torch.arange(13) < torch.from_numpy(lengths)[:, None]
    with torch.no_grad():
        answer = theirs(ids, attention_mask=keep_mask.long())
    mine = ours.encode(ids.numpy().astype(np.int32), lengths)
    inside = keep_mask.numpy()
    assert np.abs(answer.last_hidden_state.numpy()[inside] - mine[inside]).max() <= TOLERANCE
    assert not mine[~inside].any()
    if pooler:
        pooled = ours.pool(ids.numpy().astype(np.int32), lengths)
        assert np.abs(pooled - answer.pooler_output.numpy()).max() <= TOLERANCE
    else:
        with pytest.raises(UsageError, match="no pooler"):
            ours.pool(ids.numpy().astype(np.int32), lengths)


@pytest.mark.parametrize("head", [True, False])
def test_what_transformers_saves_can_be_opened(keys: dict[str, Any], head: bool, tmp_path: Path) -> None:
    ours = random_model(head=head, pooler=not head, **keys)
    theirs = open_by_transformers(written(ours, tmp_path / "ours"), "AutoModelForMaskedLM" if head else "AutoModel")
    theirs.save_pretrained(tmp_path / "theirs")
    again = opened(tmp_path / "theirs")
    assert isinstance(again, NeuralMaskedModel) == head
    assert again.config == dataclasses.replace(ours.config, dropout=again.config.dropout)
    ids, lengths = random_ids(2, 11).numpy().astype(np.int32), np.array([11, 7], np.int32)
    np.testing.assert_array_equal(again.encode(ids, lengths), ours.encode(ids, lengths))


def bare(tensors: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in tensors.items()}


def test_old_names_of_norms_and_heads_that_are_not_ours(tmp_path: Path) -> None:
    ours = random_model(pooler=True)
    folder = written(ours, tmp_path / "ours")
    tensors = load_file(folder / "model.safetensors")
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): value
        for name, value in tensors.items()
    }
    assert sum(name.endswith("gamma") for name in old) == 1 + 2 * 3 + 1  # embeddings, two a layer, head
    old |= {
        "cls.seq_relationship.weight": np.zeros((2, 24), np.float32),
        "cls.predictions.decoder.weight": old["bert.embeddings.word_embeddings.weight"],
        "bert.embeddings.position_ids": np.arange(CONTEXT)[None],
    }
    keys = json.loads((folder / "config.json").read_text())
    again = FAMILY.restore(keys, old)
    ids: IdArray = random_ids(2, 7).numpy().astype(np.int32)
    lengths = np.array([7, 5], np.int32)
    np.testing.assert_array_equal(again.encode(ids, lengths), ours.encode(ids, lengths))
    assert (again.config.head, again.config.pooler) == (True, True)
    body = {name: value for name, value in bare(old, "bert.").items() if not name.startswith("cls.")}
    alone = FAMILY.restore({**keys, "architectures": ["BertModel"]}, body)
    np.testing.assert_array_equal(alone.encode(ids, lengths), ours.encode(ids, lengths))
    assert (alone.config.head, alone.config.pooler) == (False, True)


def test_an_output_matrix_of_its_own(tmp_path: Path) -> None:
    import transformers

    torch.manual_seed(5)
    shape = {"vocab_size": 53, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3}
    config = transformers.BertConfig(**shape, intermediate_size=28, tie_word_embeddings=False)
    theirs = transformers.BertForMaskedLM(config).eval()
    theirs.save_pretrained(tmp_path)
    ours = opened(tmp_path)
    ids = random_ids(2, 7)
    with torch.no_grad():
        difference = ours.network.logits(ours.network.hidden(ids)) - theirs(ids).logits
    assert difference.abs().max() <= TOLERANCE
    assert FAMILY.state(ours)[0]["model_type"] == "ziggurat-encoder"  # transformers would tie its biases


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_act": "mish"}, "hidden_act 'mish' is not one of gelu, gelu_new"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type 'relative_key' is not supported"),
        ({"is_decoder": True}, "is_decoder True is not supported, only False"),
        ({"hidden_size": None}, "the key 'hidden_size' is missing"),
        ({"num_hidden_layers": 4}, "'bert.encoder.layer.3.attention.self.query.weight' is missing"),
        ({"num_hidden_layers": 2}, "'bert.encoder.layer.2.attention.self.query.weight' is not known"),
        ({"max_position_embeddings": 37}, r"shape \[31, 24\] where \[37, 24\] is expected"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], message: str) -> None:
    keys, tensors = FAMILY.state(random_model())
    changed = {key: value for key, value in {**keys, **change}.items() if value is not None}
    with pytest.raises(ArtefactError, match=message):
        FAMILY.restore(changed, tensors)
