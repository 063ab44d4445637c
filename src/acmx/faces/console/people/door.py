"""Signing in and out: with a local account, or by the OpenID provider (authorization code with PKCE)."""

import hmac
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote, unquote, urlencode, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from acmx.domain.acm1 import Credentials, ProviderSignIn
from acmx.domain.documents import encode, read
from acmx.domain.errors import AcmxError, FaultyInput, LogOnRefused, NotFound, TooLarge
from acmx.domain.moments import to_ms
from acmx.domain.networks import network_of
from acmx.faces.acm1 import accounts
from acmx.faces.acm1.app import LONGEST_LOG_ON, Acm1
from acmx.faces.acm1.authentication import address_of
from acmx.faces.console.forms import Form, form_of
from acmx.faces.console.people import cookies
from acmx.faces.console.people.provider import Provider
from acmx.faces.console.rendering import render
from acmx.faces.console.visit import BASE, Visit
from acmx.faces.problems import retry_after
from acmx.trust import code_flow
from acmx.trust.code_flow import Attempt
from acmx.trust.jwt import kid_of

HOME = f"{BASE}/inbox"
SIGN_IN = f"{BASE}/sign-in"
CALLBACK = f"{SIGN_IN}/answer"


@dataclass(frozen=True)
class Door:
    """`provider` is None where there are local accounts alone."""

    acm1: Acm1
    provider: Provider | None

    async def show(self, request: Request) -> Response:
        return self._page(
            _wanted(request.query_params.get("next", "")), told=request.query_params.get("told", "")
        )

    async def sign_in(self, request: Request) -> Response:
        """With a local account."""
        address = address_of(request)
        async with form_of(self.acm1.log_ons, network_of(address), request, LONGEST_LOG_ON) as form:
            return await self._signed_in(form, address)

    async def _signed_in(self, form: Form, address: str) -> Response:
        wanted = _wanted(form.one("next"))
        given = {"account": form.one("account"), "password": next(iter(form.all("password")), "")}
        try:
            credentials = read(encode(given), Credentials)
            session = await self.acm1.desk.passwords.log_on(credentials, address)
        except FaultyInput:
            return self._page(wanted, given["account"], LogOnRefused())
        except AcmxError as error:
            return self._page(wanted, given["account"], error)
        return _entered(wanted, session.token)

    async def ask_provider(self, request: Request) -> Response:
        """To the provider's own page, and from there to `answer`. Raises NotFound, IdentityProviderUnavailable."""
        provider, told = self._known()
        attempt = code_flow.begin()
        metadata = await self.acm1.desk.passwords.at_the_provider(provider.metadata, address_of(request))
        response = RedirectResponse(code_flow.address(metadata, told, attempt, _callback(request)), 303)
        kept = (
            attempt.state,
            attempt.nonce,
            attempt.verifier,
            quote(_wanted(request.query_params.get("next", ""))),
        )
        cookies.keep_sign_in(response, ".".join(kept))
        return response

    async def answer(self, request: Request) -> Response:
        """What the provider sends the browser back with."""
        try:
            wanted, token = await self.acm1.desk.passwords.at_the_provider(
                partial(self._answered, request), address_of(request)
            )
        except AcmxError as error:
            return self._page(HOME, "", error)
        response = _entered(wanted, token)
        cookies.forget_sign_in(response)
        return response

    async def _answered(self, request: Request) -> tuple[str, str]:
        """Where the person wanted to go, and the access token."""
        provider, told = self._known()
        attempt, wanted = _under_way(request)
        metadata = await provider.metadata()
        code = code_flow.code_of(metadata, dict(request.query_params))
        tokens = await provider.tokens(metadata, code_flow.form(told, attempt, _callback(request), code))
        key = await provider.key(kid_of(code_flow.id_token_of(tokens)))
        now = to_ms(self.acm1.desk.house.clock()) / 1000
        code_flow.check(tokens, key, metadata, told.client_id, attempt.nonce, now)
        token = tokens.access_token
        await self.acm1.authentication.holder(token)
        if len(token) > cookies.LONGEST:
            raise TooLarge(f"the access token has {len(token):,} bytes, a browser keeps {cookies.LONGEST:,}")
        return wanted, token

    def _known(self) -> tuple[Provider, ProviderSignIn]:
        told = self.acm1.sign_in.oidc
        if self.provider is None or told is None:
            raise NotFound
        scopes = " ".join(scope for scope in told.scope.split() if scope != "offline_access")
        return self.provider, msgspec.structs.replace(told, scope=scopes)

    def _page(
        self, wanted: str, account: str = "", error: AcmxError | None = None, told: str = ""
    ) -> Response:
        oidc = self.acm1.sign_in.oidc
        by_provider = f"{SIGN_IN}/provider?{urlencode({'next': wanted})}" if oidc else ""
        content = render(
            "sign_in.html",
            system=self.acm1.desk.house.system,
            wanted=wanted,
            account=account,
            error=error,
            told=told,
            issuer=urlsplit(oidc.issuer).hostname if oidc else "",
            by_provider=by_provider,
        )
        headers = retry_after(error) if error else {}
        return Response(content, error.status if error else 200, headers, "text/html")


async def sign_out(visit: Visit) -> Response:
    await visit.ask(accounts.delete_session)
    response = RedirectResponse(f"{SIGN_IN}?told=signed_out", 303)
    response.headers["Clear-Site-Data"] = '"cache"'
    cookies.forget_session(response)
    return response


def to_sign_in(request: Request) -> Response:
    """Sign in first, then go on. A strict cookie does not come with a link from elsewhere: ask once more from here."""
    if request.headers.get("sec-fetch-site") == "cross-site":
        return _from_here(_wanted(_place(request)))
    query = {"next": _place(request)}
    if cookies.session_of(request):
        query["told"] = "ended"
    response = RedirectResponse(f"{SIGN_IN}?{urlencode(query)}", 303)
    cookies.forget_session(response)
    return response


def _place(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _entered(wanted: str, token: str) -> Response:
    """A page of ours that goes on by itself: a redirection from the provider's page would not bring the cookie."""
    response = _from_here(wanted)
    cookies.keep_session(response, token)
    return response


def _from_here(wanted: str) -> Response:
    return Response(render("go_on.html", wanted=wanted), media_type="text/html")


def _wanted(given: str) -> str:
    """A page of the console, whatever was given."""
    plain = given.isascii() and given.isprintable() and not any(odd in given for odd in ("\\", "..", SIGN_IN))
    return given if plain and given.startswith(f"{BASE}/") else HOME


def _callback(request: Request) -> str:
    return f"https://{request.headers.get('host', '')}{CALLBACK}"


def _under_way(request: Request) -> tuple[Attempt, str]:
    """Raises LogOnRefused where this browser has not begun this sign-in."""
    kept = request.cookies.get(cookies.SIGN_IN, "").split(".", 3)
    state = request.query_params.get("state", "")
    if len(kept) != 4 or not hmac.compare_digest(kept[0].encode(), state.encode()):
        raise LogOnRefused("this sign-in was not begun in this browser, or took too long")
    state, nonce, verifier, wanted = kept
    return Attempt(verifier, state, nonce), _wanted(unquote(wanted))
