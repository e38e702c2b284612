"""Label the words of sentences: what taggers are trained by."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.protocols import TokenStream
from ziggurat.core.schemes import Scheme, misfit, said_misfit
from ziggurat.core.seeding import generator
from ziggurat.core.types import IdArray, WordBatch
from ziggurat.models.blocks.network import NetworkState, reading
from ziggurat.models.blocks.tagging import NeuralTagger, TaggingNetwork, of_rows, word_tensors
from ziggurat.tokens.batches import LengthBatches, padded
from ziggurat.training.held_out import spread_order
from ziggurat.training.job import Job, Words
from ziggurat.training.objectives.objective import Loss, sent
from ziggurat.training.objectives.refined import SHARPNESS, RefinedLoss

__all__ = ["TaggedSentences", "sentence_batch"]

_LOG = logging.getLogger("ziggurat")

REMEDY = "mend the labels, or set model.scheme to none to learn them as they stand"


class TaggedSentences:
    """Batches of sentences of like length; the labels of each are told as a whole.

    *Maths.* 1/N Σ −log p(y | x) over the sentences of a batch, whose words are N (Lample et al. 2016, section 2.2, who
    sum it); so it is nats a word, and a long sentence weighs more than a short one. On held-out sentences it is refined
    (`ziggurat.training.objectives.refined`).

    *Idea.* The words of a test are often unknown, those of the training text never; so some are hidden, and rare ones
    sooner: a word seen n times is read as unknown with probability a / (n + a) (Kiperwasser & Goldberg 2016). Which are
    hidden is a function of the seed and of the batch's number, and the same in all readings of a document.
    """

    def __init__(self, job: Job, model: object, *, tokens: int, unknown: float) -> None:
        """Lay the job's sentences out in batches of ``tokens`` words for ``model``; ``unknown`` is a.

        Sentences whose labels may not stand so by the model's scheme, or are unknown to it, are left out.

        Raises:
            UsageError: the model labels no words, or the job has no labels of words or other ones.
            TooLittleTextError: no sentence is left.
        """
        if not isinstance(model, NeuralTagger) or job.tags is None:
            raise UsageError(f"a {job.family.name} model can't be fitted to words with labels")
        if model.labels != job.tags.names:
            raise UsageError("model.labels: not the labels of the training text, in their order; leave it out")
        self.model = model
        self.network = model.network
        self.job, self.words, self.unknown = job, job.tags.train, unknown
        self.kept = _kept(job.train, self.words, self.network)
        self._tell_left_out(job.tags.names)
        lengths = np.diff(self.words.starts)[self.kept]
        # readings of one document stay together, and each batch has about as many readings as there would be alone
        self._edges = np.append(np.flatnonzero(np.diff(self._documents(self.kept), prepend=-1)), len(self.kept))
        share = (len(self._edges) - 1) / len(self.kept)
        begins = lengths[self._edges[:-1]]
        self.batches = LengthBatches(begins, tokens=max(1, round(tokens * share)), seed=job.seed, name="tagged")
        self.tokens_per_batch = max(1, round(int(lengths.sum()) / self.batches.per_epoch))
        self.steps_per_epoch = float(self.batches.per_epoch)
        self.carried: NetworkState | None = None
        self._hides = _hides(job.train, unknown)
        self._dev: npt.NDArray[np.int64] | None = None

    def _tell_left_out(self, names: Sequence[str]) -> None:
        """Warn of sentences that are left out, by the place of the first.

        Raises:
            TooLittleTextError: all are.
        """
        count = len(self.words.starts) - 1
        left_out = np.setdiff1d(np.arange(count), self.kept)
        if not len(left_out):
            return
        first = _fault(self.words, int(left_out[0]), names, self.network.config.resolved_scheme)
        if len(left_out) == count:
            raise TooLittleTextError(f"{first}; none of {count} sentences can be learnt from: {REMEDY}")
        _LOG.warning(
            "%s; %d of %d sentences have such faults and are left out: %s", first, len(left_out), count, REMEDY
        )

    def loss(self, number: int) -> Loss:
        """Return the mean nats per word of batch ``number``, and how many words these are.

        Of several processes each reads its share of the sentences.
        """
        batch, labels = self.batch(number)
        own = self.job.share.of(len(labels))
        # a share without a sentence reads one that counts nothing, so that all processes do the same
        counts = own.start < own.stop
        rows = np.arange(len(labels))[own if counts else slice(0, 1)]
        batch = of_rows(batch, rows)
        words = int(batch.words.sum())
        (logprobs,) = self._logprobs(batch, labels[rows, : batch.firsts.shape[1]])
        mean = -logprobs.sum() / words
        return Loss(mean.float(), words if counts else 0)

    def batch(self, number: int) -> tuple[WordBatch, IdArray]:
        """Return batch ``number`` as the model reads it, some words hidden, and (B, W) the labels, 0 in padding."""
        documents = self.batches.batch(number)
        chosen = np.concatenate([self.kept[self._edges[one] : self._edges[one + 1]] for one in documents])
        batch, labels = sentence_batch(self.job.train, self.words, chosen)
        unknown = self.job.train.vocabulary.unk
        if self._hides is None or unknown is None:
            return batch, labels
        ids, place = batch.ids.copy(), np.arange(batch.ids.shape[1])
        _, first_rows, owners = np.unique(self._documents(chosen), return_index=True, return_inverse=True)
        drawn = generator(self.job.seed, "unknown", number).random(batch.firsts.shape)[first_rows[owners]]
        first = np.take_along_axis(batch.ids, batch.firsts, axis=1)
        hidden = (drawn < self._hides[first]) & (np.arange(drawn.shape[1]) < batch.words[:, None])
        # all ids of a hidden word are hidden: those from its first on to the next word's, which stand in its turn
        for row in range(len(ids)):
            turn = np.searchsorted(batch.firsts[row, : batch.words[row]], place, side="right") - 1
            inside = (turn >= 0) & (place < batch.lengths[row] - 1)
            ids[row, inside & hidden[row, turn]] = unknown
        return replace(batch, ids=ids), labels

    def _documents(self, sentences: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return which document each of some sentences is."""
        documents = self.words.documents
        return sentences if documents is None else documents[sentences].astype(np.int64)

    def dev_loss(self, limit_tokens: int) -> float | None:
        """Return the refined nats per word over about ``limit_tokens`` held-out words, of sentences from all over.

        None where there is no sentence whose labels the model knows.
        """
        tags, dev = self.job.tags, self.job.dev
        if dev is None or tags is None or tags.dev is None:
            return None
        if self._dev is None:
            found = _kept(dev, tags.dev, self.network)
            found = found[spread_order(len(found))]
            words = np.diff(tags.dev.starts)[found]
            self._dev = np.sort(found[np.cumsum(words) - words < limit_tokens])
        loss = RefinedLoss()
        with reading(self.network):
            for start in range(0, len(self._dev), 32):
                batch, labels = sentence_batch(dev, tags.dev, self._dev[start : start + 32])
                nats = [-float(logprobs.sum()) for logprobs in self._logprobs(batch, labels, SHARPNESS)]
                loss.add(nats, int(batch.words.sum()))
        return loss.mean

    def _logprobs(self, batch: WordBatch, labels: IdArray, sharpness: Sequence[float] = (1.0,)) -> list[torch.Tensor]:
        """Return (B,) log-probabilities of the labels of sentences, for each of some β."""
        device = self.network.device
        words = word_tensors(batch, device)
        emissions = self.network.emissions(words)
        told, crf = sent(labels, device), self.network.crf
        return [crf.log_likelihood(emissions, told, words.words, sharpness=beta) for beta in sharpness]


def sentence_batch(stream: TokenStream, words: Words, sentences: npt.NDArray[np.int64]) -> tuple[WordBatch, IdArray]:
    """Return some of a stream's sentences as a model reads them, and (B, W) their labels, 0 in padding."""
    rows = [slice(int(words.starts[one]), int(words.starts[one + 1])) for one in sentences]
    ids, lengths = padded([np.asarray(stream.document(words.document(int(one))), np.int32) for one in sentences])
    firsts, counts = padded([words.firsts[row] for row in rows])
    labels, _ = padded([words.labels[row] for row in rows])
    characters = np.zeros((*firsts.shape, words.characters.shape[1]), np.int32)
    for number, row in enumerate(rows):
        characters[number, : counts[number]] = words.characters[row]
    marks = None if words.marks is None else padded([words.marks[row] for row in rows])[0]
    batch = WordBatch(ids, lengths, firsts, counts, characters, marks)
    return of_rows(batch, np.arange(len(rows))), labels


def _kept(stream: TokenStream, words: Words, network: TaggingNetwork) -> npt.NDArray[np.int64]:
    """Return which sentences of a stream have words whose labels may stand as they stand."""
    follow, start, end = (
        mask.cpu().numpy() for mask in (network.crf.keep_mask, network.crf.start_keep_mask, network.crf.end_keep_mask)
    )
    documents = len(stream.starts) - 1
    edges = words.starts[: documents + 1] if words.documents is None else words.starts
    wrong = words.labels < 0
    before, after = words.labels[:-1], words.labels[1:]
    inside = np.ones(max(0, len(words.labels) - 1), np.bool_)  # whether a pair stands in one sentence
    borders = edges[(edges > 0) & (edges < len(words.labels))]
    inside[borders - 1] = False
    wrong[1:] |= inside & ~follow[before, after]
    some = np.flatnonzero(np.diff(edges) > 0)
    first, last = edges[some], edges[some + 1] - 1
    wrong[first] |= ~start[words.labels[first]]
    wrong[last] |= ~end[words.labels[last]]
    faults = np.concatenate([[0], np.cumsum(wrong)])
    return np.asarray(some[faults[last + 1] == faults[first]], np.int64)


def _fault(words: Words, sentence: int, names: Sequence[str], scheme: Scheme | None) -> str:
    """Return where a sentence that can't be learnt from stands, and what is wrong in it."""
    where = words.places[words.document(sentence)] if words.places else f"sentence {sentence + 1}"
    places = words.labels[words.starts[sentence] : words.starts[sentence + 1]].tolist()
    labels = [names[one] for one in places]
    wrong = None if scheme is None or not labels or min(places) < 0 else misfit(labels, scheme)
    if wrong is None or scheme is None:
        return f"{where}: no words, or labels that are not to be learnt"
    file, _, line = where.rpartition(":")
    if line.isdigit():  # a word a line
        where = f"{file}:{int(line) + min(wrong, len(labels) - 1)}"
    return f"{where}: {said_misfit(labels, wrong, scheme)}"


def _hides(stream: TokenStream, unknown: float) -> npt.NDArray[np.float64] | None:
    """Return (V,): how probably each id is hidden; None where none is, or nothing is known to hide it behind."""
    vocabulary = stream.vocabulary
    if vocabulary.unk is None or not unknown:
        return None
    counts = np.bincount(np.asarray(stream.tokens), minlength=vocabulary.size)
    return np.asarray(unknown / (counts + unknown))
