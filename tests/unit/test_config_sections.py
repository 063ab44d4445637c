"""The rules of single sections: the OpenID provider, the CMS, telling people, what stands around a server."""

from pathlib import Path

import msgspec
import pytest

from acmx.config import (
    Acm1,
    Config,
    faults,
)
from acmx.domain.identities import Realms
from support.systems.configs import LEAST, OIDC, SYSTEM, reading, refused

OIDC_FAULTS = {
    "issuer": (
        "",
        "http://login.example",
        "https://",
        "https://login.example/?tenant=1",
        "https://login.example#x",
        "login",
    ),
    "audience": ("", "acmx"),
    "client_id": ("",),
    "scope": ("", "acm admin", 'a"b', "a\\b", "à"),
    "mc_service_id_claims": ((),),
    "roles": ({},),
}


@pytest.mark.parametrize(
    ("field", "value"), [(field, v) for field, values in OIDC_FAULTS.items() for v in values]
)
def test_a_provider_is_named_whole_or_not_at_all(field, value):
    config = Config(system=SYSTEM, name="x", realms=Realms((SYSTEM,)), oidc=OIDC)
    assert faults(config) == []
    faulty = msgspec.structs.replace(config, oidc=msgspec.structs.replace(OIDC, **{field: value}))
    assert {fault.field for fault in faults(faulty)} == {f"oidc.{field}"}


def test_the_example_of_the_page_about_people_can_be_used(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "people.md").read_text()
    example = page.partition("```toml\n")[2].partition("```")[0]
    assert reading(tmp_path, LEAST + example).oidc.roles["acm-operator"] == "operator"


def test_a_role_that_does_not_exist_is_named_with_its_value():
    oidc = msgspec.structs.replace(OIDC, roles={"acm-chief": "chief"})
    (fault,) = faults(Config(system=SYSTEM, name="x", realms=Realms((SYSTEM,)), oidc=oidc))
    assert (fault.field, fault.value) == ("oidc.roles.acm-chief", "chief")


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ('root = "http://cms.example/xcap"', "xcap.root"),
        ('root = "https://cms.example/xcap?a=b"', "xcap.root"),
        ('root = "http://127.0.0.1.example/"', "xcap.root"),
        ('token_file = "t"\nasserted_identity = "sip:acm@b.example"', "xcap.asserted_identity"),
        ('asserted_identity = "acm"', "xcap.asserted_identity"),
        ("at_a_time = 0", "xcap.at_a_time"),
        ("profile_index = 256", "xcap.profile_index"),
    ],
)
def test_a_cms_is_reached_by_tls_and_by_one_identity(tmp_path, line, field):
    assert refused(tmp_path, f"{LEAST}[xcap]\n{line}")[1] == {field}


TELLING = """
[notices]
link = "http://acm.police.example"
bundle_minutes = 1441
reminder_hours = [0]
escalation_hours = 4
[mail]
host = "smtp.police.example"
port = 0
password = "geheim"
password_file = "keys/mail"
sender = "acm@police.example\\r\\nBcc: all@police.example"
reviewers = ["desk@police.example", "Desk <desk@police.example>"]
asker_events = ["request"]
[[webhooks]]
name = "dispatch"
url = "http://dispatch.police.example"
secret_file = "keys/dispatch"
[[webhooks]]
name = "dispatch"
url = "https://dispatch.police.example/\\r\\nX: y"
secret_file = "keys/dispatch"
reviewer_events = ["response"]
partner_events = ["response"]
"""


def test_every_fault_of_how_people_are_told_is_named_and_no_password(tmp_path):
    message, fields = refused(tmp_path, LEAST + TELLING)
    assert fields == {
        *("notices.link", "notices.bundle_minutes", "notices.reminder_hours"),
        *("mail.port", "mail.password_file", "mail.sender", "mail.reviewers", "mail.escalation"),
        *(
            "mail.asker_events",
            "webhooks.0.url",
            "webhooks.1.name",
            "webhooks.1.url",
            "webhooks.1.reviewer_events",
            "webhooks.1.partner_events",
        ),
    }
    assert "geheim" not in message


def test_mail_without_anybody_to_read_it_is_refused(tmp_path):
    mail = '[mail]\nhost = "smtp.police.example"\nsender = "acm@police.example"'
    assert refused(tmp_path, LEAST + mail)[1] == {"mail.reviewers"}
    assert refused(tmp_path, LEAST + "[notices]\nescalation_hours = 4")[1] == {"notices.escalation_hours"}


def test_the_password_for_mail_comes_from_the_environment(tmp_path):
    config = reading(tmp_path, LEAST, ACMX_MAIL_PASSWORD="geheim")
    assert config.mail.password == "geheim"


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [
        ("metrics", "listen", "0.0.0.0:9464"),
        ("metrics", "listen", "192.0.2.1:9464"),
        ("metrics", "listen", "[::]:9464"),
        ("metrics", "listen", "prometheus.example:9464"),
        ("metrics", "listen", "127.0.0.1"),
        ("traces", "endpoint", "http://collector.example:4318/v1/traces"),
        ("traces", "endpoint", "http://127.0.0.1.example/v1/traces"),
        ("traces", "endpoint", "file:///etc/passwd"),
        ("acm1", "proxies", ("proxy.example",)),
        ("acm2", "proxies", ("127.0.0.1", "10.0.0.0/8")),
    ],
)
def test_nobody_but_the_operator_s_own_machine_is_let_near(section, field, value):
    config = Config(system=SYSTEM, name="x", realms=Realms((SYSTEM,)))
    changed = msgspec.structs.replace(getattr(config, section), **{field: value})
    assert {f.field for f in faults(msgspec.structs.replace(config, **{section: changed}))} == {
        f"{section}.{field}"
    }


@pytest.mark.parametrize(
    ("listen", "proxies", "allowed"),
    [
        ("127.0.0.1:8441", ("127.0.0.1",), True),
        ("[::1]:8441", ("::1",), True),
        ("127.0.0.1:8441", (), False),
        ("127.0.0.1:8441", ("127.0.0.1", "192.0.2.1"), False),
        ("0.0.0.0:8441", ("127.0.0.1",), False),
    ],
)
def test_acm_1_is_without_tls_only_behind_a_proxy_on_the_same_machine(listen, proxies, allowed):
    config = Config(system=SYSTEM, name="x", realms=Realms((SYSTEM,)), acm1=Acm1(listen, proxies, tls=False))
    assert [fault.field for fault in faults(config)] == ([] if allowed else ["acm1.tls"])


def test_what_stands_around_a_server_is_read(tmp_path):
    text = (
        LEAST
        + """
[acm1]
proxies = ["127.0.0.1", "::1"]
[metrics]
listen = "[::1]:9464"
[traces]
endpoint = "http://127.0.0.1:4318/v1/traces"
[log]
format = "console"
"""
    )
    config = reading(tmp_path, text, ACMX_METRICS_LISTEN="localhost:9000")
    assert (config.acm1.proxies, config.metrics.listen) == (("127.0.0.1", "::1"), "localhost:9000")
    assert config.log.format == "console"
