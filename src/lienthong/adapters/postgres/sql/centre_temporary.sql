-- Working tables of one session; emptied at every commit, gone with the connection.

-- Records whose verdict may change: at place 0 those of the batch with their first change, at the place of a rule
-- about several rows those that have to do with it.
CREATE TEMPORARY TABLE touched (
    record_id text NOT NULL,
    place integer NOT NULL,
    version bigint,
    number integer
) ON COMMIT DELETE ROWS;

-- Records that leave the centre together: their source table was emptied or read again without them.
CREATE TEMPORARY TABLE withdrawn (record_id text NOT NULL) ON COMMIT DELETE ROWS;

CREATE TEMPORARY TABLE found (
    record_id text NOT NULL,
    rule text NOT NULL,
    severity text NOT NULL,
    element text,
    observed text
) ON COMMIT DELETE ROWS;
-- No statistics are kept of working tables: with an index the planner cannot compare every row with every other.
CREATE INDEX ON found (record_id, rule);
