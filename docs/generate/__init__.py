"""Makes the generated parts of the pages of docs/ and the golden files in docs/examples.

`uv run python -m docs.generate`. The examples come out of real parts: two systems with fixed keys, certificates,
ids and time hand each other real messages, in memory instead of over TLS.
"""
