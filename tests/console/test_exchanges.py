"""The list of exchanges: filters, pages, and a hundred thousand of them."""

import re

from acmx.storage.exchange.exchanges import Exchange
from support.systems.pages import opened
from support.systems.systems import FIRE, POLICE

COPIES = 100_000


async def fill(fire) -> None:
    """As many exchanges more as COPIES, made of the one that is there: other partners, all but a few delivered."""
    columns = [field for field in Exchange.__struct_fields__ if field != "serial"]
    changed = {
        "id": "(10000000 + n) || '-0000-7000-8000-000000000000'",
        "state": "CASE WHEN n % 1000 = 0 THEN 'pending' ELSE 'delivered' END",
        "partner": "'mc.partner-' || (10 + n % 50) || '.example'",
        "purpose": "'exercise ' || n",
    }
    values = ", ".join(changed.get(column, column) for column in columns)
    await fire.store.write(
        lambda tx: tx.execute(
            f"WITH RECURSIVE more(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < {COPIES}) "
            f"INSERT INTO exchange ({', '.join(columns)}) SELECT {values} FROM more, "
            "(SELECT * FROM exchange LIMIT 1) AS one"
        )
    )


async def test_filters_and_pages_of_a_hundred_thousand_exchanges(systems):
    police, fire = systems
    _, accepted = await police.submit(account="requester")
    await police.reaches(accepted["id"], "stored")
    await fill(fire)

    async def look(query: str) -> tuple[list[str], str]:
        page = await opened(fire, "GET", f"/exchanges{query}", token="auditor")
        assert page.status == 200
        assert len(page.text.encode()) < 100_000
        found = re.search(r'href="/console(/exchanges[^"]*after=\d+[^"]*)" rel="next"', page.text)
        following = found[1].replace("&amp;", "&").removeprefix("/exchanges") if found else ""
        return re.findall(r">(exercise \d+|flood in the harbour district)<", page.text), following

    first, following = await look("")
    assert (len(first), first[0]) == (50, f"exercise {COPIES}")
    second, _ = await look(following)
    assert second[0] == f"exercise {COPIES - 50}"
    some, following = await look("?state=pending&partner=mc.partner-10.example")
    assert some[:2] == [f"exercise {COPIES}", f"exercise {COPIES - 1000}"]
    rest, following = await look(following)
    assert (len(some) + len(rest), following) == (100, "")
    assert await look(f"?partner={POLICE}") == (["flood in the harbour district"], "")
    assert await look(f"?partner={FIRE}") == ([], "")
    assert await look("?state=nonsense") == ([], "")
