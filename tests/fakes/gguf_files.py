"""GGUF files made by hand, byte by byte or with the gguf package's writer."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

STRING, ARRAY = 8, 9
LETTERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
F32, F16, Q4_0, Q4_1, Q8_0 = 0, 1, 2, 3, 8


def text(value: str) -> bytes:
    """A text with its length before it."""
    return struct.pack("<Q", len(value.encode())) + value.encode()


def entry(key: str, kind: int, value: Any, inner: int = STRING) -> bytes:
    """A key, its type and its value."""
    start = text(key) + struct.pack("<I", kind)
    if kind == STRING:
        return start + text(value)
    if kind == ARRAY:
        items = [text(one) if inner == STRING else struct.pack(f"<{LETTERS[inner]}", one) for one in value]
        return start + struct.pack("<IQ", inner, len(value)) + b"".join(items)
    return start + struct.pack(f"<{LETTERS[kind]}", value)


def info(name: str, dimensions: Sequence[int], kind: int, offset: int) -> bytes:
    """What a header says of an array; ``dimensions`` begin with the innermost."""
    shape = struct.pack(f"<I{len(dimensions)}Q", len(dimensions), *dimensions)
    return text(name) + shape + struct.pack("<IQ", kind, offset)


def whole(
    entries: Sequence[bytes], infos: Sequence[bytes] = (), data: bytes = b"", *, version: int = 3, alignment: int = 32
) -> bytes:
    """A file: header, entries, what is said of arrays, and their bytes behind padding."""
    head = b"GGUF" + struct.pack("<IQQ", version, len(infos), len(entries)) + b"".join([*entries, *infos])
    return head + bytes(-len(head) % alignment) + data


def write(path: Path, facts: Mapping[str, Any], arrays: Mapping[str, Any], *, name: str = "llama") -> Path:
    """Write a file with the gguf package's writer."""
    import gguf

    writer = gguf.GGUFWriter(path, name)
    for key, value in facts.items():
        add = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}
        add.get(type(value), writer.add_array)(key, value)
    for array_name, array in arrays.items():
        writer.add_tensor(array_name, np.ascontiguousarray(array, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
