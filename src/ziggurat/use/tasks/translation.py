"""Translate: write what follows from a source, sentence by sentence."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import ConditionalModel, Model, ReadsPairs, Tokenizer
from ziggurat.core.types import Example, Told
from ziggurat.text.options import TextConfig
from ziggurat.text.pairs import check_options, read_pairs, refuse_pairs
from ziggurat.text.parallel import PairSet
from ziggurat.text.tagged import one_source, read_lines
from ziggurat.use.asked import asked_text
from ziggurat.use.translation import TranslationConfig, translate_beam

__all__ = ["TASK", "Translation"]

SEARCH = TranslationConfig(beams=5, length_exponent=1.0)

_LOG = logging.getLogger("ziggurat")


class Translation:
    """Pairs of a text and its translation: Moses' two files, TSV, JSONL, TMX (`ziggurat.text.pairs`)."""

    name: ClassVar[str] = "translation"
    metrics: ClassVar[tuple[str, ...]] = ("bleu", "chrf")
    learns: ClassVar[type[Any]] = ReadsPairs
    recipes: ClassVar[tuple[str, ...]] = ("small-transformer", "article-transformer")
    baseline: ClassVar[str] = ""

    def read(self, names: Sequence[str], options: TextConfig | None = None, *, labelled: bool) -> Iterator[Example]:
        """Yield sources with their targets; where they need not be ``labelled``, each line as a source.

        Raises:
            InputError: a file can't be used; the message names file and line.
        """
        if labelled:
            for pair in read_pairs(names, options):
                yield Example(pair.id, pair.source, pair.target)
            return
        options = options or TextConfig()
        check_options(options)
        for name in names:
            source = one_source(name)
            refuse_pairs(source)
            for line in read_lines(source, options):
                yield Example(f"{source.label}:{line.number}", line.text.removeprefix("\ufeff").strip())

    def asked(self, value: Any, *, where: str) -> str:
        """Return a source.

        Raises:
            InputError: it is no text.
        """
        return asked_text(value, where=where)

    def examples(self, split: PairSet) -> Iterator[Example]:
        """Yield the examples of a split."""
        for pair in split:
            yield Example(pair.id, pair.source, pair.target)

    def decode(
        self, model: Model, tokenizer: Tokenizer, inputs: Sequence[Any], *, temperature: float = 1.0
    ) -> list[Told]:
        """Return the likeliest translation of each source, by beam search (`ziggurat.use.beam`).

        What is empty, or longer than the model's context, gets an empty one; of the latter it is said how many.

        Raises:
            UsageError: the model translates nothing.
        """
        del temperature  # the likeliest stays the likeliest
        if not isinstance(model, ConditionalModel):
            raise UsageError("this model translates nothing: train one with ziggurat task translation train")
        sources = [str(text).strip() for text in inputs]
        found = [Told("")] * len(sources)
        full = [place for place, source in enumerate(sources) if source]
        fit = [place for place in full if _fits(model, tokenizer, sources[place])]
        if len(fit) < len(full):
            _LOG.warning(
                "%d sources are longer than the model's context (%d tokens) and stay without a translation: cut them "
                "into sentences",
                len(full) - len(fit),
                model.context,
            )
        for place, (best,) in zip(
            fit, translate_beam(model, tokenizer, [sources[place] for place in fit], SEARCH), strict=True
        ):
            found[place] = Told(" ".join(best.text.strip().splitlines()))
        return found

    def tune(self, model: Model, tokenizer: Tokenizer, examples: Sequence[Example]) -> None:
        """Do nothing: how sure a model is of a translation says little of how good it is."""

    def shown(self, asked: Any, answer: Any) -> str:
        """Return the translation."""
        del asked
        return str(answer)

    def written(self, example: Example, told: Told) -> str:
        """Return the translation on a line."""
        del example
        return f"{told.answer}\n"


def _fits(model: ConditionalModel, tokenizer: Tokenizer, source: str) -> bool:
    return model.context is None or len(tokenizer.encode(source).ids) < model.context


TASK = Translation()
