-- Whose an MC service ID is: of one local account, or of one subject of an OpenID provider (`issuer`, '' for local ones).
-- `person` is its canonical form. `account` NULL: several accounts had it before, and one has to be chosen.
CREATE TABLE claim (
  person TEXT PRIMARY KEY,
  mc_service_id TEXT NOT NULL,
  account TEXT,
  issuer TEXT NOT NULL,
  roles TEXT NOT NULL,
  since BIGINT NOT NULL
);
CREATE INDEX claim_to_choose ON claim (person) WHERE account IS NULL;

-- Changes of accounts that wait for a second operator, and how many operators they need.
CREATE TABLE account_change (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  what TEXT NOT NULL,
  body BLOB NOT NULL,
  asked_at BIGINT NOT NULL,
  asked_by TEXT NOT NULL,
  asked_account TEXT NOT NULL,
  asked_issuer TEXT NOT NULL
);
CREATE UNIQUE INDEX account_change_once ON account_change (account);
CREATE TABLE account_approvals (
  needed BIGINT NOT NULL
);
INSERT INTO account_approvals (needed) VALUES (1);
