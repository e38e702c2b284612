"""Processes and clusters that fail: what the user is told, and that nothing of them is left."""

import importlib.util
import os
import signal
import tempfile
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from tests.fakes.corpora import write_lines
from tests.fakes.preparations import assert_prepared, left_by, planted
from ziggurat.core.errors import InputError, MissingExtraError, UsageError, ZigguratError
from ziggurat.core.processes import SINGLE_THREADED, LocalProcesses
from ziggurat.core.ray_cluster import RayCluster
from ziggurat.core.workers import HERE, Workers
from ziggurat.surface.workers import named_workers
from ziggurat.text.corpus import prepare
from ziggurat.text.options import TextConfig

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray (extra cluster) is not installed")


def squared(number: int) -> int:
    if number == 7:
        raise InputError("numbers.txt:7: seven; choose another")
    return number * number


def surroundings(name: str) -> tuple[int, str | None]:
    return os.getpid(), os.environ.get(name)


def killed_once(marker: str) -> int:
    """Die by force the first time."""
    path = Path(marker)
    if not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 17


def works(workers: Workers, capfd: pytest.CaptureFixture[str]) -> None:
    """Results in order, the same error, other processes with one thread each; again after its end; no word of it."""
    for _ in range(2):
        with workers:
            assert list(workers.map(squared, [2, 3, 5])) == [4, 9, 25]
            with pytest.raises(InputError, match=r"^numbers\.txt:7: seven; choose another$"):
                list(workers.map(squared, [2, 7, 3]))
            found = list(workers.map(surroundings, SINGLE_THREADED))
            assert [value for _, value in found] == list(SINGLE_THREADED.values())
            assert os.getpid() not in {process for process, _ in found}
            assert workers.count == 2
    assert capfd.readouterr() == ("", "")


def test_processes(capfd: pytest.CaptureFixture[str]) -> None:
    works(LocalProcesses(2), capfd)


def test_a_process_that_is_killed_is_told_of(tmp_path: Path) -> None:
    with LocalProcesses(2) as workers:
        with pytest.raises(ZigguratError, match=r"one of 2 worker processes was killed.*fewer --workers"):
            list(workers.map(killed_once, [str(tmp_path / "a")]))
        assert list(workers.map(squared, [4])) == [16]  # others take over


def test_a_process_that_was_killed_between_tasks_is_told_of_too() -> None:
    class Broken:
        def submit(self, *_: object) -> None:
            raise BrokenProcessPool("a process was terminated abruptly")

    workers = LocalProcesses(3)
    workers._pool = Broken()  # type: ignore[assignment]
    with pytest.raises(ZigguratError, match=r"one of 3 worker processes was killed.*fewer --workers"):
        list(workers.map(squared, [2]))
    assert workers._pool is None  # so the next tasks begin anew


def test_no_process_is_started_for_nothing() -> None:
    with LocalProcesses(2) as workers:
        assert workers._pool is None
    with pytest.raises(UsageError, match="at least one process, got 0"):
        LocalProcesses(0)


@pytest.mark.parametrize("name", ["0", "-2", "two", "1.5", "rayon", "http://host:1"])
def test_workers_that_are_none(name: str) -> None:
    with pytest.raises(UsageError, match=f"--workers: expected a number of processes, ray or .*'{name}'"):
        named_workers(name)


def test_workers_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [named_workers(name) for name in (None, "", "1", 1, " 1 ")] == [HERE] * 5
    found = named_workers("3")
    assert isinstance(found, LocalProcesses)
    assert found.count == 3
    monkeypatch.setattr("ziggurat.core.ray_cluster._installed", lambda: True)
    addresses = []
    for name, variable in (("ray", ""), ("ray", "10.1.2.3:6379"), ("ray://there:10001", "10.1.2.3:6379")):
        monkeypatch.setenv("RAY_ADDRESS", variable)
        cluster = named_workers(name)
        assert isinstance(cluster, RayCluster)
        addresses.append(cluster.address)
    assert addresses == ["", "10.1.2.3:6379", "ray://there:10001"]


def test_a_cluster_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ziggurat.core.ray_cluster._installed", lambda: False)
    with pytest.raises(MissingExtraError, match=r"pip install 'ziggurat\[cluster\]'"):
        named_workers("ray")


def test_one_file_knows_ray(repository: Path) -> None:
    sources = (repository / "src").rglob("*.py")
    assert [path.name for path in sources if "import ray\n" in path.read_text()] == ["ray_cluster.py"]


def left_behind() -> set[str]:
    """What Ray might leave: folders, and settings."""
    folders = {name for name in os.listdir(tempfile.gettempdir()) if name.startswith(("zg-", "ray"))}  # noqa: PTH208
    home = {".ray"} if (Path.home() / ".ray").exists() else set()
    return folders | home | {name for name in os.environ if name.startswith("RAY_")}


@pytest.mark.slow
@needs_ray
@pytest.mark.timeout(300)
def test_a_cluster_of_two_workers(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    before = left_behind()
    works(RayCluster(cores=2), capfd)
    with RayCluster(cores=2) as cluster:
        assert list(cluster.map(killed_once, [str(tmp_path / "a")])) == [17]  # done again by another
    assert left_behind() == before


@pytest.mark.slow
@needs_ray
@pytest.mark.timeout(300)
def test_a_cluster_leaves_the_same_bytes_and_tells_the_same_errors(tmp_path: Path) -> None:
    texts = planted(tmp_path / "texts")
    left = left_by(tmp_path / "here", HERE, texts)
    assert left == left_by(tmp_path / "there", RayCluster(cores=2), texts)
    assert_prepared(left, tmp_path / "there")
    bad = write_lines(tmp_path / "bad.jsonl", ['{"text": "fine"}', "{"])
    with RayCluster(cores=2) as cluster, pytest.raises(InputError, match=r"bad\.jsonl:2: not JSON"):
        prepare([str(bad)], TextConfig(), folder=tmp_path / "bad", listener=lambda event: None, workers=cluster)


@needs_ray
@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1"])
def test_a_cluster_that_does_not_answer(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = left_behind()
    with RayCluster(address) as cluster, pytest.raises(UsageError, match=f"{address}: no Ray cluster answers there"):
        next(cluster.map(squared, [1]))
    assert left_behind() == before


@pytest.mark.slow
@needs_ray
@pytest.mark.timeout(1200)
def test_novels_prepared_by_a_cluster_of_two_workers(shared_data: Path, tmp_path: Path) -> None:
    novels = sorted((shared_data / "novels").glob("train*"))
    if not novels:
        pytest.skip("no novels")
    left = left_by(tmp_path / "here", HERE, *novels, order=5)
    assert left == left_by(tmp_path / "there", RayCluster(cores=2), *novels, order=5)
    assert_prepared(left, tmp_path / "there")
