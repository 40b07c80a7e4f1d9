"""Where notifications go: Slack, Microsoft Teams, e-mail.

Dagster offers clients for Slack (https://docs.dagster.io/integrations/libraries/slack) and Teams,
used here. For e-mail it offers one sensor that reports failed runs alone, in HTML, and insists on a
login; e-mail goes out through the standard library instead. A further channel is a class with
``send`` and a line of ``open_channels``. No error of a channel repeats its address: a webhook's is
its password.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from taxi_assets import optional
from taxi_assets.automation.messages import Message
from taxi_assets.errors import Misconfigured
from taxi_assets.settings import Notify

__all__ = ["Channel", "Email", "NotSent", "Slack", "Teams", "notify", "open_channels"]

_TIMEOUT_SECONDS = 10


class NotSent(Exception):
    """A channel did not take a message; says which and, without secrets, why."""


class Channel(Protocol):
    """Somewhere people read."""

    @property
    def name(self) -> str:
        """What people call it."""

    def send(self, message: Message) -> None:
        """Deliver ``message``; raises anything."""


@dataclass(frozen=True, slots=True)
class Slack:
    """One Slack channel, by a bot's token; ``api_url`` is Slack's or a stand-in's."""

    token: str = field(repr=False)
    channel: str
    api_url: str = "https://slack.com/api/"
    name: str = "Slack"

    def send(self, message: Message) -> None:
        """Post the text; raises ``slack_sdk`` errors."""
        client = _extra("slack", "TAXI_SLACK_TOKEN").SlackResource(token=self.token).get_client()
        client.base_url = self.api_url
        client.timeout = _TIMEOUT_SECONDS
        text = message.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        client.chat_postMessage(channel=self.channel, text=text, unfurl_links=False)


@dataclass(frozen=True, slots=True)
class Teams:
    """One channel of Microsoft Teams, by its webhook."""

    webhook: str = field(repr=False)
    name: str = "Microsoft Teams"

    def send(self, message: Message) -> None:
        """Post the text as a card; raises ``requests`` errors."""
        teams = _extra("msteams", "TAXI_TEAMS_WEBHOOK")
        card = import_module("dagster_msteams.adaptive_card").AdaptiveCard()
        # A card joins lines that no empty one parts.
        card.add_attachment(message.text.replace("\n", "\n\n"))
        client = teams.MSTeamsResource(hook_url=self.webhook, timeout=_TIMEOUT_SECONDS).get_client()
        client.post_message(payload=card.payload)


@dataclass(frozen=True, slots=True)
class Email:
    """One or more mailboxes, by an SMTP server."""

    smtp_url: str = field(repr=False)
    sender: str
    to: tuple[str, ...]
    name: str = "e-mail"

    def send(self, message: Message) -> None:
        """Mail the text; raises ``smtplib`` errors and ``OSError``."""
        mail = EmailMessage()
        mail["Subject"] = message.title
        mail["From"] = self.sender
        mail["To"] = ", ".join(self.to)
        mail.set_content(f"{message.body}\n\n{message.url}\n")
        with self._server() as server:
            server.send_message(mail)

    def _server(self) -> smtplib.SMTP:
        parts = urlsplit(self.smtp_url)
        host, context = parts.hostname or "", ssl.create_default_context()
        server: smtplib.SMTP
        if parts.scheme == "smtps":
            server = smtplib.SMTP_SSL(
                host, parts.port or 465, timeout=_TIMEOUT_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(host, parts.port or 587, timeout=_TIMEOUT_SECONDS)
            # A password never goes out in clear text: without TLS, starttls() raises.
            if parts.username or server.has_extn("starttls"):
                server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        return server


def open_channels(settings: Notify) -> list[Channel]:
    """The channels that are set.

    Raises ``Misconfigured`` for a missing extra or for something that is no address.
    """
    channels: list[Channel] = []
    if settings.slack_token:
        _extra("slack", "TAXI_SLACK_TOKEN")
        channels.append(Slack(settings.slack_token, settings.slack_channel))
    if settings.teams_webhook:
        _extra("msteams", "TAXI_TEAMS_WEBHOOK")
        _require_url(settings.teams_webhook, "TAXI_TEAMS_WEBHOOK", "https", "http")
        channels.append(Teams(settings.teams_webhook))
    if settings.smtp_url:
        _require_url(settings.smtp_url, "TAXI_SMTP_URL", "smtp", "smtps")
        channels.append(Email(settings.smtp_url, settings.email_from, settings.email_to))
    return channels


def notify(channels: Sequence[Channel], message: Message) -> None:
    """Send ``message`` to all channels; raises ``NotSent`` in the end for those that failed."""
    failed = []
    for channel in channels:
        try:
            channel.send(message)
        except Exception as error:  # noqa: BLE001 - one channel's error must not silence the rest
            failed.append(f"{channel.name} ({_why(error)})")
    if failed:
        raise NotSent(f"{message.title!r} did not reach {', '.join(failed)}.")


def _why(error: Exception) -> str:
    """The error's kind, and the code a server gave it; its text may hold the address."""
    response: Any = getattr(error, "response", None)  # a SlackApiError has one, and it is a mapping
    code = response["error"] if response else getattr(error, "smtp_code", None)
    return f"{type(error).__name__}: {code}" if code else type(error).__name__


def _require_url(url: str, setting: str, *schemes: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname:
        raise Misconfigured(f"{setting} is not an address.", f"Write it as {schemes[0]}://host.")


def _extra(extra: str, setting: str) -> ModuleType:
    return optional.load(f"dagster_{extra}", extra=extra, wanted_by=f"{setting} is set, which")
