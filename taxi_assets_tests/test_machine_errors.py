"""Failures of disk and memory are named in one line, whoever reports them."""

import errno
import os
import shutil
from pathlib import Path

import dagster as dg
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_assets.errors import Misconfigured
from taxi_assets.failures import translated_errors
from taxi_assets.machine_errors import DUCKDB_LIMITS, duckdb_details, named_machine_errors
from taxi_assets.services import Rule, Service, named_errors
from taxi_assets_tests.small_disk import small_disk

ENGINE = Service(
    "DuckDB", (duckdb.Error,), duckdb_details, (*DUCKDB_LIMITS, Rule(set(), "Unknown."))
)


def named(error: BaseException) -> Misconfigured:
    with pytest.raises(Misconfigured) as raised, named_machine_errors("Cleaning green 2024-01"):
        raise error
    assert raised.value.__cause__ is error
    assert "\n" not in str(raised.value)
    return raised.value


@pytest.mark.parametrize(
    ("error", "happened", "remedy"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/lake/x"),
            "No space left on device: /lake/x",
            "Free space",
        ),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "Disk quota exceeded", "quota"),
        (OSError(errno.EROFS, "Read-only", "/a"), "Read-only file system: /a", "write there"),
        (
            OSError(errno.EACCES, "", "/a", None, "/b"),
            "Permission denied: /a to /b",
            "write there",
        ),
        (OSError(errno.EIO, "Input/output error", "/a"), "Input/output error: /a", "system's log"),
        (OSError(errno.EMFILE, "Too many", "/a"), "Too many open files: /a", "ulimit -n"),
        (NotADirectoryError(errno.ENOTDIR, "", "/a\nb"), "Not a directory: /a b", "another folder"),
        (MemoryError(), "out of memory", "TAXI_MEMORY_LIMIT"),
        (pa.ArrowMemoryError("malloc of size 64 failed"), "out of memory", "TAXI_MEMORY_LIMIT"),
    ],
)
def test_the_systems_errors_are_named(error: Exception, happened: str, remedy: str) -> None:
    result = named(error)
    assert result.happened == f"Cleaning green 2024-01 failed ({happened})."
    assert remedy in result.remedy


@pytest.mark.parametrize(
    "error",
    [FileNotFoundError(errno.ENOENT, "", "/a"), ConnectionResetError(errno.ECONNRESET, "")],
)
def test_an_error_with_a_meaning_to_its_caller_is_not_translated(error: OSError) -> None:
    with pytest.raises(type(error)) as raised, named_machine_errors("Cleaning"):
        raise error
    assert raised.value is error


def test_arrow_on_a_full_disk(tmp_path: Path) -> None:
    table = pa.table({"value": [os.urandom(16) for _ in range(20_000)]})
    with (
        small_disk(),
        pytest.raises(Misconfigured, match=r"^Writing x failed \(File too large\)\. Free space"),
        named_machine_errors("Writing x"),
    ):
        pq.write_table(table, tmp_path / "x.parquet")


def test_the_standard_library_on_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "from").write_bytes(bytes(1 << 20))
    with (
        small_disk(),
        pytest.raises(Misconfigured, match=r"\(File too large: .*from to .*to\)"),
        named_machine_errors("Writing x"),
    ):
        shutil.copyfile(tmp_path / "from", tmp_path / "to")


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        # All from DuckDB 2.0.0.
        (
            duckdb.IOException('IO Error: Could not write file "/a": No space left on device'),
            "Free",
        ),
        (
            duckdb.IOException(
                'IO Error: Async write failed for range [offset=2, size=9]: {"exception_type":"IO",'
                '"exception_message":"Could not write file \\"/a\\": No space left on device",'
                '"errno":"28"}'
            ),
            "Free space",
        ),
        (
            duckdb.TransactionException(
                "TransactionContext Error: Failed to commit: Could not write file "
                '"/a.wal": No space left on device'
            ),
            "Free space",
        ),
        (
            duckdb.IOException('IO Error: Cannot open file "/a": Permission denied'),
            "Let this user write there",
        ),
        (
            duckdb.OutOfMemoryException(
                "Out of Memory Error: failed to offload data block of size 256.0 KiB (1.6 MiB/1.7 "
                "MiB used).\nThis limit was set by the 'max_temp_directory_size' setting.\nBy "
                "default, …\n\nPossible solutions:\n* Reducing the number of threads"
            ),
            "TAXI_SCRATCH",
        ),
        (
            duckdb.OutOfMemoryException(
                "Out of Memory Error: could not allocate block\n\nPossible solutions:\n* Reducing"
            ),
            "Increase TAXI_MEMORY_LIMIT.",
        ),
        (duckdb.IOException('IO Error: No file "/No space left on device": x'), "Unknown."),
    ],
)
def test_duckdbs_errors_of_disk_and_memory(error: duckdb.Error, remedy: str) -> None:
    with pytest.raises(Misconfigured) as raised, named_errors(ENGINE, "Cleaning"):
        raise error
    assert raised.value.remedy.startswith(remedy) or remedy in raised.value.remedy
    assert "\n" not in str(raised.value)
    assert "Possible solutions" not in str(raised.value)


def test_a_full_disk_in_any_step_names_asset_and_month() -> None:
    months = dg.StaticPartitionsDefinition(["2024-01"])

    @dg.asset(key=["green", "copies"], partitions_def=months)
    def copies(context: dg.AssetExecutionContext) -> None:
        with translated_errors(context):
            raise OSError(errno.ENOSPC, "No space left on device", "/lake/x")

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [copies], partition_key="2024-01", instance=instance, raise_on_error=False
        )
    (failure,) = result.get_step_failure_events()
    data = failure.step_failure_data.user_failure_data
    assert data is not None
    assert data.description == (
        "The step of green/copies 2024-01 failed (No space left on device: /lake/x). Free space on "
        "that disk or raise its quota, then run it again."
    )
