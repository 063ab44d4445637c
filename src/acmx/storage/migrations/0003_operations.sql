ALTER TABLE outbox ADD COLUMN last_sent_at BIGINT;

ALTER TABLE partner ADD COLUMN lease_owner TEXT;
ALTER TABLE partner ADD COLUMN lease_until BIGINT;
ALTER TABLE partner ADD COLUMN clock_difference BIGINT;

CREATE TABLE clock_hold (
  since BIGINT NOT NULL,
  reason TEXT NOT NULL
);
