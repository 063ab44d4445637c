"""What a browser keeps for us: the session, and for some minutes a sign-in under way with the OpenID provider."""

from starlette.requests import Request
from starlette.responses import Response

SESSION, SIGN_IN = "__Host-acmx", "__Host-acmx-sign-in"
SIGN_IN_SECONDS = 600
LONGEST = 3_800
"""Browsers keep no more than 4,096 bytes of a cookie, its name and attributes among them."""


def session_of(request: Request) -> str:
    """The bearer token of the session; empty without one."""
    return request.cookies.get(SESSION, "")


def keep_session(response: Response, token: str) -> None:
    """Until the browser is closed; the server knows when the session ends."""
    response.set_cookie(SESSION, token, secure=True, httponly=True, samesite="strict")


def forget_session(response: Response) -> None:
    response.delete_cookie(SESSION, secure=True, httponly=True, samesite="strict")


def keep_sign_in(response: Response, value: str) -> None:
    """Lax, because the provider's page sends the browser back."""
    response.set_cookie(SIGN_IN, value, max_age=SIGN_IN_SECONDS, secure=True, httponly=True, samesite="lax")


def forget_sign_in(response: Response) -> None:
    response.delete_cookie(SIGN_IN, secure=True, httponly=True, samesite="lax")
