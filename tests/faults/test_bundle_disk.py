"""A full disk in the middle of a save: one clear error, the old bundle whole, nothing left over."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.bundles import make_bundle
from ziggurat.artefacts.bundle import load
from ziggurat.models.registry import FAMILIES

SAVE = """
import resource, sys
from pathlib import Path
from tests.fakes.bundles import make_bundle
from ziggurat.artefacts.bundle import load, record
from ziggurat.core.errors import DiskFullError
folder, family, limit, what = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
if what == "record":
    load(folder)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    if what == "save":
        make_bundle(folder, family, seed=1)
    else:
        record(folder, {"test": {"bits_per_byte": 1.5}})
except DiskFullError as error:
    sys.stdout.write(str(error))
    sys.exit(1)
"""


def run_limited(folder: Path, family: str, limit: int, what: str, repository: Path) -> subprocess.CompletedProcess[str]:
    """Save or record in a child process that may write files of at most ``limit`` bytes: as where a disk is full."""
    environ = {**os.environ, "PYTHONPATH": str(repository), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SAVE, str(folder), family, str(limit), what]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environ, timeout=60)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(("what", "limit"), [("save", 1000), ("record", 100)])
def test_the_old_bundle_survives_a_full_disk(what: str, limit: int, tmp_path: Path, repository: Path) -> None:
    family = FAMILIES.names()[-1]
    make_bundle(tmp_path / "bundle", family, seed=0)
    before = content(tmp_path)
    ended = run_limited(tmp_path / "bundle", family, limit, what, repository)
    assert (ended.returncode, ended.stderr) == (1, "")
    assert (
        ended.stdout
        == f"{tmp_path / 'bundle'}: no space left on the disk; nothing was half written: make room and run again"
    )
    assert content(tmp_path) == before
    load(tmp_path / "bundle", verify=True)


def test_a_new_bundle_is_there_whole_or_not_at_all(tmp_path: Path, repository: Path) -> None:
    family = FAMILIES.names()[-1]
    ended = run_limited(tmp_path / "bundle", family, 1000, "save", repository)
    assert ended.returncode == 1, ended.stderr
    assert list(tmp_path.iterdir()) == []
