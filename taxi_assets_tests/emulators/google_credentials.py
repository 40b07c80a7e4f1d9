"""Fake credentials for Google clients that require some.

Google's BigQuery client requires application default credentials even with
``BIGQUERY_EMULATOR_HOST``; these get their tokens from the emulator. They are those of a federated
identity, because with a service account's key the client calls Google about regions.
"""

from __future__ import annotations

import json
from pathlib import Path


def write_credentials(folder: Path, token_url: str) -> Path:
    """Write a file for ``GOOGLE_APPLICATION_CREDENTIALS``, valid at ``token_url`` only."""
    subject = folder / "nobody"
    subject.write_text("nobody")
    fields = {
        "type": "external_account",
        "audience": "//emulator",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": token_url,
        "credential_source": {"file": str(subject)},
    }
    path = folder / "credentials.json"
    path.write_text(json.dumps(fields))
    return path
