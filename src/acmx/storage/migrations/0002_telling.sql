-- What people are told, and by which channel: a notice is one occurrence of an event for one audience, a telling
-- one row of the ledger: this occurrence, this channel, this recipient, once.

ALTER TABLE notice ADD COLUMN occurrence BIGINT NOT NULL DEFAULT 0;
UPDATE notice SET occurrence = -serial;
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

ALTER TABLE account ADD COLUMN mail TEXT;
CREATE INDEX account_by_mail ON account (mail) WHERE mail IS NOT NULL;

ALTER TABLE exchange ADD COLUMN remind_at BIGINT;
CREATE INDEX exchange_to_remind ON exchange (state, remind_at) WHERE remind_at IS NOT NULL;

ALTER TABLE outbox ADD COLUMN gave_up_at BIGINT;
CREATE INDEX outbox_to_give_up ON outbox (give_up_at) WHERE gave_up_at IS NULL;
