"""A journal that was changed, thinned, filled or cut off is found, and where."""

import tracemalloc
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acmx.domain.records import Checkpoint, SealedRow, SignedCheckpoint
from acmx.trust.checkpoints import Checkpoints
from acmx.trust.journal_check import Compared, JournalCheck, Verdict
from acmx.trust.keys import SigningKey
from acmx.trust.own import Own
from acmx.trust.sealing import line, sign_checkpoint
from acmx.trust.tree import Tree, leaf

SYSTEM = "mc.county-fire.example"
AT = 1_795_420_800_000
DAY = datetime(2026, 11, 23, 8, tzinfo=UTC)


def row(
    number: int, serial: int | None = None, event: str = "event", number_in: int | None = None
) -> SealedRow:
    sealed = line(number_in or number, AT + number, event, "somebody", None, None, "{}")
    return SealedRow(serial or number, number, leaf(sealed).hex(), sealed.decode())


def journal(count: int) -> list[SealedRow]:
    return [row(number) for number in range(1, count + 1)]


def checkpoint(rows: Iterable[SealedRow], *, shipped: bool = False) -> Compared:
    tree = Tree()
    for one in rows:
        tree.append(bytes.fromhex(one.hash or ""))
    return Compared(Checkpoint("1.0", SYSTEM, tree.size, tree.root.hex(), DAY), shipped)


def checked(rows: Iterable[SealedRow], *checkpoints: Compared) -> Verdict:
    check = JournalCheck(sorted(checkpoints, key=lambda one: one.checkpoint.size))
    for one in rows:
        check.take(one)
    return check.finish()


def found(verdict: Verdict) -> list[tuple[str, int]]:
    return [(trouble.wrong, trouble.number) for trouble in verdict.troubles]


ROWS = journal(40)
STORED = [checkpoint(ROWS[:n]) for n in (10, 20, 30, 40)]


def test_a_journal_as_it_was_sealed_is_sound() -> None:
    unsealed = SealedRow(41, None, None, line(None, AT, "x", "y", None, None, "{}").decode())
    verdict = checked([*ROWS, unsealed], *STORED)
    assert (verdict.rows, verdict.unsealed, verdict.checkpoints, verdict.unproven) == (40, 1, 4, 0)
    assert (found(verdict), verdict.root) == ([], STORED[-1].checkpoint.root)


def test_rows_after_the_last_checkpoint_are_counted_as_unproven() -> None:
    assert checked(ROWS, *STORED[:2]).unproven == 20


def test_a_changed_row_is_named_with_its_time() -> None:
    changed = msgspec.structs.replace(ROWS[16], line=ROWS[16].line.replace("somebody", "nobody"))
    verdict = checked([*ROWS[:16], changed, *ROWS[17:]], *STORED)
    assert found(verdict) == [("changed", 17)]
    assert "row 17 (event, 2026-11-23T08:00:00.017Z)" in verdict.troubles[0].text


@pytest.mark.parametrize("hash_", [None, "", "zz", "00", "00" * 32])
def test_a_changed_hash_is_found(hash_: str | None) -> None:
    verdict = checked([*ROWS[:16], msgspec.structs.replace(ROWS[16], hash=hash_), *ROWS[17:]], *STORED)
    assert found(verdict)[0] == ("changed", 17)


def test_a_row_changed_together_with_its_hash_lies_between_two_checkpoints() -> None:
    verdict = checked([*ROWS[:16], row(17, event="another"), *ROWS[17:]], *STORED)
    assert found(verdict) == [("rewritten", 11)]
    assert "rows 11 to 20" in verdict.troubles[0].text


def test_removed_rows_are_named() -> None:
    verdict = checked([*ROWS[:16], *ROWS[18:]], *STORED)
    assert found(verdict) == [("removed", 17)]
    assert (
        "rows 17 to 18 are missing, before row 19 (event, 2026-11-23T08:00:00.019Z)"
        in verdict.troubles[0].text
    )


def test_a_row_removed_and_the_rest_numbered_and_hashed_anew_is_found() -> None:
    rest = [row(one.number - 1, one.serial, f"event of {one.number}") for one in ROWS[17:] if one.number]
    assert found(checked([*ROWS[:16], *rest], *STORED)) == [("rewritten", 11), ("cut-off", 40)]


def test_a_row_put_in_is_found_sealed_or_not() -> None:
    twice = row(17, serial=99, event="forged")
    assert found(checked([*ROWS[:17], twice, *ROWS[17:]], *STORED)) == [("inserted", 18)]
    unsealed = SealedRow(17, None, None, twice.line)
    verdict = checked([*ROWS[:17], unsealed, *ROWS[17:]], *STORED)
    assert found(verdict) == [("inserted", 18)]
    assert "serial 17 (forged, " in verdict.troubles[0].text


def test_a_journal_that_was_cut_off_is_found_by_the_checkpoint_beyond_its_end() -> None:
    verdict = checked(ROWS[:25], *STORED)
    assert found(verdict) == [("cut-off", 26)]
    assert "covers 40 rows, but the journal ends with row 25 (event, " in verdict.troubles[0].text
    assert found(checked([], *STORED)) == [("cut-off", 1)]


def test_who_rewrites_the_checkpoints_too_is_found_by_the_one_that_was_taken_away() -> None:
    forged = [*ROWS[:4], row(5, event="forged"), *ROWS[5:]]
    stored = [checkpoint(forged[:n]) for n in (10, 20, 30, 40)]
    assert found(checked(forged, *stored)) == []
    shipped = [checkpoint(ROWS[:n], shipped=True) for n in (3, 15)]
    assert found(checked(forged, *stored, *shipped)) == [("rewritten", 4)]


@given(st.data())
def test_whatever_is_done_to_the_rows_is_found(data: st.DataObject) -> None:
    """Dropped, doubled, swapped or changed: with a checkpoint over all, nothing but the journal itself is sound."""
    rows = list(ROWS)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(rows) - 1))
        match data.draw(st.sampled_from(["drop", "double", "swap", "change", "rehash"])):
            case "drop":
                del rows[at]
            case "double":
                rows.insert(at, rows[at])
            case "swap":
                other = data.draw(st.integers(0, len(rows) - 1))
                rows[at], rows[other] = rows[other], rows[at]
            case "change":
                rows[at] = msgspec.structs.replace(rows[at], line=rows[at].line + " ")
            case _:
                rows[at] = row(rows[at].number or 0, event="forged")
    assert bool(found(checked(rows, STORED[-1]))) == (rows != ROWS)


# Signatures of checkpoints.

KEY, OTHER = SigningKey.generate(), SigningKey.generate()


def signed(rows: list[SealedRow], key: SigningKey = KEY, system: str = SYSTEM) -> SignedCheckpoint:
    root = bytes.fromhex(checkpoint(rows).checkpoint.root)
    return sign_checkpoint(Own(system, key, b""), len(rows), root, AT)


def test_checkpoints_are_merged_by_size_and_their_keys_counted() -> None:
    checkpoints = Checkpoints([signed(ROWS[:5]), signed(ROWS[:9])], [signed(ROWS[:7]), signed(ROWS[:2])])
    assert [(one.checkpoint.size, one.shipped) for one in checkpoints] == [
        (2, True),
        (5, False),
        (7, True),
        (9, False),
    ]
    assert (checkpoints.keys, checkpoints.troubles) == ({KEY.kid: 4}, [])


def test_a_checkpoint_that_is_not_good_is_left_out_and_told_of() -> None:
    good = signed(ROWS[:5])
    forged = msgspec.structs.replace(good, checkpoint=good.checkpoint.replace('"size":5', '"size":6'))
    another_key = msgspec.structs.replace(good, key=signed(ROWS, OTHER).key)
    nonsense = msgspec.structs.replace(good, checkpoint="[]")
    foreign = signed(ROWS[:9], system="mc.metro-police.example")
    checkpoints = Checkpoints([good, forged, another_key, nonsense, foreign])
    assert [one.checkpoint.size for one in checkpoints] == [5]
    assert len(checkpoints.troubles) == 4


def test_only_the_keys_that_are_named_may_have_signed() -> None:
    checkpoints = Checkpoints([signed(ROWS[:5]), signed(ROWS[:9], OTHER)], (), [KEY.kid])
    assert [one.checkpoint.size for one in checkpoints] == [5]
    assert OTHER.kid in checkpoints.troubles[0].text


@given(st.data())
def test_no_character_of_a_signed_checkpoint_can_be_changed(data: st.DataObject) -> None:
    good = signed(ROWS[:5])
    body = msgspec.json.encode(good).decode()
    at = data.draw(st.integers(0, len(body) - 1))
    new = data.draw(st.sampled_from('0123456789abcdefXYZ_-{}[]",: '))
    try:
        changed = msgspec.json.decode(body[:at] + new + body[at + 1 :], type=SignedCheckpoint)
    except msgspec.DecodeError:
        return
    checkpoints = Checkpoints([changed])
    assert list(checkpoints) == [] or changed == good


# Size.


def many(count: int) -> Iterator[SealedRow]:
    return (row(number) for number in range(1, count + 1))


def test_memory_does_not_grow_with_the_journal() -> None:
    def peak(count: int) -> int:
        check = JournalCheck([])
        tracemalloc.start()
        for one in many(count):
            check.take(one)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert check.finish().rows == count
        return most

    assert peak(20_000) < peak(200) + 50_000
