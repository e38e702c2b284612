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


@kernel(borrows=True)
def _doubled(values, places):
    total = 0
    for place in places:
        row = values[place]  # a view of a row is made and dropped: nobody counts it
        for i in range(row.size):
            row[i] *= 2
            total += row[i]
    return total


@kernel
def _counted(values, places):
    rows = [values[place] for place in places]
    return rows[0].size


def test_kernels_that_borrow_compute_on_the_callers_memory():
    values = np.arange(12, dtype=np.int64).reshape(4, 3)
    # rows 1 and 3 are 3 4 5 and 9 10 11, row 1 twice: 6 8 10, 18 20 22, 12 16 20
    assert _doubled(values, np.array([1, 3, 1])) == 24 + 60 + 48
    assert values.tolist() == [[0, 1, 2], [12, 16, 20], [6, 7, 8], [18, 20, 22]]


def test_kernels_that_borrow_count_no_references():
    values, places = np.ones((4, 3), np.int64), np.array([1, 3])
    _doubled(values, places)
    _counted(values, places)
    functions: list[Any] = [_doubled, _counted]
    for function in functions:
        function.recompile()  # code from a cache can't be looked into
    borrowed, counted = ("".join(function.inspect_llvm().values()) for function in functions)
    assert "NRT_incref" not in borrowed
    assert "NRT_incref" in counted  # so one would be seen
    before = sys.getrefcount(values)
    for _ in range(7):
        _doubled(values, places)
    assert sys.getrefcount(values) == before


def test_kernels_that_borrow_make_no_arrays():
    from numba.core.errors import NumbaError

    @kernel(borrows=True)
    def make(size):
        return np.zeros(size).sum()

    with pytest.raises(NumbaError):  # when it is compiled, not as a wrong result
        make(3)


def test_threads_share_what_a_kernel_borrows():
    values = np.zeros((8, 1000), np.int64)
    values += np.arange(8)[:, None]
    totals = in_parallel([partial(_doubled, values, np.array([row] * 3)) for row in range(8)], threads=4)
    # a row of 1,000 times r is doubled three times: r (2 + 4 + 8) thousand
    assert totals == [14_000 * row for row in range(8)]
    assert values[:, 0].tolist() == [8 * row for row in range(8)]


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


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are set otherwise there")
def test_a_kernel_runs_although_its_code_can_t_be_kept(tmp_path: Path) -> None:
    """No file may have more than ten bytes, as on a disk that is full: what is compiled is used and not kept."""
    program = """
        import resource
        import numpy as np
        from ziggurat.core.kernel_of_a_test import total
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
        print(total(np.arange(5)))
    """
    here = Path(ziggurat.__file__).parent
    package = tmp_path / "ziggurat"
    (package / "core").mkdir(parents=True)
    for name in ("__init__.py", "core/__init__.py", "core/compiled.py"):
        (package / name).write_text((here / name).read_text(encoding="utf-8") if "compiled" in name else "")
    kernel_file = (
        "from ziggurat.core.compiled import kernel\n\n\n@kernel\ndef total(values):\n    return values.sum()\n"
    )
    (package / "core" / "kernel_of_a_test.py").write_text(kernel_file, encoding="utf-8")
    assert _run(textwrap.dedent(program), tmp_path, tmp_path / "cache") == "10\n"


def test_kernels_that_numba_is_told_not_to_compile_are_functions(tmp_path: Path) -> None:
    program = "from ziggurat.core.compiled import kernel\nprint(kernel(lambda value: value + 1)(2))"
    environment = {
        "PATH": "/usr/bin:/bin",
        "NUMBA_DISABLE_JIT": "1",
        "PYTHONPATH": str(Path(ziggurat.__file__).parents[1]),
    }
    environment["XDG_CACHE_HOME"] = str(tmp_path)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "3\n"
