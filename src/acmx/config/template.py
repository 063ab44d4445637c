"""The text of a new `config.toml`."""

TEMPLATE = """\
# The ACM server of one MC system. Read when it starts: restart it after a change.
# The texts in the sections below can be set in the environment instead: ACMX_ACM1_LISTEN, ACMX_ACM2_LISTEN,
# ACMX_ACM2_ADDRESS; so can ACMX_DATABASE.

# The MC system ID. Partners and every stored exchange know this system by it: it does not change.
{system}

# What partners read beside it: the name of the organisation, and whom to call.
{name}
{contact}

# Where the state lies: "" for the file acmx.db beside this one, or a PostgreSQL database of its own:
# postgresql://user:password@host/database (docs/postgresql.md).
{database}
# true: nothing is acknowledged while PostgreSQL does not wait for a synchronous standby, whatever it was told.
{require_synchronous}

[acm1]
# Where ACM clients connect: host:port, an IPv6 address in brackets.
{acm1.listen}
# The addresses of proxies before it, which say for whom they connect (docs/operations.md); nobody else connects then.
{acm1.proxies}
# false: such a proxy on this machine ends TLS, and speaks plain HTTP to this server.
{acm1.tls}

[acm2]
# Where partner systems connect, and the URL at which they reach that place from outside.
{acm2.listen}
{acm2.address}
{acm2.proxies}

[realms]
# Whose users are ours: the hosts of their SIP URIs (each alone, not those below it), the phone contexts of
# their local numbers, the first digits of their global numbers ("+4930"). Partners pin them.
{realms.hosts}
{realms.phone_contexts}
{realms.tel_prefixes}

[requests]
# Days until a request expires if its requester names no time, and the most that a requester may name.
{requests.expiry_days}
{requests.longest_expiry_days}

[notices]
# How people are told who are not looking: docs/notifications.md, also for the sections [mail] and [[webhooks]].
# The page to log on that mails and webhooks name; minutes for which what is not urgent is gathered into one mail;
# hours before its end at which a request is called to mind; hours without a review until somebody else is told, 0 for
# never.
{notices.link}
{notices.bundle_minutes}
{notices.reminder_hours}
{notices.escalation_hours}

# [oidc] names the OpenID provider of your organisation: docs/people.md. Without it there are local accounts alone.

[delivery]
# Seconds: the longest between two probes of a partner that does not answer while something waits for it, and
# how long a partner has to answer a message.
{delivery.probe_seconds}
{delivery.answer_seconds}
# Whether partners and webhooks may have addresses of this machine itself (loopback and its own) or of its link alone
# (169.254.0.0/16, fe80::/10): true only where several systems are tried out on one machine.
{delivery.allow_local}

[audit]
# The sealed journal (docs/evidence.md): minutes between two checkpoints that are kept, and a directory to which they
# are written, for somebody else to take away; "" for none.
{audit.checkpoint_minutes}
{audit.checkpoint_directory}

[retention]
# Days after the end of an exchange at which `acmx purge` removes its bodies.
{retention.days}

[provisioning]
# The MC services whose user profiles get entries for partner MC systems: mcptt, mcvideo, mcdata.
{provisioning.services}

[provisioning.mcptt]
# TS 24.484 names the entry of MCVideo only. Empty: by analogy with it.
{provisioning.mcptt.namespace}
{provisioning.mcptt.entry}
{provisioning.mcptt.id}

[provisioning.mcdata]
# The same; nor is the namespace of these profiles certain.
{provisioning.mcdata.namespace}
{provisioning.mcdata.entry}
{provisioning.mcdata.id}

[xcap]
# The own CMS: the root of its documents (https://...); empty: nothing is put there (docs/provisioning.md).
# Who we are there: a file with a bearer token, or the identity that we assert. The authorities that vouch for it,
# in a file; empty: those of this system. How many documents at a time; the index of the user profiles.
{xcap.root}
{xcap.token_file}
{xcap.asserted_identity}
{xcap.ca_file}
{xcap.at_a_time}
{xcap.profile_index}

[metrics]
# Where Prometheus reads how the server is (docs/operations.md), as "127.0.0.1:9464": a loopback address, as whoever
# reaches it may read it; "" for nowhere.
{metrics.listen}

[traces]
# Where OpenTelemetry traces are sent, as "http://127.0.0.1:4318/v1/traces"; "" for none. It needs acmx[traces].
{traces.endpoint}

[log]
# How the log on stderr is written: "json", "console", or "auto": console on a terminal, json elsewhere.
{log.format}
"""
