"""The cache of keys and values, place by place."""

import pytest
import torch

from ziggurat.models.blocks import cache as module
from ziggurat.models.blocks.cache import KeyValueCache


def make(batch: int, *, layers: int = 1) -> KeyValueCache:
    return KeyValueCache((layers, batch, 1, 1), dtype=torch.float32, device=torch.device("cpu"))


def append(cache: KeyValueCache, rows: list[list[float]], lengths: list[int] | None = None) -> torch.Tensor:
    """Append one number a place as key, its negative as value, to layer 0; return the keys held, (B, S)."""
    new = torch.tensor(rows)[:, None, :, None]
    keys, values = cache.append(0, new, -new)
    cache.advance(new.shape[2], None if lengths is None else torch.tensor(lengths))
    assert torch.equal(values, -keys)
    return keys[:, 0, :, 0]


def test_rows_of_one_length_grow_together() -> None:
    cache = make(2)
    assert append(cache, [[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
    assert cache.keep_mask(1) is None
    assert append(cache, [[5], [6]]).tolist() == [[1, 2, 5], [3, 4, 6]]
    assert cache.lengths.tolist() == [3, 3]


def test_a_row_writes_over_its_padding() -> None:
    cache = make(2)
    append(cache, [[1, 2, 9], [3, 4, 5]], lengths=[2, 3])
    assert cache.positions(1).tolist() == [[2], [3]]  # type: ignore[union-attr]
    # The new id of row 0 stands at place 2 and sees 0 … 2; that of row 1 stands at place 3 and sees all.
    mask = cache.keep_mask(1)
    assert mask is not None
    assert mask[:, 0, 0].tolist() == [[True, True, True, False], [True] * 4]
    assert append(cache, [[7], [8]]).tolist() == [[1, 2, 7, 0], [3, 4, 5, 8]]
    assert cache.lengths.tolist() == [3, 4]


def test_several_ids_at_once_see_themselves_and_what_came_before() -> None:
    cache = make(1)
    append(cache, [[1]])
    mask = cache.keep_mask(2)
    assert mask is not None
    assert mask[0, 0].tolist() == [[True, True, False], [True, True, True]]


def test_rows_that_become_even_again_are_known_to_be() -> None:
    cache = make(2)
    append(cache, [[1, 9], [2, 3]], lengths=[1, 2])
    assert isinstance(cache.positions(1), torch.Tensor)
    append(cache, [[4, 5], [6, 9]], lengths=[2, 1])
    assert cache.positions(1) == slice(3, 4)
    assert append(cache, [[7], [8]]).tolist() == [[1, 4, 5, 7], [2, 3, 6, 8]]


def test_reorder_copies_rows() -> None:
    cache = make(3)
    append(cache, [[1, 2, 9], [3, 4, 5], [6, 9, 9]], lengths=[2, 3, 1])
    other = cache.reorder(torch.tensor([2, 0, 0]))
    assert other.lengths.tolist() == [1, 2, 2]
    assert other.longest == 2
    # Row 2 had 9 as padding at place 2, which it may not look at.
    assert append(other, [[7], [7], [8]]).tolist() == [[6, 7, 9], [1, 2, 7], [1, 2, 8]]
    assert append(cache, [[0], [0], [0]])[0].tolist() == [1, 2, 0, 0]


def test_it_grows_and_keeps_what_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PLACES", 2)
    cache = make(1, layers=2)
    for number in range(7):
        new = torch.tensor(float(number)).view(1, 1, 1, 1)
        for layer in range(2):
            keys, _ = cache.append(layer, new + 10 * layer, new)
        cache.advance(1)
    assert keys.flatten().tolist() == [10, 11, 12, 13, 14, 15, 16]


def test_dropping_all_rows_leaves_an_empty_cache() -> None:
    cache = make(2)
    append(cache, [[1, 9], [2, 3]], lengths=[1, 2])
    assert cache.reorder(torch.zeros(0, dtype=torch.long)).longest == 0
