-- Comparisons of source and centre at a position: every result is kept, also those that came to none.
-- Nothing here is ever changed or deleted. Running this again changes nothing.

CREATE TABLE IF NOT EXISTS lienthong.reconciliation (
    number             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    link               text NOT NULL,
    "table"            text NOT NULL,
    table_schema       text NOT NULL,
    dataset            text NOT NULL,
    began_at           timestamptz NOT NULL,
    ended_at           timestamptz NOT NULL,
    duration_s         double precision GENERATED ALWAYS AS (extract(epoch FROM ended_at - began_at)) STORED,
    position           bigint,
    moment             timestamptz,
    equal              boolean,
    rows_source        bigint CHECK (rows_source >= 0),
    rows_centre        bigint CHECK (rows_centre >= 0),
    buckets            integer NOT NULL,
    buckets_differing  integer NOT NULL,
    buckets_unopened   integer NOT NULL,
    missing            bigint NOT NULL CHECK (missing >= 0),
    surplus            bigint NOT NULL CHECK (surplus >= 0),
    differing          bigint NOT NULL CHECK (differing >= 0),
    columns            text[] NOT NULL,
    salt               text,
    digest_source      text,
    digest_centre      text,
    error              text,
    -- No result is never "equal", and says why there is none.
    CHECK ((equal IS NULL) = (error IS NOT NULL)),
    CHECK (equal IS NULL OR num_nulls(position, moment, rows_source, rows_centre, digest_source, digest_centre) = 0),
    -- "Equal" is what the two digests say, and nothing else.
    CHECK (equal IS NULL OR equal = (digest_source = digest_centre AND rows_source = rows_centre
        AND missing + surplus + differing + buckets_unopened = 0))
);
CREATE INDEX IF NOT EXISTS reconciliation_newest ON lienthong.reconciliation (link, table_schema, "table", number);
COMMENT ON TABLE lienthong.reconciliation IS 'Đối soát nguồn và trung tâm tại một vị trí; mọi kết quả được giữ lại';
COMMENT ON COLUMN lienthong.reconciliation.missing IS 'Số bản ghi có ở nguồn mà trung tâm không có';
COMMENT ON COLUMN lienthong.reconciliation.surplus IS 'Số bản ghi trung tâm còn giữ mà nguồn không có';
COMMENT ON COLUMN lienthong.reconciliation.differing IS 'Số bản ghi có ở hai bên nhưng khác nội dung';

CREATE TABLE IF NOT EXISTS lienthong.reconciliation_difference (
    reconciliation  bigint NOT NULL REFERENCES lienthong.reconciliation (number),
    place           integer NOT NULL CHECK (place > 0),
    kind            text NOT NULL CHECK (kind IN ('missing', 'surplus', 'differing')),
    record          text NOT NULL,
    PRIMARY KEY (reconciliation, place)
);
COMMENT ON TABLE lienthong.reconciliation_difference IS 'Bản ghi khác nhau, khóa đã được che; không có giá trị nào';

CREATE OR REPLACE FUNCTION lienthong.keep_reconciliation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are kept for ever', TG_TABLE_NAME USING ERRCODE = '55000';
END $$;
CREATE OR REPLACE TRIGGER reconciliation_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON lienthong.reconciliation
    FOR EACH STATEMENT EXECUTE FUNCTION lienthong.keep_reconciliation();
CREATE OR REPLACE TRIGGER reconciliation_difference_kept
    BEFORE UPDATE OR DELETE OR TRUNCATE ON lienthong.reconciliation_difference
    FOR EACH STATEMENT EXECUTE FUNCTION lienthong.keep_reconciliation();
