"""What the groups of methods of the client share."""

from acmx.client.connection import Connection


class Calls:
    """Methods over one connection."""

    _connection: Connection
