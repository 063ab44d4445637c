"""XCAP (RFC 4825) without a wire: work yields what is to be asked, is sent what was answered, and returns its end."""

from collections.abc import Callable, Generator, Mapping
from functools import wraps
from typing import Literal, ParamSpec, TypeVar
from urllib.parse import quote, urljoin, urlsplit

from msgspec import Struct

from acmx.domain.errors import InvalidDocument
from acmx.provisioning.xcap_error import explain
from acmx.provisioning.xml import Element, parse

REDIRECTS = 3
READS = 3
PCHAR = ":@!$&'()*+,;=-._~"

P = ParamSpec("P")
T = TypeVar("T")


class Request(Struct, frozen=True, tag=True):
    """What is to be asked; who asks is added by the wire."""

    method: Literal["GET", "PUT", "DELETE"]
    url: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None


class Response(Struct, frozen=True, tag=True):
    """What was answered; names of headers in lower case."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Failed(Struct, frozen=True, tag=True):
    """No HTTP answer came, whatever became of the request."""

    reason: str


class Outcome(Struct, frozen=True, tag=True):
    """A row has ended."""

    state: Literal["written", "unchanged", "different", "failed"]
    detail: str = ""


class Again(Struct, frozen=True, tag=True):
    """This row is to be tried again later. `doubtful`: it may have been written."""

    reason: str
    doubtful: bool = False


class Hold(Struct, frozen=True, tag=True):
    """Nothing more is to be asked for a while, `after` seconds if the CMS named them.

    `counted`: whether the row is to blame too. `refused`: the CMS does not know who asks.
    """

    reason: str
    doubtful: bool = False
    after: float | None = None
    counted: bool = False
    refused: bool = False


Reply = Response | Failed
End = Outcome | Again | Hold
Asking = Generator[Request, Reply, T]
Work = Generator[Request, Reply, End]


class Ended(Exception):
    """The work has ended where it stood."""

    def __init__(self, end: End) -> None:
        super().__init__(end)
        self.end = end


class Found(Struct, frozen=True):
    """A document as the CMS has it."""

    root: Element
    tag: str


def work(asking: Callable[P, Work]) -> Callable[P, Work]:
    """What ends the work early is its end; a document that is no XML is one too."""

    @wraps(asking)
    def ending(*args: P.args, **kwargs: P.kwargs) -> Work:
        try:
            return (yield from asking(*args, **kwargs))
        except Ended as error:
            return error.end
        except InvalidDocument as error:
            return Outcome("failed", f"the document that the CMS has {error.faults[0]}")

    return ending


def document_url(root: str, auid: str, xui: str, name: str) -> str:
    """Where a user's document lies (RFC 4825 section 6); the XUI is a URI and keeps its scheme, once."""
    return f"{root.rstrip('/')}/{auid}/users/{quote(xui, safe=PCHAR)}/{quote(name, safe=PCHAR)}"


def read(url: str, *, tagged: bool = True) -> Asking[Found | None]:
    """The document, None where there is none. `tagged`: without a strong ETag it is of no use. Raises Ended."""
    for _ in range(READS):
        reply = yield from ask(Request("GET", url))
        if reply.status in (404, 410):
            return None
        if reply.status != 200:
            raise unexpected(reply)
        tag = reply.headers.get("etag", "")
        if tag.startswith("W/"):
            tag = ""
        if tag or not tagged:
            return Found(parse(reply.body), tag)
    raise failed("the CMS gives no strong ETag, and without it a change by somebody else could be lost")


def write(request: Request) -> Asking[bool]:
    """Whether it was taken; False where somebody else changed the document meanwhile. Raises Ended."""
    reply = yield from ask(request)
    if reply.status in (200, 201, 204):
        return True
    if reply.status == 412 or (request.method == "DELETE" and reply.status in (404, 410)):
        return False
    if reply.status == 409:
        raise failed(f"the CMS refuses it (409): {explain(reply.body)}")
    if reply.status == 415:
        raise failed(f"the CMS does not take {request.headers.get('Content-Type', 'it')} (415)")
    raise unexpected(reply)


def ask(request: Request) -> Asking[Response]:
    """An answer about the document, redirects followed on the same host. Raises Ended."""
    doubtful = request.method != "GET"
    for _ in range(REDIRECTS + 1):
        reply = yield request
        if isinstance(reply, Failed):
            raise Ended(Hold(f"the CMS does not answer: {reply.reason}", doubtful=doubtful, counted=True))
        if not 300 <= reply.status < 400:
            _must_say_something(reply, doubtful=doubtful)
            return reply
        request = _redirected(request, reply)
    raise failed(f"the CMS redirects more than {REDIRECTS} times")


def failed(detail: str) -> Ended:
    return Ended(Outcome("failed", detail))


def unexpected(reply: Response) -> Ended:
    allowed = f", and allows {reply.headers['allow']}" if "allow" in reply.headers else ""
    said = f": {explain(reply.body)}" if reply.body and reply.status >= 400 else ""
    return failed(f"the CMS answers {reply.status}{allowed}{said}")


def _must_say_something(reply: Response, *, doubtful: bool) -> None:
    if reply.status == 401:
        raise Ended(Hold(f"the CMS does not accept who asks (401){_asked(reply)}", refused=True))
    if reply.status == 403:
        raise failed("the CMS does not allow it (403): is this server on its list, or the scope missing?")
    after = reply.headers.get("retry-after")
    if reply.status in (429, 503) and after is not None:
        seconds = float(after) if after.isascii() and after.isdecimal() and len(after) < 10 else None
        raise Ended(Hold(f"the CMS asks to wait ({reply.status})", doubtful=doubtful, after=seconds))
    if reply.status >= 500 or reply.status in (408, 425, 429):
        raise Ended(Again(f"the CMS answers {reply.status}", doubtful=doubtful))


def _asked(reply: Response) -> str:
    """How the CMS wants to be told who asks; we have a bearer token, an asserted identity, or nothing."""
    said = reply.headers.get("www-authenticate", "")[:200].strip()
    if not said:
        return ""
    scheme = said.split(maxsplit=1)[0]
    known = scheme.lower() == "bearer" or ", bearer" in said.lower()
    return f": {said}" if known else f": it asks for {scheme}, which acmx does not do: {said}"


def _redirected(request: Request, reply: Response) -> Request:
    place = urljoin(request.url, reply.headers.get("location", ""))
    if reply.status not in (307, 308) or not reply.headers.get("location"):
        raise failed(f"the CMS redirects ({reply.status}) to {place[:200]}, which is not followed")
    if _origin(place) != _origin(request.url):
        raise failed(f"the CMS redirects ({reply.status}) to another host, {place[:200]}")
    return Request(request.method, place, request.headers, request.body)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return "", None, None
    return parts.scheme, parts.hostname, port
