-- The person's epoch that a factor came into force with: one from after a change of address goes
-- with an objection to that change. One from before this has no epoch, and stays.
ALTER TABLE second_factors ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
