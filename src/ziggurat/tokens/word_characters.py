"""Words as somebody cut them: where the ids of each begin, and the characters that it is written with.

*Idea.* What labels words must read them as they were cut, whatever the tokenizer makes of their text. So words are
joined to a text, the tokenizer reads that, and offsets say which ids belong to which word. Beside its ids a word has
its characters, since one that was never seen still shows in its spelling whether it may be a name (Ma & Hovy 2016).
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from ziggurat.core.protocols import Tokenizer
from ziggurat.core.spacing import joined
from ziggurat.core.types import Encoding, IdArray, WordBatch
from ziggurat.tokens.batches import padded
from ziggurat.tokens.fast import checked_text

__all__ = ["LONGEST", "character_ids", "first_places", "word_arrays", "word_batch"]

LONGEST = 24
"""Characters of a word that are looked at; a longer one, an address or a row of signs, shows its two ends."""


def character_ids(words: Sequence[str], longest: int = LONGEST) -> IdArray:
    """Return (W, K): the code points of each word plus one, 0 behind its last; K is the longest word's.

    Of a word of more than ``longest`` characters its first and last are there, in equal parts.

    >>> character_ids(["ab", "c"]).tolist()
    [[98, 99], [100, 0]]

    Raises:
        InputError: a word holds half of a surrogate pair.
    """
    shown = [_ends(checked_text(word), longest) for word in words]
    return padded([np.array([ord(character) + 1 for character in word], np.int32) for word in shown])[0]


def _ends(word: str, longest: int) -> str:
    last = longest // 2
    return word if len(word) <= longest else word[: longest - last] + word[len(word) - last :]


def first_places(encoding: Encoding, spans: IdArray) -> IdArray:
    """Return (W,): the place of each word's first id in ``[bos, t1, …, tn, eos]`` of the text that `joined` gave.

    A word that has no id, because the tokenizer leaves it out, has the place of the next one, or of ``eos``.
    """
    stops = np.maximum.accumulate(encoding.offsets[:, 1])
    return np.asarray(1 + np.searchsorted(stops, spans[:, 0], side="right"), np.int32)


def word_arrays(
    tokenizer: Tokenizer, sentences: Iterable[Sequence[str]]
) -> tuple[npt.NDArray[np.int64], IdArray, IdArray]:
    """Return where each sentence's words begin in what follows, each word's first place and its characters.

    They go with a token store whose documents are the texts that `joined` gives: what a trainer reads of words
    (`ziggurat.training.job.Words`).

    *Shapes.* starts (sentences + 1,), firsts (words,), characters (words, K).

    Raises:
        InputError: a word holds half of a surrogate pair.
    """
    counts, firsts, spelled = [0], [np.zeros(0, np.int32)], list[str]()
    for words in sentences:
        text, spans = joined(words)
        firsts.append(first_places(tokenizer.encode(text), spans))
        counts.append(len(words))
        spelled += words
    return np.cumsum(counts), np.concatenate(firsts), character_ids(spelled)


def word_batch(
    tokenizer: Tokenizer, sentences: Sequence[Sequence[str]], marks: Sequence[range] | None = None
) -> WordBatch:
    """Return sentences, each as words, as a model reads them; ``marks`` are the words that each one's labels are about.

    Raises:
        InputError: a word holds half of a surrogate pair.
    """
    vocabulary = tokenizer.vocabulary
    ids, firsts = [], []
    for words in sentences:
        text, spans = joined(words)
        encoding = tokenizer.encode(text)
        ids.append(np.concatenate([[vocabulary.bos], encoding.ids, [vocabulary.eos]]).astype(np.int32))
        firsts.append(first_places(encoding, spans))
    rows, lengths = padded(ids)
    places, counts = padded(firsts)
    spelled = character_ids([word for words in sentences for word in words])
    characters = np.zeros((*places.shape, spelled.shape[1]), np.int32)
    characters[np.arange(places.shape[1]) < counts[:, None]] = spelled
    if marks is None:
        return WordBatch(rows, lengths, places, counts, characters)
    marked = np.zeros(places.shape, np.int32)
    for number, words_asked in enumerate(marks):
        marked[number, words_asked.start : words_asked.stop] = 1
    return WordBatch(rows, lengths, places, counts, characters, marked)
