"""Talking with a model turn by turn, within its context."""

from collections.abc import Callable
from typing import Any

from ziggurat.core.errors import InputError
from ziggurat.core.protocols import LanguageModel
from ziggurat.core.types import Continuation, IdArray
from ziggurat.use.chat_template import ChatTemplate
from ziggurat.use.completion import GenerationConfig, generate

__all__ = ["Conversation"]


class Conversation:
    """The turns so far, and the model that answers.

    *Idea.* Each answer is the continuation of the whole conversation, written by the model's chat template and ended by
    the token that ends a turn. Where a conversation outgrows the context, its oldest turns are forgotten, a question
    together with its answer; the system's words stay.
    """

    def __init__(self, model: LanguageModel, template: ChatTemplate, *, system: str = "", **variables: Any) -> None:
        """Begin a conversation; ``system`` tells the model how to behave, ``variables`` go to the template."""
        self._model, self._template = model, template
        self._first = [{"role": "system", "content": system}] if system else []
        self._variables = variables
        self.turns: list[dict[str, str]] = []
        """What was said and not forgotten, but for the system's words."""
        self.forgotten = 0
        """Questions with their answers that no longer fit."""

    def reset(self) -> None:
        """Forget everything but the system's words."""
        self.turns, self.forgotten = [], 0

    def answer(
        self,
        question: str,
        config: GenerationConfig,
        *,
        seed: int = 0,
        on_text: Callable[[str], None] | None = None,
    ) -> Continuation:
        """Return what the model answers to ``question``, both of which then belong to the conversation.

        ``config.max_tokens`` are kept free in the context for the answer, or half of it where that is less.

        Raises:
            InputError: the question alone does not fit, or the template refuses the conversation.
        """
        asked = {"role": "user", "content": question}
        ids = self._fitted(asked, config.max_tokens)
        (found,) = generate(
            self._model,
            self._template.tokenizer,
            [ids],
            config,
            seed=seed,
            on_text=None if on_text is None else lambda _, text: on_text(text),
            ends=self._template.ends,
        )
        self.turns += [asked, {"role": "assistant", "content": found.text}]
        return found

    def _fitted(self, asked: dict[str, str], answer_tokens: int) -> IdArray:
        context = self._model.context
        turns = list(self.turns)
        while True:
            ids = self._template.ids([*self._first, *turns, asked], **self._variables)
            room = None if context is None else context - min(answer_tokens, context // 2)
            if room is None or len(ids) <= room:
                break
            if not turns:
                raise InputError(
                    f"the question takes {len(ids)} tokens with what the template puts around it; the model reads "
                    f"{context} at once, and {context - room if context else 0} are kept for the answer: ask shorter"
                )
            turns = turns[2:]
        self.forgotten += (len(self.turns) - len(turns)) // 2
        self.turns = turns
        return ids
