"""What a recurrent encoder–decoder is made of, counted by hand, and that it is what there is."""

import pytest
import torch

from ziggurat.core.anatomy import Load, Part
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.recurrent_towers import recurrent_translating_anatomy
from ziggurat.models.recurrent_seq2seq import FAMILY, RecurrentSeq2seqConfig, RecurrentSeq2seqNetwork

V, D, C, M = 13, 3, 7, 6  # 7 cells: 3 in each direction of the encoder, which show 6 numbers


def parts() -> dict[str, list[Part]]:
    found: dict[str, list[Part]] = {}
    anatomy = recurrent_translating_anatomy(V, embedding=D, cells=C, layers=2, copies=True)
    for tower in anatomy.towers:
        for part in tower.parts:
            found.setdefault(f"{tower.name}: {part.name}", []).append(part)
    return found


def test_parameters_by_hand() -> None:
    numbers = {name: [part.total for part in some] for name, some in parts().items()}
    # a direction has 4·3·(D + 3 + 2) = 96 numbers, and above 4·3·(6 + 3 + 2) = 132
    assert numbers["LSTM encoder: LSTM layer"] == [2 * 96, 2 * 132]
    assert numbers["LSTM encoder: token embeddings"] == [13 * 3]
    assert numbers["LSTM encoder: first cells"] == [2 * (6 * 7 + 7)]
    # the lower layer reads D, the upper one what the lower shows and what was found
    assert numbers["LSTM decoder: LSTM layer"] == [4 * 7 * (3 + 7 + 2), 4 * 7 * (13 + 7 + 2)]
    assert numbers["LSTM decoder: attention to the source"] == [7 * 6, 7 * 6]
    assert numbers["LSTM decoder: dense layer of the output"] == [13 * 3 + 3]
    assert numbers["LSTM decoder: copying"] == [7 + 6 + 3 + 1]
    assert numbers["LSTM decoder: output, tied to the embeddings"] == [13]
    assert numbers["LSTM decoder: token embeddings, shared"] == [0]


@pytest.mark.parametrize("copies", [True, False])
@pytest.mark.parametrize("hidden", [2, 7, 10])
def test_the_network_has_as_many(copies: bool, hidden: int) -> None:
    config = RecurrentSeq2seqConfig(layers=3, embedding=D, hidden=hidden, copies=copies)
    vocabulary = Vocabulary(size=V, bos=0, eos=0)
    with torch.device("meta"):
        network = RecurrentSeq2seqNetwork(config, vocabulary)
    assert FAMILY.anatomy(config, vocabulary).parameters == network.parameter_count


def test_a_look_multiplies_for_each_pair_and_a_source_is_read_once() -> None:
    anatomy = recurrent_translating_anatomy(V, embedding=D, cells=C, layers=1, copies=False)
    assert anatomy.translates
    one, two = (anatomy.reading_flops(Load(text=1, source=source)) for source in (5, 6))
    # one id more of the source: both directions of its layer, and two looks with a score and a sum of M each
    assert two - one == 2 * (2 * 4 * 3 * (3 + 3)) + 2 * (2 * 2 * M)
    longer = anatomy.reading_flops(Load(text=2, source=5)) - one
    reads = 4 * 7 * (3 + 7) + 4 * 7 * (13 + 7)
    assert longer == 2 * (reads + 2 * 7 * 6 + 13 * 3 + 13 * 3) + 2 * 2 * 2 * M * 5


@pytest.mark.parametrize("parameters", [1_000, 30_000, 1_000_000])
def test_a_size_that_is_asked_for_is_about_met(parameters: int) -> None:
    config = FAMILY.sized(parameters)
    nobody = Vocabulary(size=2, bos=0, eos=0)
    found = FAMILY.anatomy(config, nobody).parameters
    assert parameters / 2.2 < found < 2.2 * parameters
    assert config.hidden == 2 * config.embedding
