ALTER TABLE exchange ADD COLUMN ended_at BIGINT;
UPDATE exchange SET ended_at = (
  SELECT MAX(at) FROM journal WHERE journal.primary_system = exchange.primary_system AND journal.id = exchange.id
)
WHERE state IN ('refused_here', 'refused_by_partner', 'withdrawn', 'answered', 'retrieved', 'delivered')
AND COALESCE(grant_state, '') <> 'live';
CREATE INDEX exchange_with_partner ON exchange (partner, primary_system, id, state, ended_at);

ALTER TABLE partner ADD COLUMN compared_at BIGINT;
ALTER TABLE partner ADD COLUMN comparison_due_at BIGINT;
ALTER TABLE partner ADD COLUMN comparison_reason TEXT;
ALTER TABLE partner ADD COLUMN comparison_error TEXT;

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
