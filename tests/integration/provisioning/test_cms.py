"""CMSs that nobody here wrote: what RFC 4825 and HTTP let them do is taken, and what they must not do is named."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from acmx.config import Xcap as Given
from acmx.delivery.provisioning.cms import Cms
from acmx.provisioning import profile as profiles
from acmx.provisioning import work
from acmx.provisioning.names import PROFILES
from acmx.provisioning.xcap import Again, End, Hold, Outcome, document_url
from support.partner.xcap import OTHER_PARTNER, Xcap, error_body, path_of, profile, xcap_server
from support.systems.provisioning import answer, document

USER = "sip:alice@a.example"
NAMES = PROFILES["mcvideo"]
PARTNER = "mc.partner-b.example.net"
PATH = path_of("mcvideo", USER)
Alters = Callable[[web.Request, web.Response], web.Response]


def put(tmp_path: Path, alters: Alters | None = None, body: bytes | None = None) -> tuple[End, Xcap]:
    """The end of putting one entry, and what the server has then."""

    async def scenario() -> tuple[End, Xcap]:
        async with xcap_server(tmp_path) as server:
            server.documents[PATH] = body or profile("mcvideo", USER)
            server.faults.alters = alters
            cms = Cms(tmp_path, Given(root=server.url, ca_file=str(tmp_path / "cms.pem")))
            place = work.Place(document_url(server.url, NAMES.auid, USER, NAMES.file(0)), NAMES)
            try:
                end = await cms.carry_out(
                    work.put_entry(place, profiles.entry(NAMES, PARTNER, document(answer())))
                )
            finally:
                await cms.close()
            return end, server

    return asyncio.run(scenario())


def status(number: int) -> Alters:
    def alters(request: web.Request, reply: web.Response) -> web.Response:
        return web.Response(status=number) if request.method == "PUT" and reply.status < 300 else reply

    return alters


def lower_case(_: web.Request, reply: web.Response) -> web.Response:
    headers = {name.lower(): value for name, value in reply.headers.items()}
    return web.Response(status=reply.status, body=reply.body, headers=headers)


def chunked(_: web.Request, reply: web.Response) -> web.Response:
    reply.enable_chunked_encoding()
    return reply


def closing(_: web.Request, reply: web.Response) -> web.Response:
    reply.force_close()
    return reply


def without_type(_: web.Request, reply: web.Response) -> web.Response:
    reply.headers["Content-Type"] = "text/html; charset=iso-8859-1"
    return reply


def bare_tag(request: web.Request, reply: web.Response) -> web.Response:
    """A tag without quotation marks, as some send it, which comes back as it was."""
    if request.method == "PUT" and reply.status == 412 and '"' not in request.headers["If-Match"]:
        return web.Response(status=200)
    if "ETag" in reply.headers:
        reply.headers["ETag"] = reply.headers["ETag"].strip('"')
    return reply


def compressing(request: web.Request, reply: web.Response) -> web.Response:
    """As Apache httpd does: what it compresses has a tag that it does not know again."""
    if request.method == "GET" and "gzip" in request.headers.get("Accept-Encoding", ""):
        reply.enable_compression(web.ContentCoding.gzip)
        reply.headers["ETag"] = reply.headers["ETag"][:-1] + '-gzip"'
    return reply


@pytest.mark.parametrize(
    "alters",
    [
        status(200),
        status(201),
        status(204),
        lower_case,
        chunked,
        closing,
        without_type,
        bare_tag,
        compressing,
    ],
    ids=lambda alters: alters.__qualname__.partition(".")[0],
)
def test_a_cms_may_be_like_that(alters: Alters, tmp_path: Path) -> None:
    end, server = put(tmp_path, alters)
    assert end == Outcome("written")
    if alters is not bare_tag:
        assert [entry[0].text for entry in server.entry("mcvideo", USER)] == [OTHER_PARTNER, PARTNER]


@pytest.mark.parametrize("number", [307, 308])
@pytest.mark.parametrize("place", [NAMES.file(0), f"/xcap/{PATH}", "https://{host}/xcap/" + PATH])
def test_it_may_redirect_to_itself(place: str, number: int, tmp_path: Path) -> None:
    def alters(request: web.Request, reply: web.Response) -> web.Response:
        if request.method != "GET" or moved:
            return reply
        moved.append(request)
        return web.Response(status=number, headers={"Location": place.format(host=request.host)})

    moved: list[web.Request] = []
    end, server = put(tmp_path, alters)
    assert (end, len(moved)) == (Outcome("written"), 1)
    assert len(server.entry("mcvideo", USER)) == 2


TEXT = profile("mcvideo", USER).decode()


@pytest.mark.parametrize(
    "body",
    [
        TEXT.encode("utf-8-sig"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("UTF-8", "utf-8' standalone='yes").replace('"', "'").encode(),
        TEXT.partition("\n")[2].encode(),
        TEXT.replace("UTF-8", "ISO-8859-1").replace("\u00fc", "&#xFC;").encode("latin-1"),
        profile("mcvideo", USER, prefix="p"),
    ],
    ids=["BOM", "CRLF", "standalone", "no declaration", "ASCII that says ISO-8859-1", "prefix"],
)
def test_a_document_may_be_like_that(body: bytes, tmp_path: Path) -> None:
    end, server = put(tmp_path, body=body)
    assert end == Outcome("written")
    assert [entry[0].text for entry in server.entry("mcvideo", USER)] == [OTHER_PARTNER, PARTNER]
    assert "\u00fc" in server.documents[PATH].decode()


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "utf-32"])
def test_what_is_not_utf_8_is_left_alone(encoding: str, tmp_path: Path) -> None:
    body = TEXT.replace("UTF-8", encoding).encode(encoding)
    end, server = put(tmp_path, body=body)
    assert isinstance(end, Outcome)
    assert "UTF-8" in end.detail
    assert server.documents[PATH] == body


def says(number: int, body: bytes = b"", **headers: str) -> web.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.Response(status=number, body=body, headers=named)


DIGEST = 'Digest realm="cms", nonce="1", qop="auth"'


@pytest.mark.parametrize(
    ("method", "reply", "kind", "said"),
    [
        ("GET", says(401, WWW_Authenticate=DIGEST), Hold, "asks for Digest, which acmx does not do"),
        ("GET", says(401, WWW_Authenticate="Bearer"), Hold, "(401): Bearer"),
        ("GET", says(401, WWW_Authenticate=f"{DIGEST}, Bearer"), Hold, f"(401): {DIGEST}"),
        ("GET", says(401), Hold, "(401)"),
        ("GET", says(403), Outcome, "does not allow it (403)"),
        ("GET", says(404), Outcome, "no such profile"),
        ("GET", says(406, b"<p>nothing for you</p>"), Outcome, "406: nothing for you"),
        ("GET", says(200, b"<html/>", ETag='"1"'), Outcome, "must be mcvideo-user-profile"),
        ("GET", says(200, TEXT.encode()), Outcome, "no strong ETag"),
        ("GET", says(200, TEXT.encode(), ETag='W/"1"'), Outcome, "no strong ETag"),
        ("GET", says(302, Location="/elsewhere"), Outcome, "redirects (302)"),
        ("GET", says(307, Location="https://127.0.0.2/x"), Outcome, "to another host"),
        ("GET", says(307, Location="//cms.elsewhere.example/x"), Outcome, "to another host"),
        ("GET", says(408), Again, "408"),
        ("PUT", says(404), Outcome, "404"),
        ("PUT", says(405, Allow="GET, HEAD"), Outcome, "405, and allows GET, HEAD"),
        ("PUT", says(409, error_body("<uniqueness-failure/>")), Outcome, "uniqueness-failure"),
        ("PUT", says(409, error_body("<not-utf-8/>")), Outcome, "not-utf-8"),
        ("PUT", says(411), Outcome, "411"),
        ("PUT", says(413, b"too large"), Outcome, "413: too large"),
        ("PUT", says(415), Outcome, f"does not take {NAMES.mime} (415)"),
        ("PUT", says(503, Retry_After="7"), Hold, "asks to wait (503)"),
        ("PUT", says(503), Again, "503"),
        ("PUT", says(507), Again, "507"),
    ],
)
def test_it_is_said_why_it_ends(
    method: str, reply: web.Response, kind: type, said: str, tmp_path: Path
) -> None:
    def alters(request: web.Request, given: web.Response) -> web.Response:
        if request.method != method:
            return given
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)

    end, _ = put(tmp_path, alters)
    assert type(end) is kind
    assert said in (end.detail if isinstance(end, Outcome) else end.reason)


async def test_bytes_that_are_no_text_can_be_stored(tmp_path: Path) -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\xe9\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(reply, "127.0.0.1", 0)
    async with server:
        root = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        cms = Cms(tmp_path, Given(root=root))
        end = await cms.carry_out(work.capabilities(root, []))
        await cms.close()
    assert isinstance(end, Hold)
    assert "Digest realm=?" in end.reason.encode().decode()
