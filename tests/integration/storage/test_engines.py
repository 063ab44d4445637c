"""What every engine offers, whatever its own dialect."""

import asyncio

import psycopg
import pytest

from acmx.bootstrap.database import make_store
from acmx.config import Config
from acmx.domain.identities import Realms
from acmx.storage import rows, seals
from acmx.storage.exchange import exchanges
from acmx.storage.partnership import partners
from acmx.storage.partnership.partners import Partner
from support.systems import engines

pytestmark = pytest.mark.both

ALIKE = ["", "B", "_", "a", "a-b", "a.b", "ab", "ä", "ﬀ", "😀"]
"""In the order of their bytes, which no language has."""


@pytest.fixture
def in_store(tmp_path):
    def run(scenario):
        async def opened():
            config = Config(
                system="mc.a.example",
                name="A",
                realms=Realms(("a.example",)),
                database=engines.database(tmp_path),
            )
            store = make_store(tmp_path, config)
            try:
                return await scenario(store)
            finally:
                await store.close()

        return asyncio.run(opened())

    return run


def partner(id_, **changes):
    return Partner(id_, id_, "accepted", "accepted", 0, b"\0\xff", "digest", **changes)


def test_a_transaction_tells_rows_changed_first_row_and_all_rows(in_store):
    async def scenario(store):
        assert await store.write(lambda tx: partners.insert(tx, partner("a")))
        assert not await store.write(lambda tx: partners.insert(tx, partner("a")))
        assert await store.write(lambda tx: partners.insert(tx, partner("b")))
        assert await store.write(lambda tx: tx.execute("UPDATE partner SET failures = 1")) == 2
        assert (
            await store.write(lambda tx: tx.execute("DELETE FROM partner WHERE id = :id", {"id": "z"})) == 0
        )
        assert await store.read(lambda tx: tx.rows("SELECT id, failures FROM partner ORDER BY id")) == [
            ("a", 1), ("b", 1),
        ]  # fmt: skip
        named = {"id": "b", "not in the statement": None}
        one = "SELECT id FROM partner WHERE id = :id"
        assert await store.read(lambda tx: tx.row(one, named)) == ("b",)
        assert await store.read(lambda tx: tx.row(one, {"id": "z"})) is None

    in_store(scenario)


def test_a_missing_parameter_is_an_error_and_not_null(in_store):
    async def scenario(store):
        with pytest.raises(KeyError):
            await store.read(lambda tx: tx.rows("SELECT id FROM partner WHERE id = :absent", {}))

    in_store(scenario)


def test_what_looks_like_a_parameter_within_a_text_is_none(in_store):
    async def scenario(store):
        assert await store.read(lambda tx: tx.row("SELECT ':a', '''%s', '%'")) == (":a", "'%s", "%")

    in_store(scenario)


def test_bytes_and_numbers_come_back_as_they_were(in_store):
    async def scenario(store):
        await store.write(lambda tx: partners.insert(tx, partner("a", failures=2**53, last_success_at=-1)))
        found = await store.read(lambda tx: partners.find(tx, "a"))
        assert (found.metadata, found.failures, found.last_success_at) == (b"\0\xff", 2**53, -1)
        assert (await store.read(seals.head)).peaks == b""

    in_store(scenario)


def test_texts_are_ordered_and_compared_by_their_bytes(in_store):
    async def scenario(store):
        for id_ in reversed(ALIKE):
            await store.write(lambda tx, id_=id_: partners.insert(tx, partner(id_)))
        assert [p.id for p in await store.read(partners.every)] == ALIKE
        after = "SELECT id FROM partner WHERE id > :id ORDER BY id"
        assert await store.read(lambda tx: tx.rows(after, {"id": "a"})) == [(id_,) for id_ in ALIKE[4:]]

    in_store(scenario)


def test_every_text_of_the_schema_is_ordered_by_its_bytes(in_store, engine):
    texts = (
        "SELECT collation_name, COUNT(*) FROM information_schema.columns "
        "WHERE table_schema = 'public' AND data_type = 'text' GROUP BY 1"
    )

    async def scenario(store):
        [(collation, count)] = await store.read(lambda tx: tx.rows(texts))
        assert (collation, count > 100) == ("C", True)

    if engine == "postgres":
        in_store(scenario)


def test_a_read_cannot_write(in_store):
    async def scenario(store):
        with pytest.raises(Exception, match=r"(?i)read-?only"):
            await store.read(lambda tx: partners.insert(tx, partner("a")))
        assert await store.read(partners.every) == []

    in_store(scenario)


def test_a_read_that_raises_does_not_hold_its_snapshot(in_store):
    def look(tx):
        partners.every(tx)
        raise LookupError

    async def scenario(store):
        with pytest.raises(LookupError):
            await store.read(look)
        await store.write(lambda tx: partners.insert(tx, partner("a")))
        assert len(await store.read(partners.every)) == 1

    in_store(scenario)


def test_an_error_of_a_statement_is_its_plans_alone(in_store):
    def refused(tx):
        partners.insert(tx, partner("b"))
        tx.execute(rows.insert("partner", Partner), rows.params(partner("a")))

    async def scenario(store):
        first, second, third = await asyncio.gather(
            store.write(lambda tx: partners.insert(tx, partner("a"))),
            store.write(refused),
            store.write(lambda tx: partners.insert(tx, partner("c"))),
            return_exceptions=True,
        )
        assert (first, third) == (True, True)
        assert isinstance(second, engines.CONSTRAINT)
        assert [p.id for p in await store.read(partners.every)] == ["a", "c"]

    in_store(scenario)


def test_optional_conditions_know_the_type_of_nothing(in_store):
    async def scenario(store):
        await store.write(lambda tx: partners.insert(tx, partner("a", next_attempt_at=5)))
        await store.write(lambda tx: partners.try_now(tx, "b"))
        assert (await store.read(lambda tx: partners.find(tx, "a"))).next_attempt_at == 5
        await store.write(partners.try_now)
        assert (await store.read(lambda tx: partners.find(tx, "a"))).next_attempt_at is None
        assert await store.read(lambda tx: exchanges.page(tx, asker=None, before=None, limit=1)) == []

    in_store(scenario)


@pytest.mark.parametrize("text", ["nul \0 in it", "\ud800"])
def test_what_no_engine_can_hold_as_text_is_refused(in_store, engine, text):
    """SQLite takes a NUL; what comes from outside has none (`test_bad_input`)."""

    async def scenario(store):
        with pytest.raises((psycopg.DataError, UnicodeEncodeError)):
            await store.write(lambda tx: partners.insert(tx, partner(text)))

    if engine == "postgres":
        in_store(scenario)
