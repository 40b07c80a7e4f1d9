"""A secret in every setting that can hold one; nobody may see it, however a run ends.

A case configures the platform with ``CANARY`` in one place: well-formed, so that it is used;
refused by the server; or unparsable. Then a month is run by a command, a notification is sent, and
Dagster's GraphQL is asked for what its UI shows. ``run_case`` searches all output and all files.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from taxi_assets.datasets import Month
from taxi_assets.instance import WORKSPACE
from taxi_assets.simulator.server import Simulator

__all__ = ["CANARY", "Case", "Outcome", "cases", "run_case"]

CANARY = "hush7f3canary"

_PEM = f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----"
_MONTH = "2024-01"
_REFUSED = "127.0.0.1:1"
_SECONDS = 900  # Azure's client retries a refused connection for a minute, each step three times
_BASE64 = base64.b64encode(CANARY.encode()).decode()
_ENCODED = (CANARY.encode(), _BASE64.rstrip("=").encode())

_NOTIFY = """
import os
from taxi_assets.automation.channels import notify, open_channels
from taxi_assets.automation.messages import Message
from taxi_assets.settings import Notify
notify(open_channels(Notify.from_env(os.environ)), Message("a run failed", "why", "http://ui"))
"""
_SHOWN = """{
  workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError {
    ... on PythonError { message stack causes { message stack } }
    ... on RepositoryLocation { repositories {
      allTopLevelResourceDetails {
        name description configuredValues { key value type } configFields { defaultValueAsJson }
      }
      sensors { name description }
      assetNodes { description metadataEntries { label description } }
    } }
  } } } ... on PythonError { message stack } }
  runsOrError { ... on Runs { results {
    runConfigYaml tags { key value }
    eventConnection { events { ... on MessageEvent { message }
      ... on ErrorEvent { error { message stack causes { message stack } } } } }
  } } }
}"""


@dataclass(frozen=True, slots=True)
class Case:
    """``settings`` are environment variables; ``{tlc}`` in them is the simulator's host and port.

    ``files`` are written to the case's folder, ``{folder}``. ``fails``: the command must fail, and
    say why in one line.
    """

    name: str
    settings: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict)
    fails: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where the canary was found; ``named``: the command failed with one line and no traceback, or
    succeeded if it had to.
    """

    name: str
    leaks: list[str]
    named: bool


def cases() -> Iterator[Case]:
    """All cases."""
    yield from _tlc()
    yield from _lake()
    yield from _warehouse()
    yield from _notifications()


def _tlc() -> Iterator[Case]:
    user = f"reader:{CANARY}@"
    yield Case("TLC, password, used", {"TAXI_TLC_URL": f"http://{user}{{tlc}}"}, fails=False)
    yield Case("TLC, password, refused", {"TAXI_TLC_URL": f"http://{user}{_REFUSED}"})
    yield Case("TLC, query", {"TAXI_TLC_URL": f"http://{{tlc}}/?token={CANARY}"})
    yield Case("TLC, unparsable", {"TAXI_TLC_URL": f"http://{user}[::1"})
    yield Case("TLC, no URL", {"TAXI_TLC_URL": f"token={CANARY}"})


def _lake() -> Iterator[Case]:
    for url in (
        f"s3://key:{CANARY}@bucket/prefix",
        f"az://trips?sig={CANARY}",
        f"gs://trips/prefix#{CANARY}",
        f"file:///lake?password={CANARY}",
        f"sftp://me:{CANARY}@host/lake",
        f"s3://me:{CANARY}@[bucket",
        f"s3://me:{CANARY}@\N{ACCOUNT OF}bucket/",
    ):
        yield Case(f"lake, {url.replace(CANARY, '…')}", {"TAXI_LAKE_URL": url})
    s3 = {
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": CANARY,
        "AWS_DEFAULT_REGION": "us-east-1",
        "TAXI_LAKE_URL": "s3://trips",
    }
    yield Case("S3, key, refused", {**s3, "AWS_ENDPOINT_URL": f"http://{_REFUSED}"})
    yield Case("S3, endpoint", {**s3, "AWS_ENDPOINT_URL": f"http://me:{CANARY}@{_REFUSED}"})
    refused = {**s3, "AWS_ENDPOINT_URL": f"http://{_REFUSED}"}
    yield Case("S3, key, broken line", {**refused, "AWS_SESSION_TOKEN": f"{CANARY}\nx"})
    yield Case("S3, endpoint, unparsable", {**s3, "AWS_ENDPOINT_URL": f"me:{CANARY}@host"})
    blobs = f"BlobEndpoint=http://{_REFUSED}/account;"
    for name, connection in {
        "key": f"AccountName=account;AccountKey={_BASE64};{blobs}",
        "bad key": f"AccountName=account;AccountKey={CANARY};{blobs}",
        "broken line": f"AccountName={CANARY}\nx;AccountKey={_BASE64};{blobs}",
        "SAS": f"{blobs}SharedAccessSignature=sv=2022-11-02&sig={CANARY}",
        "no pairs": CANARY,
        "no account": f"AccountKey={CANARY}",
    }.items():
        settings = {"TAXI_LAKE_URL": "az://trips", "AZURE_STORAGE_CONNECTION_STRING": connection}
        yield Case(f"Azure, {name}", settings)
    for name, content in {
        "cut": f'{{"type": "service_account", "private_key": "{CANARY}',
        "no key": _service_account(CANARY),
        "a key": _service_account(
            f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----"
        ),
        "unknown": json.dumps({"type": "other", "secret": CANARY}),
    }.items():
        settings = {
            "TAXI_LAKE_URL": "gs://trips",
            "GOOGLE_APPLICATION_CREDENTIALS": "{folder}/key.json",
        }
        yield Case(f"GCS, credentials, {name}", settings, {"key.json": content})


def _service_account(key: str) -> str:
    account = {"client_email": "a@b.iam.gserviceaccount.com", "token_uri": f"http://{_REFUSED}/"}
    return json.dumps({"type": "service_account", "project_id": "p", "private_key": key, **account})


def _warehouse() -> Iterator[Case]:
    for url in (
        f"postgresql://taxi:{CANARY}@{_REFUSED}/taxi",
        f"postgresql://taxi:12/{CANARY}@{_REFUSED}/taxi",
        f"postgresql://taxi@{_REFUSED}/taxi?password={CANARY}",
        f"postgresql://taxi@{_REFUSED}/taxi?sslpassword={CANARY}",
        f"postgresql://taxi@{_REFUSED}/taxi?token={CANARY}",
        f"postgresql://taxi:12@{CANARY}@{_REFUSED}/taxi",
        f"postgresql://taxi:{CANARY}@host:port/taxi",
        f"postgresql://taxi:{CANARY}@[::1/taxi",
        f"host=127.0.0.1 user=taxi password={CANARY}",
        f"mysql://taxi:{CANARY}@host/taxi",
        f"bigquery://key:{CANARY}@project/dataset",
        f"bigquery://project/dataset?credentials={CANARY}",
        f"duckdb:///warehouse.duckdb?motherduck_token={CANARY}",
    ):
        yield Case(f"warehouse, {url.replace(CANARY, '…')}", {"TAXI_WAREHOUSE_URL": url})
    refused = f"postgresql://taxi@{_REFUSED}/taxi"
    yield Case("PGPASSWORD", {"TAXI_WAREHOUSE_URL": refused, "PGPASSWORD": CANARY})


def _notifications() -> Iterator[Case]:
    slack = {"TAXI_SLACK_TOKEN": CANARY, "TAXI_SLACK_CHANNEL": "#taxi"}
    yield Case("Slack", {**slack, "HTTPS_PROXY": f"http://{_REFUSED}"}, fails=False)
    for url in (f"http://{_REFUSED}/webhook/{CANARY}", f"http://{_REFUSED}/?sig={CANARY}"):
        settings = {"TAXI_TEAMS_WEBHOOK": url}
        yield Case(f"Teams, {url.replace(CANARY, '…')}", settings, fails=False)
    for url in (
        f"token {CANARY}",
        f"https://me:{CANARY}@[::1",
        f"http://{CANARY}@\N{ACCOUNT OF}h/",
    ):
        yield Case(f"Teams, {url.replace(CANARY, '…')}", {"TAXI_TEAMS_WEBHOOK": url})
    mail = {"TAXI_EMAIL_TO": "a@example.org", "TAXI_EMAIL_FROM": "b@example.org"}
    refused = f"smtp://me:{CANARY}@{_REFUSED}"
    yield Case("SMTP, refused", {**mail, "TAXI_SMTP_URL": refused}, fails=False)
    for url in (CANARY, f"smtp://me:{CANARY}@[::1", f"smtps://me:{CANARY}@host:port"):
        yield Case(f"SMTP, {url.replace(CANARY, '…')}", {**mail, "TAXI_SMTP_URL": url})


def run_case(case: Case) -> Outcome:
    """Run what uses the case's settings, and search what can be seen afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="taxi-canary-")))
        site = stack.enter_context(Simulator(folder / "site"))
        site.publish_zones()
        site.publish("green", Month.parse(_MONTH), rows=200)
        (folder / "given").mkdir()
        for name, content in case.files.items():
            (folder / "given" / name).write_text(content)
        environment = _environment(case, folder, site)
        month = [sys.executable, "-m", "taxi_assets", "run", "--datasets", "green"]
        ran = _run([*month, "--months", _MONTH], folder, environment)
        outputs = {"the command": ran.stdout + ran.stderr}
        graphql: list[str | Path] = [
            Path(sysconfig.get_path("scripts"), "dagster-graphql"),
            "-w",
            WORKSPACE,
        ]
        outputs["GraphQL"] = _output([*graphql, "-t", _SHOWN], folder, environment)
        if any(name.startswith(("TAXI_SLACK", "TAXI_TEAMS", "TAXI_SMTP")) for name in environment):
            outputs["a notification"] = _output(
                [sys.executable, "-c", _NOTIFY], folder, environment
            )
        leaks = [f"{where}: {_around(text)}" for where, text in outputs.items() if _leaks(text)]
        leaks += [
            str(path.relative_to(folder))
            for path in sorted((folder / "home").rglob("*"))
            if path.is_file() and any(each in path.read_bytes() for each in _ENCODED)
        ]
        return Outcome(case.name, leaks, _named(case, ran))


def _environment(case: Case, folder: Path, site: Simulator) -> dict[str, str]:
    clean = ("TAXI_", "DAGSTER_", "AWS_", "AZURE_", "GOOGLE_", "PG")
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(clean) and not name.lower().endswith("_proxy")
    }
    values = {"{tlc}": site.url.partition("://")[2], "{folder}": str(folder / "given")}
    settings = {"TAXI_HOME": str(folder / "home"), "TAXI_TLC_URL": site.url, **case.settings}
    for placeholder, value in values.items():
        settings = {name: text.replace(placeholder, value) for name, text in settings.items()}
    home = folder / "home" / "dagster"
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_bytes((WORKSPACE.with_name("dagster.yaml")).read_bytes())
    never = {"AWS_EC2_METADATA_DISABLED": "true", "NO_GCE_CHECK": "true"}
    return {**inherited, **never, **settings, "DAGSTER_HOME": str(home)}


def _run(
    command: list[str | Path], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def _output(command: list[str | Path], folder: Path, environment: Mapping[str, str]) -> str:
    done = _run(command, folder, environment)
    return done.stdout + done.stderr


def _leaks(text: str) -> bool:
    return any(each in text.encode() for each in _ENCODED)


def _around(text: str) -> str:
    at = text.find(CANARY)
    return " ".join(text[max(at - 80, 0) : at + 40].split())


def _named(case: Case, ran: subprocess.CompletedProcess[str]) -> bool:
    if not case.fails:
        return ran.returncode == 0
    return ran.returncode in (1, 2) and "Traceback" not in ran.stdout + ran.stderr
