import socket

import pytest

from acmx.client import Client
from acmx.client.certificate import shown_at
from acmx.domain.errors import FaultyInput, UnknownCertificate, Unreachable
from acmx.trust.certificates import fingerprint_of_pem


def test_a_server_with_another_certificate_is_told_nothing(server, other_certificate):
    with Client(server.url, "a-token", other_certificate) as client, pytest.raises(UnknownCertificate):
        client.requests()
    assert server.asked == []


def test_a_self_signed_certificate_is_not_trusted_by_itself(server):
    with Client(server.url, "a-token") as client, pytest.raises(UnknownCertificate):
        client.requests()
    assert server.asked == []


def test_the_certificate_a_server_shows_is_shown_with_its_fingerprint(server):
    shown = shown_at(server.url)
    pem = server.certificate.read_text()
    assert shown.sha256 == fingerprint_of_pem(pem)
    assert fingerprint_of_pem(shown.pem) == shown.sha256
    assert not shown.trusted
    assert server.asked == []


def test_the_certificate_may_be_given_as_text(server):
    server.refuses(404, "not-found")
    with (
        Client(server.url, "t", server.certificate.read_text()) as client,
        pytest.raises(Exception, match="nothing"),
    ):
        client.exchange("x")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "127.0.0.1", "https://", "https://a:b@c", "https://c?d", "https://[::1"]
)
def test_only_an_https_url_with_a_host_is_an_acm_server(url):
    with pytest.raises(FaultyInput):
        Client(url)


@pytest.mark.parametrize(
    "content", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_cannot_be_pinned(tmp_path, content):
    path = tmp_path / "server.pem"
    path.write_text(content)
    with pytest.raises(FaultyInput):
        Client("https://127.0.0.1", certificate=path)


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
    pauses: list[float] = []
    with Client(url, pause=pauses.append) as client, pytest.raises(Unreachable):
        client.requests()
    with pytest.raises(Unreachable):
        shown_at(url)
    assert pauses
