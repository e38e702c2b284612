"""A small finished climb with round figures, for tests of what is made from one."""

from ziggurat.study.result import Climb, Comparison, Entrant, Probe, Sample, Yardstick


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
    )
