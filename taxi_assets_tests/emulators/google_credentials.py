"""Credentials of nobody, for Google clients that insist on some.

Stock clients of BigQuery ask for application default credentials whatever
``BIGQUERY_EMULATOR_HOST`` says; the tokens of these come from the emulator. They are those of a
federated identity, because for a service account's key the client asks Google about regions.
"""

from __future__ import annotations

import json
from pathlib import Path


def write_credentials(folder: Path, token_url: str) -> Path:
    """Write a new file for ``GOOGLE_APPLICATION_CREDENTIALS``; only ``token_url`` honours it."""
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
