-- Measurements: runs over records as they stand, what each rule came to, findings they open and close, scores over time.

CREATE TABLE lienthong.measurement (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset             text NOT NULL,
    extent              text NOT NULL CHECK (extent IN ('whole', 'changed')),
    kind                text NOT NULL DEFAULT 'rules' CHECK (kind IN ('rules', 'recheck')),
    engine              text NOT NULL,
    method              integer NOT NULL,
    rule_set            text NOT NULL,
    dictionary_version  text NOT NULL,
    began_at            timestamptz NOT NULL,
    ended_at            timestamptz,
    run_state           text NOT NULL CHECK (run_state IN ('running', 'completed', 'failed')),
    result_state        text CHECK (result_state IN ('passed', 'found', 'partial', 'void')),
    error               text,
    rows_present        bigint,
    rows_examined       bigint,
    rows_touched        bigint,
    up_to_batch         bigint,
    bounds              jsonb,
    measured_day        date NOT NULL,
    opened              bigint NOT NULL DEFAULT 0,
    closed              bigint NOT NULL DEFAULT 0,
    CHECK ((run_state = 'running') = (ended_at IS NULL)),
    CHECK ((run_state = 'running') = (result_state IS NULL)),
    -- A run that failed has no result, and no result is never a pass.
    CHECK (run_state <> 'failed' OR (result_state = 'void' AND error IS NOT NULL)),
    CHECK (result_state NOT IN ('passed', 'found', 'partial') OR rows_examined = rows_present)
);
CREATE INDEX measurement_dataset ON lienthong.measurement (dataset, id);
CREATE INDEX measurement_running ON lienthong.measurement (dataset) WHERE run_state = 'running';
COMMENT ON TABLE lienthong.measurement IS 'Lần đo chất lượng dữ liệu: trạng thái chạy và kết quả là hai việc khác nhau';
COMMENT ON COLUMN lienthong.measurement.bounds IS 'Lô đồng bộ mới nhất mà lần đo đã thấy, theo từng bộ dữ liệu';
COMMENT ON COLUMN lienthong.measurement.method IS 'Phiên bản của cách đo; cách đo khác thì đo lại toàn bộ';

CREATE TABLE lienthong.measurement_rule (
    measurement     bigint NOT NULL REFERENCES lienthong.measurement (id),
    place           integer NOT NULL,
    rule            text NOT NULL,
    passed          bigint NOT NULL CHECK (passed >= 0),
    failed          bigint NOT NULL CHECK (failed >= 0),
    not_applicable  bigint NOT NULL CHECK (not_applicable >= 0),
    not_evaluated   bigint NOT NULL CHECK (not_evaluated >= 0),
    error           text,
    PRIMARY KEY (measurement, place)
);
COMMENT ON TABLE lienthong.measurement_rule IS 'Kết quả của từng quy tắc trong một lần đo';

-- A finding is opened and closed by a batch or by a measurement; it is never deleted, and a recurrence is a new row.
ALTER TABLE lienthong.finding
    ALTER COLUMN opened_batch DROP NOT NULL,
    ADD COLUMN opened_measurement bigint REFERENCES lienthong.measurement (id),
    ADD COLUMN closed_measurement bigint REFERENCES lienthong.measurement (id),
    DROP CONSTRAINT finding_check,
    ADD CONSTRAINT finding_opened_by_one CHECK (num_nonnulls(opened_batch, opened_measurement) = 1),
    ADD CONSTRAINT finding_closed_by_one CHECK (
        num_nonnulls(closed_batch, closed_measurement) = CASE WHEN closed_at IS NULL THEN 0 ELSE 1 END
    );
DROP INDEX lienthong.finding_open;
DROP INDEX lienthong.finding_open_rule;
CREATE UNIQUE INDEX finding_open ON lienthong.finding (record_id, rule, dataset) WHERE closed_at IS NULL;
CREATE INDEX finding_open_rule ON lienthong.finding (rule, dataset, id) WHERE closed_at IS NULL;

CREATE TABLE lienthong.score_history (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset      text NOT NULL,
    measured_at  timestamptz NOT NULL,
    criterion    text NOT NULL,
    percent      double precision NOT NULL CHECK (percent BETWEEN 0 AND 100),
    known        boolean NOT NULL,
    passed       bigint NOT NULL CHECK (passed >= 0),
    applicable   bigint NOT NULL CHECK (applicable >= passed),
    rule_set     text NOT NULL,
    scoring      text NOT NULL,
    baseline     boolean NOT NULL,
    CHECK (known OR percent = 0)
);
CREATE UNIQUE INDEX score_moment ON lienthong.score_history (dataset, measured_at, criterion, rule_set, scoring);
CREATE UNIQUE INDEX score_baseline ON lienthong.score_history (dataset, criterion) WHERE baseline;
COMMENT ON TABLE lienthong.score_history IS 'Điểm chất lượng theo thời gian; mốc đầu tiên được giữ mãi';

CREATE FUNCTION lienthong.keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are kept for ever', TG_TABLE_NAME USING ERRCODE = '55000';
END $$;
CREATE TRIGGER finding_kept BEFORE DELETE ON lienthong.finding
    FOR EACH STATEMENT EXECUTE FUNCTION lienthong.keep_history();
CREATE TRIGGER measurement_kept BEFORE DELETE ON lienthong.measurement
    FOR EACH STATEMENT EXECUTE FUNCTION lienthong.keep_history();
CREATE TRIGGER measurement_rule_kept BEFORE UPDATE OR DELETE ON lienthong.measurement_rule
    FOR EACH STATEMENT EXECUTE FUNCTION lienthong.keep_history();
CREATE TRIGGER score_history_kept BEFORE UPDATE OR DELETE ON lienthong.score_history
    FOR EACH STATEMENT EXECUTE FUNCTION lienthong.keep_history();

-- Whoever could read findings can read what measurements say about them.
DO $$
DECLARE reader name;
BEGIN
    FOR reader IN
        SELECT DISTINCT grantee::name FROM information_schema.role_table_grants
        WHERE table_schema = 'lienthong' AND table_name = 'finding' AND privilege_type = 'SELECT'
        AND grantee <> 'PUBLIC' AND grantee <> current_user
    LOOP
        EXECUTE format('GRANT SELECT ON lienthong.measurement, lienthong.measurement_rule, lienthong.score_history TO %I',
                       reader);
    END LOOP;
END $$;
