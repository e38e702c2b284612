"""Tables of n-grams against rows and sums worked out by hand and by Python's own whole numbers."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.anatomy_measures import saved_bytes
from ziggurat.core.config import from_mapping, options, to_mapping
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks import ngram_tables
from ziggurat.models.blocks.ngram_parts import ngram_parts, ngram_symbols
from ziggurat.models.blocks.ngram_tables import NO_ID, NgramTableKeys, NgramTables, mixed, table_rows
from ziggurat.models.decoder import FAMILY as DECODER
from ziggurat.models.decoder import DecoderConfig
from ziggurat.models.layouts.layout import has_own_parts, layout_for
from ziggurat.models.recurrent import FAMILY as RECURRENT
from ziggurat.models.recurrent import RecurrentConfig
from ziggurat.training.frozen import freeze, frozen_names

V, D = 11, 5
MASK = (1 << 64) - 1
SMALL: dict[str, Any] = {"layers": 2, "width": 12, "heads": 2, "context": 17}


def tables(*orders: int, rows: int = 151, narrow: int | None = None, size: int = V) -> NgramTables:
    made = NgramTables(NgramTableKeys(orders, rows, narrow), size, D)
    torch.manual_seed(3)
    for weight in made.parameters():
        torch.nn.init.normal_(weight)
    return made


def ids_of(*rows: Sequence[int]) -> Tensor:
    return torch.tensor(rows, dtype=torch.long)


def split_mix(number: int) -> int:
    """The finaliser of SplitMix64, by Python's own numbers."""
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & MASK
    return number ^ (number >> 31)


def row_of(gram: Sequence[int], rows: int) -> int:
    """The row of an n-gram, oldest id first, in a table of ``rows``."""
    if V ** len(gram) <= rows:
        return sum(one * V**back for back, one in enumerate(reversed(gram)))
    hashed = 0
    for one in reversed(gram):
        hashed = split_mix((hashed + (one + 1) * 0x9E3779B97F4A7C15) & MASK)
    return ((hashed >> 32) * rows) >> 32


# -- rows --------------------------------------------------------------------------------------------------------------


def test_bits_are_mixed_as_split_mix_mixes_them() -> None:
    """The first number that SplitMix64 gives from seed 0 is e220a8397b1dcdaf: its finaliser on 9e3779b97f4a7c15."""
    assert split_mix(0x9E3779B97F4A7C15) == 0xE220A8397B1DCDAF
    numbers = [0, 1, 0x9E3779B97F4A7C15, 1 << 63, MASK, 0x0123456789ABCDEF]
    signed = [number - (1 << 64) if number >> 63 else number for number in numbers]
    found = [number & MASK for number in mixed(torch.tensor(signed)).tolist()]
    assert found == [split_mix(number) for number in numbers]


def test_where_all_n_grams_have_a_row_it_is_their_number() -> None:
    """Pairs of 11 ids: the row of (3, 7) is 7 + 3·11 = 40."""
    places, known = tables(2).places(ids_of([3, 7, 0, 10]))
    assert known[0, :, 0].tolist() == [False, True, True, True]
    assert places[0, 1:, 0].tolist() == [40, 0 + 7 * 11, 10 + 0 * 11]
    every = ids_of(*itertools.product(range(V), repeat=2))
    assert sorted(tables(2).places(every)[0][:, 1, 0].tolist()) == list(range(121))


@pytest.mark.parametrize("orders", [(2, 3, 5), (5, 2, 4), (3,), (16,)])
def test_rows_are_those_of_the_formula(orders: tuple[int, ...]) -> None:
    made, ids = tables(*orders), torch.randint(0, V, (3, 19), generator=torch.Generator().manual_seed(7))
    places, known = made.places(ids)
    for number, (order, start, rows) in enumerate(zip(orders, made.starts, made.rows, strict=True)):
        for row, t in itertools.product(range(3), range(19)):
            assert bool(known[row, t, number]) == (t + 1 >= order)
            if t + 1 >= order:
                gram = ids[row, t + 1 - order : t + 1].tolist()
                assert int(places[row, t, number]) == start + row_of(gram, rows)


def test_tables_stand_one_below_another_and_each_n_gram_stays_in_its_own() -> None:
    made = tables(4, 2, 3)
    assert (made.rows, made.starts, made.weight.shape) == ((151, 121, 151), (0, 151, 272), (423, D))
    places, _ = made.places(torch.randint(0, V, (7, 301)))
    for number in range(3):
        found = places[..., number]
        assert int(found.min()) >= made.starts[number]
        assert int(found.max()) < made.starts[number] + made.rows[number]


def test_n_grams_are_spread_evenly_over_the_rows() -> None:
    """29³ n-grams over 97 rows: about 251.4 each, with a chi-square of 96 degrees of freedom, 96 ± 3·√192."""
    grams = ids_of(*itertools.product(range(29), repeat=3))
    places, _ = tables(3, rows=97, size=29).places(grams)
    counts = torch.bincount(places[:, 2, 0], minlength=97).double()
    expected = 29**3 / 97
    statistic = float(((counts - expected) ** 2 / expected).sum())
    assert abs(statistic - 96) < 3 * 192**0.5


def test_an_order_of_ids_matters() -> None:
    places, _ = tables(3, rows=10_007, size=101).places(ids_of([3, 7, 5], [5, 7, 3], [7, 3, 5], [3, 5, 7]))
    assert len(set(places[:, 2, 0].tolist())) == 4


def test_the_largest_table_has_rows_that_a_32_bit_number_tells() -> None:
    rows = (1 << 31) - 1
    with torch.device("meta"):  # its numbers would take memory
        made = NgramTables(NgramTableKeys((3,), rows), 2_000_003, 1)
    made.weight = torch.nn.Parameter(torch.empty(0))
    places, _ = made.places(torch.randint(0, 2_000_003, (5, 101)))
    assert 0 <= int(places.min()) < rows // 100
    assert rows - rows // 100 < int(places.max()) < rows


# -- vectors -----------------------------------------------------------------------------------------------------------


def test_vectors_of_all_orders_are_added_up_and_orders_that_reach_too_far_give_nothing() -> None:
    made, ids = tables(2, 3), ids_of([3, 7, 5, 2])
    found, weight = made(ids)[0], made.weight
    pairs = [row_of(gram, 121) for gram in ([3, 7], [7, 5], [5, 2])]
    threes = [121 + row_of(gram, 151) for gram in ([3, 7, 5], [7, 5, 2])]
    assert found[0].tolist() == [0.0] * D
    torch.testing.assert_close(found[1], weight[pairs[0]])
    torch.testing.assert_close(found[2], weight[pairs[1]] + weight[threes[0]])
    torch.testing.assert_close(found[3], weight[pairs[2]] + weight[threes[1]])


def test_narrow_vectors_stand_side_by_side_and_are_widened() -> None:
    """The columns 0–2 of the matrix are those of the pairs, 3–5 those of the threes."""
    made = tables(2, 3, narrow=3)
    assert made.project is not None
    found = made(ids_of([3, 7, 5]))[0]
    pair, three = made.weight[row_of([7, 5], 121)], made.weight[121 + row_of([3, 7, 5], 151)]
    expected = made.project.weight[:, :3] @ pair + made.project.weight[:, 3:] @ three
    torch.testing.assert_close(found[2], expected)
    torch.testing.assert_close(found[1], made.project.weight[:, :3] @ made.weight[row_of([3, 7], 121)])
    assert found[0].tolist() == [0.0] * D


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 7, 13])
def test_reading_in_two_pieces_is_reading_in_one(cut: int) -> None:
    made, ids = tables(2, 4), torch.randint(0, V, (3, 13))
    before = made.after(ids[:, :cut], made.nothing(3))
    torch.testing.assert_close(made(ids[:, cut:], before), made(ids)[:, cut:])


def test_what_stands_before_is_of_each_rows_own_end() -> None:
    made = tables(4)
    ids = ids_of([3, 7, 5, 2], [1, 9, 0, 0], [8, 8, 8, 8])
    before = ids_of([NO_ID, NO_ID, NO_ID], [NO_ID, 4, 6], [2, 3, 4])
    found = made.after(ids, before, torch.tensor([4, 2, 0]))
    assert found.tolist() == [[7, 5, 2], [6, 1, 9], [2, 3, 4]]
    assert made.after(ids, before).tolist() == [[7, 5, 2], [9, 0, 0], [8, 8, 8]]


def test_no_rows_and_no_ids_give_no_vectors() -> None:
    assert tables(2, 3)(torch.zeros(0, 7, dtype=torch.long)).shape == (0, 7, D)
    assert tables(2, 3, narrow=3)(torch.zeros(3, 0, dtype=torch.long)).shape == (3, 0, D)


# -- gradients ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("narrow", [None, 3])
def test_a_sparse_gradient_is_the_dense_one_where_rows_were_read(narrow: int | None) -> None:
    made, ids = tables(2, 3, 5, narrow=narrow), torch.randint(0, V, (3, 13))
    weights = torch.randn(3, 13, D)
    (made(ids) * weights).sum().backward()
    dense, made.weight.grad, made.sparse = made.weight.grad, None, True
    (made(ids) * weights).sum().backward()
    found = made.weight.grad
    assert dense is not None
    assert found is not None
    assert found.is_sparse
    torch.testing.assert_close(found.to_dense(), dense)
    places, known = made.places(ids)
    read = set(places[known].tolist())
    touched = set(found.coalesce().indices()[0].tolist())
    assert read <= touched <= read | set(made.starts)  # what reaches too far stands at the start with gradient 0


def test_a_network_says_which_weights_are_tables_and_how_their_gradients_come() -> None:
    network = DECODER.build(DecoderConfig(**SMALL, ngram_orders=(2, 3)), Vocabulary(V, 0, 0), seed=3).network
    (weight,) = network.tables()
    assert weight is network.get_parameter("embed_ngrams.weight")
    for wanted in (True, False):
        network.sparse_tables(wanted)
        weight.grad = None
        network(ids_of([0, 3, 7]))[0].sum().backward()
        assert weight.grad is not None
        assert weight.grad.is_sparse == wanted
    assert DECODER.tiny(seed=3).network.tables() == []


def test_frozen_tables_get_no_gradient() -> None:
    network = RECURRENT.build(
        RecurrentConfig(layers=1, embedding=5, hidden=7, ngram_orders=(2,), ngram_rows=53, ngram_width=3),
        Vocabulary(V, 0, 0),
        seed=3,
    ).network
    freeze(network, ["embed_ngrams"])
    assert frozen_names(network) == {"embed_ngrams.weight", "embed_ngrams.project.weight"}
    network(ids_of([0, 3, 7]), network.initial_state(1))[0].sum().backward()
    assert network.tables()[0].grad is None
    assert network.token_embedding.grad is not None


# -- first weights -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("narrow", [None, 7])
@pytest.mark.parametrize("family", [DECODER, RECURRENT], ids=lambda family: family.name)
def test_a_network_begins_as_the_one_without_tables(family: Any, narrow: int | None) -> None:
    keys = SMALL if family is DECODER else {"layers": 2, "embedding": 5, "hidden": 7}
    vocabulary = Vocabulary(V, 0, 0)
    plain = family.build(family.config(**keys), vocabulary, seed=3)
    more = {"ngram_orders": (2, 3), "ngram_rows": 53, "ngram_width": narrow}
    with_tables = family.build(family.config(**keys, **more), vocabulary, seed=3)
    ids = np.array([[0, 3, 7, 5, 2]], dtype=np.int32)
    lengths = np.array([5], dtype=np.int32)
    np.testing.assert_array_equal(plain.token_logprobs(ids, lengths), with_tables.token_logprobs(ids, lengths))
    if narrow is not None:
        matrix = with_tables.network.embed_ngrams.project.weight
        assert float(matrix.detach().std()) == pytest.approx((2 * 7) ** -0.5, rel=0.2)


def test_tables_may_begin_at_small_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngram_tables, "FIRST_STD", 0.5)
    one, same, other = (tables(3, rows=1009) for _ in range(3))
    for made, seed in ((one, 3), (same, 3), (other, 5)):
        made.fill(seed=seed, name="embed_ngrams")
    assert float(one.weight.detach().std()) == pytest.approx(0.5, rel=0.05)
    assert torch.equal(one.weight, same.weight)
    assert not torch.equal(one.weight, other.weight)


# -- keys --------------------------------------------------------------------------------------------------------------


def test_both_families_have_the_same_keys_behind_their_layers() -> None:
    names = ["ngram_orders", "ngram_rows", "ngram_width"]
    for kind, last in ((DecoderConfig, "zero_projections"), (RecurrentConfig, "dropout_weights")):
        keys = list(options(kind))
        assert keys[keys.index(last) + 1 :][:3] == names
        assert {name: options(kind)[name] for name in names} == options(NgramTableKeys)


@pytest.mark.parametrize("kind", [DecoderConfig, RecurrentConfig])
@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"ngram_orders": [2, 3, 2]}, "ngram_orders: each length of n-grams may stand there once"),
        ({"ngram_orders": [1]}, "ngram_orders: must be from 2 to 16, got 1"),
        ({"ngram_orders": [17]}, "ngram_orders: must be from 2 to 16, got 17"),
        ({"ngram_orders": 2}, "ngram_orders: expected a list, got 2"),
        ({"ngram_orders": [2], "ngram_rows": 0}, "ngram_rows: must be from 1 to 2147483647, got 0"),
        ({"ngram_orders": [2], "ngram_rows": 1 << 31}, "ngram_rows: must be from 1 to 2147483647"),
        ({"ngram_orders": [2], "ngram_width": 0}, "ngram_width: must be at least 1, got 0"),
        ({"ngram_rows": 7}, "ngram_rows: there are no tables without ngram_orders; set it too, or leave ngram_rows"),
        ({"ngram_width": 7}, "ngram_width: there are no tables without ngram_orders"),
    ],
)
def test_keys_that_make_no_sense_are_refused(kind: type[Any], keys: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_mapping(kind, keys, where="recipe.toml [model]")
    assert str(caught.value).startswith("recipe.toml [model]: ")
    assert said in str(caught.value)


def test_a_decoders_other_keys_are_still_checked() -> None:
    with pytest.raises(UsageError, match="not a multiple of heads"):
        DecoderConfig(width=13, heads=2, ngram_orders=(2,))


# -- at rest, and what is said of them ---------------------------------------------------------------------------------


def test_no_layout_of_other_programs_holds_tables() -> None:
    gpt2: dict[str, Any] = {"positions": "learned", "norm": "layer", "activation": "gelu_tanh", "bias": "all"}
    for keys in (SMALL, SMALL | gpt2 | {"query_norm": False}):
        plain, more = DecoderConfig(**keys), DecoderConfig(**keys, ngram_orders=(2,))
        assert layout_for("decoder", plain) is not None
        assert layout_for("decoder", more) is None
        assert (has_own_parts(plain), has_own_parts(more)) == (False, True)


def test_a_decoder_with_tables_is_at_rest_in_our_own_form() -> None:
    config = DecoderConfig(**SMALL, ngram_orders=(3, 2), ngram_rows=53)
    described, arrays = DECODER.state(DECODER.build(config, Vocabulary(V, 0, 0), seed=3))
    assert described["model_type"] == "ziggurat-decoder"
    assert described["model"] == to_mapping(config)
    assert arrays["embed_ngrams.weight"].shape == (53 + 53, 12)
    assert DECODER.configured(described, arrays)[0] == config
    with pytest.raises(
        ArtefactError, match=r"'embed_ngrams.weight' has shape \[106, 12\] where \[94, 12\] is expected"
    ):
        DECODER.restore({**described, "model": {**described["model"], "ngram_rows": 47}}, arrays)
    huge = {**described["model"], "ngram_rows": (1 << 31) - 1, "ngram_orders": [16, 15, 14, 13]}
    with pytest.raises(ArtefactError, match=r"'embed_ngrams.weight' has shape \[106, 12\] where \[\d{10}, 12\]"):
        DECODER.restore({**described, "model": huge}, arrays)  # before memory is taken


def test_a_model_without_tables_is_written_as_it_was() -> None:
    described, arrays = DECODER.state(DECODER.tiny(seed=3))
    assert described["model_type"] == "qwen3"
    assert not [name for name in arrays if "ngram" in name]


def test_rows_are_as_many_as_n_grams_or_as_asked_for() -> None:
    assert table_rows(NgramTableKeys((2, 3, 4), 1331), V) == (121, 1331, 1331)
    assert table_rows(NgramTableKeys((2, 3, 4), 1330), V) == (121, 1330, 1330)


def test_parts_count_rows_and_the_matrix() -> None:
    """Pairs have 121 rows and threes 151; wide of 12 numbers, narrow of 7 and a matrix of 2·7·12."""
    assert ngram_parts(NgramTableKeys(), V, ("D", 12)) == ()
    assert ngram_symbols(NgramTableKeys(), V) == ()
    (wide,) = ngram_parts(NgramTableKeys((2, 3), 151), V, ("D", 12))
    assert (wide.parameters, wide.products, wide.formula) == (272 * 12, 0, "R·D")
    (narrow,) = ngram_parts(NgramTableKeys((2, 3), 151, 7), V, ("D", 12))
    assert (narrow.parameters, narrow.products) == (272 * 7 + 2 * 7 * 12, 2 * 7 * 12)
    assert ngram_symbols(NgramTableKeys((2, 3), 151, 7), V) == (("R", 272), ("k", 2), ("W", 7))


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("narrow", [None, 3])
@pytest.mark.parametrize("orders", [(2,), (2, 3, 5)])
def test_what_they_keep_is_what_is_said_to_the_byte(orders: tuple[int, ...], narrow: int | None, sparse: bool) -> None:
    made, ids = tables(*orders, narrow=narrow), torch.randint(0, V, (3, 13))
    made.sparse = sparse
    (part,) = ngram_parts(NgramTableKeys(orders, 151, narrow), V, ("D", D))
    for half in (False, True):
        said = part.saved.bytes_of(3, 13, 0, precision="bf16" if half else "f32") + 2 * half * part.products
        assert saved_bytes(made, lambda: made(ids).sum(), half=half) == said
