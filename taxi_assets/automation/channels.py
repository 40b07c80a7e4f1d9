"""Where notifications go: Slack, Microsoft Teams, e-mail.

Slack (https://docs.dagster.io/integrations/libraries/slack) and Teams use Dagster's own clients.
For e-mail Dagster has only a sensor that reports failed runs, in HTML, and requires a login, so
e-mail uses the standard library. To add a channel, write a class with ``send`` and create it in
``open_channels``. Errors never contain a channel's address, because a webhook address is a secret.
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
from taxi_assets.settings import Notify

__all__ = ["Channel", "Email", "NotSent", "Slack", "Teams", "notify", "open_channels"]

_TIMEOUT_SECONDS = 10


class NotSent(Exception):
    """A message was not delivered; the text names the channel and the reason, without secrets."""


class Channel(Protocol):
    """A place that messages are sent to."""

    @property
    def name(self) -> str:
        """The name that people know it by."""

    def send(self, message: Message) -> None:
        """Deliver ``message``; may raise any exception."""


@dataclass(frozen=True, slots=True)
class Slack:
    """One Slack channel, with a bot token; tests set ``api_url``."""

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
    """One Microsoft Teams channel, with its webhook."""

    webhook: str = field(repr=False)
    name: str = "Microsoft Teams"

    def send(self, message: Message) -> None:
        """Post the text as a card; raises ``requests`` errors."""
        teams = _extra("msteams", "TAXI_TEAMS_WEBHOOK")
        card = import_module("dagster_msteams.adaptive_card").AdaptiveCard()
        # A card joins lines unless an empty line separates them.
        card.add_attachment(message.text.replace("\n", "\n\n"))
        client = teams.MSTeamsResource(hook_url=self.webhook, timeout=_TIMEOUT_SECONDS).get_client()
        client.post_message(payload=card.payload)


@dataclass(frozen=True, slots=True)
class Email:
    """One or more e-mail addresses, through an SMTP server."""

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
            # A password is never sent in clear text: without TLS, starttls() raises.
            if parts.username or server.has_extn("starttls"):
                server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        return server


def open_channels(settings: Notify) -> list[Channel]:
    """The channels that are configured; raises ``Misconfigured`` for a missing extra."""
    channels: list[Channel] = []
    if settings.slack_token:
        _extra("slack", "TAXI_SLACK_TOKEN")
        channels.append(Slack(settings.slack_token, settings.slack_channel))
    if settings.teams_webhook:
        _extra("msteams", "TAXI_TEAMS_WEBHOOK")
        channels.append(Teams(settings.teams_webhook))
    if settings.smtp_url:
        channels.append(Email(settings.smtp_url, settings.email_from, settings.email_to))
    return channels


def notify(channels: Sequence[Channel], message: Message) -> None:
    """Send ``message`` to every channel, then raise ``NotSent`` if any of them failed."""
    failed = []
    for channel in channels:
        try:
            channel.send(message)
        except Exception as error:  # noqa: BLE001 - the other channels must still be notified
            failed.append(f"{channel.name} ({_reason(error)})")
    if failed:
        raise NotSent(f"{message.title!r} was not delivered to {', '.join(failed)}.")


def _reason(error: Exception) -> str:
    """The error's type and the server's code; the error's text may contain the address."""
    response: Any = getattr(error, "response", None)  # of a SlackApiError: a mapping
    code = response["error"] if response else getattr(error, "smtp_code", None)
    return f"{type(error).__name__}: {code}" if code else type(error).__name__


def _extra(extra: str, setting: str) -> ModuleType:
    return optional.load(f"dagster_{extra}", extra=extra, wanted_by=f"{setting} is set, which")
