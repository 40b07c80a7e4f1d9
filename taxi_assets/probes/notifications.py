"""Probe the notification channels, by a message to each."""

from __future__ import annotations

from functools import partial

from taxi_assets.automation.channels import Channel, NotSent, notify, open_channels
from taxi_assets.automation.messages import Message
from taxi_assets.errors import Misconfigured
from taxi_assets.probes.probe import Group, NotProbed, Probe
from taxi_assets.settings import Notify

__all__ = ["notification_probes"]


def notification_probes(settings: Notify, *, send: bool) -> Group:
    """A probe for each channel; without ``send`` they are only named.

    Raises ``Misconfigured`` for a missing extra.
    """
    channels = open_channels(settings)
    if send and not channels:
        return Group([Probe("notify: channels", _none)])
    return Group(
        [
            Probe(f"notify: {each.name}", partial(_send, each, settings) if send else _named)
            for each in channels
        ]
    )


def _send(channel: Channel, settings: Notify) -> str:
    body = "This message was sent by `python -m taxi_assets check --notify`."
    try:
        notify([channel], Message("A test of taxi_assets", body, settings.ui_url))
    except NotSent as error:
        raise Misconfigured(
            str(error), f"Correct the settings of {channel.name}, or its rights there."
        ) from None  # its chain may quote the channel's address
    return "a message was sent"


def _named() -> str:
    raise NotProbed("is sent a message with --notify")


def _none() -> str:
    raise Misconfigured(
        "No notification channel is configured.",
        "Set TAXI_SLACK_TOKEN, TAXI_TEAMS_WEBHOOK or TAXI_SMTP_URL and what belongs to it.",
    )
