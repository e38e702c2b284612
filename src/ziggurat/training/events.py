"""Listeners that keep what happened: ``metrics.jsonl`` always, TensorBoard where asked for."""

import json
from collections.abc import Iterable
from pathlib import Path

from ziggurat.core.errors import MissingExtraError
from ziggurat.core.types import Event, Listener

__all__ = ["metrics_file", "several", "tensorboard"]


def several(listeners: Iterable[Listener]) -> Listener:
    """Return a listener that passes each event on to all of ``listeners``."""
    heard = tuple(listeners)

    def listen(event: Event) -> None:
        for listener in heard:
            listener(event)

    return listen


def metrics_file(path: Path) -> Listener:
    """Return a listener that appends each event to a file of JSON lines, flushed at once.

    *Idea.* A run that was killed has written lines past its last checkpoint. When it resumes, or begins again
    because there is no checkpoint yet, lines of later steps are cut off first: no step stands in the file twice.
    """
    path.parent.mkdir(parents=True, exist_ok=True)

    def listen(event: Event) -> None:
        if event.get("event") in ("start", "resume"):
            _cut(path, int(event.get("step", 0)))
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(dict(event), ensure_ascii=False) + "\n")

    return listen


def tensorboard(folder: Path) -> Listener:
    """Return a listener that writes every number of an event as a TensorBoard scalar.

    Raises:
        MissingExtraError: TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingExtraError("tensorboard = true", "tensorboard") from error
    writer = SummaryWriter(str(folder))

    def listen(event: Event) -> None:
        step = int(event.get("step", 0))
        for name, value in event.items():
            if name != "step" and isinstance(value, (int, float)):
                writer.add_scalar(f"{event['event']}/{name}", value, step)
        if event["event"] in ("eval", "end"):
            writer.flush()

    return listen


def _cut(path: Path, step: int) -> None:
    """Keep the lines up to ``step`` and drop a last line that was half written."""
    if not path.is_file():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            if int(json.loads(line).get("step", 0)) > step:
                continue
        except ValueError:
            continue
        kept.append(line + "\n")
    partial = path.with_suffix(".partial")
    partial.write_text("".join(kept), encoding="utf-8")
    partial.replace(path)
