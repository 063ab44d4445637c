import json
from datetime import timedelta

import msgspec
import pytest

from acmx.cli.main import run
from acmx.domain.acm1 import Partner, PinnedCertificate, Terms
from acmx.domain.identities import Realms
from acmx.domain.partnership import Metadata, PartnerFile, PublishedKey, SupportedKind
from acmx.trust.keys import spoken

FIRE, POLICE = "mc.county-fire.example", "mc.metro-police.example"
THEIRS = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
OURS = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
DIGITS = spoken(THEIRS)
LAST = DIGITS.split()[-1]
WRONG = f"{(int(LAST) + 1) % 100_000:05d}"
AT = f"/partners/{POLICE}"
TERMS = Terms(max_open=100, max_users=500, max_per_hour=60, note="agreement 17")


@pytest.fixture
def partner(exchange) -> Partner:
    return Partner(
        id=POLICE,
        name="Metropolitan\x1b[2J Police",
        state="offered",
        state_here="offered",
        state_there="offered",
        told=False,
        seen="d1ce57",
        address="https://acm.example:8442",
        contact="control room",
        thumbprints=[THEIRS],
        spoken=[DIGITS],
        certificates=[PinnedCertificate("ab" * 32, exchange.created_at + timedelta(days=9999))],
        hosts=[POLICE],
        phone_contexts=[],
        tel_prefixes=["+1555"],
        kinds=["server-identity"],
        terms=TERMS,
        waiting=0,
    )


@pytest.fixture
def server(logged_on, partner):
    metadata = Metadata(
        version="1.0",
        system=FIRE,
        name=FIRE,
        address="https://127.0.0.1:8442",
        keys=(PublishedKey(OURS, "x"),),
        certificates=("",),
        realms=Realms(),
        kinds=(SupportedKind("server-identity", ("1.0",)),),
        versions=("1.0",),
    )
    file = PartnerFile(msgspec.json.encode(metadata).decode(), "a..b")
    accepted = msgspec.structs.replace(partner, state="accepted here", state_here="accepted")
    logged_on.replies |= {
        "GET /partner-file": (200, file),
        f"GET {AT}": (200, partner),
        f"PUT {AT}/terms": (200, partner),
        **{
            f"POST {AT}/{verb}": (200, accepted)
            for verb in ("acceptance", "suspension", "resumption", "removal")
        },
    }
    return logged_on


def sent(server) -> list[tuple[str, object]]:
    return [(line, document) for line, document in server.asked if not line.startswith("GET")]


@pytest.mark.parametrize("typed", [f"{LAST}\n", f" {LAST} \n", f"{WRONG}\n{WRONG}\n{LAST}\n"])
def test_whoever_heard_the_last_group_accepts_what_was_shown(server, terminal, typed):
    status, out, err = terminal("partner", "accept", POLICE).end(typed)
    assert status == 0
    compared = {"thumbprints": [THEIRS], "kinds": ["server-identity"], "seen": "d1ce57"}
    assert sent(server) == [(f"POST {AT}/acceptance", compared)]
    said = " ".join(err.split())
    for word in (
        "control room",
        "https://acm.example:8442",
        "+1555",
        f"{'ab' * 16} {'ab' * 16}",
        spoken(OURS),
        DIGITS.removesuffix(LAST) + "?????",
        "500 users a request, 100 requests open, 60 an hour",
        "asked there and here: server-identity",
    ):
        assert word in said, word
    assert "\x1b[2J" not in err
    assert "state" in out
    assert "acmx partner export" in err


@pytest.mark.law(9)
@pytest.mark.parametrize("typed", [f"{WRONG}\n" * 3, "\n", "\x04", f"{WRONG}\n\n", f"{LAST[:-1]}\n\n"])
def test_whoever_did_not_hear_it_accepts_nothing(server, terminal, typed):
    status, _, err = terminal("partner", "accept", POLICE).end(typed)
    assert (status, sent(server)) == (1, [])
    assert "Nothing was accepted." in err
    assert ("do not accept it" in err) == (typed.count(WRONG) == 3)


def test_the_last_group_is_to_be_heard_not_seen(server, terminal):
    *_, err = terminal("partner", "accept", POLICE).end("\n")
    assert LAST not in err


@pytest.mark.usefixtures("_nobody_to_ask")
def test_a_script_says_what_was_compared_and_the_server_judges(server, capsys):
    assert run(["partner", "accept", POLICE, "--thumbprint", DIGITS, "--json"]) == 0
    compared = {"thumbprints": [DIGITS], "kinds": ["server-identity"]}
    assert sent(server) == [(f"POST {AT}/acceptance", compared)]
    assert json.loads(capsys.readouterr().out)["state"] == "accepted here"
    server.refuses(f"POST {AT}/acceptance", 409, "not-as-compared")
    assert run(["partner", "accept", POLICE, "--thumbprint", DIGITS]) == 1
    assert "is not what was compared" in capsys.readouterr().err


@pytest.mark.usefixtures("_nobody_to_ask")
@pytest.mark.parametrize(
    "line", [["accept", POLICE], ["remove", POLICE, "--reason", "over"], ["set", POLICE]]
)
def test_nothing_is_done_where_nobody_can_be_asked(server, line):
    assert run(["partner", *line]) == 2
    assert server.asked == []


@pytest.mark.parametrize(("typed", "status"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_a_removal_says_what_it_means_and_asks(server, terminal, typed, status):
    ended, _, err = terminal("partner", "remove", POLICE, "--reason", "over").end(typed)
    assert ended == status
    assert sent(server) == ([(f"POST {AT}/removal", {"reason": "over"})] if status == 0 else [])
    assert "Everything stays on record." in err


@pytest.mark.usefixtures("_nobody_to_ask")
def test_a_removal_needs_a_reason_and_no_question_with_yes(server):
    assert run(["partner", "remove", POLICE, "--yes"]) == 2
    assert run(["partner", "remove", POLICE, "--yes", "--reason", "over"]) == 0
    assert sent(server) == [(f"POST {AT}/removal", {"reason": "over"})]


@pytest.mark.parametrize(("more", "document"), [([], {}), (["--reason", "fog"], {"reason": "fog"})])
def test_a_suspension_may_say_why(server, more, document):
    assert run(["partner", "suspend", POLICE, *more]) == 0
    assert sent(server) == [(f"POST {AT}/suspension", document)]


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        (["--max-open", "5"], {"max_open": 5}),
        (["--max-users", "7", "--max-per-hour", "9"], {"max_users": 7, "max_per_hour": 9}),
        (["--kinds", "server-identity"], {"kinds": ("server-identity",)}),
        (["--askers", "requester", "sip:a@b.example"], {"askers": ("requester", "sip:a@b.example")}),
        (["--kinds", "none", "--askers", "all"], {}),
        (["--note", ""], {"note": ""}),
        (["--reprovision", "yes"], {"reprovision": True}),
        (["--reprovision", "no"], {"reprovision": False}),
    ],
)
def test_terms_are_changed_where_something_was_said(server, line, changes):
    assert run(["partner", "set", POLICE, *line]) == 0
    new = msgspec.structs.replace(TERMS, **changes)
    assert sent(server) == [(f"PUT {AT}/terms", msgspec.json.decode(msgspec.json.encode(new)))]


@pytest.mark.parametrize(
    ("here", "there", "words"),
    [
        ("offered", "accepted", "acmx partner accept"),
        ("accepted", "offered", "acmx partner export"),
        ("accepted", "accepted", "acmx partner check"),
        ("accepted", "suspended", "when they resume it"),
        ("suspended", "accepted", "acmx partner resume"),
        ("accepted", "removed", "They have removed this system"),
        ("removed", "removed", "acmx partner add"),
    ],
)
def test_a_partner_is_shown_with_what_comes_next(server, partner, here, there, words, capsys):
    shown = msgspec.structs.replace(
        partner, state_here=here, state_there=there, reason_there="fog on the river", told=True
    )
    server.replies[f"GET {AT}"] = (200, shown)
    assert run(["partner", "show", POLICE]) == 0
    said = capsys.readouterr()
    assert words in said.err
    assert f"{there}: fog on the river" in said.out
    assert "agreement 17" in said.out
