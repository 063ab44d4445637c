-- Times are milliseconds since 1970-01-01T00:00:00Z.

CREATE TABLE exchange (
  serial INTEGER PRIMARY KEY,
  role TEXT NOT NULL,
  primary_system TEXT NOT NULL,
  id TEXT NOT NULL,
  partner TEXT NOT NULL,
  state TEXT NOT NULL,
  version BIGINT NOT NULL,
  kind TEXT,
  asker TEXT NOT NULL,
  addressee TEXT,
  urgency TEXT NOT NULL,
  purpose TEXT NOT NULL,
  reference TEXT,
  user_count BIGINT NOT NULL,
  sent_n BIGINT NOT NULL,
  received_n BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  due_at BIGINT,
  outcome TEXT,
  reason TEXT,
  decided_by TEXT,
  rule TEXT,
  review_digest TEXT,
  catalogue BIGINT,
  grant_state TEXT,
  valid_from BIGINT,
  valid_until BIGINT
);
CREATE UNIQUE INDEX exchange_key ON exchange (primary_system, id);
CREATE INDEX exchange_by_state ON exchange (state, serial);
CREATE INDEX exchange_by_asker ON exchange (asker, serial) WHERE role = 'primary';
CREATE INDEX exchange_to_fetch ON exchange (asker, serial) WHERE state = 'answered';
CREATE INDEX exchange_by_id ON exchange (id);
CREATE INDEX exchange_due ON exchange (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE message (
  primary_system TEXT NOT NULL,
  id TEXT NOT NULL,
  sender TEXT NOT NULL,
  n BIGINT NOT NULL,
  type TEXT NOT NULL,
  digest TEXT NOT NULL,
  body BLOB NOT NULL,
  signature TEXT,
  stored_at BIGINT NOT NULL,
  reply BLOB,
  reply_signature TEXT
);
CREATE UNIQUE INDEX message_place ON message (primary_system, id, sender, n);

CREATE TABLE outbox (
  serial INTEGER PRIMARY KEY,
  partner TEXT NOT NULL,
  primary_system TEXT NOT NULL,
  id TEXT NOT NULL,
  n BIGINT NOT NULL,
  type TEXT NOT NULL,
  queued_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL DEFAULT 0,
  first_sent_at BIGINT,
  last_error TEXT,
  next_attempt_at BIGINT NOT NULL,
  give_up_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX outbox_place ON outbox (primary_system, id, n);
CREATE INDEX outbox_by_partner ON outbox (partner, next_attempt_at, serial);

CREATE TABLE partner (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  state_here TEXT NOT NULL,
  state_there TEXT NOT NULL,
  stated_at BIGINT NOT NULL,
  metadata BLOB NOT NULL,
  metadata_digest TEXT NOT NULL,
  failures BIGINT NOT NULL DEFAULT 0,
  last_error TEXT,
  last_success_at BIGINT,
  next_attempt_at BIGINT
);

CREATE TABLE journal (
  serial INTEGER PRIMARY KEY,
  at BIGINT NOT NULL,
  event TEXT NOT NULL,
  actor TEXT NOT NULL,
  primary_system TEXT,
  id TEXT,
  detail TEXT NOT NULL
);
CREATE INDEX journal_by_exchange ON journal (primary_system, id, serial) WHERE id IS NOT NULL;

CREATE TABLE noted (
  primary_system TEXT NOT NULL,
  id TEXT NOT NULL,
  step BIGINT NOT NULL,
  person TEXT NOT NULL,
  at BIGINT NOT NULL
);
CREATE UNIQUE INDEX noted_once ON noted (primary_system, id, step, person);

CREATE TABLE notice (
  serial INTEGER PRIMARY KEY,
  at BIGINT NOT NULL,
  primary_system TEXT NOT NULL,
  id TEXT NOT NULL,
  event TEXT NOT NULL,
  audience TEXT NOT NULL,
  person TEXT
);

CREATE TABLE idempotency (
  account TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  digest TEXT NOT NULL,
  id TEXT NOT NULL,
  refusal BLOB
);
CREATE UNIQUE INDEX idempotency_once ON idempotency (account, idempotency_key);

CREATE TABLE catalogue (
  version BIGINT PRIMARY KEY,
  body BLOB NOT NULL,
  missing TEXT NOT NULL,
  entered_at BIGINT NOT NULL,
  entered_by TEXT NOT NULL
);

CREATE TABLE policy (
  version BIGINT PRIMARY KEY,
  text TEXT NOT NULL,
  set_at BIGINT NOT NULL,
  set_by TEXT NOT NULL
);

CREATE TABLE account (
  name TEXT PRIMARY KEY,
  mc_service_id TEXT NOT NULL,
  functional_aliases TEXT NOT NULL,
  roles TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  automatic BIGINT NOT NULL,
  disabled BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE token (
  hash TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  logged_on_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL
);
