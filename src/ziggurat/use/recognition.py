"""English speech to text by pocketsphinx: the likeliest things that were said in a recording, with their scores.

*Idea.* The recogniser comes with an acoustic model, a dictionary of 134,000 words and a trigram model; a model of ours
in an ARPA file can stand in the trigram model's place. It gives its best hypotheses by name, and its lattice tells how
well each fits the sound alone, so that any language model can weigh in afterwards (`ziggurat.use.rescoring`).
"""

import re
import shlex
import tempfile
import wave
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from ziggurat.core.errors import InputError, MissingExtraError
from ziggurat.use.lattice import Lattice, read_lattice
from ziggurat.use.rescoring import Hypothesis

__all__ = ["RATE", "Recogniser", "read_wav"]

RATE = 16_000
"""Samples a second that the acoustic model expects."""

_VARIANT = re.compile(r"\(\d+\)")
_MOST_WAYS = 100  # looked at for each hypothesis that is wanted: most differ only in silences
_OUR_MODEL = "given"
_NO_WORDS = {"<s>", "</s>", "<unk>", "<UNK>"}


class Recogniser:
    """A pocketsphinx decoder that starts anew with each recording, so that their order changes nothing."""

    def __init__(self, *, arpa: Path | None = None) -> None:
        """Load the recogniser; with ``arpa`` its language model is the one in that file.

        Raises:
            MissingExtraError: the package ``pocketsphinx`` is not installed.
            InputError: the file is no ARPA file, or none of its words can be heard.
        """
        try:
            import pocketsphinx
        except ImportError as error:
            raise MissingExtraError("speech recognition", "speech") from error
        words = _arpa_words(arpa) if arpa is not None else []
        self._decoder: Any = pocketsphinx.Decoder(samprate=RATE, loglevel="FATAL")
        self.unknown_words: tuple[str, ...] = tuple(w for w in words if not self.pronounces(w))
        """Words of the ARPA file that the dictionary can't pronounce: they are never heard."""
        if arpa is not None:
            self._load(arpa, heard=len(words) - len(self.unknown_words))
        self._model: Any = self._decoder.get_lm()

    def hypotheses(self, path: Path, *, most: int = 50) -> list[Hypothesis]:
        """Return up to ``most`` different hypotheses of a recording, in the recogniser's own order.

        None where nothing is heard. Their acoustic scores are those of their best ways through the lattice.

        Raises:
            InputError: the file is not what `read_wav` takes.
        """
        return self.heard(path, most=most)[0]

    def lattice(self, path: Path) -> Lattice | None:
        """Return all that the recogniser still thought possible; None where nothing is heard.

        Raises:
            InputError: the file is not what `read_wav` takes.
        """
        samples = read_wav(path)
        return self._decoded(samples) if samples else None

    def heard(self, path: Path, *, most: int = 50) -> tuple[list[Hypothesis], Lattice | None]:
        """Return `hypotheses` and `lattice` of one hearing.

        Raises:
            InputError: the file is not what `read_wav` takes.
        """
        lattice = self.lattice(path)
        if lattice is None:
            return [], None
        found: dict[str, Hypothesis] = {}
        for text in islice(self._texts(), most * _MOST_WAYS):
            words = text.split()
            acoustic = None if text in found else lattice.acoustic_of(words)
            if acoustic is not None:
                found[text] = Hypothesis(text, acoustic, self.logprob(words))
            if len(found) == most:
                break
        return list(found.values()), lattice

    def logprob(self, words: Sequence[str]) -> float:
        """Return log p(words, end) by the language model that the recogniser hears with, in nats."""
        order = self._model.size()
        said = ["<s>", *words, "</s>"]
        logarithms = (
            self._model.prob(said[max(0, end - order) : end][::-1])  # the word, then what stands before it, backwards
            for end in range(2, len(said) + 1)
        )
        return sum((float(self._decoder.logmath.log_to_ln(one)) for one in logarithms), 0.0)

    def pronounces(self, word: str) -> bool:
        """Return whether the dictionary knows how a word sounds; others are never heard."""
        return self._decoder.lookup_word(word) is not None

    def _load(self, arpa: Path, *, heard: int) -> None:
        if not heard:
            raise InputError(
                f"{arpa}: the dictionary has none of its words; it knows English words in small letters, so train a "
                "model of such (tokens.kind words, tokens.lowercase true)"
            )
        try:
            self._decoder.add_lm_file(_OUR_MODEL, str(arpa))
        except RuntimeError as error:
            raise InputError(f"{arpa}: the recogniser can't read it; write it by 'ziggurat export'") from error
        self._decoder.activate_search(_OUR_MODEL)

    def _decoded(self, samples: bytes) -> Lattice | None:
        decoder = self._decoder
        decoder.reinit_feat()  # forgets loudness and noise of the recording before
        decoder.start_utt()
        decoder.process_raw(samples, full_utt=True)
        decoder.end_utt()
        kept = decoder.get_lattice() if decoder.hyp() is not None else None
        if kept is None:
            return None
        with tempfile.TemporaryDirectory() as folder:
            kept.write(str(Path(folder, "lattice")))
            return read_lattice(Path(folder, "lattice"))

    def _texts(self) -> Iterator[str]:
        """Yield what was heard, the recogniser's choice first, many of them several times."""
        yield _VARIANT.sub("", self._decoder.hyp().hypstr)
        for one in self._decoder.nbest():
            if one is not None:
                yield _VARIANT.sub("", one.hypstr)


def read_wav(path: Path) -> bytes:
    """Return the samples of a recording: WAV, 16,000 samples a second, one channel, 16 bits.

    Raises:
        InputError: it can't be read or is something else; the message says how to convert it.
    """
    remedy = f"convert it: ffmpeg -i {shlex.quote(str(path))} -ar {RATE} -ac 1 -c:a pcm_s16le NEW.wav"
    try:
        with path.open("rb") as file, wave.open(file) as recording:
            found = recording.getframerate(), recording.getnchannels(), 8 * recording.getsampwidth()
            announced = recording.getnframes()
            samples = recording.readframes(announced) if found == (RATE, 1, 16) else b""
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror})") from error
    except (wave.Error, EOFError) as error:
        raise InputError(f"{path}: no WAV file of plain samples ({str(error) or 'it ends early'}); {remedy}") from error
    if found != (RATE, 1, 16):
        said = f"{found[0]} samples a second, {found[1]} channel{'s' * (found[1] != 1)}, {found[2]} bits"
        raise InputError(f"{path}: {said}; the recogniser takes {RATE}, 1 channel, 16 bits: {remedy}")
    if len(samples) != 2 * announced:
        raise InputError(f"{path}: its header announces {announced} samples, {len(samples) // 2} are there; {remedy}")
    return samples


def _arpa_words(path: Path) -> list[str]:
    """Return the words of an ARPA file but for the ends and the unknown one.

    Raises:
        InputError: it is none, or one of single words, on which the recogniser would wait for ever.
    """
    words: list[str] = []
    orders = 0
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                orders += line.startswith("ngram ")
                if line.startswith("\\2-grams:"):
                    break
                if line.strip() and orders and line[0] not in "\\n":
                    words += line.split()[1:2]
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror})") from error
    if not words:
        raise InputError(f"{path}: not an ARPA file: no words after a line 'ngram 1='; write one by 'ziggurat export'")
    if orders == 1:
        raise InputError(f"{path}: its order is 1, and the recogniser needs 2 or more; train with --model.order 2")
    return [word for word in words if word not in _NO_WORDS]
