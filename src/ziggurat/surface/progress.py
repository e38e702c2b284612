"""What a person sees while a run goes on: a display that moves, or where nobody looks a plain line now and then.

*Idea.* The rooms below tell events (``{"event": "step", "step": 20, "loss": 3.1, …}``) and know no terminal. This
listener shows the ones that matter to a waiting person: what is being done, how far it is, loss, bits per byte, speed,
time left. What it does not know it passes over, so a room may tell more at any time.
"""

import math
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ziggurat.core.types import Event
from ziggurat.surface.anatomy.figures import operations
from ziggurat.surface.language import translate
from ziggurat.surface.terminal import Terminal

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["ProgressDisplay", "duration", "size", "thousands"]

LINE_SECONDS = 10.0
STAGES = {
    "text": "reading text",
    "probing": "choosing the tokenizer",
    "tokenizer": "training the tokenizer",
    "ids": "tokenizing",
    "words": "learning word vectors",
    "word_marks": "finding words",
    "counting": "counting co-occurrences",
    "training": "training",
    "bundle": "writing the bundle",
    "evaluate": "measuring on held-out text",
    "samples": "writing samples",
    "spectrum": "estimating noise in co-occurrences",
}


class ProgressDisplay:
    """A listener that shows a run's events on standard error for the length of a ``with`` block."""

    def __init__(self, terminal: Terminal, *, line_seconds: float = LINE_SECONDS) -> None:
        """Show on ``terminal``; where it does not move, a line at most every ``line_seconds``."""
        self._terminal = terminal
        self._line_seconds = line_seconds
        self._said_at = -math.inf
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._bytes_per_token = 0.0
        self._dev_loss = 0.0

    def __enter__(self) -> "ProgressDisplay":
        """Begin to show."""
        if self._terminal.lively:
            self._progress = _moving_display()
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop showing and leave the terminal as it was."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def __call__(self, event: Event) -> None:
        """Show an event, if it is one that a person waits for."""
        show = getattr(self, f"_on_{event.get('event')}", None)
        if show is not None:
            show(event)

    def _on_stage(self, event: Event) -> None:
        name = str(event["stage"])
        words = translate(STAGES.get(name, name))
        if name == "training":
            words = f"{words} {event.get('recipe', '')}".rstrip()
        self._begin(words)

    def _on_size(self, event: Event) -> None:
        facts = {key: event[key] for key in ("size", "seed", "number", "total")}
        self._terminal.say("size {size}, seed {seed} ({number} of {total})", **facts)

    def _on_ids(self, event: Event) -> None:
        self._bytes_per_token = float(event["bytes_per_token"])
        self._terminal.say(
            "{documents} documents, {size} bytes, {tokens} tokens of {mean:.2f} bytes",
            documents=thousands(event["documents"]),
            size=thousands(event["bytes"]),
            tokens=thousands(event["tokens"]),
            mean=self._bytes_per_token,
        )

    def _on_vectors(self, event: Event) -> None:
        self._terminal.say(
            "embeddings begin with vectors of {source}: {found} of {of} tokens found",
            source=event["from"],
            found=thousands(event["found"]),
            of=thousands(event["of"]),
        )

    def _on_start(self, event: Event) -> None:
        if "parameters" in event:
            self._terminal.say("{count} parameters", count=thousands(event["parameters"]))
        if "trainable" in event:
            self._terminal.say(
                "{count} of them trained; in memory: weights {weights}, gradients {gradients}, optimiser {optimiser}",
                count=thousands(event["trainable"]),
                **{part: size(event[f"{part}_bytes"]) for part in ("weights", "gradients", "optimiser")},
            )

    def _on_resume(self, event: Event) -> None:
        self._terminal.say("going on from step {step}", step=event["step"])

    def _on_end(self, event: Event) -> None:
        if "peak_bytes" in event:
            self._terminal.say("at most {size} of memory while training", size=size(event["peak_bytes"]))
        speed = operations(float(event.get("flops_per_second", 0))) + "/s"
        if "mfu" in event:
            percent = 100 * float(event["mfu"])
            part = f"{percent:.{0 if percent >= 10 else 1}f}"
            self._terminal.say("{part} % of what the device can do (MFU), {speed}", part=part, speed=speed)
        elif "flops_per_second" in event:
            self._terminal.say("{speed} while training", speed=speed)

    def _on_eval(self, event: Event) -> None:
        self._dev_loss = float(event["loss"])

    def _on_smoothed(self, event: Event) -> None:
        self._terminal.say("{count} n-grams", count=thousands(event["ngrams"]))

    def _on_cooccurrences(self, event: Event) -> None:
        self._terminal.say(
            "{pairs} pairs of words near each other, in {time}",
            pairs=thousands(event["pairs"]),
            time=duration(float(event["seconds"])),
        )

    def _on_step(self, event: Event) -> None:
        figures = self._figures(event)
        seconds, left = float(event.get("seconds", 0)), float(event.get("seconds_left", 0))
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, total=seconds + left, completed=seconds, figures=figures)
        elif time.monotonic() - self._said_at >= self._line_seconds:
            self._said_at = time.monotonic()
            part = f"{event['part']}: " if "part" in event else ""
            step = translate("step {number}").format(number=event["step"])
            left_words = translate("{time} left").format(time=duration(left))
            self._terminal.say("{line}", line=f"{part}{step}  {figures}  {left_words}")

    def _figures(self, event: Event) -> str:
        loss = float(event["loss"])
        shown = [f"{translate('loss')} {loss:.{4 if 'pairs_per_second' in event else 3}f}"]
        if "epochs" in event:
            shown.insert(0, translate("pass {done:.1f} of {all}").format(done=event["epoch"], all=event["epochs"]))
        if self._bytes_per_token and "per" not in event:  # a loss per token, not per pair of words
            shown.append(translate("{bits:.3f} bits per byte").format(bits=self._bits(loss)))
            if self._dev_loss:
                shown.append(f"{translate('held out')} {self._bits(self._dev_loss):.3f}")
        elif self._dev_loss and event.get("per") != "pair":
            shown.append(f"{translate('held out')} {self._dev_loss:.3f}")
        predicted = "hidden tokens/s" if event.get("per") == "hidden token" else "tokens/s"
        speeds = {"tokens_per_second": predicted, "words_per_second": "words/s", "pairs_per_second": "pairs/s"}
        shown += [f"{thousands(event[key])} {translate(unit)}" for key, unit in speeds.items() if key in event]
        return "  ".join(shown)

    def _bits(self, loss: float) -> float:
        """Nats per token to bits per byte of the training text."""
        return loss / math.log(2) / self._bytes_per_token

    def _begin(self, words: str) -> None:
        if self._progress is None:
            self._terminal.say("{line} …", line=words)
            return
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(words, total=None, figures="")


def _moving_display() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def thousands(value: Any) -> str:
    """Return a count as people read it: ``12,345``, ``1.2 M``.

    >>> thousands(12345), thousands(1234567), thousands(17.3), thousands(2.5e9)
    ('12,345', '1.2 M', '17', '2.5 G')
    """
    number = float(value)
    for size, letter in ((1e9, "G"), (1e6, "M")):
        if number >= size:
            return f"{number / size:.1f} {letter}"
    return f"{number:,.0f}"


def size(number_bytes: Any) -> str:
    """Return a number of bytes as people read it.

    >>> size(7_340), size(19_600_000), size(2.51e9)
    ('7 kB', '20 MB', '2.5 GB')
    """
    number = float(number_bytes)
    if number >= 1e9:
        return f"{number / 1e9:.1f} GB"
    return f"{number / 1e6:,.0f} MB" if number >= 1e6 else f"{number / 1e3:,.0f} kB"


def duration(seconds: float) -> str:
    """Return a length of time as people say it.

    >>> duration(7.4), duration(83), duration(4000)
    ('7 s', '1 min 23 s', '1 h 06 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
