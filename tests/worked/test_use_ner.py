"""Names in sentences, from a tagger whose every label is known."""

from pathlib import Path

import numpy as np
import pytest

from tests.fakes.bundles import eleven_words
from ziggurat.core.errors import InputError, UsageError
from ziggurat.core.protocols import Tagger
from ziggurat.core.types import Example, FloatArray, IdArray, Told, Vocabulary, WordBatch
from ziggurat.models.registry import FAMILIES
from ziggurat.use.tasks.ner import BATCH, TASK

TOKENIZER = eleven_words()


class Longest:
    """Calls a word of five characters or more a place, and goes on with the next; it is 0.5 sure of each label."""

    labels = ("B-LOC", "I-LOC", "O")
    context = None

    @property
    def vocabulary(self) -> Vocabulary:
        return TOKENIZER.vocabulary

    def tag(self, batch: WordBatch) -> tuple[IdArray, FloatArray]:
        long = (batch.characters > 0).sum(axis=2) >= 5
        after = np.concatenate([np.zeros((len(long), 1), bool), long[:, :-1]], axis=1)
        inside = np.arange(long.shape[1]) < batch.words[:, None]
        places = np.where(inside, np.where(after, 1, np.where(long, 0, 2)), -1).astype(np.int32)
        return places, np.where(inside, 0.5, 0).astype(np.float32)


def test_spans_and_how_sure_they_are() -> None:
    model = Longest()
    assert isinstance(model, Tagger)
    found = TASK.decode(model, TOKENIZER, [("two", "seven", "one"), ("one",), ("three",)])
    assert [one.answer for one in found] == [[(1, 3, "LOC")], [], [(0, 1, "LOC")]]
    # 0.5³, 0.5 and 0.5
    assert [one.confidence for one in found] == pytest.approx([0.125, 0.5, 0.5])


def test_many_sentences_are_cut_into_batches() -> None:
    asked = [("seven",) if number % 3 else ("one",) for number in range(BATCH + 7)]
    found = TASK.decode(Longest(), TOKENIZER, asked)
    assert [bool(one.answer) for one in found] == [bool(number % 3) for number in range(BATCH + 7)]
    assert TASK.decode(Longest(), TOKENIZER, []) == []


def test_a_model_that_labels_no_words_is_refused() -> None:
    with pytest.raises(UsageError, match="labels no words: train one with ziggurat task ner train"):
        TASK.decode(FAMILIES.get("ngram").tiny(seed=0), TOKENIZER, [("two",)])


def test_a_model_of_roles_is_refused() -> None:
    class Roles(Longest):
        reads_marks = True

    for inputs in ([("two",)], []):  # a server asks nothing before it serves
        with pytest.raises(UsageError, match="says roles for predicates, not names: ask it by ziggurat task roles"):
            TASK.decode(Roles(), TOKENIZER, inputs)


def test_a_temperature_changes_how_sure_answers_are_and_no_answer() -> None:
    asked = [("Ada", "in", "London"), ("here",), ("two", "three")]
    plain, tempered = (TASK.decode(Longest(), TOKENIZER, asked, temperature=one) for one in (1.0, 2.0))
    assert [one.answer for one in tempered] == [one.answer for one in plain]
    assert [one.confidence for one in tempered] == pytest.approx([(one.confidence or 0) ** 0.5 for one in plain])
    # 6 answers of 0.5, 5 of them right: (1/2)^(1/T) = 5/6 but for the pull, so T = ln 2 / ln 1.2 = 3.8
    examples = [Example("a:1", ("here",), [])] * 5 + [Example("a:2", ("here",), [(0, 1, "LOC")])]
    found = TASK.tune(Longest(), TOKENIZER, examples * 100)
    assert found == pytest.approx(np.log(2) / np.log(1.2), rel=0.02)
    assert TASK.tune(Longest(), TOKENIZER, []) is None


def test_what_is_shown_and_written() -> None:
    example = Example("a:1", ("Ada", "Lovelace", "in", "London"))
    spans = [(0, 2, "PER"), (3, 4, "LOC")]
    assert TASK.shown(example.input, spans) == "PER Ada Lovelace; LOC London"
    assert TASK.written(example, Told(spans)) == "Ada\tB-PER\nLovelace\tI-PER\nin\tO\nLondon\tB-LOC\n\n"


def test_plain_labels_are_written_as_they_were_learnt() -> None:
    spans = [(0, 1, "DET"), (1, 2, "NOUN")]
    told = Told(spans)
    assert TASK.knowing(["DET", "NOUN"]).written(Example("a:1", ("a", "dog")), told) == "a\tDET\ndog\tNOUN\n\n"


UNIVERSAL = """\
# text = du chien
1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_
1\tde\tde\tADP\t_\t_\t3\tcase\t_\tNote=a  b
2\tle\tle\t_\t_\t_\t3\tdet\t_\t_
3\tchien\tchien\tNOUN\t_\t_\t0\troot\t_\t_
"""


def test_conll_u_is_written_again_with_parts_of_speech(tmp_path: Path) -> None:
    path = tmp_path / "a.conllu"
    path.write_text(UNIVERSAL, encoding="utf-8")
    (asked,) = TASK.read([str(path)], labelled=False)
    assert (asked.id, asked.input, asked.answer) == (f"{path}:2", ("de", "le", "chien"), None)
    told = Told([(0, 1, "ADP"), (1, 2, "DET"), (2, 3, "NOUN")])
    found = TASK.knowing(["ADP", "DET", "NOUN"]).written(asked, told)
    assert found == UNIVERSAL.replace("le\t_", "le\tDET") + "\n"
    # what finds names has no parts of speech to give
    named = TASK.knowing(["B-PER", "O"]).written(asked, Told([(2, 3, "PER")]))
    assert named == "de\tO\nle\tO\nchien\tB-PER\n\n"
    with pytest.raises(InputError, match=r"a\.conllu:2: word 2 has no upos"):
        list(TASK.read([str(path)], labelled=True))


def test_columns_are_read_with_labels_and_without(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("Ada B-PER\nin O\nLondon B-LOC\n", encoding="utf-8")
    (found,) = TASK.read([str(path)], labelled=True)
    assert found == Example(f"{path}:1", ("Ada", "in", "London"), [(0, 1, "PER"), (2, 3, "LOC")])
    (found,) = TASK.read([str(path)], labelled=False)
    assert found.answer is None
    with pytest.raises(InputError, match="none"):
        list(TASK.read([str(tmp_path / "none")], labelled=True))


def test_words_alone_can_be_asked(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("Ada\nin\nLondon\n\nhere\n", encoding="utf-8")
    assert [one.input for one in TASK.read([str(path)], labelled=False)] == [("Ada", "in", "London"), ("here",)]


def test_json_lines_of_words_can_be_asked(tmp_path: Path) -> None:
    path = tmp_path / "words.jsonl"
    path.write_text('\n{"tokens": ["Ada", "in", "London"], "id": 7}\n\n["here"]\n', encoding="utf-8")
    found = [(one.id, one.input, one.answer) for one in TASK.read([str(path)], labelled=False)]
    assert found == [(f"{path}:2", ("Ada", "in", "London"), None), (f"{path}:4", ("here",), None)]
    for wrong, message in (
        ('{"words": ["a"]}', r":2: the key 'tokens' is missing \(found 'words'\)"),
        ('{"tokens": "a b"}', r':2: "a b" is no sentence; give a list of words'),
        ('{"tokens": []}', r":2: \[\] is no sentence"),
        ('{"tokens": ["a"', r":2: not a JSON object, as the lines before; each line is"),
        ("7", r":2: not a JSON object"),
    ):
        path.write_text(f'{{"tokens": ["a"]}}\n{wrong}\n', encoding="utf-8")
        with pytest.raises(InputError, match=rf"words\.jsonl{message}"):
            list(TASK.read([str(path)], labelled=False))


def test_words_of_braces_are_words(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("{}\n[\n[]\n", encoding="utf-8")
    assert [one.input for one in TASK.read([str(path)], labelled=False)] == [("{}", "[", "[]")]
    path.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"words\.txt: no sentence"):
        list(TASK.read([str(path)], labelled=False))


def test_no_word_of_a_sentence_on_one_line_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("I met Ada\n\nAda met me\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"words\.txt:1: 3 words parted by blanks, and the last, 'Ada', is no label"):
        list(TASK.read([str(path)], labelled=False))
    path.write_text("他\n在\n\n这家酒店很干净，服务也热情\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"words\.txt:4: '这家酒店很干净，服务也热情' is a sentence and no word"):
        list(TASK.read([str(path)], labelled=False))
    path.write_text("他\n，\n北京\n。\n", encoding="utf-8")
    assert [one.input for one in TASK.read([str(path)], labelled=False)] == [("他", "，", "北京", "。")]
    # what a model learnt from, and what schemes write, is columns
    path.write_text("Ada NOUN\nmet VERB\n\nme O\nLondon B-LOC\n", encoding="utf-8")
    found = [one.input for one in TASK.knowing(["NOUN", "VERB"]).read([str(path)], labelled=False)]
    assert found == [("Ada", "met"), ("me", "London")]
    with pytest.raises(InputError, match=r"words\.txt:1: .*'NOUN', is no label"):
        list(TASK.read([str(path)], labelled=False))


ENGLISH = "Ada B-PER\nlives O\nin O\nRome B-LOC\n"
SINGLE = "".join(f"{character} O\n" for character in "王明在北京，") + "3 O\n"
CUT = "".join(f"{word} O\n" for word in ("王明", "在", "我", "他", "的", "了"))
SUITED = ("lstm-tagger-zh", "most words are single Chinese characters")


@pytest.mark.parametrize(
    ("content", "suited"),
    [(SINGLE, SUITED), (ENGLISH, None), (CUT, None), (SINGLE + ENGLISH * 2, None), ("王\n明\n", None), ("", None)],
)
def test_the_words_of_files_choose_the_recipe(content: str, suited: tuple[str, str] | None, tmp_path: Path) -> None:
    path = tmp_path / "set.conll"
    path.write_text(content, encoding="utf-8")
    assert TASK.preferred([str(path)]) == suited
    assert TASK.preferred([f"train={path}"]) == suited


def test_what_is_held_out_or_can_be_read_but_once_chooses_nothing(tmp_path: Path) -> None:
    english, chinese = tmp_path / "en.conll", tmp_path / "zh.conll"
    english.write_text(ENGLISH, encoding="utf-8")
    chinese.write_text(SINGLE * 9, encoding="utf-8")
    assert TASK.preferred([str(english), f"dev={chinese}"]) is None
    assert TASK.preferred([str(english), str(chinese)]) == SUITED
    assert TASK.preferred(["-"]) is None
    assert TASK.preferred([str(tmp_path / "none.conll")]) is None
