"""Which of our keys signs for whom."""

import pytest

from acmx.trust.keys import SigningKey, VerifyKey
from acmx.trust.own import Own, OwnKey
from acmx.trust.signatures import verify

A, B = "mc.a.example", "mc.b.example"
NOW = 1_795_420_800
KEYS = [SigningKey.generate() for _ in range(3)]
NEWEST, MIDDLE, OLDEST = (key.kid for key in KEYS)


@pytest.fixture
def ours():
    replaced = OwnKey(KEYS[1], NOW + 100), OwnKey(KEYS[2], NOW + 50)
    return Own(A, KEYS[0], b"{}", replaced)


def signer(ours, now=NOW, **about):
    keys = {key.kid: VerifyKey(key.okp, key.kid) for key in KEYS}
    seal = ours.sign(b"body", **({"to": B, "typ": "acm-partnership", "now": now} | about))
    aud = about.get("to", B)
    return verify(seal, b"body", keys, iss=A, aud=aud, typ="acm-partnership", now=now).kid


def test_for_who_never_said_what_it_takes_the_oldest_signs_that_has_not_ended(ours):
    assert signer(ours) == OLDEST
    assert signer(ours, now=NOW + 50) == MIDDLE
    assert signer(ours, now=NOW + 1000) == NEWEST


@pytest.mark.parametrize(
    ("held", "signs"),
    [
        ({NEWEST, MIDDLE, OLDEST}, NEWEST),
        ({MIDDLE, OLDEST}, MIDDLE),
        ({OLDEST}, OLDEST),
        ({"another"}, NEWEST),
        (set(), NEWEST),
    ],
    ids=["all", "the older ones", "the oldest", "a foreign one", "none"],
)
def test_the_newest_signs_that_the_partner_takes_also_after_its_end(ours, held, signs):
    ours.hear_held(B, frozenset(held))
    assert signer(ours, now=NOW + 1000) == signs
    assert signer(ours, now=NOW + 1000, to=A, read_by=B) == signs
    ours.hear_held(B, None)
    assert signer(ours) == OLDEST


def test_each_key_has_its_turn(ours):
    ours.hear_held(B, frozenset({MIDDLE}))
    assert [signer(ours, turn=turn) for turn in range(4)] == [MIDDLE, NEWEST, OLDEST, MIDDLE]


def test_what_was_signed_after_the_end_is_known_as_ours(ours):
    seal = ours.sign(b"body", to=B, typ="acm-message", now=NOW + 60)
    assert verify(seal, b"body", ours.verify_keys, iss=A, aud=B, typ="acm-message", now=NOW + 60)
