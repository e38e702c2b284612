"""What a user may say about their text: the keys of a recipe's ``[text]`` section."""

from dataclasses import dataclass
from typing import Literal

from ziggurat.core.config import option

__all__ = ["TextConfig"]


@dataclass(frozen=True)
class TextConfig:
    """How files become documents, which documents are removed, and how the rest is split."""

    format: str = option("auto", "Format of every source: auto (by name, then content), plain, jsonl, table, parquet.")
    field: str | None = option(None, "Field or column that holds the text; found where it is not given.")
    label_field: str | None = option(
        None, "Field or column that holds the label of a labelled text; found where it is not given."
    )
    encoding: str | None = option(
        None, "Encoding of every file, for example gb18030; recognised where it is not given."
    )
    undecodable: Literal["error", "replace"] = option("error", "Bytes that don't fit the encoding: error, or U+FFFD.")
    normalisation: Literal["NFC", "NFD", "NFKC", "NFKD", "none"] = option("NFC", "Unicode normalisation form.")
    cut: Literal["auto", "always", "never"] = option(
        "auto", "Cut long documents at paragraphs: auto does where a split would have too few documents."
    )
    block_bytes: int = option(6000, "Usual size of a block that a long document is cut into.", low=200, high=1_000_000)
    fewest_documents: int = option(50, "Below this number of documents, cut = auto cuts the long ones.", low=1)
    longest_bytes: int = option(8_000_000, "Documents longer than this are cut unless cut = never.", low=1000)
    duplicates: Literal["near", "exact", "keep"] = option("near", "Which duplicates are removed before the split.")
    similarity: float = option(
        0.8, "Jaccard similarity of shingles from which a document is a near duplicate.", low=0.5, high=1
    )
    shingle: int = option(5, "Words (characters of scripts without spaces) in a shingle.", low=1, high=32)
    dev: float = option(0.1, "Part of the text held out to tune on (dev).", low=0, high=0.5)
    test: float = option(0.1, "Part of the text held out to measure on (test).", low=0, high=0.5)
    held_out_bytes: int = option(2_000_000, "Dev and test stop growing at this size each.", low=1000)
