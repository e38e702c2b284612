"""Networks as ONNX graphs: run in onnxruntime they answer what the network answers, or they are not kept."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.bundles import eleven_words, make_bundle
from tests.fakes.low_rank import GPT2
from ziggurat.artefacts.bundle import Bundle, save
from ziggurat.artefacts.interchange import onnx
from ziggurat.artefacts.interchange.formats import FORMATS, format_in, format_of
from ziggurat.artefacts.manifest import Provenance
from ziggurat.core.errors import ArtefactError, DiskFullError, MissingExtraError, UsageError
from ziggurat.core.types import Vocabulary
from ziggurat.models.decoder import FAMILY, DecoderConfig

runtime = pytest.importorskip("onnxruntime", reason="the extra 'formats' is not installed")
pytest.importorskip("onnxscript", reason="the extra 'formats' is not installed")

LONG = DecoderConfig(layers=1, width=12, heads=3, key_heads=1, head_width=4, feedforward=17, context=1031, tied=False)


def session(path: Path) -> Any:
    return runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def padded(lengths: list[int], size: int = 11) -> tuple[np.ndarray, np.ndarray]:
    """Random ids, and the mask of rows of these lengths."""
    ids = np.random.default_rng(0).integers(0, size, (len(lengths), max(lengths)))
    mask = (np.arange(max(lengths)) < np.array(lengths)[:, None]).astype(np.int64)
    return ids, mask


def compare(bundle: Bundle, path: Path, batches: list[list[int]]) -> None:
    """Compare rows of a batch with the same rows alone, by the model's own face: log-probabilities."""
    graph, model = session(path), bundle.language_model
    for lengths in batches:
        ids, mask = padded(lengths, model.vocabulary.size)
        (logits,) = graph.run(["logits"], {"input_ids": ids, "attention_mask": mask})
        assert logits.shape == (*ids.shape, model.vocabulary.size)
        for row, length in enumerate(lengths):
            expected, _ = model.begin(ids[row : row + 1, :length].astype(np.int32), np.array([length], np.int32))
            last = logits[row, length - 1].astype(np.float64)
            np.testing.assert_allclose(last - np.logaddexp.reduce(last), expected[0], atol=1e-4)
            assert not logits[row, length:].any()


def saved(path: Path, config: DecoderConfig) -> Bundle:
    model = FAMILY.build(config, Vocabulary(size=11, bos=0, eos=0, unk=1), seed=3)
    return save(path, family="decoder", model=model, tokenizer=eleven_words(), provenance=Provenance())


# -- the graph answers as the network ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Path]:
    """An LSTM and its graph."""
    folder = tmp_path_factory.mktemp("exported")
    bundle = make_bundle(folder / "bundle", "recurrent")
    path = folder / "model.onnx"
    format_of(path).write(bundle, path)
    return bundle, path


def test_an_lstm_runs_in_onnxruntime(exported: tuple[Bundle, Path]) -> None:
    bundle, path = exported
    # any number of rows and ids; the graph was written down while reading three rows of seven
    compare(bundle, path, [[1], [2], [7, 7, 7], [13, 1, 5, 2], [301]])
    graph = session(path)
    assert [(one.name, one.shape, one.type) for one in graph.get_inputs()] == [
        (name, ["batch", "time"], "tensor(int64)") for name in ("input_ids", "attention_mask")
    ]
    assert [(one.name, one.shape) for one in graph.get_outputs()] == [("logits", ["batch", "time", 11])]
    assert format_in(path) is FORMATS.get("onnx")
    assert sorted(file.name for file in path.parent.iterdir()) == ["bundle", "model.onnx"]


@pytest.mark.slow
@pytest.mark.parametrize("config", [GPT2, LONG], ids=["gpt2", "long"])
def test_a_decoder_runs_in_onnxruntime(tmp_path: Path, config: DecoderConfig) -> None:
    bundle = saved(tmp_path / "bundle", config)
    path = tmp_path / "model.onnx"
    onnx.FORMAT.write(bundle, path)
    compare(bundle, path, [[1], [2], [5, 1, 3], [config.context], [29, 30]])


@pytest.mark.slow
def test_a_grouped_decoder_runs_in_onnxruntime(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", "decoder")
    onnx.FORMAT.write(bundle, tmp_path / "model.onnx")
    compare(bundle, tmp_path / "model.onnx", [[1], [2], [5, 1, 3], [64], [29, 30]])


@pytest.mark.slow
def test_an_encoder_gives_vectors_and_logits(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", "encoder")
    path = tmp_path / "model.onnx"
    onnx.FORMAT.write(bundle, path)
    graph = session(path)
    assert [one.name for one in graph.get_outputs()] == ["last_hidden_state", "logits"]
    for lengths in ([1], [7], [5, 1, 3], [bundle.encoder.context]):  # type: ignore[attr-defined]
        ids, mask = padded(lengths)
        (vectors,) = graph.run(["last_hidden_state"], {"input_ids": ids, "attention_mask": mask})
        expected = bundle.encoder.encode(ids.astype(np.int32), np.array(lengths, np.int32))
        np.testing.assert_allclose(vectors, expected, atol=1e-4)


# -- what is refused, and what is left then ---------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["ngram", "word_vectors", "mixture", "seq2seq"])
def test_what_is_no_network_is_refused(tmp_path: Path, family: str) -> None:
    bundle = make_bundle(tmp_path / "bundle", family)
    with pytest.raises(UsageError, match=f"of family '{family}'; as ONNX go decoders, LSTMs and encoders"):
        onnx.FORMAT.write(bundle, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_a_model_too_large_for_one_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = make_bundle(tmp_path / "bundle", "recurrent")
    monkeypatch.setattr(onnx, "LARGEST_BYTES", 1000)
    with pytest.raises(UsageError, match="parameters are too many for one ONNX file"):
        onnx.FORMAT.write(bundle, tmp_path / "model.onnx")


def test_a_graph_that_answers_otherwise_is_not_kept(
    exported: tuple[Bundle, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ziggurat.models.blocks import onnx_graph

    bundle = make_bundle(tmp_path / "bundle", "recurrent", seed=1)
    path = tmp_path / "model.onnx"
    path.write_bytes(b"what was there before")
    # the graph of the model with another seed
    monkeypatch.setattr(onnx_graph, "write_graph", lambda _, partial: shutil.copyfile(exported[1], partial))
    with pytest.raises(ArtefactError, match=r"the graph's logits differ from the model's by .*: not kept"):
        onnx.FORMAT.write(bundle, path)
    assert path.read_bytes() == b"what was there before"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bundle", "model.onnx"]


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ziggurat.models.blocks import onnx_graph

    def full(network: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, os.strerror(28))

    bundle = make_bundle(tmp_path / "bundle", "recurrent")
    monkeypatch.setattr(onnx_graph, "write_graph", full)
    with pytest.raises(DiskFullError, match=r"model.onnx: no space left"):
        onnx.FORMAT.write(bundle, tmp_path / "model.onnx")
    assert [file.name for file in tmp_path.iterdir()] == ["bundle"]


def test_without_the_packages_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "onnxscript", None)
    bundle = make_bundle(tmp_path / "bundle", "recurrent")
    with pytest.raises(MissingExtraError, match=r"ONNX needs an optional package: pip install 'ziggurat\[formats\]'"):
        onnx.FORMAT.write(bundle, tmp_path / "model.onnx")


def test_a_graph_is_not_read_back(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x08\x0a\x12\x07pytorch")
    assert onnx.FORMAT.opens(path)
    with pytest.raises(UsageError, match="an ONNX graph is what a model computes, not the model"):
        format_in(path).read(path)


def test_other_files_are_no_graphs(tmp_path: Path) -> None:
    for content in (b"", b"\x08", b"hello", b"\x08\x0a\x13"):
        (tmp_path / "file").write_bytes(content)
        assert not onnx.FORMAT.opens(tmp_path / "file")
