"""Which pages are typed again."""

from benchmarks.tasks.completion import pages
from ziggurat.core.types import Document


def test_pages_begin_with_the_first_line_of_the_second_half() -> None:
    text = "a" * 20 + "\n" + "b" * 20 + "\n" + "c" * 20  # the middle, 31, is among the b
    (page,) = pages(iter([Document("novel", text)]), 7)
    assert page == Document("novel", "c" * 7)


def test_a_document_without_text_there_is_passed_over() -> None:
    assert [page.id for page in pages(iter([Document("empty", " \n \n "), Document("one", "a\nb\nc")]), 5)] == ["one"]
