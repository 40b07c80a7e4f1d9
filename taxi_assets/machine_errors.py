"""Name the errors of this machine: a full or read-only disk, a missing permission, no memory.

Python and Arrow raise ``OSError`` and ``MemoryError`` for them, which :func:`named_machine_errors`
translates. DuckDB has its own exceptions, with the system's text in their message;
``DUCKDB_LIMITS`` has their rules. All are ``Misconfigured``: a retry finds the same machine.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from taxi_assets.errors import Misconfigured
from taxi_assets.services import ErrorDetails, Rule
from taxi_assets.wording import one_line

__all__ = ["DUCKDB_LIMITS", "duckdb_details", "named_machine_errors"]

_FREE: Final = "Free space on that disk or raise its quota, then run it again."
_PERMIT: Final = "Let this user write there or choose another folder, then run it again."
_DISK: Final = "Check that disk and the system's log, then run it again."
_FILES: Final = "Raise the limit of open files (ulimit -n), then run it again."
_PATH: Final = "Choose another folder."
_MEMORY: Final = (
    "Run fewer months at once, lower TAXI_MEMORY_LIMIT, or give the machine more memory."
)

_REMEDIES: Final[Mapping[int, str]] = {
    errno.ENOSPC: _FREE,
    errno.EDQUOT: _FREE,
    errno.EFBIG: _FREE,
    errno.EACCES: _PERMIT,
    errno.EPERM: _PERMIT,
    errno.EROFS: _PERMIT,
    errno.EIO: _DISK,
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
    errno.ENOMEM: _MEMORY,
    errno.EEXIST: _PATH,  # a file where a folder has to be made
    errno.ENOTDIR: _PATH,
    errno.EISDIR: _PATH,
    errno.ENAMETOOLONG: _PATH,
    errno.ELOOP: _PATH,
}
_OF_PATHS: Final = {errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP}

DUCKDB_LIMITS: Final = (
    # The system's text follows the quoted path, which may contain the same words.
    *(
        Rule(set(), remedy, pattern=rf'.*": {re.escape(os.strerror(code))}(?!\w).*')
        for code, remedy in _REMEDIES.items()
        if code not in _OF_PATHS
    ),
    Rule(
        set(),
        "Increase TAXI_MEMORY_LIMIT, or free space on the disk of DuckDB's temporary files (in "
        "TAXI_SCRATCH when it cleans, beside the file of the warehouse when it loads).",
        pattern=r"Out of Memory Error: .*max_temp_directory_size.*",
    ),
    Rule(set(), "Increase TAXI_MEMORY_LIMIT.", pattern=r"Out of Memory Error: .*"),
)


def duckdb_details(error: Exception) -> ErrorDetails:
    """The first paragraph of DuckDB's message; advice, query and stack follow in others."""
    return ErrorDetails(one_line(str(error).partition("\n\n")[0]))


@contextmanager
def named_machine_errors(doing: str) -> Iterator[None]:
    """Translate ``OSError`` and ``MemoryError`` into ``Misconfigured``, if disk or memory failed.

    ``doing`` starts the message: "Cleaning green_tripdata_2024-01.parquet". Any other ``OSError``,
    such as a missing file or a cut connection, has a meaning to its caller and is not translated.
    """
    try:
        yield
    except MemoryError as error:
        raise Misconfigured(f"{doing} failed (out of memory).", _MEMORY) from error
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0)
        if remedy is None:
            raise
        raise Misconfigured(f"{doing} failed ({_described(error)}).", remedy) from error


def _described(error: OSError) -> str:
    """The system's text and the file, which ``rename`` has two of."""
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    return one_line(": ".join([os.strerror(error.errno or 0), " to ".join(names)]).strip(": "))
