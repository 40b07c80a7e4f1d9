"""Install emulators: ``python -m taxi_assets_tests.emulators.install [NAME …]``, all by default.

Skips those that are current. Each is installed into ``.venvs/<name>`` at the root of the
repository, PostgreSQL into the system.
"""

from __future__ import annotations

import argparse
import sys

from taxi_assets_tests.emulators import azure, bigquery, environments, gcs, postgres, s3
from taxi_assets_tests.emulators.server import Unavailable

_INSTALLERS = {
    "gcs": (gcs.install, (gcs.LOCK,)),
    "bigquery": (bigquery.install, (bigquery.LOCK,)),
    "s3": (s3.install, (s3.LOCK,)),
    "azure": (azure.install, azure.LOCK),
    "postgres": (postgres.install, ()),
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Install local emulators of cloud services.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(_INSTALLERS))
    names: list[str] = parser.parse_args().names or list(_INSTALLERS)
    unknown = [name for name in names if name not in _INSTALLERS]
    if unknown:
        parser.error(f"unknown emulator {unknown[0]}; choose from {', '.join(_INSTALLERS)}")
    missing = 0
    for name in names:
        try:
            _install(name)
        except Unavailable as reason:
            missing += 1
            print(f"{name}: {reason}", file=sys.stderr)
        else:
            print(f"{name}: ready")
    return 1 if missing else 0


def _install(name: str) -> None:
    install, locks = _INSTALLERS[name]
    if not locks or not environments.is_current(name, *locks):
        install()


if __name__ == "__main__":
    sys.exit(main())
