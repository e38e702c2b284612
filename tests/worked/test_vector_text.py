"""Numbers of vectors between bytes and 32 bits: by hand, and against exact arithmetic."""

from fractions import Fraction

import numpy as np
import pytest

from tests.fakes.vectors import all_kinds, same_bits
from ziggurat.artefacts.kernels import vector_text as kernels
from ziggurat.core.types import FloatArray


def read(
    text: str, width: int, *, closed: bool = True
) -> tuple[FloatArray, list[str], tuple[int, int, int], list[bool]]:
    """Return numbers, words, (rows, fault, field), and which rows are doubtful."""
    data = np.frombuffer(text.encode(), np.uint8)
    out, doubtful = np.zeros((7, width), np.float32), np.zeros(7, np.bool_)
    spans = np.zeros((7, 2), np.int64)
    _, rows, fault, field = kernels.read_lines(data, (0, data.size), closed, out, spans, doubtful)
    words = [text.encode()[start:stop].decode() for start, stop in spans[:rows].tolist()]
    return out[:rows], words, (rows, fault, field), doubtful[:rows].tolist()


def written(numbers: FloatArray) -> str:
    """Return how one row is written behind the word w; nothing where the kernel leaves it."""
    out = np.zeros(1009, np.uint8)
    edges = np.array([0, 1], np.int64)
    _, size = kernels.write_lines(numbers[None, :], np.frombuffer(b"w", np.uint8), edges, 0, out)
    return out[:size].tobytes().decode().removeprefix("w ").removesuffix("\n")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0.0), ("-0", -0.0), ("1", 1.0), ("+1.5", 1.5), ("-.5", -0.5), ("5.", 5.0), ("00012", 12.0),
        ("1e3", 1000.0), ("1E+3", 1000.0), ("25e-2", 0.25), ("0e99", 0.0), ("0.000000000000000000000000000001", 1e-30),
        ("123456789012345678901234567890", 1.2345679e29),
        ("0.3333333333333333333333333333333333", 1 / 3),
        ("3.4028235e38", 3.4028235e38), ("1e-40", 1e-40),
    ],
)  # fmt: skip
def test_a_number_is_read(text: str, number: float) -> None:
    numbers, words, (rows, fault, _), _ = read(f"w {text} 7", 2)
    assert (words, rows, fault) == (["w"], 1, kernels.OK)
    assert same_bits(numbers, np.array([[number, 7]], np.float32))


NO_NUMBERS = "nan NaN inf -inf infinity 1e39 -1e39 1e 1e+ e5 . - +-1 1.2.3 1,5 0x1 1_0 ٣ 1e5x --1"


@pytest.mark.parametrize("text", NO_NUMBERS.split())
def test_what_is_no_finite_number_is_no_number(text: str) -> None:
    # "塔" has 3 bytes, then a space: the field begins at byte 4 of the line
    _, _, found, _ = read(f"塔 {text} 7", 2)
    assert found == (0, kernels.BAD_NUMBER, 4)


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("a 1 2\nb 3 4\n", ["a", "b"], (2, kernels.OK)),
        ("a 1 2\r\nb\t3\t4 \t\r\n", ["a", "b"], (2, kernels.OK)),
        ("a 1 2\nb 3 4", ["a", "b"], (2, kernels.OK)),
        ("new york 1 2\n. . . 3 4\n", ["new york", ". . ."], (2, kernels.OK)),
        (" 1 2\n  3 4\n", ["", ""], (2, kernels.OK)),
        ("\u3000 1 2\n\u00a0 3 4\n", ["\u3000", "\u00a0"], (2, kernels.OK)),
        ("7 1 2\n", ["7"], (1, kernels.OK)),
        ("a 1 2\n\nb 3 4\n", ["a"], (1, kernels.BLANK)),
        ("a 1 2\n \t\r\n", ["a"], (1, kernels.BLANK)),
        ("a 1 2\nb 3\n", ["a"], (1, kernels.WIDTH)),
        ("a 1 2\nb\n", ["a"], (1, kernels.WIDTH)),
        ("7 1\n", [], (0, kernels.WIDTH)),
        ("a 1 2 3\n", [], (0, kernels.TOO_MANY)),
        ("7 1 2 3\n", [], (0, kernels.TOO_MANY)),
        ("", [], (0, kernels.OK)),
    ],
)
def test_a_line_is_a_word_and_as_many_numbers(text: str, words: list[str], found: tuple[int, int]) -> None:
    numbers, read_words, (rows, fault, _), _ = read(text, 2)
    assert (read_words, (rows, fault)) == (words, found)
    assert numbers.tolist() == [[1, 2], [3, 4]][:rows]


def test_a_line_that_may_go_on_waits_and_one_without_room_too() -> None:
    assert read("a 1 2\nb 3 4", 2, closed=False)[1] == ["a"]
    assert len(read("a 1\n" * 11, 1)[1]) == 7


def test_doubt_is_only_where_rounding_could_go_either_way() -> None:
    # The float32 after 1 is 1 + 2**-23; the middle is 1 + 2**-24 = 1.000000059604644775390625, a tie, which goes to the
    # even 1. With 25 digits it is not exact in 53 bits' arithmetic, so neither this nor its neighbours may be trusted;
    # 1.00000005, 2**-24 / 6 below the middle, may.
    middle = "1.000000059604644775390625"
    assert Fraction(middle) == 1 + Fraction(1, 2**24)
    assert read(f"w {middle}\nw {middle}1\n", 1)[3] == [True, True]
    assert read("w 1.00000005000000000000000001\nw 1.5\nw 0.1\n", 1)[3] == [False, False, False]
    # above 10**44 or below 10**-44 nothing is sure
    assert read("w 1e-45\nw 1e-44\n", 1)[3] == [True, False]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"), (-0.0, "-0"), (1.0, "1"), (-2.5, "-2.5"), (0.1, "0.1"), (123456.0, "123456"), (1e6, "1000000"),
        # 2**24 + 1 has no float32 of its own: 16777216 is the one that is written
        (16777217.0, "16777216"),
        # a third in 24 bits is 0.3333333432674407958984375: eight digits are needed, 0.33333334
        (1 / 3, "0.33333334"),
        (1e-5, "0.00001"), (1e-6, "1e-06"), (-1.5e-7, "-1.5e-07"), (2e-12, "2e-12"), (9.99999e14, "999999000000000"),
    ],
)  # fmt: skip
def test_a_number_is_written_with_the_fewest_digits(number: float, text: str) -> None:
    assert written(np.array([number], np.float32)) == text


@pytest.mark.parametrize("number", [1e-13, -1e-38, 1e-45, 2e15, 3e38])
def test_a_number_out_of_range_is_left_to_the_caller(number: float) -> None:
    assert written(np.array([0.5, number], np.float32)) == ""


def test_digits_are_as_few_as_numpys() -> None:
    dice = np.random.default_rng(2)
    numbers = (dice.normal(size=4001) * 10.0 ** dice.integers(-11, 14, 4001)).astype(np.float32)
    numbers = numbers[np.abs(numbers) > 1e-12]
    for number in numbers:
        text = written(np.array([number], np.float32))
        assert np.float32(float(text)) == number
        ours, shortest = (len(t.lstrip("-").split("e")[0].replace(".", "").strip("0")) for t in (text, str(number)))
        assert ours == shortest, (text, number)


def test_every_number_that_is_read_is_the_one_that_exact_arithmetic_gives() -> None:
    """Against Python's own correct rounding to 53 bits; doubtful ones excepted, which must be rare."""
    dice = np.random.default_rng(4)
    doubts = 0
    for digits in (3, 8, 9, 12, 16, 17, 18, 19, 25):
        whole = dice.integers(0, 10, (601, digits))
        powers = dice.integers(-60 - digits, 38 - digits, 601)
        texts = [f"{''.join(map(str, row))}e{power}" for row, power in zip(whole, powers, strict=True)]
        for text in texts:
            numbers, _, (rows, _, _), (doubtful,) = read(f"w {text}", 1)
            assert rows == 1
            doubts += doubtful and -45 < int(text.partition("e")[2]) < 45
            assert doubtful or same_bits(numbers, np.array([[float(text)]], np.float64).astype(np.float32))
    assert doubts < 30


def test_rows_come_back_bit_by_bit() -> None:
    vectors = all_kinds(13, 11)
    letters, edges = np.frombuffer(b"abcdefghijklm", np.uint8), np.arange(14, dtype=np.int64)
    out = np.zeros(10_007, np.uint8)
    for row in range(13):
        done, size = kernels.write_lines(vectors, letters, edges, row, out)
        if done:
            first = out[:size].tobytes().split(b"\n")[0].decode()
            assert same_bits(read(first, 11)[0], vectors[row : row + 1])


def test_records_are_cut_where_their_bytes_end() -> None:
    # two numbers of four bytes: records of a word, a space and eight bytes; a line's end before a word goes
    record = b"a " + bytes(range(8))
    text = record + b"\n" + "塔 ".encode() + bytes(range(8, 16)) + b"\nb " + bytes(7)
    data = np.frombuffer(text, np.uint8)
    out, spans = np.zeros((5, 8), np.uint8), np.zeros((5, 2), np.int64)
    place, rows = kernels.read_records(data, (0, data.size), out, spans)
    # the third record lacks a byte, so it stays: it begins behind 10 + 1 + 3 + 1 + 8 = 23 bytes
    assert (place, rows) == (23, 2)
    assert out[:2].reshape(-1).tolist() == list(range(16))
    assert spans[:2].tolist() == [[0, 1], [11, 14]]
    assert kernels.read_records(data, (0, data.size), out[:1], spans) == (10, 1)
    assert kernels.read_records(data, (0, 9), out, spans) == (0, 0)
