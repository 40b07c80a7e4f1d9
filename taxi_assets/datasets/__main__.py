"""``python -m taxi_assets.datasets`` prints the specifications as Markdown (docs/datasets.md)."""

from __future__ import annotations

import sys

from taxi_assets.datasets.document import render_document

sys.stdout.write(render_document())
