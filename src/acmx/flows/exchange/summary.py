"""An exchange as a row of a list."""

from acmx.domain.acm1 import Summary
from acmx.domain.moments import from_ms
from acmx.storage.exchange.exchanges import Exchange


def summary(exchange: Exchange) -> Summary:
    return Summary(
        id=exchange.id,
        primary=exchange.primary_system,
        partner=exchange.partner,
        role=exchange.role,
        state=exchange.state,
        kind=exchange.kind,
        asker=exchange.asker,
        urgency=exchange.urgency,
        purpose=exchange.purpose,
        user_count=exchange.user_count,
        created_at=from_ms(exchange.created_at),
        expires_at=from_ms(exchange.expires_at) if exchange.expires_at else None,
        addressee=exchange.addressee,
        addressee_alias=exchange.addressee_alias,
        reference=exchange.reference,
        outcome=exchange.outcome,
        reason=exchange.reason,
        decided_by=exchange.decided_by,
        grant=exchange.grant_state,
        valid_from=from_ms(exchange.valid_from) if exchange.valid_from else None,
        valid_until=from_ms(exchange.valid_until) if exchange.valid_until else None,
    )
