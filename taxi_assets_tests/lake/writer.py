"""A program that replaces an object repeatedly, for a test to kill.

Run as ``python -m taxi_assets_tests.lake.writer URL KEY FOLDER``. Version n contains the byte n
``SIZE`` times and has n as an attribute. It prints a line after the first is stored.
"""

from __future__ import annotations

import sys
from pathlib import Path

from taxi_assets.lake.factory import open_store
from taxi_assets_tests.lake.files import new_file

SIZE = 1 << 18
VERSIONS = 100


def main(url: str, key: str, folder: Path) -> None:
    store = open_store(url)
    files = [
        new_file(folder, bytes([number]) * SIZE, {"number": str(number)})
        for number in range(VERSIONS)
    ]
    stored = store.put(files[0], key, replacing=None)
    print("storing", flush=True)
    for file in files[1:]:
        stored = store.put(file, key, replacing=stored)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
