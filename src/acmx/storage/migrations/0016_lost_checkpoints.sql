-- Checkpoints that were shipped, of a history of the journal that this database does not hold.
CREATE TABLE lost_checkpoint (
  size BIGINT NOT NULL,
  root TEXT NOT NULL,
  kid TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  file TEXT NOT NULL,
  found_at BIGINT NOT NULL,
  acknowledged_at BIGINT,
  PRIMARY KEY (size, root)
);
