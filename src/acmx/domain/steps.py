"""The 18 steps of the server identity information procedure (3GPP TR 23.700-38, key issue 5), as a table.

`A` is the primary MC system, `B` the partner. Where source and target are the same, the party works for itself.
"""

from typing import Literal

from msgspec import Struct

Party = Literal["ACM client A", "ACM server A", "ACM server B", "ACM client B"]
PARTIES: tuple[Party, ...] = ("ACM client A", "ACM server A", "ACM server B", "ACM client B")
_CLIENT_A, _SERVER_A, _SERVER_B, _CLIENT_B = PARTIES


class ProcedureStep(Struct, frozen=True):
    """One step: its number, who tells whom, and what, in at most 13 characters."""

    n: int
    source: Party
    target: Party
    text: str


STEPS: tuple[ProcedureStep, ...] = (
    ProcedureStep(1, _CLIENT_A, _SERVER_A, "request"),
    ProcedureStep(2, _SERVER_A, _SERVER_A, "authorise"),
    ProcedureStep(3, _SERVER_A, _SERVER_B, "request"),
    ProcedureStep(4, _SERVER_B, _SERVER_B, "store"),
    ProcedureStep(5, _SERVER_B, _SERVER_A, "stored"),
    ProcedureStep(6, _SERVER_B, _SERVER_B, "policy"),
    ProcedureStep(7, _CLIENT_B, _CLIENT_B, "log on"),
    ProcedureStep(8, _SERVER_B, _CLIENT_B, "notice"),
    ProcedureStep(9, _CLIENT_B, _SERVER_B, "query"),
    ProcedureStep(10, _SERVER_B, _CLIENT_B, "request"),
    ProcedureStep(11, _CLIENT_B, _CLIENT_B, "decide"),
    ProcedureStep(12, _CLIENT_B, _SERVER_B, "decision"),
    ProcedureStep(13, _SERVER_B, _SERVER_A, "response"),
    ProcedureStep(14, _SERVER_A, _SERVER_A, "store"),
    ProcedureStep(15, _CLIENT_A, _CLIENT_A, "log on"),
    ProcedureStep(16, _SERVER_A, _CLIENT_A, "notice"),
    ProcedureStep(17, _CLIENT_A, _SERVER_A, "query"),
    ProcedureStep(18, _SERVER_A, _CLIENT_A, "response"),
)
