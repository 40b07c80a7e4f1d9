"""Write the page of rules to standard output: ``make docs``."""

from __future__ import annotations

import sys

from taxi_assets_tests.service_rules.page import page

sys.stdout.write(page())
