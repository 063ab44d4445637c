-- What this system published of itself, newest last. `created_at` NULL: as it was set up.
CREATE TABLE published (
  serial INTEGER PRIMARY KEY,
  digest TEXT NOT NULL,
  body BLOB NOT NULL,
  created_at BIGINT
);

-- What the partner said last: the digest of its metadata, and which of our keys and certificates it takes (names with
-- spaces between; NULL: never said). `metadata_looked`: the stated digest that was fetched and dealt with.
ALTER TABLE partner ADD COLUMN metadata_stated TEXT;
ALTER TABLE partner ADD COLUMN metadata_looked TEXT;
ALTER TABLE partner ADD COLUMN keys_there TEXT;
ALTER TABLE partner ADD COLUMN certificates_there TEXT;

-- Metadata of a partner that waits for a person, and why the last one that came was not taken.
CREATE TABLE partner_change (
  partner TEXT PRIMARY KEY,
  digest TEXT,
  body BLOB,
  found_at BIGINT NOT NULL,
  fault TEXT
);
