"""Chat templates in the manner of well-known models, and a tokenizer that has all their special tokens."""

import functools
import json
from typing import Any

from tests.fakes.texts import documents
from ziggurat.tokens.fast import FastTokenizer
from ziggurat.tokens.loading import train_tokenizer

CHATML = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou help.<|im_end|>\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

LLAMA = """{{- bos_token }}
{%- set day = strftime_now("%d %b %Y") if strftime_now is defined else "1 Jan 2026" %}
{%- for message in messages %}
    {%- if message.role == 'system' %}
        {{- '<|start_header_id|>system<|end_header_id|>\\n\\nToday: ' + day[3:3] + '\\n' + message['content'] | trim }}
        {{- '<|eot_id|>' }}
    {%- else %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim }}
        {{- '<|eot_id|>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

QWEN = """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- for tool in tools %}
        {{- tool | tojson }}
        {{- "\\n" }}
    {%- endfor %}
    {{- '<|im_end|>\\n' }}
{%- elif messages[0].role != 'system' %}
    {{- '<|im_start|>system\\nYou are a tower.<|im_end|>\\n' }}
{%- endif %}
{%- set ns = namespace(last=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- if message.role == "user" and message.content is string %}
        {%- set ns.last = (messages|length - 1) - loop.index0 %}
        {%- break %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- if message.role == "assistant" and '</think>' in content %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {{- '<|im_start|>' + message.role + '\\n' }}
    {%- if message.role == "assistant" %}
        {%- generation %}
            {{- content + '<|im_end|>\\n' }}
        {%- endgeneration %}
    {%- else %}
        {{- content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}
"""

MISTRAL = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('roles must alternate user/assistant/user/assistant/...') }}
    {%- endif %}
    {%- if message['role'] == 'user' %}
        {%- if loop.first and system_message is defined %}
            {{- ' [INST] ' + system_message + '\\n\\n' + message['content'] + ' [/INST]' }}
        {%- else %}
            {{- ' [INST] ' + message['content'] + ' [/INST]' }}
        {%- endif %}
    {%- else %}
        {{- ' ' + message['content'] + eos_token }}
    {%- endif %}
{%- endfor %}
"""

TEMPLATES = {"chatml": CHATML, "llama": LLAMA, "qwen": QWEN, "mistral": MISTRAL}

SPECIAL = (
    "<|im_start|>", "<|im_end|>", "<s>", "</s>", "[INST]", "[/INST]",
    "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
)  # fmt: skip


@functools.cache
def speaking_tokenizer(*, first_word_has_a_space: bool = False) -> FastTokenizer:
    """Return a tokenizer of English and Chinese with special tokens of all templates: <s> begins, </s> ends."""
    from tokenizers import AddedToken

    texts = [*documents(7), *documents(7, chinese=True)]
    plain: Any = train_tokenizer(texts, "characters" if first_word_has_a_space else "bpe")
    raw = json.loads(plain.to_json())
    if first_word_has_a_space:
        raw["normalizer"] = None
        raw["pre_tokenizer"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}
        raw["decoder"] = dict(raw["pre_tokenizer"])
    tokenizer = FastTokenizer.from_json(json.dumps(raw))
    tokenizer.core.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in SPECIAL])
    return FastTokenizer.from_json(tokenizer.core.to_str(), {"bos": "<s>", "eos": "</s>"})
