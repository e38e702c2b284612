"""Between tokenizers and plain lists of words, which is all that older formats know."""

from collections.abc import Sequence

from ziggurat.core.protocols import Tokenizer
from ziggurat.tokens.fast import END, UNKNOWN, FastTokenizer

__all__ = ["words_tokenizer"]


def words_tokenizer(words: Sequence[str]) -> Tokenizer:
    """Return a tokenizer of whole words, cut at white space; the first is the end of text, the second ``<unk>``."""
    from tokenizers import AddedToken, models, pre_tokenizers
    from tokenizers import Tokenizer as Core

    texts = [END, UNKNOWN, *words[2:]]
    core = Core(models.WordLevel({text: index for index, text in enumerate(texts)}, unk_token=UNKNOWN))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    core.add_special_tokens([AddedToken(END, special=True), AddedToken(UNKNOWN, special=True)])
    return FastTokenizer(core)
