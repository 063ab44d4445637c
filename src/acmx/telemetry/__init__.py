"""What is seen of a server from outside: metrics and traces. A server that is not watched has none of it in its way."""
