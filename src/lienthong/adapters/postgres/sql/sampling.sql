-- Samples drawn by lot: what was committed, the seed published after it, what was drawn, what people said.
-- Nothing here is ever changed or deleted. Running this again changes nothing.

CREATE SCHEMA IF NOT EXISTS lienthong;

CREATE TABLE IF NOT EXISTS lienthong.sample (
    number        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset       text NOT NULL,
    snapshot      text NOT NULL CHECK (snapshot ~ '^[0-9a-f]{64}$'),
    columns       text[] NOT NULL,  -- of the data, whose values the hash covers, in this order
    records       bigint NOT NULL CHECK (records > 0),
    up_to_batch   bigint NOT NULL,
    wanted        integer NOT NULL CHECK (wanted > 0),
    assessors     integer NOT NULL CHECK (assessors IN (1, 2)),
    committed_at  timestamptz NOT NULL,
    committed_by  text NOT NULL CHECK (committed_by <> '')
);
CREATE INDEX IF NOT EXISTS sample_dataset ON lienthong.sample (dataset, number);
COMMENT ON TABLE lienthong.sample IS 'Cam kết mẫu: giá trị băm của toàn bộ bộ dữ liệu, công bố trước khi có hạt giống';

CREATE TABLE IF NOT EXISTS lienthong.sample_seed (
    sample        bigint PRIMARY KEY REFERENCES lienthong.sample (number),
    seed          text NOT NULL CHECK (seed <> ''),
    origin        text NOT NULL CHECK (origin <> ''),
    published_at  timestamptz NOT NULL
);
COMMENT ON TABLE lienthong.sample_seed IS 'Hạt giống bốc mẫu, mỗi mẫu một lần, sau khi đã cam kết';

CREATE TABLE IF NOT EXISTS lienthong.sample_draw (
    sample    bigint PRIMARY KEY REFERENCES lienthong.sample_seed (sample),
    drawn_at  timestamptz NOT NULL
);
COMMENT ON TABLE lienthong.sample_draw IS 'Lần bốc mẫu, sau khi đã tính lại đúng giá trị băm đã cam kết';

CREATE TABLE IF NOT EXISTS lienthong.sample_record (
    sample     bigint NOT NULL REFERENCES lienthong.sample_draw (sample),
    place      integer NOT NULL CHECK (place > 0),
    record_id  text NOT NULL,
    batch      bigint NOT NULL,  -- that wrote the committed version
    leaf       bytea NOT NULL CHECK (length(leaf) = 32),
    PRIMARY KEY (sample, place),
    UNIQUE (sample, record_id)
);
COMMENT ON TABLE lienthong.sample_record IS 'Bản ghi được bốc, theo thứ tự; phiên bản là phiên bản đã cam kết';

CREATE TABLE IF NOT EXISTS lienthong.sample_judgement (
    sample     bigint NOT NULL,
    record_id  text NOT NULL,
    assessor   text NOT NULL CHECK (assessor <> ''),
    opinion    text NOT NULL CHECK (opinion IN ('right', 'wrong', 'undecided')),
    wrong      text[] NOT NULL,
    undecided  text[] NOT NULL,
    note       text,
    judged_at  timestamptz NOT NULL,
    PRIMARY KEY (sample, record_id, assessor),
    FOREIGN KEY (sample, record_id) REFERENCES lienthong.sample_record (sample, record_id)
);
COMMENT ON TABLE lienthong.sample_judgement IS 'Kết luận của người đánh giá mẫu: đúng, sai, không xác định được';

CREATE TABLE IF NOT EXISTS lienthong.sample_reading (
    number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sample   bigint NOT NULL REFERENCES lienthong.sample (number),
    reader   text NOT NULL CHECK (reader <> ''),
    records  integer NOT NULL,
    read_at  timestamptz NOT NULL
);
COMMENT ON TABLE lienthong.sample_reading IS 'Nhật ký xem giá trị chưa che của bản ghi trong mẫu';

CREATE OR REPLACE FUNCTION lienthong.refuse_changing_samples() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'samples are never rewritten' USING ERRCODE = 'insufficient_privilege';
END
$body$;
DO $body$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['sample', 'sample_seed', 'sample_draw', 'sample_record', 'sample_judgement',
                                'sample_reading'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON lienthong.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION lienthong.refuse_changing_samples()',
                       name || '_append_only', name);
    END LOOP;
END
$body$;
