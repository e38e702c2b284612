"""Text that streams out of a byte-level model: whole characters only, nothing lost, the same whatever the bytes are."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fakes.scripted import reciting
from tests.fakes.tokenizers import TEXTS, trained
from ziggurat.core.protocols import Tokenizer
from ziggurat.core.types import Continuation
from ziggurat.use.completion import GenerationConfig, generate

few = settings(max_examples=60, deadline=None)
BYTE = st.integers(0, 255)
GARBAGE = b"\x80" * 15
TOWER = "塔".encode()

raw_bytes = st.lists(
    st.one_of(
        st.binary(max_size=5),
        st.sampled_from(["塔楼", "é", "👩‍👩‍👧", "tower ", "\ufffd"]).map(str.encode),
        st.integers(1, 40).map(lambda count: b"\x94" * count),
        st.integers(1, 20).map(lambda count: b"\xe5" * count),
        st.integers(1, 3).map(lambda count: "👍".encode()[:count]),
    ),
    max_size=7,
).map(b"".join)


def of_bytes(raw: bytes) -> list[int]:
    """Ids of the byte tokenizer: id 0 ends the text, byte b is 1 + b."""
    return [1 + byte for byte in raw]


def recite(tokenizer: Tokenizer, ids: list[int], **keys: object) -> tuple[Continuation, list[str]]:
    heard: list[str] = []
    config = GenerationConfig(max_tokens=len(ids) + 1, **keys)  # type: ignore[arg-type]
    (found,) = generate(
        reciting(tokenizer.vocabulary, ids), tokenizer, [""], config, on_text=lambda _, text: heard.append(text)
    )
    return found, heard


@few
@given(raw_bytes)
@example(GARBAGE + TOWER)
@example(b"\xe5" * 16 + TOWER)
@example(b"\xf0\x9f\x91" * 9 + "👍".encode())
def test_whatever_bytes_are_drawn_the_text_is_their_decoding(raw: bytes) -> None:
    found, heard = recite(trained("bytes"), of_bytes(raw))
    assert found.text == raw.decode("utf-8", errors="replace") == "".join(heard)
    assert found.ids == (*of_bytes(raw), 0)
    assert found.reason == "end"


@few
@given(raw_bytes)
def test_text_waits_only_for_what_may_still_become_a_character(raw: bytes) -> None:
    found, heard = recite(trained("bytes"), of_bytes(raw))
    shown = ""
    for piece in heard:
        assert piece
        shown += piece
        assert found.text.startswith(shown)  # what was shown is never taken back


@few
@given(TEXTS)
@pytest.mark.parametrize("kind", ["bytes", "bpe", "characters", "unigram"])
def test_a_text_that_is_recited_comes_out_as_it_went_in(kind: str, text: str) -> None:
    tokenizer = trained(kind)
    ids = tokenizer.encode(text).ids.tolist()
    found, heard = recite(tokenizer, ids)
    assert "".join(heard) == found.text == tokenizer.decode(ids)


@few
@given(st.text("塔楼ab。", max_size=19), st.lists(st.text("塔楼ab。", min_size=1, max_size=4), max_size=3))
@pytest.mark.parametrize("kind", ["bytes", "bpe"])
def test_stop_strings_are_found_whatever_the_tokens_are(kind: str, text: str, stops: list[str]) -> None:
    tokenizer = trained(kind)
    ids = tokenizer.encode(text).ids.tolist()
    found, heard = recite(tokenizer, ids, stop=tuple(stops))
    ends = [end for end in range(1, len(text) + 1) if any(text[:end].endswith(stop) for stop in stops)]
    if not ends:
        assert (found.text, found.reason) == (text, "end")
        return
    first = text[: ends[0]]
    assert found.text == first[: -max(len(stop) for stop in stops if first.endswith(stop))] == "".join(heard)
    assert found.reason == "stop"
    # it draws no further than to the token that completes the stop string
    assert tokenizer.decode(found.ids).startswith(first)
    assert not tokenizer.decode(found.ids[:-1]).startswith(first)


@few
@given(raw_bytes, st.integers(0, 60))
def test_a_limit_that_falls_inside_a_character_shows_that_it_does(raw: bytes, limit: int) -> None:
    tokenizer = trained("bytes")
    config = GenerationConfig(max_tokens=limit)
    (found,) = generate(reciting(tokenizer.vocabulary, of_bytes(raw)), tokenizer, [""], config)
    assert found.text == raw[:limit].decode("utf-8", errors="replace")
    assert found.reason == ("length" if limit <= len(raw) else "end")
    assert found.logprob == 0.0  # ln 1, every time


@few
@given(BYTE, BYTE, st.integers(1, 3))
def test_the_last_bytes_of_a_prompt_may_begin_a_character_that_the_model_ends(
    one: int, other: int, missing: int
) -> None:
    """A prompt is text, so it always ends between two characters: what follows never reaches back into it."""
    tokenizer = trained("bytes")
    prompt = "塔" * missing
    raw = bytes([one, other])
    model = reciting(tokenizer.vocabulary, of_bytes(raw), start=1 + 3 * missing)
    (found,) = generate(model, tokenizer, [prompt], GenerationConfig(max_tokens=9))
    assert prompt + found.text == (prompt.encode() + raw).decode("utf-8", errors="replace")


@few
@given(st.text("塔楼ab龘靐 。", max_size=19), st.text("塔ab龘é\u00a0", max_size=7))
@pytest.mark.parametrize("kind", ["bytes", "characters"])
def test_a_prompt_of_characters_that_the_tokenizer_never_saw_disturbs_nothing(
    kind: str, prompt: str, text: str
) -> None:
    """龘 and 靐 are in no training text: the tokenizer of characters falls back to their bytes, side by side."""
    tokenizer = trained(kind)
    prompted, ids = (tokenizer.encode(one).ids.tolist() for one in (prompt, text))
    model = reciting(tokenizer.vocabulary, ids, start=1 + len(prompted))
    (found,) = generate(model, tokenizer, [prompt], GenerationConfig(max_tokens=90))
    assert found.text == text
