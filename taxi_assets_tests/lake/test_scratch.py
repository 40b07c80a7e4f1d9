"""Temporary files are removed, however their run ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from taxi_assets.lake.scratch import RunFolder

HOLD = """
import sys, pathlib
from taxi_assets.lake.scratch import RunFolder
folder = RunFolder(pathlib.Path(sys.argv[1]))
(folder.path / "month.parquet").write_bytes(b"x" * 1000)
print(folder.path, flush=True)
sys.stdin.read()
"""


def folders(root: Path) -> list[Path]:
    return list(root.glob("run-*"))


def test_remove_deletes_the_folder(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    (folder.path / "month.parquet").touch()
    folder.remove()
    assert folders(tmp_path) == []


def test_a_folder_is_removed_with_its_object(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert folders(tmp_path) == [folder.path]
    del folder
    assert folders(tmp_path) == []


def test_a_run_removes_folders_of_killed_runs_but_not_of_running_ones(tmp_path: Path) -> None:
    held = []
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        held.append((process, Path(process.stdout.readline().strip())))
    (killed, abandoned), (running, used) = held
    killed.kill()
    killed.wait()
    assert abandoned.is_dir()

    mine = RunFolder(tmp_path)
    assert set(folders(tmp_path)) == {used, mine.path}
    running.communicate()
    assert running.returncode == 0
    assert folders(tmp_path) == [mine.path]
