"""What hostile servers answer, and the errors that a request of them may end in.

Each row is a name, the answer, and the classes of errors, none where the request must succeed. Add
a row to the table of its subject; ``hostile`` runs them.
"""

from __future__ import annotations

import gzip
import io
import itertools
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.errors import (
    CorruptDownload,
    Misconfigured,
    MonthNotPublished,
    SourceBlocked,
    SourceUnavailable,
    TaxiAssetsError,
)
from taxi_assets_tests.tlc.wire import Answer, Exchange, head, whole

__all__ = [
    "ENCODINGS", "FILE", "FILES", "FRAMES", "HEADERS", "RANGES", "REDIRECTS", "SECRET",
    "SIZES", "STATUSES", "TIMES", "Errors",
]  # fmt: skip

FILE = "green_tripdata_2024-01.parquet"
SECRET = "5ecret5ecret"

Errors = tuple[type[TaxiAssetsError], ...]


def _parquet() -> bytes:
    sink = io.BytesIO()
    numbers = np.random.default_rng(0).integers(0, 2**62, 5_000)
    pq.write_table(pa.table({"n": numbers}), sink, compression="none", use_dictionary=False)
    return sink.getvalue()


_BODY = _parquet()
DOWN: Errors = (SourceUnavailable,)
_CORRUPT: Errors = (CorruptDownload,)
_REFUSED: Errors = (Misconfigured,)
_OK: Errors = ()
_Row = tuple[str, Answer, Errors]


def _raw(*parts: bytes) -> Answer:
    return lambda exchange: exchange.send(*parts)


def _then_drip(*parts: bytes, drop: bytes = b"x") -> Answer:
    def answer(exchange: Exchange) -> None:
        exchange.send(*parts)
        exchange.drip(itertools.repeat(drop))

    return answer


def _then_flood(*parts: bytes) -> Answer:
    def answer(exchange: Exchange) -> None:
        exchange.send(*parts)
        while True:
            exchange.send(b"x" * 65536)

    return answer


def _then_hang(*parts: bytes) -> Answer:
    def answer(exchange: Exchange) -> None:
        exchange.send(*parts)
        exchange.hang()

    return answer


def _with_header(name: str, value: str | bytes) -> Answer:
    header: dict[str, Any] = {name: value}
    return whole(_BODY, **header)


_CHUNKED = head(Transfer_Encoding="chunked")
SIZES: tuple[_Row, ...] = (
    ("an announced exabyte", _then_flood(head(Content_Length=str(1 << 60))), _CORRUPT),
    ("more than the announced total", _then_flood(head(Content_Range="bytes 0-9/10")), _CORRUPT),
    ("fewer bytes than announced", _raw(head(Content_Length="99999"), _BODY[:5000]), DOWN),
    ("a length of a body that is chunked",
     _raw(head(Transfer_Encoding="chunked", Content_Length="5"), b"a\r\n0123456789\r\n0\r\n\r\n"),
     (CorruptDownload, SourceUnavailable)),
    ("nothing", whole(b""), _CORRUPT),
)  # fmt: skip

TIMES: tuple[_Row, ...] = (
    ("no answer", _then_hang(), DOWN),
    ("a status line that drips", _then_drip(b"HTTP/1.1 200 "), DOWN),
    ("headers that drip", _then_drip(b"HTTP/1.1 200 OK\r\nX: "), DOWN),
    ("interim responses without end", _then_drip(drop=b"HTTP/1.1 100 Continue\r\n\r\n"), DOWN),
    ("a body that drips", _then_drip(head(Content_Length="99999")), DOWN),
    ("a body of unknown length that drips", _then_drip(head()), DOWN),
    ("chunks that drip", _then_drip(_CHUNKED, drop=b"1\r\nx\r\n"), DOWN),
    ("a chunk's extension that drips", _then_drip(_CHUNKED, b"5;"), DOWN),
    ("trailers that drip", _then_drip(_CHUNKED, b"0\r\nX: "), DOWN),
    ("a body that stops", _then_hang(head(Content_Length="99999"), _BODY[:5000]), DOWN),
    ("the body of an error that drips", _then_drip(head("503 Busy", Content_Length="9999")), DOWN),
)

ENCODINGS: tuple[_Row, ...] = tuple(
    (f"a body encoded as {name[:20]}", whole(body, Content_Encoding=name), _CORRUPT)
    for name, body in (
        ("gzip", gzip.compress(bytes(1 << 22))),
        ("gzip, gzip", gzip.compress(gzip.compress(bytes(1 << 22)))),
        ("deflate", b"damaged"),
        ("br", b"\x8b"),
        ("zstd", b"\x28\xb5\x2f\xfd"),
        ("unheard of " * 500, _BODY),
    )
)

FRAMES: tuple[_Row, ...] = (
    ("a connection that closes", _raw(), DOWN),
    ("what is not HTTP", _raw(b"SSH-2.0-OpenSSH_9.9\r\n"), DOWN),
    ("a TLS alert", _raw(b"\x15\x03\x01\x00\x02\x02\x16"), DOWN),
    ("a header without a colon", _raw(b"HTTP/1.1 200 OK\r\nLocation /?", SECRET.encode(),
                                      b"\r\n\r\n"), DOWN),
    ("a header with a zero byte", _raw(b"HTTP/1.1 200 OK\r\nX: \0\r\n\r\n"), DOWN),
    ("a header without end", _raw(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 300_000), DOWN),
    ("a hundred thousand headers", _raw(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 100_000), DOWN),
    ("two lengths", _raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"),
     DOWN),
    ("a chunk of 2^96 bytes", _raw(_CHUNKED, b"f" * 24, b"\r\n"), DOWN),
    ("a chunk of no size", _raw(_CHUNKED, b"zz\r\n"), DOWN),
    ("a transfer encoding", _raw(head(Transfer_Encoding="gzip, chunked")), DOWN),
    ("a negative length", whole(_BODY, Content_Length="-1"), DOWN),
    ("a length of thousands of digits", whole(_BODY, Content_Length="9" * 5000), DOWN),
)  # fmt: skip

FILES: tuple[_Row, ...] = (
    ("a login page", whole(b"<html>Log in</html>"), _CORRUPT),
    ("an error in XML", whole(b"<?xml version='1.0'?><Error><Code>x</Code></Error>"), _CORRUPT),
    ("a file without its end", whole(_BODY[:-100]), _CORRUPT),
    ("a footer of two gigabytes", whole(b"PAR1" + b"x" * 99 + b"\xff\xff\xff\x7fPAR1"), _CORRUPT),
    ("a footer that is nonsense", whole(_BODY[:-60] + b"\x99" * 52 + _BODY[-8:]), _CORRUPT),
    ("another file than its digest", whole(_BODY, ETag='"' + "0" * 32 + '"'), _CORRUPT),
)

RANGES: tuple[_Row, ...] = (
    *(
        (
            f"a partial response, {name}",
            whole(_BODY[:99], "206 Partial Content", Content_Range=value, ETag='"a-1"'),
            DOWN,
        )
        for name, value in (
            ("of another place", "bytes 5-103/40000"),
            ("of an unknown range", "bytes */40000"),
            ("of other digits", b"bytes \xd9\xa1-98/40000"),
            ("of huge numbers", f"bytes 1-{'9' * 5000}/{'9' * 5000}"),
            ("of pages", "pages 1-2/3"),
        )
    ),
    ("a range that cannot be had", whole(b"", "416 No"), DOWN),
)

HEADERS: tuple[_Row, ...] = tuple(
    (f"{name} {str(value)[:30]!r}", _with_header(name, value), _OK)
    for name, value in (
        ("Last_Modified", "Fri, 31 Dec 9999 23:59:59 -1200"),
        ("Last_Modified", "Thu, 01 Jan 99999999999 00:00:00 GMT"),
        ("Last_Modified", b"\xff\xfe\x80"),
        ("ETag", '"' + "e" * 8000 + '"'),
        ("ETag", b'"caf\xe9"'),
        ("Set_Cookie", "a=b; domain=.example; " * 100),
        ("Content_Type", b"\xff" * 99),
        ("Content_Disposition", "attachment; filename=../../../etc/passwd"),
    )
)

REDIRECTS: tuple[_Row, ...] = tuple(
    (f"a redirect to {str(where)[:40]}", _raw(head("302 Found", Location=where)), _REFUSED)
    for where in (
        f"http://127.0.0.1:9/?{SECRET}",
        f"http://169.254.169.254/latest/meta-data/?{SECRET}",
        f"http://you:{SECRET}@10.0.0.1/",
        f"//localhost/?{SECRET}",
        f"https://[::1]/?{SECRET}",
        "file:///etc/passwd",
        f"gopher://127.0.0.1/{SECRET}",
        f"http://[::1?{SECRET}",
        f"http://x:port{SECRET}/",
        "http://xn--/",
        b"http://\xff\xfe.example/",
        "/" + "x" * 90_000,
        "/" + FILE,
    )
)

STATUSES: tuple[_Row, ...] = (
    *((f"status {status}", whole(b"x" * 99, f"{status} Odd"), errors)
      for status, errors in (
          (204, _REFUSED), (300, _REFUSED), (304, _REFUSED), (402, _REFUSED), (403,
          (MonthNotPublished,)), (451, _REFUSED), (500, DOWN), (599, DOWN), (999, DOWN))),
    ("a status with a novel", whole(b"", "500 " + "once " * 9000), DOWN),
    *((f"Retry-After {value[:12]!r}", whole(b"", "503 Busy", Retry_After=value), DOWN)
      for value in ("-9", "nan", "1e999", b"\xd9\xa1".decode("latin-1"),
                    "Fri, 31 Dec 9999 23:59:59 -1200")),
    ("a web page for every month",
     lambda exchange: exchange.send(
         head(Content_Type="text/html", Content_Length="19"),
         b"" if exchange.method == "HEAD" else b"<html>Log in</html>"),
     (SourceBlocked, CorruptDownload)),
)  # fmt: skip
