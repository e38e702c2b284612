"""How llama.cpp cuts text before merging bytes: what ``tokenizer.ggml.pre`` means, as pre-tokenizers of `tokenizers`.

*Idea.* A GGUF file does not hold the pattern by which text is cut, only a name that its readers know. A tokenizer with
any other pattern writes other ids than it learnt from, so names are given by comparing patterns, never by guessing.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ziggurat.tokens.bpe import QWEN2_PATTERN

__all__ = ["SPLITS", "Splitting", "pre_tokenizer", "splitting_name"]

_DIGIT = r"\p{N}"
_LLAMA3_PATTERN = QWEN2_PATTERN.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
_PUNCTUATION = r"[\p{P}\$\+<=>\^~\|]+"


@dataclass(frozen=True, slots=True)
class Splitting:
    """One way to cut: each pattern cuts what the one before left into what it finds and what stands between."""

    patterns: tuple[str, ...] = ()
    then_gpt2: bool = False
    """Whether GPT-2's pattern follows (Radford et al. 2019, as published with the model)."""
    after: tuple[str, ...] = ()
    """Patterns behind GPT-2's."""
    whole_words: bool = False
    """Whether a part that is a token is taken whole, whatever the merges."""
    begins: bool = False
    """Whether a text begins with ``bos`` where the file does not say."""


_GPT2 = Splitting(then_gpt2=True)
_DIGITS = Splitting((_DIGIT,), then_gpt2=True)
_QWEN2 = Splitting((QWEN2_PATTERN,))
_LLAMA3 = Splitting((_LLAMA3_PATTERN,), whole_words=True, begins=True)
_LLAMA3_MERGED = Splitting((_LLAMA3_PATTERN,))
_DEFAULT = Splitting((_PUNCTUATION,), then_gpt2=True, after=(r"\p{N}+", "[0-9][0-9][0-9]"))

SPLITS: Mapping[str, Splitting] = {
    **dict.fromkeys(("gpt-2", "phi-2", "mpt", "olmo", "jais", "gigachat", "exaone4", "trillion"), _GPT2),
    **dict.fromkeys(("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"), _DIGITS),
    **dict.fromkeys(("qwen2", "deepseek-r1-qwen", "stablelm2", "megrez", "hunyuan", "grok-2"), _QWEN2),
    **dict.fromkeys(("llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral", "lfm2"), _LLAMA3),
    **dict.fromkeys(("dbrx", "smaug-bpe", "glm4", "chatglm-bpe"), _LLAMA3_MERGED),
    "default": _DEFAULT,
}
"""Names that can be read; of several that mean the same the first is written."""


def pre_tokenizer(splitting: Splitting) -> Any:
    """Return the pre-tokenizer that cuts so and writes bytes as printable characters."""
    from tokenizers import Regex, pre_tokenizers

    def cuts(patterns: tuple[str, ...]) -> list[Any]:
        return [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in patterns]

    bytes_only = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    if not splitting.then_gpt2:
        return pre_tokenizers.Sequence([*cuts(splitting.patterns), bytes_only])
    if not splitting.patterns:
        return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    if not splitting.after:
        gpt2 = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
        return pre_tokenizers.Sequence([*cuts(splitting.patterns), gpt2])
    # bytes are written last: patterns would not know characters in them
    return pre_tokenizers.Sequence([*cuts((*splitting.patterns, _GPT2_PATTERN, *splitting.after)), bytes_only])


_GPT2_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def splitting_name(tokenizer: Mapping[str, Any]) -> str | None:
    """Return the name by which llama.cpp knows how a ``tokenizer.json`` cuts text; None where it has none."""
    asked = _essence(tokenizer.get("pre_tokenizer"))
    whole = bool(tokenizer["model"].get("ignore_merges"))
    return next((name for name, cut, words in _known() if cut == asked and words == whole), None)


@functools.cache
def _known() -> tuple[tuple[str, str, bool], ...]:
    from tokenizers import Tokenizer, models

    found = []
    for name, splitting in SPLITS.items():
        core = Tokenizer(models.BPE())
        core.pre_tokenizer = pre_tokenizer(splitting)
        found.append((name, _essence(json.loads(core.to_str())["pre_tokenizer"]), splitting.whole_words))
    return tuple(found)


def _essence(part: Mapping[str, Any] | None) -> str:
    """Return what decides how text is cut, so that what is written otherwise and means the same is equal."""
    if part is None:
        return ""
    if part["type"] == "Sequence":
        return "".join(_essence(inner) for inner in part["pretokenizers"])
    if part["type"] == "Digits" and part["individual_digits"]:
        return _essence({"type": "Split", "pattern": {"Regex": _DIGIT}, "behavior": "Isolated", "invert": False})
    kept = {key: value for key, value in part.items() if key != "trim_offsets"}
    return json.dumps(kept, sort_keys=True, ensure_ascii=False)
