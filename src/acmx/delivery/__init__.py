"""What goes out: the links to partner servers, and the clockwork. Each reply is handed to a flow.

Retry is owned by one place (law 6): the row of the partner holds back-off, last error and next attempt. A link that
fails is tried again by a cheap statement of the partnership, never by a message; when that is answered, everything
that waits is sent, up to 16 exchanges at a time and one message of each. A signed refusal that is not final puts
off its own exchange only. A Retry-After is honoured up to 15 minutes. A lease on the row keeps a second process on
the same database from sending to the same partner; it runs out after a crash.

Every loop here is kept by the supervisor: one exception never ends delivery.
"""
