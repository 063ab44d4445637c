-- What a reviewer notes for the people of the own system; it never leaves it.

ALTER TABLE review ADD COLUMN note TEXT;

-- The list of exchanges with one partner, in any state or in one.

CREATE INDEX exchange_by_partner ON exchange (partner, serial);
CREATE INDEX exchange_by_partner_and_state ON exchange (partner, state, serial);
