"""``POST /token`` returns an access token, so that the fake credentials work."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.routing import Route

from .upstream import app


def apply() -> None:
    """Apply the patch."""
    app.router.routes.insert(0, Route("/token", token, methods=["POST"]))


async def token(_: object) -> JSONResponse:
    return JSONResponse({"access_token": "emulator", "expires_in": 3600, "token_type": "Bearer"})
