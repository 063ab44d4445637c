-- The schema as it was before the first release; what came before has no scripts of its own any more.
-- Times are milliseconds since 1970-01-01T00:00:00Z.

-- `catalogue` at the partner: up to which version of the server identity information the primary knows all.
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
  catalogue BIGINT,
  grant_state TEXT,
  valid_from BIGINT,
  valid_until BIGINT,
  remind_at BIGINT,
  ended_at BIGINT,
  purged_at BIGINT
);
CREATE UNIQUE INDEX exchange_key ON exchange (primary_system, id);
CREATE INDEX exchange_by_state ON exchange (state, serial);
CREATE INDEX exchange_by_asker ON exchange (asker, serial) WHERE role = 'primary';
CREATE INDEX exchange_to_fetch ON exchange (asker, serial) WHERE state = 'answered';
CREATE INDEX exchange_by_id ON exchange (id);
CREATE INDEX exchange_due ON exchange (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX exchange_to_remind ON exchange (state, remind_at) WHERE remind_at IS NOT NULL;
CREATE UNIQUE INDEX exchange_asked ON exchange (primary_system, id, asker);
CREATE INDEX exchange_undecided ON exchange (partner, role, state) WHERE role = 'partner' AND state IN ('pending', 'more_information');
CREATE INDEX exchange_to_purge ON exchange (ended_at) WHERE ended_at IS NOT NULL AND purged_at IS NULL;
CREATE INDEX exchange_to_update ON exchange (COALESCE(catalogue, 0), serial)
  WHERE role = 'partner' AND grant_state = 'live';
-- The list of exchanges with one partner, in any state or in one.
CREATE INDEX exchange_by_partner ON exchange (partner, serial);
CREATE INDEX exchange_by_partner_and_state ON exchange (partner, state, serial);
-- A comparison reads what is open and what ended since the last one, however much ended before.
CREATE INDEX exchange_open_with ON exchange (partner, primary_system, id, state, ended_at) WHERE ended_at IS NULL;
CREATE INDEX exchange_ended_with ON exchange (partner, primary_system, id, state, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX exchange_ended_since ON exchange (partner, ended_at, primary_system, id, state) WHERE ended_at IS NOT NULL;

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
CREATE INDEX message_refused ON message (stored_at) WHERE type = 'refused';

CREATE TABLE contradiction (
  primary_system TEXT NOT NULL,
  id TEXT NOT NULL,
  sender TEXT NOT NULL,
  n BIGINT NOT NULL,
  type TEXT NOT NULL,
  digest TEXT NOT NULL,
  body BLOB NOT NULL,
  signature TEXT,
  found_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX contradiction_once ON contradiction (primary_system, id, sender, n, digest);

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
  give_up_at BIGINT NOT NULL,
  gave_up_at BIGINT,
  last_sent_at BIGINT
);
CREATE UNIQUE INDEX outbox_place ON outbox (primary_system, id, n);
CREATE INDEX outbox_by_partner ON outbox (partner, next_attempt_at, serial);
CREATE INDEX outbox_to_give_up ON outbox (give_up_at) WHERE gave_up_at IS NULL;

-- What the partner said last: the digest of its metadata (`metadata_stated`), and which of our keys and certificates it
-- takes (names with spaces between; NULL: never said). `metadata_looked`: the stated digest that was fetched and dealt with.
-- Why the partnership stands as it does, as either side said (`reason_here`, `reason_there`), and what the partner has last
-- taken of ours (`told`).
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
  next_attempt_at BIGINT,
  lease_owner TEXT,
  lease_until BIGINT,
  clock_difference BIGINT,
  compared_at BIGINT,
  comparison_due_at BIGINT,
  comparison_reason TEXT,
  comparison_error TEXT,
  metadata_stated TEXT,
  metadata_looked TEXT,
  keys_there TEXT,
  certificates_there TEXT,
  reason_here TEXT,
  reason_there TEXT,
  told TEXT
);

-- Metadata of a partner that waits for a person, and why the last one that came was not taken.
CREATE TABLE partner_change (
  partner TEXT PRIMARY KEY,
  digest TEXT,
  body BLOB,
  found_at BIGINT NOT NULL,
  fault TEXT
);

-- Lists are separated by spaces; an empty one means everything, or everybody.
CREATE TABLE terms (
  partner TEXT PRIMARY KEY,
  kinds TEXT NOT NULL,
  askers TEXT NOT NULL,
  max_open BIGINT NOT NULL,
  max_users BIGINT NOT NULL,
  max_per_hour BIGINT NOT NULL,
  note TEXT NOT NULL,
  reprovision BIGINT NOT NULL DEFAULT 0
);

-- Until when the requests of a partner are spent, at the pace of its terms.
CREATE TABLE spent (
  partner TEXT PRIMARY KEY,
  until BIGINT NOT NULL
);

-- How many people must approve, by partner and kind: `side` is 'review' (of its requests) or 'release' (of ours to it).
CREATE TABLE threshold (
  partner TEXT NOT NULL,
  kind TEXT NOT NULL,
  side TEXT NOT NULL CHECK (side IN ('review', 'release')),
  approvals BIGINT NOT NULL,
  roles TEXT NOT NULL
);
CREATE UNIQUE INDEX threshold_place ON threshold (partner, kind, side);

-- Who reviewed what, one row for each exchange and person. Nobody counts twice, and nobody approves the own request:
-- `asker` is that of the exchange. `note` is for the people of the own system; it never leaves it.
CREATE TABLE review (
  primary_system TEXT NOT NULL,
  id TEXT NOT NULL,
  asker TEXT NOT NULL,
  person TEXT NOT NULL,
  at BIGINT NOT NULL,
  digest TEXT NOT NULL,
  exchange_version BIGINT NOT NULL,
  catalogue BIGINT NOT NULL,
  approved BIGINT NOT NULL,
  declined TEXT NOT NULL,
  reason TEXT NOT NULL,
  note TEXT,
  CONSTRAINT nobody_approves_the_own_request CHECK (LOWER(person) <> LOWER(asker)),
  FOREIGN KEY (primary_system, id, asker) REFERENCES exchange (primary_system, id, asker)
);
CREATE UNIQUE INDEX nobody_counts_twice ON review (primary_system, id, person);

-- The sealed journal: rows are numbered from 1, `hash` is the hash of the row as a leaf of the tree (docs/evidence.md).
CREATE TABLE journal (
  serial INTEGER PRIMARY KEY,
  at BIGINT NOT NULL,
  event TEXT NOT NULL,
  actor TEXT NOT NULL,
  primary_system TEXT,
  id TEXT,
  detail TEXT NOT NULL,
  number BIGINT,
  hash BLOB
);
CREATE INDEX journal_by_exchange ON journal (primary_system, id, serial) WHERE id IS NOT NULL;
CREATE UNIQUE INDEX journal_by_number ON journal (number) WHERE number IS NOT NULL;

-- One row: how many rows are sealed, the last one's serial, and the roots of the full trees they make, 32 bytes each.
CREATE TABLE journal_head (
  size BIGINT NOT NULL,
  serial BIGINT NOT NULL,
  peaks BLOB NOT NULL
);
INSERT INTO journal_head (size, serial, peaks) VALUES (0, 0, x'');

-- The root of each 256 sealed rows, counted from 0.
CREATE TABLE journal_block (
  number BIGINT PRIMARY KEY,
  hash BLOB NOT NULL
);

CREATE TABLE checkpoint (
  size BIGINT PRIMARY KEY,
  at BIGINT NOT NULL,
  body TEXT NOT NULL,
  signature TEXT NOT NULL,
  kept BIGINT NOT NULL
);

CREATE TABLE noted (
  primary_system TEXT NOT NULL,
  id TEXT NOT NULL,
  step BIGINT NOT NULL,
  person TEXT NOT NULL,
  at BIGINT NOT NULL
);
CREATE UNIQUE INDEX noted_once ON noted (primary_system, id, step, person);

-- What people are told, and by which channel: a notice is one occurrence of an event for one audience, a telling
-- one row of the ledger: this occurrence, this channel, this recipient, once.
CREATE TABLE notice (
  serial INTEGER PRIMARY KEY,
  at BIGINT NOT NULL,
  primary_system TEXT NOT NULL,
  id TEXT NOT NULL,
  event TEXT NOT NULL,
  audience TEXT NOT NULL,
  person TEXT,
  occurrence BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX notice_once ON notice (primary_system, id, event, occurrence, audience);

CREATE TABLE telling (
  serial INTEGER PRIMARY KEY,
  notice BIGINT NOT NULL,
  channel TEXT NOT NULL,
  recipient TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'waiting',
  attempts BIGINT NOT NULL DEFAULT 0,
  next_attempt_at BIGINT NOT NULL,
  parcel TEXT,
  last_error TEXT,
  sent_at BIGINT
);
CREATE UNIQUE INDEX telling_once ON telling (notice, channel, recipient);
CREATE INDEX telling_due ON telling (channel, next_attempt_at) WHERE state = 'waiting';
CREATE INDEX telling_loose ON telling (channel, recipient, serial) WHERE state = 'waiting' AND parcel IS NULL;
CREATE INDEX telling_by_parcel ON telling (parcel) WHERE parcel IS NOT NULL;

-- Replaced from the configuration at each start. `recipient` NULL: the person meant, at the account's own address.
CREATE TABLE subscription (
  audience TEXT NOT NULL,
  event TEXT NOT NULL,
  channel TEXT NOT NULL,
  recipient TEXT,
  bundle_ms BIGINT NOT NULL
);
CREATE INDEX subscription_by_event ON subscription (audience, event);

CREATE TABLE idempotency (
  account TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  digest TEXT NOT NULL,
  id TEXT NOT NULL,
  refusal BLOB,
  state TEXT NOT NULL DEFAULT 'queued'
);
CREATE UNIQUE INDEX idempotency_once ON idempotency (account, idempotency_key);

CREATE TABLE account (
  name TEXT PRIMARY KEY,
  mc_service_id TEXT NOT NULL,
  functional_aliases TEXT NOT NULL,
  roles TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  automatic BIGINT NOT NULL,
  disabled BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  mail TEXT
);
CREATE INDEX account_by_mail ON account (mail) WHERE mail IS NOT NULL;

CREATE TABLE token (
  hash TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  logged_on_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL
);

CREATE TABLE clock_hold (
  since BIGINT NOT NULL,
  reason TEXT NOT NULL
);

-- What this system published of itself, newest last. `created_at` NULL: as it was set up.
CREATE TABLE published (
  serial INTEGER PRIMARY KEY,
  digest TEXT NOT NULL,
  body BLOB NOT NULL,
  created_at BIGINT
);

-- Every metadata of this system and of its partners that ever held, for the keys in it.
CREATE TABLE held_metadata (
  serial INTEGER PRIMARY KEY,
  system TEXT NOT NULL,
  digest TEXT NOT NULL,
  body BLOB NOT NULL
);
CREATE UNIQUE INDEX held_metadata_once ON held_metadata (system, digest);

CREATE TABLE policy (
  version BIGINT PRIMARY KEY,
  text TEXT NOT NULL,
  set_at BIGINT NOT NULL,
  set_by TEXT NOT NULL
);

CREATE TABLE catalogue (
  version BIGINT PRIMARY KEY,
  body BLOB NOT NULL,
  missing TEXT NOT NULL,
  entered_at BIGINT NOT NULL,
  entered_by TEXT NOT NULL
);

CREATE TABLE template (
  partner TEXT NOT NULL,
  version BIGINT NOT NULL,
  body BLOB NOT NULL,
  entered_at BIGINT NOT NULL,
  entered_by TEXT NOT NULL,
  PRIMARY KEY (partner, version)
);

-- `said`: the digest of the message that said last what was granted when the job was started.
CREATE TABLE provisioning (
  id TEXT NOT NULL PRIMARY KEY,
  primary_system TEXT NOT NULL,
  exchange TEXT NOT NULL,
  partner TEXT NOT NULL,
  mode TEXT NOT NULL,
  state TEXT NOT NULL,
  mc_system_id TEXT NOT NULL,
  services TEXT NOT NULL,
  catalogue BIGINT NOT NULL,
  template BIGINT NOT NULL,
  document BLOB,
  owner TEXT,
  total BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  started_by TEXT NOT NULL,
  ended_at BIGINT,
  failures BIGINT NOT NULL DEFAULT 0,
  next_attempt_at BIGINT NOT NULL DEFAULT 0,
  last_error TEXT,
  rel13 BIGINT NOT NULL DEFAULT 0,
  said TEXT NOT NULL DEFAULT '',
  summary TEXT
);
CREATE INDEX provisioning_of_exchange ON provisioning (primary_system, exchange, id);
CREATE UNIQUE INDEX provisioning_under_way ON provisioning (primary_system, exchange)
  WHERE state IN ('preparing', 'running');

CREATE TABLE provisioning_row (
  job TEXT NOT NULL,
  n BIGINT NOT NULL,
  xui TEXT NOT NULL,
  service TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'waiting',
  attempts BIGINT NOT NULL DEFAULT 0,
  next_attempt_at BIGINT NOT NULL DEFAULT 0,
  doubtful BIGINT NOT NULL DEFAULT 0,
  detail TEXT NOT NULL DEFAULT '',
  at BIGINT,
  gone BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (job, n)
);
CREATE INDEX provisioning_row_by_state ON provisioning_row (job, state, n);

CREATE TABLE provisioning_users (
  job TEXT NOT NULL PRIMARY KEY,
  users TEXT NOT NULL
);

-- Exchanges whose documents on the CMS are to be put in order by themselves.
CREATE TABLE provisioning_wanted (
  primary_system TEXT NOT NULL,
  exchange TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (primary_system, exchange)
);
