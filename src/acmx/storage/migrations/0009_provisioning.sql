CREATE TABLE template (
  partner TEXT NOT NULL,
  version BIGINT NOT NULL,
  body BLOB NOT NULL,
  entered_at BIGINT NOT NULL,
  entered_by TEXT NOT NULL,
  PRIMARY KEY (partner, version)
);
