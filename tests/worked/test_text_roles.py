"""Semantic roles by hand: what is read from each form, what is refused, what is written."""

import gzip
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.tagging import written
from ziggurat.core.errors import InputError
from ziggurat.text.options import TextConfig
from ziggurat.text.roles import Argument, Predicate, RoleSentence, read_roles, write_roles

# "She dropped by and gave him two books": to drop by is one predicate of two tokens
ENGLISH: dict[str, Any] = {
    "id": "visit#0",
    "tokens": ["She", "dropped", "by", "and", "gave", "him", "two", "books"],
    "pos": ["PRP", "VBD", "RP", "CC", "VBD", "PRP", "CD", "NNS"],
    "predicates": [
        {"predicate": 1, "sense": "drop_by.02", "tags": ["B-ARG0", "B-V", "I-V", "O", "O", "O", "O", "O"]},
        {
            "predicate": 4,
            "sense": "give.01",
            "tags": ["B-ARG0", "O", "O", "O", "B-V", "B-ARG2", "B-ARG1", "I-ARG1"],
        },
    ],
}
ENGLISH_READ = (
    Predicate(1, "drop_by.02", (Argument(0, 1, "ARG0"),), length=2),
    Predicate(4, "give.01", (Argument(0, 1, "ARG0"), Argument(5, 6, "ARG2"), Argument(6, 8, "ARG1"))),
)
# 警方 正在 调查 事故 原因: the police are investigating the accident's cause
CHINESE: dict[str, Any] = {
    "tokens": ["警方", "正在", "调查", "事故", "原因"],
    "predicates": [
        {"predicate": 2, "sense": "调查.01", "arguments": [[3, 5, "ARG1"], [0, 1, "ARG0"], [1, 2, "ARGM-ADV"]]}
    ],
}
CHINESE_READ = (Predicate(2, "调查.01", (Argument(0, 1, "ARG0"), Argument(1, 2, "ARGM-ADV"), Argument(3, 5, "ARG1"))),)


def rows(*records: Any) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def one(path: Path, record: Any) -> RoleSentence:
    (found,) = read_roles(written(path / "a.jsonl", rows(record)))
    return found


def test_tags_and_arguments_say_the_same(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", rows(ENGLISH) + "\n" + rows(CHINESE))
    english, chinese = read_roles(path)
    assert (english.id, english.line, english.name) == (f"{path}:1", 1, "visit#0")
    assert (chinese.id, chinese.line, chinese.name, chinese.pos) == (f"{path}:3", 3, "", ())
    assert english.tokens[:3] == ("She", "dropped", "by")
    assert english.pos[:3] == ("PRP", "VBD", "RP")
    assert english.predicates == ENGLISH_READ
    assert chinese.predicates == CHINESE_READ


@pytest.mark.parametrize(
    "content",
    [
        rows(CHINESE).replace("\n", "\r\n"),
        "\ufeff" + rows(CHINESE),
        "\n \n" + rows(CHINESE) + "\n",
        rows(CHINESE).rstrip("\n"),
        json.dumps(CHINESE),  # ASCII
        gzip.compress(rows(CHINESE).encode(), mtime=0),
        rows(CHINESE).encode("utf-16"),
    ],
)
def test_every_form_of_file(content: str | bytes, tmp_path: Path) -> None:
    (found,) = read_roles(written(tmp_path / "a.jsonl", content))
    assert (found.tokens, found.predicates) == (tuple(CHINESE["tokens"]), CHINESE_READ)


def test_an_encoding_that_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", rows(CHINESE).encode("gb18030"))
    (found,) = read_roles(path, TextConfig(encoding="gb18030"))
    assert found.predicates == CHINESE_READ


def test_the_predicate_s_own_tokens_in_either_form(tmp_path: Path) -> None:
    tags = {"predicate": 0, "tags": ["B-V", "I-V", "B-ARG1"]}
    arguments = {"predicate": 0, "arguments": [[2, 3, "ARG1"], [0, 2, "V"]]}
    without = {"predicate": 0, "tags": ["O", "O", "B-ARG1"]}  # some files leave the predicate out
    for record, length in [(tags, 2), (arguments, 2), (without, 1)]:
        found = one(tmp_path, {"tokens": ["drop", "by", "today"], "predicates": [record]})
        assert found.predicates == (Predicate(0, "", (Argument(2, 3, "ARG1"),), length),)


def test_roles_side_by_side_and_with_dashes(tmp_path: Path) -> None:
    tags = ["B-ARGM-DIS", "B-ARGM-DIS", "B-R-ARG0", "I-R-ARG0", "B-V"]
    found = one(tmp_path, {"tokens": list("abcde"), "predicates": [{"predicate": 4, "sense": None, "tags": tags}]})
    assert found.predicates[0].arguments == ((0, 1, "ARGM-DIS"), (1, 2, "ARGM-DIS"), (2, 4, "R-ARG0"))
    assert list(found.predicates[0].tags(5)) == tags


def test_a_sentence_without_predicates_and_a_token_that_is_two(tmp_path: Path) -> None:
    assert one(tmp_path, {"tokens": ["Falls"], "predicates": [], "pos": None, "more": 7}).predicates == ()
    twice = [{"predicate": 0, "sense": f"run.0{n}", "arguments": []} for n in (1, 2)]
    assert [p.sense for p in one(tmp_path, {"tokens": ["run"], "predicates": twice}).predicates] == ["run.01", "run.02"]


def test_one_sentence_at_a_time(tmp_path: Path) -> None:
    sentences = read_roles(written(tmp_path / "a.jsonl", rows(CHINESE, ENGLISH) + "{broken\n"))
    assert [next(sentences).line, next(sentences).line] == [1, 2]
    with pytest.raises(InputError, match=r"a\.jsonl:3: not JSON"):
        next(sentences)


def sentence(**keys: Any) -> dict[str, Any]:
    """Three tokens of which the second is a predicate."""
    return {"tokens": ["a", "b", "c"], "predicates": [{"predicate": 1, "sense": "b.01", **keys}]}


ERRORS = [
    ("[1]", r":1: expected a JSON object, found list; each line is {\"tokens\""),
    ("{", r":1: not JSON \(.*\); mend or remove the line"),
    ("[" * 10**5, r":1: (not JSON|expected)"),
    ('{"predicates": []}', r":1: the key 'tokens' is missing \(found predicates\); each line is"),
    ("{}", r":1: the key 'tokens' is missing \(found none\)"),
    ('{"tokens": "a b", "predicates": []}', r":1: the key 'tokens' holds no list"),
    ('{"tokens": [], "predicates": []}', r":1: a sentence of 0 tokens"),
    ('{"tokens": ["a", ""], "predicates": []}', r":1: entry 1 of 'tokens' is \"\"; a text that is not empty"),
    ('{"tokens": [7], "predicates": []}', r":1: entry 0 of 'tokens' is 7"),
    ('{"tokens": ["\\ud800"], "predicates": []}', r":1: entry 0 of 'tokens' is \"\\ud800\""),
    ('{"id": "\\udc00", "tokens": ["a"], "predicates": []}', r":1: the key 'id' has half a character"),
    ('{"tokens": ["a"]}', r":1: the key 'predicates' is missing \(found tokens\)"),
    ('{"tokens": ["a"], "predicates": [3]}', r":1: a predicate is an object, not int"),
    ('{"tokens": ["a"], "predicates": [{"sense": "b"}]}', r":1: the key 'predicate' is missing \(found sense\)"),
    (
        '{"tokens": ["a"], "predicates": [{"predicate": true, "tags": ["O"]}]}',
        r":1: .*'predicate' holds no whole number",
    ),
    ('{"tokens": ["a"], "predicates": [], "pos": ["N", "V"]}', r":1: 2 parts of speech for 1 tokens"),
    (rows(sentence()), r":1: the key 'arguments' is missing \(found predicate, sense\)"),
    (rows(sentence(sense=7, tags=["O", "O", "O"])), r":1: the key 'sense' holds no text"),
    (rows(sentence(tags=["O", "B-V"])), r":1: 2 tags of predicate 1 for 3 tokens; each has one"),
    (rows(sentence(tags=["O", "B-V", "S-ARG1"])), r":1: the tag 'S-ARG1' of token 2 is none of O, B-ROLE, I-ROLE"),
    (rows(sentence(tags=["O", "B-V", "B"])), r":1: the tag 'B' of token 2 is none of"),
    (rows(sentence(tags=["O", "B-V", "B-"])), r":1: the tag 'B-' of token 2 is none of"),
    (rows(sentence(tags=["I-ARG0", "B-V", "O"])), r":1: the tag 'I-ARG0' of token 0 follows no B-ARG0"),
    (rows(sentence(tags=["B-ARG1", "I-ARG0", "O"])), r":1: the tag 'I-ARG0' of token 1 follows no B-ARG0"),
    (rows(sentence(tags=["B-V", "O", "O"])), r":1: V stands once, at its predicate, not at \[0, 1, V\]; predicate 1"),
    (rows(sentence(tags=["O", "B-V", "B-V"])), r":1: V stands once, .* not at \[2, 3, V\]"),
    (rows(sentence(arguments=[[0, 1]])), r":1: an argument is \[start, stop, \"ROLE\"\], not \[0, 1\]"),
    (rows(sentence(arguments=[[0, True, "A"]])), r":1: an argument is \[start, stop"),
    (rows(sentence(arguments=[{"start": 0}])), r":1: an argument is .* not {\"start\": 0}"),
    (rows(sentence(arguments="ARG0")), r":1: the key 'arguments' holds no list"),
    (
        rows(sentence(arguments=[[2, 4, "ARG1"]])),
        r":1: argument \[2, 4, ARG1\] of predicate 1 is outside the sentence of 3",
    ),
    (rows(sentence(arguments=[[-1, 1, "ARG0"]])), r":1: argument \[-1, 1, ARG0\] of predicate 1 is outside"),
    (rows(sentence(arguments=[[2, 2, "ARG1"]])), r":1: argument \[2, 2, ARG1\] .* or empty; start is from 0"),
    (rows(sentence(arguments=[[0, 1, ""]])), r":1: argument \[0, 1, \] needs a role other than V"),
    (
        rows(ENGLISH, sentence(arguments=[[0, 1, "ARG0"], [0, 1, "ARG1"]])),
        r":2: \[0, 1, ARG0\] and \[0, 1, ARG1\] of predicate 1 overlap; a token plays one part",
    ),
    (rows(sentence(arguments=[[0, 2, "ARG0"]])), r":1: \[0, 2, ARG0\] and \[1, 2, V\] of predicate 1 overlap"),
    (rows(sentence(predicate=3, arguments=[])), r":1: predicate 3 is outside the sentence of 3 tokens; mend it"),
    (rows(sentence(predicate=-1, arguments=[])), r":1: predicate -1 is outside"),
    ("", r": no sentence; each line is"),
    ("\n \n", r": no sentence"),
]


@pytest.mark.parametrize(("content", "message"), ERRORS)
def test_what_is_wrong_is_said_with_file_and_line(content: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", content)
    with pytest.raises(InputError, match=r"a\.jsonl" + message):
        list(read_roles(path))


def test_what_is_made_by_hand_is_checked_too() -> None:
    with pytest.raises(InputError, match=r"here: \[0, 2, ARG1\] and \[1, 3, ARG2\] of predicate 3 overlap"):
        RoleSentence("here", tuple("abcd"), (Predicate(3, "", (Argument(1, 3, "ARG2"), Argument(0, 2, "ARG1"))),))
    with pytest.raises(InputError, match=r"here: argument \[0, 1, V\] needs a role other than V"):
        RoleSentence("here", tuple("ab"), (Predicate(1, "", (Argument(0, 1, "V"),)),))
    with pytest.raises(InputError, match="here: predicate 1 is outside the sentence of 2 tokens"):
        RoleSentence("here", tuple("ab"), (Predicate(1, "", length=2),))
    with pytest.raises(InputError, match="here: predicate 1 is outside the sentence"):
        RoleSentence("here", tuple("ab"), (Predicate(1, "", length=0),))


def test_arguments_are_in_the_order_of_the_sentence() -> None:
    assert Predicate(1, "", (Argument(2, 3, "B"), Argument(0, 1, "A"))).arguments == ((0, 1, "A"), (2, 3, "B"))


def test_tags_by_hand() -> None:
    assert Predicate(1, "", (Argument(3, 5, "ARG1"),), length=2).tags(6) == ("O", "B-V", "I-V", "B-ARG1", "I-ARG1", "O")


def test_the_written_form(tmp_path: Path) -> None:
    path = tmp_path / "b.jsonl"
    write_roles(path, read_roles(written(tmp_path / "a.jsonl", rows(ENGLISH, CHINESE))))
    tags = ["B-ARG0", "B-ARGM-ADV", "B-V", "B-ARG1", "I-ARG1"]
    chinese = {"tokens": CHINESE["tokens"], "predicates": [{"predicate": 2, "sense": "调查.01", "tags": tags}]}
    assert path.read_text(encoding="utf-8") == rows(ENGLISH, chinese)


def test_what_no_file_can_hold_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"here: half a character \(surrogates not allowed\)"):
        write_roles(tmp_path / "a.jsonl", [RoleSentence("here", ("\ud800",))])
    assert list(tmp_path.iterdir()) == []


TEXTS = st.text(st.characters(codec="utf-8"), min_size=1)
ROLES = TEXTS.filter(lambda role: role != "V")


@st.composite
def sentences(draw: st.DrawFn) -> RoleSentence:
    """A sentence whose predicates' stretches are cut from it one after another."""
    tokens = tuple(draw(st.lists(TEXTS, min_size=1, max_size=11)))
    predicates = []
    for _ in range(draw(st.integers(0, 3))):
        cuts = sorted(draw(st.sets(st.integers(0, len(tokens)), min_size=2)))
        stretches = list(itertools.pairwise(cuts))
        own = stretches.pop(draw(st.integers(0, len(stretches) - 1)))
        arguments = tuple(Argument(start, stop, draw(ROLES)) for start, stop in stretches if draw(st.booleans()))
        predicates.append(Predicate(own[0], draw(st.text(st.characters(codec="utf-8"))), arguments, own[1] - own[0]))
    pos = draw(st.sampled_from([(), tuple("N" for _ in tokens)]))
    return RoleSentence("", tokens, tuple(predicates), pos, draw(st.sampled_from(["", "x#7"])))


@given(st.lists(sentences(), min_size=1, max_size=3))
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, given_sentences: list[RoleSentence]
) -> None:
    path = tmp_path_factory.mktemp("roles") / "a.jsonl"
    write_roles(path, given_sentences)
    found = list(read_roles(path, TextConfig(encoding="utf-8")))
    facts = [(s.tokens, s.predicates, s.pos, s.name) for s in given_sentences]
    assert [(s.tokens, s.predicates, s.pos, s.name) for s in found] == facts
    assert [s.line for s in found] == list(range(1, len(found) + 1))


@pytest.mark.parametrize(("name", "count", "predicates"), [("dev", 1959, 4956), ("train", 12491, 40384)])
def test_propbank_comes_out_byte_for_byte(
    name: str, count: int, predicates: int, shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "propbank_ewt" / f"{name}.jsonl.gz"
    found = list(read_roles(path))
    assert (len(found), sum(len(s.predicates) for s in found)) == (count, predicates)  # as the data's README says
    write_roles(tmp_path / "again.jsonl", found)
    assert (tmp_path / "again.jsonl").read_bytes() == gzip.decompress(path.read_bytes())


def test_what_need_not_be_labelled(tmp_path: Path) -> None:
    content = rows(
        {"tokens": ["a", "b"]}, {"tokens": ["a"], "predicates": [{"predicate": 0}]}, {**ENGLISH, "predicates": []}
    )
    unsaid, bare, none = read_roles(written(tmp_path / "a.jsonl", content), labelled=False)
    assert (unsaid.unsaid, unsaid.predicates) == (True, ())
    assert (bare.unsaid, bare.predicates) == (False, (Predicate(0, ""),))
    assert (none.unsaid, none.predicates) == (False, ())
    write_roles(tmp_path / "b.jsonl", [unsaid])
    (again,) = read_roles(tmp_path / "b.jsonl", labelled=False)
    assert again.unsaid
    with pytest.raises(InputError, match="the key 'predicates' is missing"):
        list(read_roles(tmp_path / "b.jsonl"))
    bad = written(tmp_path / "c.jsonl", rows({"tokens": ["a"], "predicates": [{"predicate": 7}]}))
    with pytest.raises(InputError, match="predicate 7 is outside the sentence"):
        list(read_roles(bad, labelled=False))


def test_what_is_asked_and_what_is_answered(tmp_path: Path) -> None:
    sentence = one(tmp_path, ENGLISH)
    assert list(sentence) == ENGLISH["tokens"]
    assert len(sentence) == 8
    # spans by position, the predicate's own with the role V
    assert sentence.roles == {
        1: [(0, 1, "ARG0"), (1, 3, "V")],
        4: [(0, 1, "ARG0"), (4, 5, "V"), (5, 6, "ARG2"), (6, 8, "ARG1")],
    }
    asked = sentence.asked()
    assert asked.predicates == (Predicate(1, "drop_by.02", length=2), Predicate(4, "give.01"))
    assert asked.answered(sentence.roles) == sentence
    found = RoleSentence("a:1", sentence.tokens, unsaid=True).answered({4: [(6, 8, "ARG1"), (4, 5, "V")]})
    assert found.predicates == (Predicate(4, "", (Argument(6, 8, "ARG1"),)),)
    assert not found.unsaid


def test_two_predicates_at_one_token_are_answered_both(tmp_path: Path) -> None:
    by = {"predicate": 1, "sense": "drop_by.02", "tags": ["O", "B-V", "I-V", "O", "O", "O", "O", "O"]}
    given = [{"predicate": 4, "sense": "give.01"}, {"predicate": 1, "sense": "drop.01"}, by]
    path = written(tmp_path / "a.jsonl", rows({**ENGLISH, "predicates": given}))
    (sentence,) = read_roles(path, labelled=False)
    found = sentence.answered({1: [(0, 1, "ARG0"), (1, 3, "V"), (3, 4, "ARG1")], 4: [(4, 5, "V")]})
    arguments = (Argument(0, 1, "ARG0"), Argument(3, 4, "ARG1"))
    # in the order of the file
    assert found.predicates == (
        Predicate(4, "give.01"),
        Predicate(1, "drop.01", arguments),
        Predicate(1, "drop_by.02", arguments, length=2),
    )
    # "by" can't be an argument of the predicate that it belongs to
    found = sentence.answered({1: [(1, 2, "V"), (2, 3, "ARG1")]})
    assert [one.arguments for one in found.predicates] == [(Argument(2, 3, "ARG1"),), ()]


@pytest.mark.parametrize("own", [7, None, ["x", 1], 1.5, "a"])
def test_what_else_a_line_says_is_kept(own: Any, tmp_path: Path) -> None:
    more = {"source": {"page": 3}, "ok": None, "half": "\ud800"}
    record = {"id": own, "tokens": ["it", "barks"], "predicates": [{"predicate": 1, "sense": "", "frame": [2]}], **more}
    path = written(tmp_path / "a.jsonl", json.dumps(record) + "\n")
    (sentence,) = read_roles(path, labelled=False)
    write_roles(tmp_path / "b.jsonl", [sentence.asked().answered({1: [(0, 1, "ARG0"), (1, 2, "V")]})])
    answered = {"predicate": 1, "sense": "", "tags": ["B-ARG0", "B-V"], "frame": [2]}
    assert json.loads((tmp_path / "b.jsonl").read_text(encoding="utf-8")) == {**record, "predicates": [answered]}


def test_two_senses_on_one_token_share_their_spans(tmp_path: Path) -> None:
    twice = {"predicate": 1, "sense": "drop.01", "arguments": [[3, 4, "ARGM-DIS"]]}
    found = one(tmp_path, {**ENGLISH, "predicates": [ENGLISH["predicates"][0], twice]})
    assert found.roles == {1: [(0, 1, "ARG0"), (1, 2, "V"), (1, 3, "V"), (3, 4, "ARGM-DIS")]}
