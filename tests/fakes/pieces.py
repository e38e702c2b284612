"""A tokenizer of a few named pieces, which loses nothing of texts that are made of them."""

import json
from collections.abc import Sequence

import numpy as np

from ziggurat.core.types import Encoding, IdArray, Vocabulary

ELEVEN = (" ", "a", "b", "c", "ab", "abc", "bc", " a", " ab", "ca")
"""With the end token as many ids as a family's tiny model; every text of these characters can be cut."""


class Pieces:
    """Cuts the longest piece first; id 0 is the end of text."""

    kind, fingerprint = "pieces", "pieces"
    lossless = True

    def __init__(self, pieces: Sequence[str] = ELEVEN) -> None:
        self.pieces = ["", *pieces]
        self.vocabulary = Vocabulary(len(self.pieces), bos=0, eos=0)
        self.byte_lengths = np.array([len(piece.encode()) for piece in self.pieces], np.int32)

    def id(self, piece: str) -> int:
        return self.pieces.index(piece)

    def encode(self, text: str) -> Encoding:
        ids, offsets, place = [], [], 0
        while place < len(text):
            piece = max((one for one in self.pieces[1:] if text.startswith(one, place)), key=len)
            ids.append(self.pieces.index(piece))
            offsets.append((place, place + len(piece)))
            place += len(piece)
        return Encoding(np.array(ids, np.int32), np.array(offsets, np.int32).reshape(-1, 2))

    def encode_batch(self, texts: Sequence[str]) -> list[IdArray]:
        return [self.encode(text).ids for text in texts]

    def decode(self, ids: Sequence[int] | IdArray) -> str:
        return "".join(self.pieces[int(index)] for index in ids)

    def to_json(self) -> str:
        vocabulary = {piece: index for index, piece in enumerate(self.pieces) if index}
        end = {"id": 0, "content": "<end>", "special": True}
        return json.dumps({"model": {"vocab": vocabulary}, "added_tokens": [end]})
