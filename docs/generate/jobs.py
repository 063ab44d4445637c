"""The golden files of a job at the CMS, which these two systems do not have."""

from datetime import datetime, timedelta

from docs.generate.systems import FIRE, POLICE
from msgspec import Struct

from acmx.domain.acm1 import (
    NewProvisioning,
    Provisioning,
    ProvisioningRow,
    ProvisioningRows,
    Provisionings,
)

JOB = "01a2076b-4400-7000-8000-0000000000f1"


def samples(exchange: str, now: datetime) -> dict[str, Struct]:
    """A push under way, while the CMS does not answer."""
    job = Provisioning(
        id=JOB,
        exchange=exchange,
        partner=FIRE.system,
        mode="push",
        state="running",
        catalogue=1,
        template=1,
        started_at=now,
        started_by=f"sip:planner@{POLICE.system}",
        total=7,
        counts={"failed": 1, "waiting": 5, "written": 1},
        next_attempt_at=now + timedelta(seconds=4),
        last_error="the CMS does not answer: nothing came within 30 s",
    )
    refused = (
        "the CMS refuses it (409): constraint-failure, it breaks a constraint; “no licence for migration”"
    )
    rows = [
        ProvisioningRow(0, f"sip:officer.1@{POLICE.system}", "mcptt", "written", 1, at=now),
        ProvisioningRow(1, f"sip:officer.1@{POLICE.system}", "mcdata", "failed", 1, refused, now),
    ]
    return {
        "new-provisioning": NewProvisioning("push"),
        "provisioning": job,
        "provisionings": Provisionings([job]),
        "provisioning-rows": ProvisioningRows(rows, "1"),
    }
