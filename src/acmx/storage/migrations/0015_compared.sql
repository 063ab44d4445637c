-- A comparison reads what is open and what ended since the last one, however much ended before.
DROP INDEX exchange_with_partner;
CREATE INDEX exchange_open_with ON exchange (partner, primary_system, id, state, ended_at) WHERE ended_at IS NULL;
CREATE INDEX exchange_ended_with ON exchange (partner, primary_system, id, state, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX exchange_ended_since ON exchange (partner, ended_at, primary_system, id, state) WHERE ended_at IS NOT NULL;
