from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from acmx.cli.exchange.diagram import ASCII, LINES, WIDTH, diagram, pens_for
from acmx.domain.acm1 import Step
from acmx.domain.steps import PARTIES, STEPS

POLICE, FIRE = "mc.metro-police.example", "mc.county-fire.example"
AT = datetime(2026, 10, 3, 23, 59, 50, tzinfo=UTC)


def drawn(exchange, steps, role="primary", here=POLICE, pens=LINES):
    partner = FIRE if role == "primary" else POLICE
    exchange = msgspec.structs.replace(exchange, role=role, partner=partner, steps=steps)
    return [line.text.rstrip() for line in diagram(exchange, here, pens)]


def done(*numbers, start=AT):
    return [Step(n, "done", start + timedelta(seconds=2 * place)) for place, n in enumerate(numbers)]


def marked(status, *numbers, note=None):
    return [Step(n, status, None, note) for n in numbers]


def test_an_exchange_that_policy_decided(exchange):
    steps = [
        *done(1, 2, 3, 4, 5),
        *marked("not-taken", *range(7, 13), note="small-lists"),
        *done(6, 13, 14, start=AT + timedelta(seconds=12)),
        *marked("waiting", 15),
    ]
    assert (
        "\n".join(drawn(exchange, steps))
        == """\
      A: mc.metro-police.example           B: mc.county-fire.example
     ACM client        ACM server        ACM server        ACM client
          │                 │                 │                 │     2026-10-03
✓  1      │─── request ────▶│                 │                 │       23:59:50
✓  2      │            ┤authorise├            │                 │       23:59:52
✓  3      │                 │─── request ────▶│                 │       23:59:54
✓  4      │                 │              ┤store├              │       23:59:56
✓  5      │                 │◀──── stored ────│                 │       23:59:58
          │                 │                 │                 │     2026-10-04
✓  6      │                 │             ┤policy├              │       00:00:02
-  7      │                 │                 │             ┤log on├
-  8      │                 │                 │┄┄┄┄ notice ┄┄┄┄▷│
-  9      │                 │                 │◁┄┄┄┄ query ┄┄┄┄┄│
- 10      │                 │                 │┄┄┄ request ┄┄┄┄▷│
- 11      │                 │                 │             ┤decide├
- 12      │                 │                 │◁┄┄┄ decision ┄┄┄│
          │ small-lists     │                 │                 │
✓ 13      │                 │◀─── response ───│                 │       00:00:04
✓ 14      │              ┤store├              │                 │       00:00:06
… 15  ┤log on├              │                 │                 │
· 16      │◁┄┄┄┄ notice ┄┄┄┄│                 │                 │
· 17      │┄┄┄┄ query ┄┄┄┄┄▷│                 │                 │
· 18      │◁┄┄┄ response ┄┄┄│                 │                 │
✓ done   … waiting   - not taken   ✗ failed   ○ elsewhere   · ahead"""
    )


def test_an_exchange_that_waits_for_a_person_in_ascii(exchange):
    steps = [
        *marked("elsewhere", 1, 2, 15, 16, 17, 18),
        *done(3, 4, 5, 6, 7, 8, 9, 10, start=AT - timedelta(hours=1)),
        *marked("waiting", 11),
    ]
    assert (
        "\n".join(drawn(exchange, steps, "partner", FIRE, ASCII))
        == """\
      A: mc.metro-police.example           B: mc.county-fire.example
     ACM client        ACM server        ACM server        ACM client
o  1      |... request ....>|                 |                 |
o  2      |            [authorise]            |                 |
          |                 |                 |                 |     2026-10-03
+  3      |                 |--- request ---->|                 |       22:59:50
+  4      |                 |              [store]              |       22:59:52
+  5      |                 |<---- stored ----|                 |       22:59:54
+  6      |                 |             [policy]              |       22:59:56
+  7      |                 |                 |             [log on]    22:59:58
+  8      |                 |                 |---- notice ---->|       23:00:00
+  9      |                 |                 |<---- query -----|       23:00:02
+ 10      |                 |                 |--- request ---->|       23:00:04
* 11      |                 |                 |             [decide]
. 12      |                 |                 |<... decision ...|
. 13      |                 |<... response ...|                 |
. 14      |              [store]              |                 |
o 15  [log on]              |                 |                 |
o 16      |<.... notice ....|                 |                 |
o 17      |.... query .....>|                 |                 |
o 18      |<... response ...|                 |                 |
+ done   * waiting   - not taken   ! failed   o elsewhere   . ahead"""
    )


def test_a_link_that_fails_shows_the_last_error(exchange):
    error = "cannot connect to https://acm.fire.example:8442: connection refused"
    rows = drawn(exchange, [*done(1, 2), *marked("waiting", 3, note=error)])
    assert rows[5:9] == [
        "…  3      │                 │┄┄┄ request ┄┄┄┄▷│                 │",
        "          │ cannot connect to https://acm.fire.example:8442: connection",
        "          │ refused         │                 │                 │",
        "·  4      │                 │              ┤store├              │",
    ]


def test_a_request_that_is_refused_here_breaks_off_at_step_2(exchange):
    failed = Step(2, "failed", AT + timedelta(seconds=2), "own-users")
    rows = drawn(exchange, [*done(1), failed, *marked("not-taken", *range(3, 19), note="refused_here")])
    assert rows[3:7] == [
        "✓  1      │─── request ────▶│                 │                 │       23:59:50",
        "✗  2      │            ┤authorise├            │                 │       23:59:52",
        "          │ own-users       │                 │                 │",
        "-  3      │                 │┄┄┄ request ┄┄┄┄▷│                 │",
    ]
    assert sum("refused_here" in row for row in rows) == 1


def test_an_arrow_that_failed_has_no_head(exchange):
    rows = drawn(exchange, [Step(3, "failed", AT), Step(13, "failed", AT)])
    assert "│─── request ────✗│" in next(row for row in rows if row.startswith("✗  3"))
    assert "│✗─── response ───│" in next(row for row in rows if row.startswith("✗ 13"))


@pytest.mark.parametrize("pens", [LINES, ASCII])
@pytest.mark.parametrize("status", LINES.marks)
def test_no_line_is_wider_than_eighty_columns(exchange, pens, status):
    long = msgspec.structs.replace(exchange, primary=f"{'long.' * 40}example")
    steps = [Step(n, status, AT + timedelta(days=n), "x" * 300) for n in range(1, 19)]
    rows = drawn(long, steps, pens=pens)
    assert max(map(len, rows)) <= WIDTH
    assert sum(row.startswith(f"{pens.marks[status]} ") for row in rows) >= 18


def test_every_step_is_drawn_once_whatever_the_server_leaves_out(exchange):
    rows = drawn(exchange, [])
    assert [int(row[2:4]) for row in rows if row.startswith("·")] == list(range(1, 19))


def test_the_table_of_steps_is_the_procedure():
    assert [step.n for step in STEPS] == list(range(1, 19))
    assert {party for step in STEPS for party in (step.source, step.target)} == set(PARTIES)
    crossing = [step.n for step in STEPS if {step.source[-1], step.target[-1]} == {"A", "B"}]
    assert crossing == [3, 5, 13]


@pytest.mark.parametrize(
    ("encoding", "pens"),
    [
        ("utf-8", LINES),
        ("utf-16", LINES),
        ("ascii", ASCII),
        ("latin-1", ASCII),
        ("nonsense", ASCII),
        (None, ASCII),
    ],
)
def test_lines_are_drawn_only_where_they_can_be_shown(encoding, pens):
    assert pens_for(encoding) is pens
