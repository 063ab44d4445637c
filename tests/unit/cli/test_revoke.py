import msgspec
import pytest

from acmx.cli.main import run
from acmx.domain.acm1 import FieldChange, RevocationShown, Revoked, UpdateShown

ID = "01a206cb-f5c6-77ad-94c0-f9f1f6155a0d"
REVOKE = f"POST /requests/{ID}/revocation"
U0, U1 = (f"sip:officer.{n}@mc.metro-police.example" for n in range(2))


@pytest.mark.parametrize(
    ("options", "document", "revoked", "words"),
    [
        ([], {"reason": "over"}, Revoked(ID, "revoked", 3, 0), "for 3 users, the grant is revoked."),
        (
            ["--user", U0, U1],
            {"reason": "over", "users": [U0, U1]},
            Revoked(ID, "live", 2, 1),
            "for 2 users, 1 user approved still.",
        ),
    ],
)
def test_what_was_approved_is_taken_back(logged_on, capsys, options, document, revoked, words):
    logged_on.replies[REVOKE] = (200, revoked)
    assert run(["revoke", ID, "--reason", "over", *options]) == 0
    assert words in capsys.readouterr().out
    assert logged_on.asked == [(REVOKE, document)]


def test_what_changed_after_the_answer_is_shown(logged_on, exchange, capsys):
    at = exchange.created_at
    kms = FieldChange("server_identity.kms", ["https://kms.fire.example"], ["https://kms-2.fire.example"])
    gone = FieldChange("server_identity.mcdata_server.uri", ["sip:mcdata@fire.example"], [])
    changed = msgspec.structs.replace(
        exchange,
        updates=(UpdateShown(2, at, (kms, gone)),),
        revocations=(RevocationShown(3, at, "sip:okoye@mc.county-fire.example", (U0,), "left the force"),),
        on_cms="older",
    )
    logged_on.replies[f"GET /requests/{ID}"] = (200, changed)
    assert run(["show", ID]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "server_identity.kms: https://kms.fire.example -> https://kms-2.fire.example" in shown
    assert "sip:mcdata@fire.example -> -" in shown
    assert "left the force" in shown
    assert f"acmx provision {ID} --push" in shown
