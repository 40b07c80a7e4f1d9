"""The errors of this package: permanent ones, and transient ones that are retried.

``failures`` turns them into Dagster's failures and retries. Add a class only where a caller, a
test or a person must distinguish it from the existing ones.

    TaxiAssetsError
    ├── PermanentError           fails again with the same input: never retried
    │   ├── MonthNotPublished    TLC has no such file (403 or 404)
    │   ├── SourceBlocked        TLC rejects this client, even for published months
    │   ├── CorruptDownload      a file is damaged or not the published one
    │   ├── SchemaMismatch       the file's columns do not match the specification
    │   ├── UncastableValue      a value cannot be cast to its column's type
    │   ├── AuditFailed          a blocking check failed
    │   ├── ObjectMissing        nothing is stored under that key
    │   ├── TableSchemaConflict  the month's columns do not fit the warehouse table
    │   └── Misconfigured        a setting, a permission, a bucket or an extra is wrong
    └── TransientError           may succeed on a retry
        ├── SourceUnavailable    TLC timed out, disconnected or answered 408, 429 or 5xx
        ├── StoreUnavailable     the same of the lake or the warehouse
        │   └── DamagedObject    an object's content is not what was stored
        ├── WarehouseLocked      another process has the DuckDB file open
        └── ConcurrentWrite      another run wrote the same month
"""

from __future__ import annotations

__all__ = [
    "AuditFailed",
    "ConcurrentWrite",
    "CorruptDownload",
    "DamagedObject",
    "Misconfigured",
    "MonthNotPublished",
    "ObjectMissing",
    "PermanentError",
    "SchemaMismatch",
    "SourceBlocked",
    "SourceUnavailable",
    "StoreUnavailable",
    "TableSchemaConflict",
    "TaxiAssetsError",
    "TransientError",
    "UncastableValue",
    "WarehouseLocked",
]


class TaxiAssetsError(Exception):
    """Base of all errors of this package: what ``happened``, and what to do, the ``remedy``.

    The error's text contains both, so that a traceback or a log line is enough.
    """

    def __init__(self, happened: str, remedy: str = "") -> None:
        super().__init__(f"{happened} {remedy}".strip())
        self.happened = happened
        self.remedy = remedy


class PermanentError(TaxiAssetsError):
    """Fails again with the same input."""


class TransientError(TaxiAssetsError):
    """May succeed on a retry."""


class MonthNotPublished(PermanentError):
    """TLC has not published the file (HTTP 403 or 404)."""


class SourceBlocked(PermanentError):
    """TLC answers 403 even for months that are known to be published."""


class CorruptDownload(PermanentError):
    """A Parquet file is damaged, or the download is not the published one."""


class SchemaMismatch(PermanentError):
    """A published column is unknown, missing, or of a type that has no cast."""


class UncastableValue(PermanentError):
    """A published value does not fit the canonical type of its column."""


class AuditFailed(PermanentError):
    """A blocking check failed; downstream assets keep the previous month."""


class ObjectMissing(PermanentError):
    """Nothing is stored under the requested key."""


class TableSchemaConflict(PermanentError):
    """Loading the month would drop or change a column of the warehouse table."""


class Misconfigured(PermanentError):
    """A setting, a permission, a bucket, a dataset or an installed extra is wrong."""


class SourceUnavailable(TransientError):
    """TLC timed out, disconnected, or answered 408, 429 or 5xx."""


class StoreUnavailable(TransientError):
    """The lake or the warehouse timed out or had a transient error."""


class DamagedObject(StoreUnavailable):
    """The content of an object in the lake is not what was stored: on the way, or at rest."""


class WarehouseLocked(TransientError):
    """Another process has the DuckDB file open."""


class ConcurrentWrite(TransientError):
    """Another run wrote the same month between this run's read and its write."""
