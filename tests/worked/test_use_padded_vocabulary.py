"""A model with more ids than its tokenizer has tokens writes text all the same, and never an id that means nothing."""

import numpy as np

from tests.fakes.bundles import eleven_words
from tests.fakes.scripted import Scripted
from ziggurat.core.types import Vocabulary
from ziggurat.use.completion import GenerationConfig, generate

PADDED = Vocabulary(size=17, bos=0, eos=0)


def likes_the_unknown(prefix: tuple[int, ...]) -> list[float]:
    """Ids 11 to 16, which the tokenizer lacks, are a hundred times as likely as the others; the end never comes."""
    return [0.0, *[1.0] * 10, *[100.0] * 6]


def test_ids_that_the_tokenizer_lacks_are_never_drawn() -> None:
    tokenizer = eleven_words()
    for temperature in (0.0, 1.0, 2.0):
        config = GenerationConfig(max_tokens=23, samples=5, temperature=temperature)
        for one in generate(Scripted(PADDED, likes_the_unknown), tokenizer, ["one two"], config, seed=3):
            assert len(one.ids) == 23
            assert max(one.ids) < tokenizer.vocabulary.size


def test_what_is_reported_is_the_models_own_probability() -> None:
    # Ten ids of weight 1 and six of weight 100: an id of the tokenizer has 1 / (10 + 600).
    config = GenerationConfig(max_tokens=1)
    (one,) = generate(Scripted(PADDED, likes_the_unknown), eleven_words(), ["one"], config, seed=3)
    assert np.isclose(one.logprob, -np.log(610.0), atol=1e-5)


def test_a_vocabulary_with_holes_has_its_highest_id_and_one_more() -> None:
    import json

    from ziggurat.tokens.fast import FastTokenizer

    parts = json.loads(eleven_words().to_json())
    parts["model"]["vocab"] = {word: index * (2 if index > 1 else 1) for word, index in parts["model"]["vocab"].items()}
    tokenizer = FastTokenizer.from_json(json.dumps(parts))
    assert tokenizer.vocabulary.size == 21
    ids = eleven_words().encode("one nine").ids
    assert tokenizer.encode("one nine").ids.tolist() == (2 * ids).tolist()
    assert tokenizer.decode([*(2 * ids), 5, 7]) == "one nine"
    assert len(tokenizer.byte_lengths) == 21
