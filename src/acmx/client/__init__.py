"""The ACM client as a library: what an authorised user of an MC system can do over ACM-1."""

from acmx.client.client import Client

__all__ = ["Client"]
