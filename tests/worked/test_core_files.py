"""Writing in one piece: the old content or the new, never a part, and nothing left over."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from ziggurat.core import files
from ziggurat.core.errors import DiskFullError, UsageError
from ziggurat.core.files import atomic_file, atomic_folder, disk_errors, sha256, write_text


def fail_after_writing(path: Path) -> None:
    path.write_text("half")
    raise KeyError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "deep" / "bundle") as partial:
        (partial / "a").write_text("1")
        assert not (tmp_path / "deep" / "bundle").exists()
    assert (tmp_path / "deep" / "bundle" / "a").read_text() == "1"
    assert names(tmp_path / "deep") == ["bundle"]


@pytest.mark.parametrize("exchange", [True, False])
def test_a_folder_replaces_the_old_one_as_a_whole(
    exchange: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchange:  # a system that can't exchange two folders in one step
        monkeypatch.setattr(files, "_exchange", lambda *_: False)
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "old").write_text("1")
    with atomic_folder(tmp_path / "bundle") as partial:
        (partial / "new").write_text("2")
        assert names(tmp_path / "bundle") == ["old"]
    assert names(tmp_path) == ["bundle"]
    assert names(tmp_path / "bundle") == ["new"]


def test_after_an_error_the_old_folder_stands_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "old").write_text("1")
    with pytest.raises(KeyError), atomic_folder(tmp_path / "bundle") as partial:
        fail_after_writing(partial / "new")
    assert names(tmp_path) == ["bundle"]
    assert names(tmp_path / "bundle") == ["old"]


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "塔\n")
    assert (tmp_path / "a.txt").read_bytes() == "塔\n".encode()
    with pytest.raises(KeyError), atomic_file(tmp_path / "a.txt") as partial:
        fail_after_writing(partial)
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "塔\n"
    assert names(tmp_path) == ["a.txt"]


def test_files_and_folders_get_the_permissions_that_others_get(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "1")
        with atomic_folder(tmp_path / "bundle"):
            pass
    finally:
        os.umask(mask)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "bundle").stat().st_mode & 0o777 == 0o750


def test_what_a_killed_writer_left_is_removed_and_a_living_ones_is_not(tmp_path: Path) -> None:
    dead, living, other = (tmp_path / f".{name}.partial" for name in ("bundle.dead", "bundle.living", "else.dead"))
    for folder in (dead, living, other):
        folder.mkdir()
    (tmp_path / ".bundle.file.partial").write_text("half")
    owner = os.open(living, os.O_RDONLY)
    fcntl.flock(owner, fcntl.LOCK_EX)
    with atomic_folder(tmp_path / "bundle"):
        pass
    os.close(owner)
    assert names(tmp_path) == [".bundle.living.partial", ".else.dead.partial", "bundle"]


def test_a_full_disk_is_named_by_the_place_the_caller_knows(tmp_path: Path) -> None:
    def fill(path: Path) -> None:
        with atomic_folder(path) as partial, disk_errors(partial / "inner"):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DiskFullError, match=r"bundle: no space left") as caught:
        fill(tmp_path / "bundle")
    assert ".partial" not in str(caught.value)
    assert names(tmp_path) == []


def test_a_library_that_tells_the_error_in_words_is_understood(tmp_path: Path) -> None:
    with pytest.raises(DiskFullError), disk_errors(tmp_path):
        raise RuntimeError("I/O error: No space left on device (os error 28)")
    with pytest.raises(RuntimeError), disk_errors(tmp_path):
        raise RuntimeError("I/O error: Permission denied (os error 13)")


def test_other_errors_of_the_system_pass(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), disk_errors(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied")


def test_sha256_of_abc(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_file_never_takes_the_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "there.gguf").mkdir()
    reached = False
    with pytest.raises(UsageError, match=r"there\.gguf: a folder is there"), atomic_file(tmp_path / "there.gguf"):
        reached = True
    assert not reached
    assert [path.name for path in tmp_path.iterdir()] == ["there.gguf"]
