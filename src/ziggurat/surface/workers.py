"""The workers that a user named: processes of this machine, or a Ray cluster."""

from ziggurat.core.errors import UsageError
from ziggurat.core.workers import HERE, Workers

__all__ = ["named_workers"]

RAY = "ray"


def named_workers(name: str | int | None) -> Workers:
    """Return the workers behind a number, ``ray``, or the address of a Ray cluster (``ray://host:port``).

    None, 1 and nothing at all are this process alone. ``ray`` is the cluster that ``RAY_ADDRESS`` says; where that is
    not set, one of this machine's processors that lasts as long as the command.

    Raises:
        UsageError: it is none of these.
        MissingExtraError: it is a Ray cluster, and Ray is not installed.
    """
    text = "" if name is None else str(name).strip()
    if text in ("", "1"):
        return HERE
    if text.isdecimal() and int(text):
        from ziggurat.core.processes import LocalProcesses

        return LocalProcesses(int(text))
    if text == RAY or text.startswith(f"{RAY}://"):
        from ziggurat.core.ray_cluster import RayCluster

        return RayCluster("" if text == RAY else text)
    raise UsageError(f"--workers: expected a number of processes, ray or ray://host:port, got '{text}'")
