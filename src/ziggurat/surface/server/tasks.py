"""A model of a task behind HTTP: inputs in, answers out, as JSON.

*Form.* ``GET /`` tells the task, the model's family and what it can say. ``POST /answers`` takes ``{"inputs": […]}``,
at most `MOST_INPUTS` of what the task reads (a text; a list of words), and returns ``{"answers": […]}``, one an input,
each with ``answer``, ``confidence`` and ``probabilities`` as ``predict --json`` prints them, but for what a database
says to an answer. What can't be answered is refused with 422 and a ``detail`` that names the input. ``GET
/openapi.json`` describes all of it.
"""

import threading
from collections.abc import Sequence
from typing import Any

from ziggurat.artefacts.bundle import Bundle
from ziggurat.core.errors import MissingExtraError, ZigguratError
from ziggurat.core.tasks import Task
from ziggurat.core.types import Example
from ziggurat.judge.tasks import informed, known_labels, told

__all__ = ["MOST_INPUTS", "application"]

MOST_INPUTS = 1024
"""Of one request."""


def application(task: Task, bundle: Bundle) -> Any:
    """Return the ASGI application that answers by a bundle's model, one request at a time.

    Raises:
        InputError: the task asks a database, which can't be read.
        UsageError: the model is none of this task.
        MissingExtraError: the extra ``serve`` is not installed.
    """
    task = informed(task, bundle)
    task.decode(bundle.model, bundle.tokenizer, [])  # refused now and not at each request
    try:
        from fastapi import FastAPI, HTTPException
        from pydantic import BaseModel, ConfigDict, Field
    except ImportError as error:
        raise MissingExtraError("serving a model", "serve") from error

    class Asked(BaseModel):
        model_config = ConfigDict(extra="forbid")
        inputs: list[Any] = Field(max_length=MOST_INPUTS)

    class Answered(BaseModel):
        answer: Any
        confidence: float | None
        probabilities: dict[str, float]

    class Answers(BaseModel):
        answers: list[Answered]

    class About(BaseModel):
        task: str
        family: str
        labels: list[str]
        metrics: dict[str, Any]

    served = FastAPI(title=f"Ziggurat: {task.name}", docs_url=None, redoc_url=None)
    alone = threading.Lock()

    @served.get("/")
    def about() -> About:
        manifest = bundle.manifest
        labels = sorted(known_labels(task, bundle) or ())
        return About(task=task.name, family=manifest.family, labels=labels, metrics=dict(manifest.metrics))

    @served.post("/answers")
    def answers(asked: Asked) -> Answers:
        try:
            examples = _examples(task, asked.inputs)
            with alone:
                found = [said for _, said in told(task, bundle, examples)]
        except ZigguratError as error:
            raise HTTPException(422, str(error)) from error
        return Answers(
            answers=[
                Answered(answer=said.answer, confidence=said.confidence, probabilities=dict(said.probabilities))
                for said in found
            ]
        )

    return served


def _examples(task: Task, inputs: Sequence[Any]) -> list[Example]:
    names = [f"inputs[{place}]" for place in range(len(inputs))]
    return [Example(name, task.asked(value, where=name)) for name, value in zip(names, inputs, strict=True)]
