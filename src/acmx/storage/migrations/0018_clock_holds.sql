-- A hold is of one clock: that of a machine since it was started; '' where that was not written down. `journal_serial`
-- is the newest entry then; `right_at` when the clock was last right and `steady_at` the time since boot then, if known.
ALTER TABLE clock_hold ADD COLUMN clock TEXT NOT NULL DEFAULT '';
ALTER TABLE clock_hold ADD COLUMN journal_serial BIGINT NOT NULL DEFAULT 0;
ALTER TABLE clock_hold ADD COLUMN right_at BIGINT;
ALTER TABLE clock_hold ADD COLUMN steady_at BIGINT;
UPDATE clock_hold SET journal_serial = COALESCE((SELECT MAX(serial) FROM journal), 0);
CREATE UNIQUE INDEX clock_hold_once ON clock_hold (clock);
