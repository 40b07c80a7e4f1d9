"""Every error this package raises on purpose, and whether trying again can help.

Belongs here: the tree of errors. Does not: what Dagster does about them (``failures``).

    TaxiAssetsError
    ├── PermanentError           the same input fails again: never retried
    │   ├── MonthNotPublished    TLC has no such file (403 or 404)
    │   ├── SourceBlocked        TLC refuses this client, published or not
    │   ├── CorruptDownload      what arrived is not the file that was published
    │   ├── SchemaMismatch       the file's columns do not fit the specification
    │   ├── UncastableValue      a value does not fit its column's type
    │   ├── AuditFailed          a blocking check failed
    │   ├── ObjectMissing        nothing is stored under that key
    │   ├── TableSchemaConflict  the warehouse table cannot take the month's columns
    │   └── Misconfigured        a setting, a permission, a bucket or an extra is wrong
    └── TransientError           worth another try, later
        ├── SourceUnavailable    TLC timed out, cut the line or answered 408, 429 or 5xx
        ├── StoreUnavailable     the lake or the warehouse did so
        ├── WarehouseLocked      another process holds the DuckDB file
        └── ConcurrentWrite      another run wrote the same month meanwhile
"""

from __future__ import annotations


class TaxiAssetsError(Exception):
    """Base of all errors raised on purpose: what ``happened``, and the ``remedy``, what to do.

    The text of the error is both, so that a traceback or a log line alone is enough.
    """

    def __init__(self, happened: str, remedy: str = "") -> None:
        super().__init__(f"{happened} {remedy}".strip())
        self.happened = happened
        self.remedy = remedy


class PermanentError(TaxiAssetsError):
    """Trying again with the same input fails again."""


class TransientError(TaxiAssetsError):
    """Another try, later, may succeed."""


class MonthNotPublished(PermanentError):
    """TLC has no such file yet, or never had (HTTP 403 or 404)."""


class SourceBlocked(PermanentError):
    """TLC answers 403 even for months that are known to be published."""


class CorruptDownload(PermanentError):
    """The bytes that arrived are not the published Parquet file."""


class SchemaMismatch(PermanentError):
    """A published column is unknown, missing, or of a type that has no cast."""


class UncastableValue(PermanentError):
    """A published value does not fit the canonical type of its column."""


class AuditFailed(PermanentError):
    """A blocking check failed; the month was not handed on."""


class ObjectMissing(PermanentError):
    """Nothing is stored under the key asked for."""


class TableSchemaConflict(PermanentError):
    """The warehouse table cannot take the month without losing or changing a column."""


class Misconfigured(PermanentError):
    """A setting, a permission, a bucket, a dataset or an installed extra is wrong."""


class SourceUnavailable(TransientError):
    """TLC timed out, cut the connection, or answered 408, 429 or 5xx."""


class StoreUnavailable(TransientError):
    """The lake or the warehouse timed out or had an error that passes."""


class WarehouseLocked(TransientError):
    """Another process holds the DuckDB file for writing."""


class ConcurrentWrite(TransientError):
    """Another run wrote the same month between this run's read and its write."""
