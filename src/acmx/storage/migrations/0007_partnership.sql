-- Why the partnership stands as it does, as either side said, and what the partner has last taken of ours.
ALTER TABLE partner ADD COLUMN reason_here TEXT;
ALTER TABLE partner ADD COLUMN reason_there TEXT;
ALTER TABLE partner ADD COLUMN told TEXT;

-- Lists are separated by spaces; an empty one means everything, or everybody.
CREATE TABLE terms (
  partner TEXT PRIMARY KEY,
  kinds TEXT NOT NULL,
  askers TEXT NOT NULL,
  max_open BIGINT NOT NULL,
  max_users BIGINT NOT NULL,
  max_per_hour BIGINT NOT NULL,
  note TEXT NOT NULL
);

-- Until when the requests of a partner are spent, at the pace of its terms.
CREATE TABLE spent (
  partner TEXT PRIMARY KEY,
  until BIGINT NOT NULL
);
CREATE INDEX exchange_undecided ON exchange (partner, role, state) WHERE role = 'partner' AND state IN ('pending', 'more_information');
