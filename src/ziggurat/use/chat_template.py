"""Conversations as one text: the Jinja template that comes with a tokenizer, filled as transformers fills it.

*Idea.* What a chat model was trained on is a text with special tokens between the turns; its template says which. A
template is somebody else's program: it runs in a sandbox and can neither change what it is given nor reach out.

*No injection.* Words of a message that look like a special token stay words. Before a template is filled, a guard (a
character that stands in no message) is put before each such place, and `FastTokenizer.encode_marked` leaves guarded
places alone.
"""

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ziggurat.core.errors import ArtefactError, InputError, UsageError
from ziggurat.core.protocols import Tokenizer
from ziggurat.core.types import IdArray
from ziggurat.tokens.fast import FastTokenizer

__all__ = ["ChatTemplate", "Message"]

Message = Mapping[str, Any]
"""``{"role": "user", "content": "…"}``; a template may know more keys."""

GUARDS = tuple(chr(code) for code in range(0xFDD0, 0xFDF0))
"""Noncharacters of Unicode: they stand for nothing, so no text needs them."""

MOST_REPEATED = 1 << 20
"""Characters or items that a template may make by repeating something."""

MOST_RAISED = 1 << 10
"""The largest base or exponent of a template's powers."""

OVERREACHES = {RecursionError: "is nested too deeply", MemoryError: "asks for more memory than there is"}
"""What is said of a template that is no honest one, by what it ends with."""


class ChatTemplate:
    """A template with the tokenizer that it belongs to."""

    def __init__(self, source: str, tokenizer: Tokenizer) -> None:
        """Read a template.

        Raises:
            UsageError: there is none, or the tokenizer is of a kind that has no special tokens.
            ArtefactError: it is no Jinja template; the message names the line.
        """
        if not source.strip():
            raise UsageError(
                "this model has no chat template, so nobody has taught it to converse: let it go on from a text, or "
                "open one with a chat template"
            )
        if not isinstance(tokenizer, FastTokenizer):
            raise UsageError(f"a {tokenizer.kind} tokenizer has no special tokens to mark turns with")
        self.source, self.tokenizer = source, tokenizer
        self._template = _compiled(source)

    def render(self, messages: Sequence[Message], *, answer: bool = True, **variables: Any) -> str:
        """Return a conversation as one text; where ``answer``, it ends with the beginning of the assistant's turn.

        ``variables`` are further names that the template may ask for, for example ``tools`` or ``enable_thinking``.

        Raises:
            InputError: the template refuses the conversation; the message is the template's.
            ArtefactError: the template does what it may not, or fails.
        """
        from jinja2 import TemplateError
        from jinja2.exceptions import SecurityError, UndefinedError

        roles = {f"{role}_token": token for role, token in self.tokenizer.role_tokens.items()}
        given = {"messages": list(messages), "tools": None, "documents": None, "add_generation_prompt": answer}
        try:
            return str(self._template.render(**roles, **given | variables))
        except (SecurityError, UndefinedError) as error:
            raise ArtefactError(f"the chat template fails on this conversation: {error}") from error
        except TemplateError as error:
            raise InputError(f"the chat template refuses this conversation: {error}") from error
        except (RecursionError, MemoryError) as error:
            raise ArtefactError(f"the chat template {OVERREACHES[type(error)]}") from error
        except (TypeError, ValueError, LookupError, ArithmeticError) as error:
            raise ArtefactError(f"the chat template fails on this conversation: {error}") from error

    def ids(self, messages: Sequence[Message], *, answer: bool = True, **variables: Any) -> IdArray:
        """Return the ids of a conversation: the template's special tokens as such, everything in messages as text.

        The template says itself whether there is a begin token. Errors as in `render`.
        """
        guard = self._guard([messages, variables])
        guarded = [self._guarded(message, guard) for message in messages]
        text = self.render(guarded, answer=answer, **self._guarded(variables, guard))
        ids = self.tokenizer.encode_marked(text, guard=guard)
        if not len(ids):
            raise ArtefactError("the chat template writes nothing for this conversation")
        return ids

    @functools.cached_property
    def ends(self) -> frozenset[int]:
        """The ids that end a turn: the end of text, and the special token that the template puts behind an answer."""
        ends = {self.tokenizer.vocabulary.eos}
        sentinel = "ziggurat"
        turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": sentinel}]
        try:
            text = self.render(turns, answer=False)
        except (InputError, ArtefactError):
            return frozenset(ends)
        behind = text.rpartition(sentinel)[2].lstrip()
        match = self.tokenizer.marks().match(behind)
        return frozenset(ends | {self.tokenizer.special_tokens[match[0]]} if match else ends)

    def _guard(self, given: Any) -> str:
        used = set(self.source).union(*_strings(given))
        guard = next((character for character in GUARDS if character not in used), None)
        if guard is None:
            raise InputError("the messages hold every noncharacter from U+FDD0 to U+FDEF: remove one of them")
        return guard

    def _guarded(self, value: Any, guard: str) -> Any:
        """Return ``value`` with ``guard`` before everything in its strings that is, or may become, a special token."""
        if isinstance(value, str):
            return self._guarded_text(value, guard)
        if isinstance(value, Mapping):
            return {self._guarded(key, guard): self._guarded(item, guard) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._guarded(item, guard) for item in value]
        return value

    def _guarded_text(self, text: str, guard: str) -> str:
        places = {place for token in self.tokenizer.special_tokens for place in _places(token, text)}
        # A template may cut spaces off an end and write on behind it: what only begins like a special token counts too.
        # Tokens that begin with a letter are left out, or a guard would stand in the roles that templates ask for.
        bare = text.rstrip()
        for token in self.tokenizer.special_tokens:
            if token[0].isalnum():
                continue
            longest = min(len(token) - 1, len(bare))
            places |= {len(bare) - size for size in range(1, longest + 1) if bare.endswith(token[:size])}
        pieces, start = [], 0
        for place in sorted(places):
            pieces += [text[start:place], guard]
            start = place
        return "".join([*pieces, text[start:]])


def _places(token: str, text: str) -> Iterator[int]:
    place = text.find(token)
    while place >= 0:
        yield place
        place = text.find(token, place + 1)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _strings(key)
            yield from _strings(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _strings(item)


def _compiled(source: str) -> Any:
    """Return the template, in the environment that templates of transformers are written for."""
    from jinja2 import TemplateSyntaxError
    from jinja2.ext import loopcontrols

    environment = _sandbox()(trim_blocks=True, lstrip_blocks=True, extensions=[_generation_blocks(), loopcontrols])
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)  # noqa: DTZ005 - the user's own day
    try:
        return environment.from_string(source)
    except TemplateSyntaxError as error:
        raise ArtefactError(f"chat template, line {error.lineno}: {error.message}") from error
    except (RecursionError, MemoryError) as error:
        raise ArtefactError(f"the chat template {OVERREACHES[type(error)]}") from error


def _sandbox() -> Any:
    """Return a class of environments in which nothing reaches out, is changed, or grows beyond all measure at once."""
    from jinja2.exceptions import SecurityError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Sandbox(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset({"*", "**"})

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            sized = {type(value): value for value in (left, right) if isinstance(value, (str, list, tuple))}
            times = next((value for value in (left, right) if isinstance(value, int)), 1)
            if operator == "*" and any(len(value) * times > MOST_REPEATED for value in sized.values()):
                raise SecurityError(f"it repeats something {times} times")
            if operator == "**" and max(abs(left), abs(right)) > MOST_RAISED:
                raise SecurityError(f"it raises {left} to the power of {right}")
            return super().call_binop(context, operator, left, right)

    return Sandbox


def _generation_blocks() -> Any:
    """Return an extension for ``{% generation %}``, which marks what a model is trained on and writes it as it is."""
    from jinja2 import nodes
    from jinja2.ext import Extension

    class GenerationBlocks(Extension):
        tags = {"generation"}  # noqa: RUF012 - declared so by the base class

        def parse(self, parser: Any) -> Any:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.Scope(body, lineno=line)

    return GenerationBlocks


def _to_json(value: Any, ensure_ascii: bool = False, **options: Any) -> str:
    """Write JSON without escaping anything for HTML, as Jinja's own filter would."""
    return json.dumps(value, ensure_ascii=ensure_ascii, **options)


def _refuse(message: str) -> None:
    from jinja2 import TemplateError

    raise TemplateError(message)
