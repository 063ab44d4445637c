-- Whose database it is: one row, the MC system ID.
CREATE TABLE own_system (
  id TEXT PRIMARY KEY
);
