"""Made-up text with something to learn in it, in English and in Chinese."""

import numpy as np

ENGLISH = (
    ["the tower", "a stranger", "the old mason", "her sister", "the river"],
    ["climbs", "remembers", "counts", "crosses", "forgets"],
    ["the seventh step", "a white stone", "the long road", "his three sons", "every word"],
    ["at dawn", "in silence", "before the rain", "with great care", "once more"],
)
CHINESE = (
    ["塔楼", "陌生人", "老石匠", "她的妹妹", "大河"],
    ["登上", "记得", "数着", "越过", "忘记"],
    ["第七级台阶", "一块白石", "漫长的路", "三个儿子", "每一个字"],
    ["在黎明", "在沉默中", "在雨前", "小心翼翼", "又一次"],
)


def documents(count: int, *, seed: int = 0, chinese: bool = False) -> list[str]:
    """Return documents of a few hundred words: sentences of four parts, each drawn, and a number now and then."""
    generator = np.random.default_rng(seed)
    parts, space, end = (CHINESE, "", "。") if chinese else (ENGLISH, " ", ". ")
    found = []
    for number in range(count):
        sentences = [space.join(part[generator.integers(len(part))] for part in parts) for _ in range(23)]
        found.append(f"{number}{space}" + end.join(sentences) + end.strip())
    return found
