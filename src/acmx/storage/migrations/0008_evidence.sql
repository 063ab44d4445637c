-- The sealed journal: rows are numbered from 1, `hash` is the hash of the row as a leaf of the tree (docs/evidence.md).

ALTER TABLE journal ADD COLUMN number BIGINT;
ALTER TABLE journal ADD COLUMN hash BLOB;
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

-- Every metadata of this system and of its partners that ever held, for the keys in it.
CREATE TABLE held_metadata (
  serial INTEGER PRIMARY KEY,
  system TEXT NOT NULL,
  digest TEXT NOT NULL,
  body BLOB NOT NULL
);
CREATE UNIQUE INDEX held_metadata_once ON held_metadata (system, digest);
INSERT INTO held_metadata (system, digest, body) SELECT id, metadata_digest, metadata FROM partner;

ALTER TABLE exchange ADD COLUMN purged_at BIGINT;
CREATE INDEX exchange_to_purge ON exchange (ended_at) WHERE ended_at IS NOT NULL AND purged_at IS NULL;
CREATE INDEX message_refused ON message (stored_at) WHERE type = 'refused';
