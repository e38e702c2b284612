"""The token store: its layout by hand, its borders, and every damage refused by the file's name."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.bundles import eleven_words
from tests.fakes.texts import documents
from tests.fakes.tokenizers import trained
from ziggurat.core.errors import ArtefactError, DamagedError, InputError, NewerVersionError
from ziggurat.core.protocols import Tokenizer
from ziggurat.core.types import Document, Encoding, IdArray, Vocabulary
from ziggurat.tokens.display import pieces
from ziggurat.tokens.store import FILES, HEADER, open_store, write_store


@dataclasses.dataclass
class Numbers:
    """A tokenizer of numbers between spaces, with whatever vocabulary a test asks for."""

    vocabulary: Vocabulary
    fingerprint: str = "numbers"

    def encode_batch(self, texts: Sequence[str]) -> list[IdArray]:
        return [np.array(text.split(), np.int32) for text in texts]


def store_of(folder: Path, texts: Sequence[str], vocabulary: Vocabulary) -> Path:
    tokenizer: Tokenizer = Numbers(vocabulary)  # type: ignore[assignment]
    write_store(tokenizer, (Document(f"d{n}", text) for n, text in enumerate(texts)), folder / "store")
    return folder / "store"


TOGETHER = Vocabulary(size=100, bos=0, eos=0)
APART = Vocabulary(size=100, bos=1, eos=2)


@pytest.mark.parametrize(
    ("vocabulary", "tokens", "starts"),
    [
        # bos d1 bos d2 bos d3 eos: neighbours share the token between them
        (TOGETHER, [0, 7, 8, 0, 0, 9, 0], [0, 3, 4, 6]),
        (APART, [1, 7, 8, 2, 1, 2, 1, 9, 2], [0, 4, 6, 9]),
    ],
)
def test_the_layout_by_hand(vocabulary: Vocabulary, tokens: list[int], starts: list[int], tmp_path: Path) -> None:
    store = open_store(store_of(tmp_path, ["7 8", "", "9"], vocabulary), verify=True)
    assert store.tokens.tolist() == tokens
    assert store.starts.tolist() == starts
    bos, eos = vocabulary.bos, vocabulary.eos
    assert [store.document(n).tolist() for n in range(3)] == [[bos, 7, 8, eos], [bos, eos], [bos, 9, eos]]
    assert (store.ids, len(store), store.size_bytes) == (["d0", "d1", "d2"], 3, 4)
    assert store.document_bytes.tolist() == [3, 0, 1]
    assert store.vocabulary == vocabulary
    assert store.fingerprint == "numbers"


@pytest.mark.parametrize(("size", "dtype"), [(2**16, np.uint16), (2**16 + 1, np.int32)])
def test_ids_take_two_bytes_while_they_fit(size: int, dtype: type, tmp_path: Path) -> None:
    largest = size - 1
    store = open_store(store_of(tmp_path, [f"{largest} 1"], Vocabulary(size=size, bos=0, eos=0)))
    assert store.tokens.dtype == dtype
    assert store.document(0).tolist() == [0, largest, 1, 0]
    assert store.document(0).dtype == np.int32


@given(texts=st.lists(st.lists(st.integers(3, 99), max_size=7), max_size=17), apart=st.booleans())
def test_documents_come_back(texts: list[list[int]], apart: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    vocabulary = APART if apart else TOGETHER
    folder = tmp_path_factory.mktemp("store")
    store = open_store(store_of(folder, [" ".join(map(str, ids)) for ids in texts], vocabulary), verify=True)
    assert [store.document(n).tolist()[1:-1] for n in range(len(store))] == texts


def test_real_text_and_many_batches(tmp_path: Path) -> None:
    tokenizer = trained("bpe")
    texts = [*documents(300), *documents(300, chinese=True)]
    store = write_store(tokenizer, (Document(f"行\n{n}", text) for n, text in enumerate(texts)), tmp_path / "s")
    assert [tokenizer.decode(store.document(n)) for n in (0, 255, 256, 511, 512, 599)] == [
        texts[n] for n in (0, 255, 256, 511, 512, 599)
    ]
    assert store.ids[599] == "行 599"
    assert store.size_bytes == sum(len(text.encode()) for text in texts)


def test_a_text_that_can_t_be_tokenized_is_named_and_leaves_no_store(tmp_path: Path) -> None:
    texts = [Document("good", "one"), Document("bad", "one \ud800"), Document("fine", "two")]
    with pytest.raises(InputError, match="bad: text has a lone surrogate at character 4"):
        write_store(eleven_words(), texts, tmp_path / "store")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["missing", "short", "long", "flipped"])
def test_damage_is_refused_by_the_file_s_name(name: str, damage: str, tmp_path: Path) -> None:
    path = store_of(tmp_path, ["7 8 9", "11 12"], TOGETHER)
    file = path / name
    data = bytearray(file.read_bytes())
    if damage == "missing":
        file.unlink()
    elif damage == "flipped":
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
    else:
        file.write_bytes(data[:-1] if damage == "short" else data + b"x")
    with pytest.raises(DamagedError, match=rf"{name}: damaged"):
        open_store(path, verify=True)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"format": 99}, NewerVersionError, "newer ziggurat"),
        ({"dtype": "int7"}, DamagedError, "damaged: tokenize the text again"),
        ({"files": {}}, DamagedError, "damaged: tokenize the text again"),
        ({"vocabulary": {"size": 3}}, DamagedError, "damaged: tokenize the text again"),
        ({"dtype": "int32"}, DamagedError, "damaged"),
    ],
)
def test_a_header_that_was_changed_is_refused(
    change: dict[str, object], error: type[Exception], said: str, tmp_path: Path
) -> None:
    path = store_of(tmp_path, ["7 8 9", "11 12"], TOGETHER)
    header = json.loads((path / HEADER).read_text())
    (path / HEADER).write_text(json.dumps(header | change))
    with pytest.raises(error, match=said):
        open_store(path)


def test_no_store_and_no_json_are_said(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"no token store \(store\.json is missing\)"):
        open_store(tmp_path)
    (tmp_path / HEADER).write_text("{")
    with pytest.raises(DamagedError, match=r"store\.json: damaged"):
        open_store(tmp_path)


def test_a_store_is_replaced_as_a_whole(tmp_path: Path) -> None:
    first = store_of(tmp_path, ["7 8 9"], TOGETHER)
    again = store_of(tmp_path, ["11"], TOGETHER)
    assert first == again
    assert open_store(again, verify=True).document(0).tolist() == [0, 11, 0]
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


@pytest.mark.parametrize(
    ("offsets", "expected"),
    [
        ([(0, 1), (1, 2)], [("中", 0, 1), ("文", 1, 2)]),
        ([(0, 1), (0, 1), (0, 1), (1, 2)], [("中", 0, 3), ("文", 3, 4)]),  # three bytes of one character
        ([(0, 1), (0, 2), (1, 2)], [("中文", 0, 3)]),  # a token across the border joins both
        ([(0, 2)], [("中文", 0, 1)]),
        ([], []),
    ],
)
def test_fragments_of_a_character_are_one_piece(
    offsets: list[tuple[int, int]], expected: list[tuple[str, int, int]]
) -> None:
    encoding = Encoding(np.zeros(len(offsets), np.int32), np.array(offsets, np.int32).reshape(-1, 2))
    assert [(piece.text, piece.start, piece.stop) for piece in pieces("中文", encoding)] == expected


@pytest.mark.parametrize("kind", ["bpe", "bytes", "characters", "unigram"])
@pytest.mark.parametrize("text", ["塔楼 tower", "👩‍👩‍👧 and 🇨🇳", "naïve café", ""])
def test_pieces_join_to_the_text_and_cover_every_token(kind: str, text: str) -> None:
    encoding = trained(kind).encode(text)
    found = pieces(text, encoding)
    assert "".join(piece.text for piece in found) == text
    assert [n for piece in found for n in range(piece.start, piece.stop)] == list(range(len(encoding.ids)))
