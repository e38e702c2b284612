"""Serve a model of a task over HTTP: JSON in, JSON out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from ziggurat.core.config import option
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.terminal import Terminal

__all__ = ["COMMAND", "TaskServeOptions", "serve"]


@dataclass(frozen=True)
class TaskServeOptions:
    """Where it listens."""

    host: str = option("127.0.0.1", "address to listen on; 0.0.0.0 is every one of this machine")
    database: str | None = option(None, "SQLite file to ask, instead of the one that the model was trained on")
    port: int = option(8000, "port to listen on; 0: any that is free", low=0, high=65_535)
    quiet: bool = option(False, "say nothing but warnings")


@with_options(TaskServeOptions)
def serve(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the run folder that holds it")],
    *,
    task: str,
    options: TaskServeOptions,
) -> None:
    """Answer POST /answers with {"inputs": […]} until Ctrl-C; GET / says what the model can tell.

    Nobody is asked who they are: on another address than 127.0.0.1, everybody who reaches it may ask.
    """
    from ziggurat.artefacts.bundle import load
    from ziggurat.surface.cli.task.evaluate import about
    from ziggurat.surface.server.running import listening, run_server
    from ziggurat.surface.server.tasks import application
    from ziggurat.use.tasks import TASKS

    chosen, terminal = about(TASKS.get(task), options.database), Terminal(quiet=options.quiet)
    served = application(chosen, load(bundle))
    opened = listening(options.host, options.port)
    told = "serving {task} on {address}; Ctrl-C ends it"
    run_server(served, opened, lambda address: terminal.say(told, task=task, address=address))


COMMAND = serve
