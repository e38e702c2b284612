"""A small finished climb with round figures, for tests of what is made from one."""

import dataclasses

from ziggurat.study.result import (
    Climb,
    Comparison,
    Entrant,
    Neighbourhood,
    Place,
    Probe,
    Sample,
    VectorsTrial,
    WordSpace,
    Yardstick,
)


def entrant(
    name: str, bits_per_byte: float, *, size_bytes: int, curve: tuple[tuple[float, float], ...] = ()
) -> Entrant:
    return Entrant(
        name=name,
        family={"gpt": "decoder", "lstm": "recurrent"}.get(name, name),
        bundle=f"{name}/bundle",
        parameters=size_bytes // 4,
        size_bytes=size_bytes,
        train_seconds=61.0,
        steps=700 if curve else 0,
        bits_per_byte=bits_per_byte,
        low=bits_per_byte - 0.03,
        high=bits_per_byte + 0.04,
        token_perplexity=43.0,
        tokens_per_second=17000.0,
        nats=(101.0, 53.0, 71.0),
        curve=curve,
        dev_bits_per_byte=bits_per_byte + 0.01,
        samples=(Sample("The tower", f" is <high>, says {name}."),),
    )


def climb(*, title: str = "python", distinguishable: bool = True) -> Climb:
    mixture = entrant("mixture", 1.5, size_bytes=13_000_000)
    gpt = entrant("gpt", 2.0, size_bytes=3_000_000, curve=((10.0, 3.0), (60.0, 2.01)))
    ngram = entrant("ngram", 2.5, size_bytes=10_000_000)
    return Climb(
        title=title,
        sources=("demo:en",),
        command="ziggurat climb demo:en --minutes 5",
        seed=0,
        budget_seconds=300.0,
        seconds=287.0,
        spent={"text": 3.0, "tokenizer": 17.0, "train gpt": 150.0, "evaluate": 11.0},
        corpus={
            "splits": {
                "train": {"documents": 97, "bytes": 1_700_000},
                "dev": {"documents": 11, "bytes": 190_000},
                "test": {"documents": 3, "bytes": 210_000},
            },
            "removed": {"near duplicate": {"documents": 5, "bytes": 31_000}},
            "near_duplicates_across_splits": 0,
            "pairs_compared": 29,
            "notes": ["one note"],
        },
        tokenizer={"kind": "bpe", "vocabulary": 2048, "bytes_per_token": 3.1, "fingerprint": "f00d"},
        probes=(Probe("bpe", 2048, 3.1, 5, 2.53, 1.7), Probe("bytes", 257, 1.0, 8, 2.61, 3.1)),
        held_out_documents=3,
        held_out_bytes=210_000,
        entrants=(mixture, gpt, ngram),
        comparisons=(
            Comparison("mixture", "gpt", 0.5, 0.4, 0.6, 0.0001, distinguishable, 0.07, 1.7),
            Comparison("gpt", "ngram", 0.5, 0.3, 0.7, 0.0001, True, 0.09, 0.3),
        ),
        yardsticks=(Yardstick("xz -9e", 3.0),),
        recommended="mixture",
        best_single="gpt",
        sampling={"temperature": 0.8, "top_p": 0.95, "tokens": 60},
        machine={"version": "0.1.0", "python": "3.11.7", "cores": 2},
        word_space=None,
        trial=None,
    )


TRIED = VectorsTrial("lstm", "lstm-vectors", "cbow", found=1877, of=2048, seconds=2.5)
TOO_SHORT = VectorsTrial("lstm", "lstm-vectors", "cbow", found=0, of=0, seconds=0.0, needed_minutes=4)


def word_space() -> WordSpace:
    """Five words of a small text about towers, in English and in Chinese."""
    near = (
        Neighbourhood("tower", 53, (("ziggurat", 0.91), ("stairs", 0.87))),
        Neighbourhood("语言", 47, (("模型", 0.75), ("<b>", 0.5))),
    )
    words = [("tower", "tower"), ("ziggurat", "tower"), ("stairs", "tower"), ("语言", "语言"), ("模型", "语言")]
    places = tuple(Place(word, group, float(x), float(7 * x % 5)) for x, (word, group) in enumerate(words))
    return WordSpace(
        recipe="skipgram",
        bundle="skipgram/bundle",
        words=1013,
        least_count=3,
        covered=0.9375,
        running_words=123_457,
        width=97,
        epochs=11,
        loss=2.125,
        dev_loss=2.375,
        seconds=7.25,
        neighbourhoods=near,
        places=places,
        layout="tsne",
        trust=0.875,
        trust_neighbours=2,
    )


def tried(difference: float = 0.125, p_value: float = 0.003, *, better: str = "lstm-vectors") -> Climb:
    """A climb that also asked whether the LSTM gains by vectors; ``better`` is ahead by ``difference``."""
    worse = "lstm" if better == "lstm-vectors" else "lstm-vectors"
    first, second = (
        entrant(name, bits, size_bytes=5_000_000, curve=((10.0, 3.1), (60.0, bits)))
        for name, bits in ((better, 2.1), (worse, 2.1 + difference))
    )
    pair = Comparison(
        better, worse, difference, difference - 0.05, difference + 0.06, p_value, p_value < 0.05, 0.04, 0.3
    )
    known = climb()
    return dataclasses.replace(
        known,
        entrants=(*known.entrants[:2], first, second, *known.entrants[2:]),
        comparisons=(*known.comparisons, pair),
        word_space=word_space(),
        trial=TRIED,
    )
