"""Files of questions in every form that they come in."""

from pathlib import Path

import pytest

from ziggurat.judge.intrinsic.word_sets import AnalogySet, SimilaritySet, read_analogies, read_similarity

ATHENS, OSLO = ("Athens", "Greece", "Oslo", "Norway"), ("Oslo", "Norway", "Athens", "Greece")
GOOD = ("good", "better", "bad", "worse")


def written(folder: Path, text: str, name: str = "set.txt", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


HEADED = ": capital-common-countries\nAthens Greece Oslo Norway\nOslo Norway Athens Greece\n\n: gram3-comparative\n"
HEADED += "good better bad worse\n"
TABLE = ",type,word1,word2,word3,target\n0,capital-common-countries,Athens,Greece,Oslo,Norway\n"
TABLE += "1,capital-common-countries,Oslo,Norway,Athens,Greece\n2,gram3-comparative,good,better,bad,worse\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (HEADED, "set.txt"),
        (HEADED.replace("\n", "\r\n"), "set.txt"),
        ("\ufeff" + HEADED, "set.txt"),
        ("// made in 2013\n# by hand\n" + HEADED, "set.txt"),
        (HEADED.replace(": ", ":"), "set.txt"),
        (HEADED.replace(" Greece", "\tGreece").replace(" Norway", "\tNorway"), "spaces-and-tabs.txt"),
        (TABLE, "set.csv"),
        (TABLE.replace(",", "\t"), "set.tsv"),
        (TABLE.replace(",type,", ",Category,").replace("target", "Word4"), "set.csv"),
    ],
)
def test_analogies_in_every_form(text: str, name: str, tmp_path: Path) -> None:
    if "spaces-and-tabs" in name:
        text = text.replace("\t", " ")
    found = read_analogies(written(tmp_path, text, name))
    sections = ("capital-common-countries", "gram3-comparative")
    assert found == AnalogySet(name.split(".", maxsplit=1)[0], sections, (0, 0, 1), (ATHENS, OSLO, GOOD))


def test_a_section_that_comes_back_and_questions_before_the_first(tmp_path: Path) -> None:
    text = "good better bad worse\n: a\n" + " ".join(ATHENS) + "\n: b\n" + " ".join(GOOD) + "\n: a\n" + " ".join(OSLO)
    found = read_analogies(written(tmp_path, text, "mine.v2.txt"))
    assert (found.name, found.sections, found.section) == ("mine", ("mine", "a", "b"), (0, 1, 2, 1))


def test_words_with_spaces_between_tabs(tmp_path: Path) -> None:
    found = read_analogies(written(tmp_path, ": cities\nNew York\tNew York Times\tBoston\tBoston Globe\n"))
    assert found.questions == (("New York", "New York Times", "Boston", "Boston Globe"),)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_chinese_analogies(encoding: str, tmp_path: Path) -> None:
    text = ": 首都\n" + "雅典 希腊 北京 中国\n雅典 希腊 柏林 德国\n" * 11
    found = read_analogies(written(tmp_path, text, "中文.txt", encoding))
    assert (found.name, found.sections, found.questions[0]) == ("中文", ("首都",), ("雅典", "希腊", "北京", "中国"))


def test_accents_are_composed_as_in_training_text(tmp_path: Path) -> None:
    found = read_similarity(written(tmp_path, "cafe\u0301\te\u0301cole\t5\n"))
    assert found.pairs == (("café", "école"),)


EXPECTED = (("love", "sex"), ("tiger", "cat"), ("New York", "Boston"))


@pytest.mark.parametrize(
    "text",
    [
        "# a test\nlove\tsex\t6.77\ntiger\tcat\t7.35\nNew York\tBoston\t-2e-1\n",
        "love,sex,6.77\ntiger,cat,7.35\nNew York,Boston,-0.2",
        '"love", "sex", 6.77\n"tiger", "cat", 7.35\n"New York", "Boston", -0.2\n',
        ",word1,word2,similarity\n0,love,sex,6.77\n1,tiger,cat,7.35\n2,New York,Boston,-0.2\n3,,,\n",
        "Word 1,Word 2,Human (mean)\nlove,sex,6.77\ntiger,cat,7.35\nNew York,Boston,-0.2\n",
        "word1\tword2\tPOS\tSimLex999\nlove\tsex\tN\t6.77\ntiger\tcat\tN\t7.35\nNew York\tBoston\tN\t-.20\n",
        "similarity,word2,word1\n6.77,sex,love\n7.35,cat,tiger\n-0.2,Boston,New York\n",
    ],
)
def test_pairs_in_every_form(text: str, tmp_path: Path) -> None:
    found = read_similarity(written(tmp_path, text, "pairs.data"))
    assert found == SimilaritySet("pairs", EXPECTED, (6.77, 7.35, -0.2))


def test_parts_of_speech_are_taken_off_where_every_word_has_one(tmp_path: Path) -> None:
    found = read_similarity(written(tmp_path, "sun-n sunlight-n 50.000000\nbright-j shine-v 31\n"))
    assert found == SimilaritySet("set", (("sun", "sunlight"), ("bright", "shine")), (50.0, 31.0), tagged=True)
    kept = read_similarity(written(tmp_path, "x-n y-v 5\nplan-b plan-a 4\n"))
    assert (kept.tagged, kept.pairs) == (False, (("x-n", "y-v"), ("plan-b", "plan-a")))


def test_a_gzipped_file(tmp_path: Path) -> None:
    import gzip

    path = tmp_path / "set.txt.gz"
    path.write_bytes(gzip.compress(HEADED.encode()))
    assert len(read_analogies(path).questions) == 3


def test_the_published_sets(shared_data: Path) -> None:
    folder = shared_data / "word_benchmarks"
    google = read_analogies(folder / "questions-words.txt")
    assert (len(google.questions), len(google.sections)) == (19_544, 14)
    table = read_analogies(folder / "google-analogies.csv")
    assert (table.questions, table.sections, table.section) == (google.questions, google.sections, google.section)
    sizes = {name: len(read_similarity(folder / name).pairs) for name in ("wordsim353.tsv", "simlex999.txt", "men.csv")}
    assert sizes == {"wordsim353.tsv": 353, "simlex999.txt": 999, "men.csv": 3000}
    assert read_similarity(folder / "men.csv").pairs[0] == ("sun", "sunlight")
    assert len(read_similarity(folder / "wordsim353-rel.csv").pairs) == 252  # and an empty last row
    chinese = read_analogies(shared_data / "embedding_eval_zh" / "CA8_semantic.txt")
    assert (len(chinese.questions), chinese.sections) == (7_636, ("geography", "nature", "history", "people"))
    assert len(read_analogies(shared_data / "embedding_eval_zh" / "CA_translated.txt").questions) == 953
