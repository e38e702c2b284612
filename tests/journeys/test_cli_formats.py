"""A model leaves for another program and comes back: ``export`` and ``import``."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.bundles import make_bundle
from tests.fakes.decoders import FORMS, byte_pairs, drawn
from tests.fakes.vectors import WORDS, all_kinds, same_bits, vector_bundle
from ziggurat.artefacts.bundle import load
from ziggurat.artefacts.interchange import llama_program, transformers_program
from ziggurat.models.word_vectors import WordVectors
from ziggurat.surface.cli import main


def test_an_exported_model_is_opened_by_kenlm_and_by_import(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kenlm = pytest.importorskip("kenlm")
    bundle = make_bundle(tmp_path / "ours", "ngram", seed=3)
    file = tmp_path / "model.arpa"
    assert main(["export", str(bundle.path), str(file)]) == 0
    assert "read back and equal" in capsys.readouterr().err
    peer = kenlm.Model(str(file))
    text = "two nine one one five three"
    ids = np.array([[0, *bundle.tokenizer.encode(text).ids, 0]], np.int32)
    ours = float(bundle.language_model.score(ids, np.array([ids.size], np.int32))[0])
    assert peer.score(text) * math.log(10) == pytest.approx(ours, abs=1e-4)
    assert main(["import", str(file), "--out", str(tmp_path / "back")]) == 0
    back = load(tmp_path / "back")
    again = np.array([[0, *back.tokenizer.encode(text).ids, 0]], np.int32)
    assert float(back.language_model.score(again, np.array([again.size], np.int32))[0]) == pytest.approx(ours, abs=1e-4)


def test_a_file_without_an_unknown_word_gets_one_as_improbable_as_in_kenlm(tmp_path: Path) -> None:
    kenlm = pytest.importorskip("kenlm")
    # p(a) = p(</s>) = 1/2, whose logarithm to base 10 is -0.30103; p(a | <s>) = 9/10 gives -0.045757; what is left for
    # other words after <s> is 1/10, of which their unigrams have 1/2: weight 1/5, or -0.69897
    file = tmp_path / "two.arpa"
    unigrams = "-99\t<s>\t-0.69897\n-0.30103\t</s>\n-0.30103\ta\t0\n"
    bigrams = "-0.045757\t<s> a\n"
    head = "\\data\\\nngram 1=3\nngram 2=1\n"
    file.write_text(f"{head}\n\\1-grams:\n{unigrams}\n\\2-grams:\n{bigrams}\n\\end\\\n")
    assert main(["import", str(file), "--quiet"]) == 0
    bundle = load(tmp_path / "two")
    assert bundle.tokenizer.decode(bundle.tokenizer.encode("a").ids) == "a"
    ids = np.array([[0, *bundle.tokenizer.encode("b a").ids, 0]], np.int32)
    logprobs = bundle.language_model.token_logprobs(ids, np.array([4], np.int32))[0] / math.log(10)
    assert logprobs.tolist() == pytest.approx([-100.69897, -0.30103, -0.30103], abs=1e-4)
    assert float(logprobs.sum()) == pytest.approx(kenlm.Model(str(file)).score("b a"), abs=1e-3)


@pytest.mark.parametrize("ending", [".txt", ".vec", ".bin", ".glove", ".txt.gz", ".bin.gz"])
def test_word_vectors_leave_and_come_back(ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vectors = all_kinds(len(WORDS), 5)
    bundle = vector_bundle(tmp_path / "ours", WORDS, vectors)
    file = tmp_path / f"vectors.small{ending}"
    assert main(["export", str(bundle.path), str(file)]) == 0
    assert f"{file.stat().st_size:,} bytes, read back and equal" in capsys.readouterr().err
    assert main(["import", str(file)]) == 0
    said = capsys.readouterr()
    assert said.out == f"{tmp_path / 'vectors.small'}\n"
    assert f"next: ziggurat vectors nearest {tmp_path / 'vectors.small'}" in said.err
    back = load(tmp_path / "vectors.small")
    assert back.manifest.recipe == {"name": "vectors.small"}
    assert isinstance(back.model, WordVectors)
    assert same_bits(back.model.vectors[2:], vectors)
    assert [back.words.find(word) for word in WORDS] == list(range(2, 2 + len(WORDS)))
    assert back.tokenizer.encode("the 7 塔楼 nowhere").ids.tolist() == [2, 6, 4, 1]


def test_an_ending_may_lie_where_the_format_is_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = vector_bundle(tmp_path / "ours", WORDS, all_kinds(len(WORDS), 5))
    assert main(["export", str(bundle.path), str(tmp_path / "x.txt"), "--to", "glove_text"]) == 0
    assert main(["import", str(tmp_path / "x.txt"), "--from", "word2vec_text"]) == 2
    assert "x.txt:1: expected the numbers of words and of columns, found 'the 0" in capsys.readouterr().err
    assert main(["import", str(tmp_path / "x.txt")]) == 0


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            ["export", "{bundle}", "{tmp}/x.foo"],
            "unknown file ending '.foo'; known: .arpa, .bin, ",
        ),
        (["export", "{bundle}", "{tmp}/x.arpa"], "family 'recurrent'; ARPA holds n-grams only"),
        (["export", "{bundle}", "{tmp}/x.vec"], "family 'recurrent'; word2vec text holds word vectors only"),
        (["export", "{bundle}", "{tmp}/x.bin"], "family 'recurrent'; word2vec binary holds word vectors only"),
        (["export", "{bundle}", "{tmp}/x.glove"], "family 'recurrent'; GloVe text holds word vectors only"),
        (["export", "{bundle}", "{tmp}/x", "--to", "arpaa"], "did you mean 'arpa'?"),
        (["export", "{bundle}", "{tmp}/plain"], "plain: its name has no ending that says a format; known: .arpa"),
        (["import", "{tmp}/empty"], "empty: its name has no ending that says a format; known: .arpa"),
        (["import", "{tmp}/missing.arpa"], "missing.arpa: can't be read"),
        (["import", "{tmp}/text.arpa"], "text.arpa:1: not an ARPA file"),
        (["import", "{tmp}/text.arpa", "--out", "{bundle}"], "exists already"),
    ],
)
def test_what_can_t_be_done_is_said_in_a_line(
    command: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = make_bundle(tmp_path / "lstm", "recurrent")
    (tmp_path / "text.arpa").write_text("once upon a time\n")
    (tmp_path / "empty").touch()
    capsys.readouterr()
    before = sorted(tmp_path.iterdir())
    assert main([part.format(bundle=bundle.path, tmp=tmp_path) for part in command]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_of_transformers_comes_in_writes_and_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    from tests.fakes.foreign_models import GPT2_SIZES, leave, make_model, random_ids

    transformers = pytest.importorskip("transformers")
    theirs = make_model("GPT2LMHeadModel", "GPT2Config", **GPT2_SIZES)
    folder = leave(theirs, tmp_path / "gpt2-0.3", shards="20KB")
    (folder / "chat_template.jinja").write_text("{{ messages[0].content }}")
    monkeypatch.chdir(tmp_path)
    assert main(["import", "gpt2-0.3"]) == 0
    said = capsys.readouterr()
    assert said.out == f"{tmp_path / 'gpt2-0.3-bundle'}\n"
    assert f"next: ziggurat generate {tmp_path / 'gpt2-0.3-bundle'}" in said.err
    bundle = load(tmp_path / "gpt2-0.3-bundle", verify=True)
    assert bundle.manifest.recipe == {"name": "gpt2-0.3"}
    assert bundle.manifest.training == {"imported_from": "gpt2-0.3"}
    assert bundle.chat_template == "{{ messages[0].content }}"
    assert main(["generate", "gpt2-0.3-bundle", "--prompt", "The", "--max-tokens", "5"]) == 0
    assert main(["score", "gpt2-0.3-bundle", str(_text(tmp_path))]) == 0
    capsys.readouterr()
    assert main(["export", "gpt2-0.3-bundle", "plain", "--to", "transformers"]) == 0
    size = sum(file.stat().st_size for file in (tmp_path / "plain").iterdir())
    told = capsys.readouterr().err
    assert "read back by Ziggurat: 2711 tokens equal; log-probabilities differ by at most 0.0e+00 nats" in told
    assert "read back by transformers: 2711 tokens equal; log-probabilities differ by at most " in told
    assert f"plain: {size:,} bytes, read back and compared" in told
    assert not (tmp_path / "plain" / "ziggurat.json").exists()
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "plain").eval()
    ids = torch.from_numpy(random_ids(2, 17)).long()
    with torch.no_grad():
        assert (again(ids).logits - theirs(ids).logits).abs().max() <= 1e-5


def test_an_encoder_s_folder_is_compared_by_what_it_gives(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("transformers")
    bundle = make_bundle(tmp_path / "ours", "encoder", seed=3)
    assert main(["export", str(bundle.path), str(tmp_path / "plain"), "--to", "transformers"]) == 0
    told = capsys.readouterr().err
    assert re.search(
        r"read back by transformers: \d+ tokens equal; what it gives at \d+ places differs by at most", told
    )


def test_a_program_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("gguf")
    bundle = drawn(tmp_path / "ours", FORMS["gpt2"], byte_pairs())
    monkeypatch.setattr(llama_program, "installed", lambda: False)
    monkeypatch.setattr(transformers_program, "installed", lambda: False)
    assert main(["export", str(bundle.path), str(tmp_path / "x.gguf")]) == 0
    assert "llama.cpp did not read it back: llama-cpp-python is not installed here" in capsys.readouterr().err
    assert main(["export", str(bundle.path), str(tmp_path / "plain"), "--to", "transformers"]) == 0
    assert "transformers did not read it back: transformers is not installed here" in capsys.readouterr().err
    assert main(["export", str(bundle.path), str(tmp_path / "zh"), "--to", "transformers", "--lang", "zh"]) == 0
    assert "transformers 没有读回" in capsys.readouterr().err


@pytest.mark.parametrize("ending", [".gguf", ".onnx"])
def test_a_file_never_takes_a_folder_s_place(ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("gguf")
    pytest.importorskip("onnxscript")
    bundle = drawn(tmp_path / "ours", FORMS["gpt2"], byte_pairs())
    (tmp_path / f"there{ending}").mkdir()
    assert main(["export", str(bundle.path), str(tmp_path / f"there{ending}")]) == 2
    assert f"there{ending}: a folder is there; choose another name" in capsys.readouterr().err


def _text(folder: Path) -> Path:
    path = folder / "text.txt"
    path.write_text("The tower was climbed; 塔楼 很高.\n", encoding="utf-8")
    return path
