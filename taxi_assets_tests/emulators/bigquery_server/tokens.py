"""``POST /token``: an access token for whoever asks, so that made-up credentials work."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.routing import Route

from .upstream import app


def apply() -> None:
    """Add the route."""
    app.router.routes.insert(0, Route("/token", token, methods=["POST"]))


async def token(_: object) -> JSONResponse:
    return JSONResponse({"access_token": "emulator", "expires_in": 3600, "token_type": "Bearer"})
