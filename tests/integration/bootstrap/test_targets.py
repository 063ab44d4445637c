"""The doctor goes to the mail server and to the receivers of webhooks, and tells them nothing."""

import asyncio
import gc
import ssl
from datetime import UTC, datetime

import pytest

from acmx.bootstrap import targets
from acmx.bootstrap.doctor.doctor import examine
from acmx.trust.certificates import self_signed
from support.sinks.sinks import MailSink, mail_sink, receiver

# The sinks leave a transport open where a client breaks off the TLS handshake; it is collected with its test.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.sqlite,
]


@pytest.fixture(autouse=True)
def _collected():
    yield
    gc.collect()


@pytest.fixture
def tls(tmp_path):
    """Of a server on 127.0.0.1; what to trust lies in `sink.pem`."""
    certificate, key = tmp_path / "sink.pem", tmp_path / "sink.key"
    made = self_signed("sink", ["127.0.0.1"], now=datetime.now(UTC), days=2)
    for path, content in zip((certificate, key), made, strict=True):
        path.write_bytes(content)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


def tells_by_mail(directory, port, mode="none", password=None):
    more = 'user = "acm"\npassword_file = "password"\n' if password else ""
    if password:
        (directory / "password").write_text(password)
        (directory / "password").chmod(0o600)
    with (directory / "config.toml").open("a") as config:
        config.write(
            f'[mail]\nhost = "127.0.0.1"\nport = {port}\ntls = "{mode}"\n{more}'
            'sender = "acm@police.example"\nreviewers = ["desk@police.example"]\n'
        )


def tells_by_webhook(directory, url):
    (directory / "hook").write_bytes(bytes(32).replace(b"\0", b"x"))
    (directory / "hook").chmod(0o600)
    with (directory / "config.toml").open("a") as config:
        config.write(
            f'[[webhooks]]\nname = "dispatch"\nurl = "{url}"\nsecret_file = "hook"\nallow_http = true\n'
        )


def found(directory):
    return {finding.name: (finding.status, finding.text) for finding in examine(directory).items}


async def found_meanwhile(directory):
    return await asyncio.to_thread(found, directory)


def test_who_tells_nobody_is_asked_for_nothing(directory):
    assert not {"mail", "webhook:dispatch"} & found(directory).keys()


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize(("mode", "words"), [("starttls", "by STARTTLS"), ("tls", "by TLS")])
async def test_a_mail_server_is_gone_to_as_far_as_its_log_on(
    mode, words, directory, tls, tmp_path, monkeypatch
):
    sink = MailSink()
    how = {"tls_context": tls, "require_starttls": True} if mode == "starttls" else {}
    how |= {"authenticator": sink.authenticate, "auth_required": True}
    how |= {"auth_require_tls": mode == "starttls"}
    async with mail_sink(sink, tls=tls if mode == "tls" else None, **how):
        tells_by_mail(directory, sink.port, mode, "the password")
        status, text = (await found_meanwhile(directory))["mail"]
        assert status == "failed"
        assert "CERTIFICATE_VERIFY_FAILED" in text
        assert sink.log_ons == []
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "sink.pem"))
        findings = await found_meanwhile(directory)
        assert findings["mail"] == ("ok", f"127.0.0.1:{sink.port} {words}, logs on as acm")
        (directory / "password").write_text("another")
        status, text = (await found_meanwhile(directory))["mail"]
        assert status == "failed"
        assert "535" in text
        assert sink.mails == []


async def test_a_mail_server_without_starttls_where_it_is_configured(directory):
    async with mail_sink() as sink:
        tells_by_mail(directory, sink.port, "starttls")
        status, text = (await found_meanwhile(directory))["mail"]
        assert status == "failed"
        assert "STARTTLS" in text


def test_a_mail_server_and_a_receiver_that_refuse_the_connection(directory):
    tells_by_mail(directory, 1)
    tells_by_webhook(directory, "https://127.0.0.1:1/hook/of-secret-name")
    findings = found(directory)
    for name in ("mail", "webhook:dispatch"):
        status, text = findings[name]
        assert status == "failed"
        assert "Connect" in text
        assert "secret" not in text


async def test_a_mail_server_that_says_nothing_is_waited_for_in_bounds(directory, monkeypatch):
    monkeypatch.setattr(targets, "WITHIN", 0.1)

    sink = MailSink()
    sink.silent = True
    async with mail_sink(sink):
        tells_by_mail(directory, sink.port)
        assert (await found_meanwhile(directory))["mail"] == ("failed", "did not answer within 0.1 s")


async def test_a_receiver_is_gone_to_and_posted_nothing(directory):
    async with receiver() as taking:
        tells_by_webhook(directory, taking.url)
        address = taking.url.split("/")[2]
        findings = await found_meanwhile(directory)
        assert findings["webhook:dispatch"] == ("ok", f"{address} without TLS")
        assert taking.bodies == []


async def test_a_receiver_must_have_a_certificate_that_can_be_believed(directory, tls, tmp_path, monkeypatch):
    async with mail_sink(tls=tls) as sink:
        tells_by_webhook(directory, f"https://127.0.0.1:{sink.port}/hook")
        status, text = (await found_meanwhile(directory))["webhook:dispatch"]
        assert status == "failed"
        assert "CERTIFICATE_VERIFY_FAILED" in text
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "sink.pem"))
        findings = await found_meanwhile(directory)
        assert findings["webhook:dispatch"] == ("ok", f"127.0.0.1:{sink.port} by TLS")


def test_secrets_that_are_missing_and_that_others_may_read(directory):
    tells_by_mail(directory, 1, password="the password")
    tells_by_webhook(directory, "https://127.0.0.1:1")
    (directory / "password").chmod(0o644)
    (directory / "hook").unlink()
    findings = found(directory)
    assert findings["modes"] == ("failed", "others may read password: chmod 600")
    assert "No such file" in findings["webhook:dispatch"][1]
    (directory / "password").write_bytes(b"\xff")
    assert found(directory)["mail"][1].endswith("password: is not text in UTF-8")
