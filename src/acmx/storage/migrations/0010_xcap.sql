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
  last_error TEXT
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
  PRIMARY KEY (job, n)
);
CREATE INDEX provisioning_row_by_state ON provisioning_row (job, state, n);
