-- Terms name each kind that is exchanged: no row and an empty list mean none. Partners that were accepted while both
-- meant every kind keep those that there were.
UPDATE terms SET kinds = 'server-identity server-identity-provision'
WHERE kinds = '' AND partner IN (SELECT id FROM partner WHERE state_here IN ('accepted', 'suspended'));
INSERT INTO terms (partner, kinds, askers, max_open, max_users, max_per_hour, note, reprovision)
SELECT id, 'server-identity server-identity-provision', '', 1000, 10000, 3600, '', 0 FROM partner
WHERE state_here IN ('accepted', 'suspended') AND id NOT IN (SELECT partner FROM terms);

-- A request may be addressed to an MC service ID and a functional alias; before, `addressee` held either.
ALTER TABLE exchange ADD COLUMN addressee_alias TEXT;
