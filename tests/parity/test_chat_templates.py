"""Chat templates are filled, and their texts become ids, as transformers does both."""

from typing import Any

import pytest

from tests.fakes.chat_templates import QWEN, TEMPLATES, speaking_tokenizer
from ziggurat.core.errors import InputError
from ziggurat.tokens.fast import FastTokenizer
from ziggurat.use.chat_template import ChatTemplate

transformers = pytest.importorskip("transformers")

USER = {"role": "user", "content": "the tower climbs at dawn"}
ASSISTANT = {"role": "assistant", "content": "  a white stone. 塔楼\n"}
SYSTEM = {"role": "system", "content": " Be brief; 简短。 "}
CONVERSATIONS: dict[str, list[dict[str, Any]]] = {
    "one turn": [USER],
    "a system": [SYSTEM, USER],
    "two turns": [USER, ASSISTANT, {"role": "user", "content": "\n and then? {{ bos_token }} {% if %}"}],
    "all": [SYSTEM, USER, ASSISTANT, USER],
    "thoughts": [USER, {"role": "assistant", "content": "<think>\nhm\n</think>\n\nyes"}, USER],
    "empty": [{"role": "user", "content": ""}],
}


def theirs(tokenizer: FastTokenizer, source: str) -> Any:
    from tokenizers import Tokenizer as Core

    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=Core.from_str(tokenizer.to_json()),
        bos_token="<s>",  # noqa: S106 - no password
        eos_token="</s>",  # noqa: S106
        chat_template=source,
    )


@pytest.mark.parametrize("answer", [True, False])
@pytest.mark.parametrize("conversation", CONVERSATIONS)
@pytest.mark.parametrize("name", TEMPLATES)
def test_text_and_ids_are_equal(name: str, conversation: str, answer: bool) -> None:
    messages, tokenizer = CONVERSATIONS[conversation], speaking_tokenizer()
    ours, other = ChatTemplate(TEMPLATES[name], tokenizer), theirs(tokenizer, TEMPLATES[name])
    text = other.apply_chat_template(messages, tokenize=False, add_generation_prompt=answer)
    assert ours.render(messages, answer=answer) == text
    ids = other.apply_chat_template(messages, add_generation_prompt=answer, return_dict=False)
    assert ours.ids(messages, answer=answer).tolist() == ids


@pytest.mark.parametrize("name", TEMPLATES)
def test_ids_are_equal_where_a_texts_first_word_gets_a_space(name: str) -> None:
    tokenizer = speaking_tokenizer(first_word_has_a_space=True)
    other = theirs(tokenizer, TEMPLATES[name])
    for messages in CONVERSATIONS.values():
        ids = other.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
        assert ChatTemplate(TEMPLATES[name], tokenizer).ids(messages).tolist() == ids


def test_further_variables_and_tools_are_equal() -> None:
    tokenizer = speaking_tokenizer()
    ours, other = ChatTemplate(QWEN, tokenizer), theirs(tokenizer, QWEN)
    tools = [{"type": "function", "function": {"name": "climb", "parameters": {"steps": "<塔> & 'ü'"}}}]
    for variables in ({"tools": tools}, {"enable_thinking": False}, {"tools": tools, "enable_thinking": True}):
        expected = other.apply_chat_template([USER], tokenize=False, add_generation_prompt=True, **variables)
        assert ours.render([USER], **variables) == expected
        ids = other.apply_chat_template([USER], add_generation_prompt=True, return_dict=False, **variables)
        assert ours.ids([USER], **variables).tolist() == ids


def test_both_refuse_what_the_template_refuses() -> None:
    import jinja2

    tokenizer, messages = speaking_tokenizer(), [USER, USER]
    with pytest.raises(jinja2.TemplateError, match="roles must alternate"):
        theirs(tokenizer, TEMPLATES["mistral"]).apply_chat_template(messages, tokenize=False)
    with pytest.raises(InputError, match="roles must alternate"):
        ChatTemplate(TEMPLATES["mistral"], tokenizer).render(messages)


def test_marked_text_is_what_the_library_makes_of_it() -> None:
    from tokenizers import Tokenizer as Core

    for tokenizer in (speaking_tokenizer(), speaking_tokenizer(first_word_has_a_space=True)):
        library = Core.from_str(tokenizer.to_json())
        for text in (
            "<s>the tower</s>",
            "the tower<s> climbs </s>the<s>",
            "<s><s>",
            "",
            " <s> a <|im_end|>\n塔楼",
            "no special token at all",
            "<|im_end <|im_end|<|im_end|>|>",
        ):
            expected = library.encode(text, add_special_tokens=False).ids
            assert tokenizer.encode_marked(text).tolist() == expected, text


@pytest.mark.parametrize(("left", "right"), [(True, False), (False, True), (True, True)])
def test_special_tokens_that_swallow_spaces_do_so(left: bool, right: bool) -> None:
    from tokenizers import AddedToken
    from tokenizers import Tokenizer as Core

    core = Core.from_str(speaking_tokenizer().to_json())
    core.add_special_tokens([AddedToken("<mask>", lstrip=left, rstrip=right, normalized=False, special=True)])
    tokenizer = FastTokenizer.from_json(core.to_str(), {"bos": "<s>", "eos": "</s>"})
    library = Core.from_str(tokenizer.to_json())
    for text in ("the <mask> tower", "<mask>  x", "x  <mask>", " <mask> <mask> ", "the<s> <mask>tower"):
        assert tokenizer.encode_marked(text).tolist() == library.encode(text, add_special_tokens=False).ids, text
