"""What people do with text, a task a file: what it reads, which models serve it, how its answers are judged."""

from typing import TYPE_CHECKING

from ziggurat.core.registry import Registry

if TYPE_CHECKING:
    from ziggurat.core.tasks import Task

__all__ = ["TASKS"]

TASKS: Registry["Task"] = Registry("ziggurat.use.tasks", "TASK", kind="task")
"""Every module here that assigns ``TASK``."""
