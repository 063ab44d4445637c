from datetime import timedelta

import pytest

from acmx.cli.main import run
from acmx.domain.acm1 import (
    ClockStanding,
    Component,
    Finding,
    Findings,
    Health,
    OutboxPage,
    QueuedMessage,
    Retried,
)

FIRE = "mc.county-fire.example"
ID = "01a206cb-f5c6-77ad-94c0-f9f1f6155a0d"


@pytest.fixture
def queued(exchange):
    at = exchange.created_at
    return QueuedMessage(
        partner=FIRE,
        primary="mc.metro-police.example",
        exchange=ID,
        n=1,
        type="request",
        queued_at=at,
        attempts=3,
        next_attempt_at=at + timedelta(minutes=1),
        give_up_at=at + timedelta(days=120),
        last_attempt_at=at,
        last_error="no answer in time",
    )


def test_the_outbox_says_what_waits_and_why(logged_on, queued, capsys):
    logged_on.replies["GET /outbox"] = (200, OutboxPage([queued], "7"))
    assert run(["outbox"]) == 0
    said = capsys.readouterr()
    for word in (
        FIRE,
        ID,
        "request, 3 attempts",
        "next 2026-10-03 14:03:11Z",
        "last 2026-10-03 14:02:11Z",
        "no answer in time",
    ):
        assert word in " ".join(said.out.split())
    assert "acmx outbox --after 7" in said.err


@pytest.mark.parametrize(
    ("line", "sent"),
    [([], {}), ([ID], {"exchange": ID}), (["--partner", FIRE], {"partner": FIRE})],
)
def test_retry_names_a_partner_an_exchange_or_nothing(logged_on, line, sent, capsys):
    logged_on.replies["POST /outbox/retry"] = (200, Retried(2, [FIRE]))
    assert run(["outbox", "retry", *line]) == 0
    assert logged_on.asked == [("POST /outbox/retry", sent)]
    assert f"2 messages are sent again to {FIRE}." in capsys.readouterr().out


def test_retry_of_both_is_wrong_usage(logged_on):
    assert run(["outbox", "retry", ID, "--partner", FIRE]) == 2
    assert logged_on.asked == []


@pytest.mark.parametrize(("status", "exit_status"), [("ok", 0), ("warning", 0), ("failed", 1)])
def test_a_check_ends_with_1_only_if_something_failed(logged_on, status, exit_status, capsys):
    findings = Findings([Finding("name", "ok", "is known"), Finding("connection", status, "to port 8442")])
    logged_on.replies[f"POST /partners/{FIRE}/check"] = (200, findings)
    assert run(["partner", "check", FIRE]) == exit_status
    assert "to port 8442" in capsys.readouterr().out


def test_health_shows_each_part_and_the_clock(logged_on, exchange, capsys):
    at = exchange.created_at
    clock = ClockStanding(at, at, "it jumped")
    parts = [Component("delivery", ok=False, of=FIRE, trouble="is stuck")]
    logged_on.replies["GET /health"] = (200, Health(ok=False, version="1", components=parts, clock=clock))
    assert run(["health"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert f"delivery to {FIRE} failed is stuck" in said
    assert "acmx clock confirm" in said


def test_the_clock_is_confirmed(logged_on, exchange, capsys):
    logged_on.replies["POST /clock/confirmation"] = (200, ClockStanding(exchange.created_at))
    assert run(["clock", "confirm"]) == 0
    assert capsys.readouterr().out == "2026-10-03 14:02:11Z\n"
