"""Which tokenizer and n-gram order a climb chooses, on texts made to deserve one."""

import itertools
import json
import random
from pathlib import Path

import pytest

from tests.fakes.corpora import prepared, write_lines
from tests.fakes.texts import documents
from ziggurat.study.probing import BYTES_PER_ENTRY, GAIN, LONGER_ORDERS, MARGIN, Chosen, probe
from ziggurat.study.result import Probe
from ziggurat.tokens.loading import TOKENIZERS


def chosen_for(folder: Path, texts: list[str]) -> Chosen:
    path = write_lines(folder / "a.jsonl", [json.dumps({"text": text}) for text in texts])
    return probe(prepared(folder, path, duplicates="keep"))


def noise(count: int) -> list[str]:
    """Documents of digits that nothing predicts."""
    dice = random.Random(7)
    return ["".join(dice.choices("0123456789", k=700)) for _ in range(count)]


def refrain(count: int) -> list[str]:
    """Documents that say one long thing again and again, each from another place on."""
    dice = random.Random(3)
    line = "".join(dice.choices("abcdefgh ", k=400))
    return [(line * 3)[(start := dice.randrange(400)) : start + 700] for _ in range(count)]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Chosen]:
    texts = {"noise": noise(61), "refrain": refrain(61), "prose": documents(101)}
    return {name: chosen_for(tmp_path_factory.mktemp(name), some) for name, some in texts.items()}


def first_tries(chosen: Chosen) -> dict[tuple[str, int], Probe]:
    """Each candidate at the order that it was first tried with."""
    first: dict[tuple[str, int], Probe] = {}
    for one in sorted(chosen.probes, key=lambda p: p.order):
        first.setdefault((one.kind, one.vocabulary), one)
    return first


NAMES = ["noise", "refrain", "prose"]


@pytest.mark.parametrize("name", NAMES)
def test_every_candidate_first_sees_about_fourteen_bytes(name: str, found: dict[str, Chosen]) -> None:
    for one in first_tries(found[name]).values():
        # from 4 to 9 tokens; a byte-level one (1 byte a token) is at the upper bound
        assert one.order == min(9, max(4, round(14 / one.bytes_per_token))), one
        if one.kind == "bytes":
            assert one.order == 9
            assert one.bytes_per_token == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("name", NAMES)
def test_the_smallest_vocabulary_near_the_best_is_chosen(name: str, found: dict[str, Chosen]) -> None:
    tries = first_tries(found[name]).values()
    best = min(one.dev_bits_per_byte for one in tries)
    near = [one for one in tries if one.dev_bits_per_byte <= best + MARGIN]
    smallest = min(near, key=lambda one: one.vocabulary)
    assert found[name].kind == smallest.kind
    if smallest.kind == "bpe":
        assert found[name].config.vocab_size == smallest.vocabulary


@pytest.mark.parametrize("name", NAMES)
def test_a_longer_order_was_tried_while_it_gained(name: str, found: dict[str, Chosen]) -> None:
    chosen = found[name]
    sizes = {p.vocabulary for p in chosen.probes if p.kind == chosen.kind and p.order == chosen.order}
    line = sorted((p for p in chosen.probes if p.kind == chosen.kind and p.vocabulary in sizes), key=lambda p: p.order)
    steps = [later.dev_bits_per_byte - earlier.dev_bits_per_byte for earlier, later in itertools.pairwise(line)]
    assert all(step <= -GAIN for step in steps[:-1])
    if line[-1].order != LONGER_ORDERS[-1]:
        assert steps[-1] > -GAIN
    assert chosen.order == min(line, key=lambda p: p.dev_bits_per_byte).order


def test_noise_gains_nothing_from_a_long_memory_and_costs_its_entropy(found: dict[str, Chosen]) -> None:
    # log2 10 = 3.32 bits a digit, however it is cut
    best = found["noise"].probes[0]
    assert 3.32 < best.dev_bits_per_byte < 3.6
    assert all(p.dev_bits_per_byte > 3.32 for p in found["noise"].probes)


def test_a_refrain_is_known_by_heart(found: dict[str, Chosen]) -> None:
    assert found["refrain"].probes[0].dev_bits_per_byte < 0.3
    assert found["prose"].probes[0].dev_bits_per_byte < 1


@pytest.mark.parametrize("name", NAMES)
def test_short_text_is_spared_large_vocabularies(name: str, found: dict[str, Chosen]) -> None:
    # 1024 entries would want 1024 · 400 = 409 600 bytes of training text
    assert 1024 * BYTES_PER_ENTRY > 101 * 3000
    assert max(p.vocabulary for p in found[name].probes if p.kind == "bpe") <= 512


@pytest.mark.parametrize("name", NAMES)
def test_what_is_chosen_can_be_trained(name: str, found: dict[str, Chosen]) -> None:
    kind = TOKENIZERS.get(found[name].kind)
    assert isinstance(found[name].config, kind.config)
    assert kind.train(["塔 tower"], found[name].config).lossless
