"""What the command line says, in Chinese: the sentences of the source and what stands for them, a topic a file."""

from ziggurat.surface.chinese import (
    anatomy,
    completion,
    exchange,
    overview,
    planning,
    speech,
    studies,
    tasks,
    training,
    using,
    vectors,
)

__all__ = ["SENTENCES"]

SENTENCES: dict[str, str] = {}
for _topic in (anatomy, completion, overview, exchange, planning, speech, studies, tasks, training, using, vectors):
    if _twice := SENTENCES.keys() & _topic.SENTENCES.keys():
        raise ValueError(f"two translations of {sorted(_twice)}")
    SENTENCES |= _topic.SENTENCES
