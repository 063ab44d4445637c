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
-- `asker` is that of the exchange.

CREATE UNIQUE INDEX exchange_asked ON exchange (primary_system, id, asker);
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
  CONSTRAINT nobody_approves_the_own_request CHECK (LOWER(person) <> LOWER(asker)),
  FOREIGN KEY (primary_system, id, asker) REFERENCES exchange (primary_system, id, asker)
);
CREATE UNIQUE INDEX nobody_counts_twice ON review (primary_system, id, person);

INSERT INTO review
SELECT e.primary_system, e.id, e.asker, j.actor, j.at, e.review_digest, e.version, COALESCE(e.catalogue, 0), 0, '[]',
  COALESCE(e.reason, '')
FROM exchange e JOIN journal j ON j.primary_system = e.primary_system AND j.id = e.id AND j.event = 'reviewed'
WHERE e.review_digest IS NOT NULL
ON CONFLICT DO NOTHING;
ALTER TABLE exchange DROP COLUMN review_digest;

ALTER TABLE idempotency ADD COLUMN state TEXT NOT NULL DEFAULT 'queued';
