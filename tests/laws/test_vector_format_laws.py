"""Which format a file is of is told by its content, each format by one, and an ending names one format."""

import gzip
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fakes.bundles import make_bundle
from tests.fakes.decoders import byte_pairs, drawn
from tests.fakes.vectors import WORDS, all_kinds, vector_bundle
from ziggurat.artefacts.interchange.formats import FORMATS, format_in, format_of
from ziggurat.core.errors import UnknownNameError, UsageError

UNPACKED = ("gguf", "onnx", "transformers")
"""Formats that are never compressed."""
FORM = {"layers": 1, "width": 32, "heads": 2, "context": 64}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Files of every format, by format: of each bundle that it can hold."""
    folder = tmp_path_factory.mktemp("files")
    found: dict[str, list[Path]] = {name: [] for name in FORMATS.names()}
    sources = {
        "ngram": make_bundle(folder / "ngram", "ngram"),
        "decoder": drawn(folder / "decoder", FORM, byte_pairs()),
    }
    for width in (1, 2, 3, 97):
        sources[f"{width}"] = vector_bundle(folder / f"b{width}", WORDS, all_kinds(len(WORDS), width, seed=width))
    for name in FORMATS.names():
        for label, bundle in sources.items():
            path = folder / f"{name}-{label}"
            with suppress(UsageError):
                FORMATS.get(name).write(bundle, path)
                found[name].append(path)
    assert all(found.values())
    return found


def test_one_format_opens_a_file_and_it_is_the_one_that_wrote_it(files: dict[str, list[Path]], tmp_path: Path) -> None:
    for name, paths in files.items():
        for path in paths:
            packed = tmp_path / f"{path.name}.gz"
            if name not in UNPACKED:
                packed.write_bytes(gzip.compress(path.read_bytes()))
            for file in (path,) if name in UNPACKED else (path, packed):
                assert [other for other in FORMATS.names() if FORMATS.get(other).opens(file)] == [name], file
                assert format_in(file) is FORMATS.get(name)


def test_content_is_stronger_than_an_ending(files: dict[str, list[Path]], tmp_path: Path) -> None:
    for name, paths in files.items():
        for ending in () if paths[-1].is_dir() else (".txt", ".vec", ".bin", ".arpa", ".glove", ".foo", ""):
            file = tmp_path / f"x{ending}"
            file.write_bytes(paths[-1].read_bytes())
            assert format_in(file) is FORMATS.get(name)


def test_where_content_says_nothing_the_ending_does(tmp_path: Path) -> None:
    for ending, name in ((".arpa", "arpa"), (".bin", "word2vec_binary"), (".txt", "word2vec_text")):
        for content in (b"", b"once upon a time\n", b"\x00\x01\x02"):
            for packing in ("", ".gz", ".xz"):
                file = tmp_path / f"x{ending}{packing}"
                file.write_bytes(content)
                assert format_in(file) is FORMATS.get(name)
        assert format_in(tmp_path / f"missing{ending}") is FORMATS.get(name)
    (tmp_path / "x.foo").write_bytes(b"once upon a time\n")
    with pytest.raises(UnknownNameError, match=r"x\.foo: unknown file ending '\.foo'"):
        format_in(tmp_path / "x.foo")


def test_an_ending_belongs_to_one_format() -> None:
    endings = [suffix for name in FORMATS.names() for suffix in FORMATS.get(name).suffixes]
    assert len(endings) == len(set(endings))
    for name in FORMATS.names():
        for suffix in FORMATS.get(name).suffixes:
            for packing in ("", ".gz", ".GZ"):
                assert format_of(Path(f"a.b{suffix.upper()}{packing}")) is FORMATS.get(name)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"the 0.1 -0.2 3e-5\n", "glove_text"),
        (b"new york 0.1 0.2\n", "glove_text"),
        (b"400000 1\nthe 0.5\n", "word2vec_text"),
        (b"\xef\xbb\xbf2 3\r\nthe 0.1 0.2 0.3\r\n", "word2vec_text"),
        (b"2 3\nthe 0.1 two 0.3\n", "word2vec_text"),
        (b"2 3\n\xff\xfe 0.1 0.2 0.3\n", "word2vec_text"),
        (b"1 200\nthe " + bytes(800), "word2vec_binary"),
        (b"1 2\nthe \xcd\xcc\xcc\x3d\xcd\xcc\xcc\x3d", "word2vec_binary"),
        (b"\n\n\\data\\\nngram 1=3\n", "arpa"),
    ],
)
def test_files_of_other_writers(content: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    assert [other for other in FORMATS.names() if FORMATS.get(other).opens(tmp_path / "x")] == [name]
