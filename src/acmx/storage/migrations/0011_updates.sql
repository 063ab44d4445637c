-- `exchange.catalogue` at the partner: up to which version of the server identity information the primary knows all.
CREATE INDEX exchange_to_update ON exchange (COALESCE(catalogue, 0), serial)
  WHERE role = 'partner' AND grant_state = 'live';

ALTER TABLE terms ADD COLUMN reprovision BIGINT NOT NULL DEFAULT 0;

ALTER TABLE provisioning ADD COLUMN rel13 BIGINT NOT NULL DEFAULT 0;
-- The digest of the message that said last what was granted when the job was started.
ALTER TABLE provisioning ADD COLUMN said TEXT NOT NULL DEFAULT '';
ALTER TABLE provisioning_row ADD COLUMN gone BIGINT NOT NULL DEFAULT 0;

-- Exchanges whose documents on the CMS are to be put in order by themselves.
CREATE TABLE provisioning_wanted (
  primary_system TEXT NOT NULL,
  exchange TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (primary_system, exchange)
);
