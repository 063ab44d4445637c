"""Documents of the CMS that are too large to be read on the event loop."""

from pathlib import Path

import pytest

from acmx.delivery.provisioning import large_documents
from acmx.delivery.provisioning.large_documents import LARGE
from acmx.provisioning import work, xcap, xml
from acmx.provisioning.names import UE_AUID
from integration.provisioning.test_provisioning import answered
from integration.provisioning.test_xcap import SERVICES, USERS, carried_out, rows, with_cms
from support.partner.xcap import Xcap, path_of

PATH = path_of("mcptt", USERS[0])
MIB = 1024 * 1024


def fill(cms: Xcap, path: str, size: int) -> None:
    """Make a profile as large as this, with elements that nobody knows."""
    head, mark, tail = cms.documents[path].rpartition(b"</anyExt>")
    unknown = b'<v:unknown a="1"/>'
    cms.documents[path] = head + unknown * ((size - len(head)) // len(unknown)) + mark + tail


@pytest.fixture
def none_is_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(text: bytes) -> xml.Element:
        assert len(text) <= LARGE
        return xml.parse(text)

    for module in (work, xcap):
        monkeypatch.setattr(module, "parse", parse)


@pytest.mark.usefixtures("none_is_read_here")
async def test_large_documents_are_written_as_small_ones_are(tmp_path: Path) -> None:
    async with with_cms(tmp_path) as (police, fire, cms):
        id_ = await answered(police, fire)
        fill(cms, PATH, 2 * MIB)
        fill(cms, path_of("mcdata", USERS[0]), 200_000)
        previewed = await carried_out(police, id_, "preview")
        assert previewed["counts"] == {"different": 5}
        assert (await carried_out(police, id_))["counts"] == {"written": 5}
        assert [len(cms.entry(service, USERS[0])) for service in SERVICES] == [2, 2]
        assert (await carried_out(police, id_))["counts"] == {"unchanged": 5}
        cms.faults.changes = 1
        assert (await carried_out(police, id_, "remove"))["counts"] == {"written": 5}
        assert [len(cms.entry(service, USERS[0])) for service in SERVICES] == [1, 1]


@pytest.mark.usefixtures("none_is_read_here")
@pytest.mark.parametrize("what", ["too large", "no XML", "an error", "capabilities"])
async def test_a_large_answer_that_is_no_use_fails_its_row_alone(tmp_path: Path, what: str) -> None:
    async with with_cms(tmp_path) as (police, fire, cms):
        id_ = await answered(police, fire)
        if what == "too large":
            fill(cms, PATH, 8 * MIB + 100)
        elif what == "no XML":
            cms.documents[PATH] = b"<" * (LARGE + 1)
        elif what == "an error":
            cms.faults.refuses[PATH] = b"x" * (LARGE + 1)
        else:
            cms.faults.auids = (UE_AUID, *(f"urn:{n:0100}" for n in range(2000)))
        job = await carried_out(police, id_)
        if what == "capabilities":
            assert (job["state"], "does not know" in str(job)) == ("failed", True)
            return
        assert job["counts"] == {"failed": 1, "written": 4}
        (failed,) = await rows(police, job["id"], "failed")
        said = {"too large": "is larger than 8 MiB", "no XML": "not well-formed", "an error": "409"}
        assert said[what] in failed["detail"]


async def test_a_process_that_ends_before_its_document_fails_the_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_documents.sys, "executable", "/bin/false")

    async with with_cms(tmp_path) as (police, fire, cms):
        id_ = await answered(police, fire)
        fill(cms, PATH, LARGE + 1000)
        job = await carried_out(police, id_)
        assert job["counts"] == {"failed": 1, "written": 4}
        (failed,) = await rows(police, job["id"], "failed")
        assert "too much time or memory" in failed["detail"]
