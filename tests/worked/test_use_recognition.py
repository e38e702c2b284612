"""The recogniser: recordings it takes, what it makes of an arranged decoder, and pocketsphinx itself."""

import re
import sys
import wave
from pathlib import Path

import pytest

from tests.fakes.hearing import UNIT, WAYS, hearing, record
from ziggurat.core.errors import InputError, MissingExtraError
from ziggurat.judge.word_errors import error_counts, error_rate
from ziggurat.text.spoken import read_transcripts
from ziggurat.use.recognition import Recogniser, read_wav

__all__ = ["hearing"]

AUSTEN = Path(__file__).resolve().parents[3] / "shared" / "data" / "librivox_austen"
ARPA = (
    "\\data\\\nngram 1=5\nngram 2=1\n\n\\1-grams:\n-1\t<unk>\n-99\t<s>\t-1\n-1\t</s>\n-1\tone\n-1\tzzz\n\n"
    "\\2-grams:\n-1\t<s> one\n\n\\end\\\n"
)


# -- recordings -------------------------------------------------------------------------------------------------------


def test_samples_come_as_they_are(tmp_path: Path) -> None:
    assert read_wav(record(tmp_path / "a.wav", [1, -2, 32767])) == b"\x01\x00\xfe\xff\xff\x7f"
    assert read_wav(record(tmp_path / "b.wav", [])) == b""


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"rate": 44_100}, r"a.wav: 44100 samples a second, 1 channel, 16 bits; the recogniser takes 16000, 1 channel"),
        ({"channels": 2}, r"a.wav: 16000 samples a second, 2 channels, 16 bits; .* convert it: ffmpeg -i .*/a.wav -ar"),
        ({"width": 1}, r"a.wav: 16000 samples a second, 1 channel, 8 bits"),
    ],
)
def test_other_recordings_are_refused_with_what_to_do(form: dict[str, int], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_wav(record(tmp_path / "a.wav", [1, 2, 3, 4], **form))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"a.wav: no WAV file of plain samples \(it ends early\); convert it"),
        (b"ID3\x03 not a wave at all, but something else", r"a.wav: no WAV file of plain samples"),
        (None, r"a.wav: its header announces 4 samples, 2 are there"),
    ],
)
def test_damaged_recordings(content: bytes | None, message: str, tmp_path: Path) -> None:
    path = record(tmp_path / "a.wav", [1, 2, 3, 4])
    path.write_bytes(path.read_bytes()[:-4] if content is None else content)
    with pytest.raises(InputError, match=message):
        read_wav(path)


def test_the_command_that_converts_a_recording_names_it_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "my recordings").mkdir()
    path = record(tmp_path / "my recordings" / "a.wav", [1, 2], channels=2)
    with pytest.raises(InputError, match=re.escape(f"convert it: ffmpeg -i '{path}' -ar 16000")):
        read_wav(path)


def test_a_recording_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.wav: can't be read \(No such file or directory\)"):
        read_wav(tmp_path / "none.wav")


# -- an arranged decoder ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("hearing")
def test_hypotheses_are_different_and_scored_by_the_lattice(tmp_path: Path) -> None:
    path = record(tmp_path / "a.wav", [5, 6, 7])
    found = Recogniser().hypotheses(path)
    assert [one.text for one in found] == list(WAYS)
    assert [one.acoustic for one in found] == pytest.approx(list(WAYS.values()))
    # one | <s>: 3000 + 3; two | one <s>: 3000 + 3 + 3, or three: 5000 + 6; </s> | it and one: 4000 + its letters + 3
    assert [one.first for one in found] == pytest.approx([-10015 * UNIT, -12017 * UNIT])
    assert [one.text for one in Recogniser().hypotheses(path, most=1)] == ["one two"]


@pytest.mark.usefixtures("hearing")
def test_nothing_is_heard_in_silence(tmp_path: Path) -> None:
    recogniser = Recogniser()
    for number, samples in enumerate(([], [0, 0, 0])):
        path = record(tmp_path / f"{number}.wav", samples)
        assert recogniser.hypotheses(path) == []
        assert recogniser.lattice(path) is None


@pytest.mark.usefixtures("hearing")
def test_all_that_was_thought_possible(tmp_path: Path) -> None:
    lattice = Recogniser().lattice(record(tmp_path / "a.wav", [5]))
    assert lattice is not None
    assert [" ".join(one.words) for one in lattice.sentences(9)] == list(WAYS)


@pytest.mark.usefixtures("hearing")
def test_one_hearing_gives_hypotheses_and_lattice(tmp_path: Path) -> None:
    recogniser, path = Recogniser(), record(tmp_path / "a.wav", [5, 6, 7])
    hypotheses, lattice = recogniser.heard(path, most=1)
    assert hypotheses == recogniser.hypotheses(path, most=1)
    assert lattice is not None
    assert lattice.acoustic_of(["one", "three"]) == pytest.approx(WAYS["one three"])
    assert recogniser.heard(record(tmp_path / "silent.wav", [0, 0])) == ([], None)


@pytest.mark.usefixtures("hearing")
def test_what_the_recognisers_own_model_and_dictionary_say_of_words() -> None:
    recogniser = Recogniser()
    # log p of a word is -1000 for each letter of it and -1 for each of the two words before it: three | <s> is
    # -5000 - 3, </s> | three, <s> is -4000 - 5 - 3
    assert recogniser.logprob(["three"]) == pytest.approx(-9011 * UNIT)
    # </s> | <s>
    assert recogniser.logprob([]) == pytest.approx(-4003 * UNIT)
    assert [recogniser.pronounces(word) for word in ("three", "zzz", "")] == [True, False, False]


@pytest.mark.usefixtures("hearing")
def test_words_that_are_never_heard_are_said(tmp_path: Path) -> None:
    path = tmp_path / "words.arpa"
    path.write_text(ARPA, encoding="utf-8")
    assert Recogniser(arpa=path).unknown_words == ("zzz",)
    assert Recogniser().unknown_words == ()


@pytest.mark.usefixtures("hearing")
@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "a.arpa",
            "a page of prose\n",
            r"a.arpa: not an ARPA file: .*; write one by 'ziggurat export'",
        ),
        ("a.arpa", ARPA.replace("one", "One"), r"a.arpa: the dictionary has none of its words; .* small letters"),
        ("a.arpa", ARPA.replace("ngram 2=1\n", ""), r"a.arpa: its order is 1, and the recogniser needs 2 or more"),
        ("broken.arpa", ARPA, r"broken.arpa: the recogniser can't read it; write it by 'ziggurat export'"),
    ],
)
def test_models_that_nothing_is_heard_with(name: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        Recogniser(arpa=tmp_path / name)
    with pytest.raises(InputError, match=r"none.arpa: can't be read"):
        Recogniser(arpa=tmp_path / "none.arpa")


def test_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(MissingExtraError, match=r"speech recognition .* 'ziggurat\[speech\]'"):
        Recogniser()


# -- pocketsphinx -----------------------------------------------------------------------------------------------------


def test_pocketsphinx_hears_nothing_in_no_samples(tmp_path: Path) -> None:
    pytest.importorskip("pocketsphinx", reason="the extra 'speech' is not installed")
    assert Recogniser().hypotheses(record(tmp_path / "a.wav", [])) == []


def test_pocketsphinx_hears_austen_alike_in_any_order(tmp_path: Path) -> None:
    pytest.importorskip("pocketsphinx", reason="the extra 'speech' is not installed")
    pytest.importorskip("jiwer", reason="the extra 'speech' is not installed")
    if not AUSTEN.is_dir():
        pytest.skip(f"no recordings at {AUSTEN}")
    recogniser = Recogniser()
    paths = [next(AUSTEN.glob(f"*-{number}.wav")) for number in ("0930", "0880")]
    lists = [recogniser.hypotheses(path, most=17) for path in paths]
    assert recogniser.hypotheses(paths[0], most=17) == lists[0]
    assert [len({one.text for one in one_list}) for one_list in lists] == [17, 17]
    assert all(one.acoustic < 0 and one.first < 0 for one_list in lists for one in one_list)
    lattice = recogniser.lattice(paths[0])
    assert lattice is not None
    best = lattice.sentences(1)[0]
    assert best.acoustic >= max(one.acoustic for one in lists[0])
    said = read_transcripts(AUSTEN / "transcription", [path.stem for path in paths])
    errors = [error_counts(one, heard[0].text) for one, heard in zip(said, lists, strict=True)]
    assert error_rate(errors, seed=0).value < 0.4


@pytest.mark.slow
def test_pocketsphinx_hears_with_our_words(tmp_path: Path) -> None:
    pytest.importorskip("pocketsphinx", reason="the extra 'speech' is not installed")
    if not AUSTEN.is_dir():
        pytest.skip(f"no recordings at {AUSTEN}")
    said = "he might even have been made amiable himself"
    words = "".join(f"-1.5\t{word}\t0\n" for word in sorted({*said.split(), "zzzq"}))
    path = tmp_path / "words.arpa"
    counts = f"\\data\\\nngram 1={len(words.splitlines()) + 3}\nngram 2=1\n\n"
    head = f"{counts}\\1-grams:\n-3\t<unk>\n-99\t<s>\t0\n-1.5\t</s>\n"
    path.write_text(f"{head}{words}\n\\2-grams:\n-1.5\t<s> he\n\n\\end\\\n", encoding="utf-8")
    recogniser = Recogniser(arpa=path)
    assert recogniser.unknown_words == ("zzzq",)
    recording = next(AUSTEN.glob("*-0930.wav"))
    found = recogniser.hypotheses(recording, most=7)
    assert found[0].text == said
    assert found[0].first == pytest.approx(-1.5 * 9 * 2.302585, abs=0.01)
    assert all(set(one.text.split()) <= set(said.split()) for one in found)
    with wave.open(str(recording)) as file:
        assert file.getframerate() == 16_000
