"""What every page of an account needs: who is signed in, from where the call came, and errors told as pages.

A call that changes something is looked at before anything else: it must come from this gateway's own pages.
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Cookie, Depends
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import override

from contracts.canonical import digest_of
from contracts.errors import InvalidInput, SaphanError
from contracts.identifiers import Digest
from contracts.values import Value
from gateway.means import Means
from gateway.people import sessions
from gateway.people.oidc import Provider
from gateway.people.orders import PageOrder
from gateway.people.origin import check_origin, origin_of
from gateway.people.roles import May, may
from gateway.people.secret_names import new_secret
from gateway.people.sessions import SignedIn
from gateway.web.home import COOKIE, SCRIPTED_PAGE_HEADERS
from gateway.web.page import Reader, render_page
from gateway.web.wording import language_of

SESSION: Final = "__Host-saphan"
BROWSER: Final = "__Host-saphan-browser"
STEP: Final = "__Host-saphan-step"
READING: Final = frozenset({"GET", "HEAD"})
ACCOUNT: Final = "/account"
SIGN_IN: Final = "/account/sign-in"
HEADERS: Final = {**SCRIPTED_PAGE_HEADERS, "cache-control": "no-store", "referrer-policy": "same-origin"}
"""A page that is somebody's own is kept nowhere; forms must say their origin, which ``no-referrer`` would hide."""


@dataclass(frozen=True, slots=True)
class AccountDesk:
    """The gateway as these pages see it; ``means`` are asked for anew with every call.

    ``check_trust`` refuses while the members' keys may not be relied upon: then nothing is changed here either.
    """

    means: Callable[[], Means]
    provider: Provider | None
    synthetic: bool
    check_trust: Callable[[], None]

    def known_provider(self) -> Provider:
        """The login provider.

        Raises:
            InvalidInput: ``login-not-configured``.
        """
        if self.provider is None:
            raise InvalidInput("login-not-configured")
        return self.provider


class About(Value):
    """What somebody confirms: an order about people, or the digest of what will be signed."""

    order: PageOrder | None = None
    digest: Digest | None = None


def digest_about(about: About) -> str:
    """The digest of what is confirmed; of an order the gateway makes it itself.

    Raises:
        InvalidInput: ``malformed-body``, unless it is one of them.
    """
    if (about.order is None) == (about.digest is None):
        raise InvalidInput("malformed-body", where="about")
    return digest_of(about.order) if about.order is not None else about.digest or ""


def desk_in(request: Request) -> AccountDesk:
    """The desk that ``create_app`` put into the application."""
    desk: AccountDesk = request.app.state.accounts
    return desk


class AccountRoute(APIRoute):
    """A route whose calls come from this gateway's own pages, and whose errors people can read."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            origin = origin_of(desk_in(request).means().federation.gateway)
            try:
                check_origin(request.method, request.headers, origin)
                if request.method not in READING:
                    desk_in(request).check_trust()
                return await inner(request)
            except SaphanError as error:
                if "text/html" not in request.headers.get("accept", ""):
                    raise
                return await run_in_threadpool(_told, request, error)

        return handle


def page(request: Request, name: str, names: Mapping[str, object], signed_in: SignedIn | None = None) -> HTMLResponse:
    """A page in the reader's language, kept nowhere."""
    return HTMLResponse(_rendered(request, name, names, signed_in), headers=HEADERS)


def back(to: str) -> RedirectResponse:
    """To another page after something was done."""
    return RedirectResponse(to, 303, headers={"cache-control": "no-store"})


def json_text(text: str) -> Response:
    """JSON that is ready, kept nowhere."""
    return Response(text, media_type="application/json", headers={"cache-control": "no-store"})


def remember(response: Response, name: str, value: str, *, strict: bool = False) -> None:
    """Set a cookie that only this host's pages over TLS send, and no script reads."""
    response.set_cookie(name, value, path="/", secure=True, httponly=True, samesite="strict" if strict else "lax")


def forget(response: Response, *names: str) -> None:
    """Take cookies away."""
    for name in names:
        response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")


def peer_of(request: Request) -> str:
    """The network address that calls."""
    return request.client.host if request.client else "unknown"


def browser_of(request: Request, means: Means) -> str:
    """The secret by which this browser is known from one step of a sign-in to the next; a new one if it has none."""
    return request.cookies.get(BROWSER) or new_secret(means.entropy)


def _means(request: Request) -> Means:
    return desk_in(request).means()


def _signed_in(
    means: Annotated[Means, Depends(_means)], secret: Annotated[str | None, Cookie(alias=SESSION)] = None
) -> SignedIn:
    return sessions.who(means, secret)


AtAccounts = Annotated[AccountDesk, Depends(desk_in)]
With = Annotated[Means, Depends(_means)]
Me = Annotated[SignedIn, Depends(_signed_in)]
"""Who is signed in; without anybody the call is refused."""

Before = Annotated[str | None, Cookie(alias=SESSION)]
"""The name of the session that a browser has, whether good or not."""

Step = Annotated[str | None, Cookie(alias=STEP)]
"""The name of the step by which something was confirmed."""


def _told(request: Request, error: SaphanError) -> Response:
    if error.code == "session-ended" and request.method == "GET":
        return back(SIGN_IN)
    reason = error.reasons[0]
    body = _rendered(request, "account_error.html", {"reason": reason}, None)
    status = 429 if error.code == "too-many-attempts" else error.status
    status = 400 if error.code == "login-provider-refused" else status
    return HTMLResponse(body, status, headers=HEADERS)


def _rendered(request: Request, name: str, names: Mapping[str, object], signed_in: SignedIn | None) -> str:
    asked = request.query_params.get("lang")
    lang = language_of(asked, request.cookies.get(COOKIE), request.headers.get("accept-language", ""))
    me = signed_in.person if signed_in else None
    allowed = {each.value for each in May if me and may(me.roles, each)}
    known = {"me": me, "may": allowed, "updated": None, "provider": desk_in(request).provider is not None}
    return render_page(name, Reader(lang, synthetic=desk_in(request).synthetic), {**known, **names})
