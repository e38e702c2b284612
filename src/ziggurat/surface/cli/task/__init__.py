"""Train, measure and use a model of a task on your own labelled files: classification, names, roles, translation."""

import functools
import inspect
from typing import Any

from ziggurat.core.errors import UnknownNameError
from ziggurat.surface.commands import Commands, first_line
from ziggurat.use.tasks import TASKS

__all__ = ["COMMAND"]


class _Verbs(Commands):
    """What can be done with one task: the files of this folder, each told which task it is."""

    def __init__(self, task: str) -> None:
        super().__init__(__name__, group=f"task {task}")
        self._task = task

    def get(self, name: str, *, where: str = "") -> Any:
        return _told(super().get(name, where=where), self._task)

    @property
    def title(self) -> str:
        return first_line(TASKS.source(self._task))


class _Tasks(Commands):
    """The tasks, each a group of the same verbs."""

    def names(self) -> tuple[str, ...]:
        return TASKS.names()

    def get(self, name: str, *, where: str = "") -> Any:
        if name not in self.names():
            raise UnknownNameError("task", name, self.names(), where=where or "ziggurat task")
        return _Verbs(name)

    def lines(self) -> dict[str, str]:
        return {name: first_line(TASKS.source(name)) for name in self.names()}


def _told(command: Any, task: str) -> Any:
    """Return a command whose first parameter, the task, is given."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        return command(*args, task=task, **kwargs)

    own = inspect.signature(command)
    kept = [parameter for name, parameter in own.parameters.items() if name != "task"]
    vars(run)["__signature__"] = own.replace(parameters=kept)
    run.__annotations__ = {name: hint for name, hint in command.__annotations__.items() if name != "task"}
    return run


COMMAND = _Tasks(__name__, group="task")
