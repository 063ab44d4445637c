"""One module a verb. A flow is two functions.

`prepare(house, tx, ...) -> Plan` reads a snapshot, decodes, validates, asks policy and encodes; it runs outside the
writer. `apply(tx, plan)` checks that the plan still fits, then writes the exchange, its journal row, the outgoing
messages and the notices in one transaction; it is short and safe to run twice. A plan that no longer fits is
prepared again (`carry_out`).
"""
