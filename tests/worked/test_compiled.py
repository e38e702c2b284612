"""Compiled kernels: kept in the user's folder, announced when compiled, run side by side."""

import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ziggurat
from ziggurat.core import intrinsics, lanes
from ziggurat.core.compiled import _sources, cache_folder, even_ranges, in_parallel, kernel, thread_count
from ziggurat.core.intrinsics import prefetch
from ziggurat.training.kernels import dice, glove, logistic, pair_blocks, spelled, word2vec


@kernel
def _total(values):
    total = 0
    for i in range(values.size):
        prefetch(values, i + 8)
        total += values[i]
    return total


@kernel(inline=True)
def _square(value):
    return value * value


@kernel(fast_math=True)
def _norm(values):
    total = 0.0
    for value in values:
        total += _square(value)
    return total


def test_kernels_compute():
    assert _total(np.arange(11)) == 55
    assert _norm(np.array([3.0, 4.0])) == 25.0


def test_even_ranges_cover_and_never_are_empty():
    assert even_ranges(7, 3) == [(0, 2), (2, 4), (4, 7)]
    assert even_ranges(2, 5) == [(0, 1), (1, 2)]
    assert even_ranges(0, 3) == []


def test_in_parallel_keeps_the_order_and_raises():
    assert in_parallel([partial(pow, i, 2) for i in range(7)], threads=3) == [0, 1, 4, 9, 16, 25, 36]
    assert in_parallel([lambda: 5], threads=1) == [5]
    with pytest.raises(ZeroDivisionError):
        in_parallel([lambda: 1 // 0, lambda: 2], threads=2)


def test_thread_count_follows_the_environment(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert thread_count() == 1
    assert thread_count(3) == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "not a number")
    assert thread_count() >= 1


def test_folder_that_cannot_be_made_means_no_cache(monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    cache_folder.cache_clear()
    try:
        assert cache_folder() is None
    finally:
        monkeypatch.undo()
        cache_folder.cache_clear()


def test_a_kernel_is_made_of_the_files_of_all_that_it_calls() -> None:
    # bags call the kernels of words, these the logistic function and products in registers
    def files(kernel: Any) -> set[str]:
        return _sources(kernel.py_func, {kernel.py_func.__module__})

    called = {word2vec, dice, logistic, lanes, intrinsics}
    assert files(spelled.train_spelled) == {module.__file__ for module in called}
    assert files(word2vec.train_pairs) == {module.__file__ for module in called - {word2vec}}
    assert files(pair_blocks.fill_blocks) == {dice.__file__}
    assert lanes.__file__ not in files(glove.train_blocks)
    assert {Path(file).name for file in files(glove.train_blocks)} == {"adagrad_rows.py", "counter.py"}


def _run(program: str, folder: Path, cache: Path) -> str:
    environment = {"PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    return done.stdout + done.stderr


@pytest.mark.slow
def test_first_run_compiles_and_says_so_and_a_changed_callee_compiles_its_callers_again(tmp_path):
    package = tmp_path / "ziggurat"  # announcements are made for kernels of this package alone
    (package / "kernels").mkdir(parents=True)
    source = Path(ziggurat.__path__[0])
    (package / "core").symlink_to(source / "core")
    for folder in (package, package / "kernels"):
        (folder / "__init__.py").write_text("")
    callee = "from ziggurat.core.compiled import kernel\n@kernel\ndef f(x):\n    return x + {}\n"
    caller = """
        from ziggurat.core.compiled import kernel
        from ziggurat.kernels.callee import f
        @kernel
        def g(x):
            return f(x) * 10
    """
    (package / "kernels" / "callee.py").write_text(callee.format(1))
    (package / "kernels" / "caller.py").write_text(textwrap.dedent(caller))
    program = (
        "import logging; logging.basicConfig(level=logging.INFO, format='%(message)s');"
        "from ziggurat.kernels.caller import g; print('result', g(2))"
    )
    cache = tmp_path / "cache"
    first = _run(program, tmp_path, cache)
    assert "result 30" in first
    assert "compiling ziggurat.kernels.caller.g (first run on this machine" in first
    second = _run(program, tmp_path, cache)
    assert "result 30" in second
    assert "compiling" not in second
    (package / "kernels" / "callee.py").write_text(callee.format(5))
    assert "result 70" in _run(program, tmp_path, cache)
