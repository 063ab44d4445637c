"""What a check found, in plain words."""

from datetime import datetime

from acmx.domain.acm1 import Finding

SOON_DAYS = 30


def ok(name: str, text: str) -> Finding:
    return Finding(name, "ok", text)


def warning(name: str, text: str) -> Finding:
    return Finding(name, "warning", text)


def failed(name: str, text: str) -> Finding:
    return Finding(name, "failed", text)


def days_left(name: str, ends: datetime, now: datetime) -> Finding:
    """A certificate that ends then."""
    days = (ends - now).days
    if days < 0:
        return failed(name, f"has ended on {ends:%Y-%m-%d}")
    text = f"valid until {ends:%Y-%m-%d}, {days} days"
    return ok(name, text) if days >= SOON_DAYS else warning(name, f"{text}: renew it")
