ALTER TABLE provisioning ADD COLUMN summary TEXT;
