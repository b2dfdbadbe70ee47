-- The repair loop: cases for the agencies that own the records, what belongs to each, and what was done about it.
-- Running this again changes nothing.

CREATE SCHEMA IF NOT EXISTS lienthong;

CREATE TABLE IF NOT EXISTS lienthong.repair_case (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind              text NOT NULL CHECK (kind IN ('data', 'look-up')),
    agency            text NOT NULL CHECK (agency <> ''),
    dataset           text NOT NULL,
    rule              text NOT NULL CHECK (rule <> ''),
    element           text,
    source            text NOT NULL,
    error_class       text,
    colour            text NOT NULL CHECK (colour IN ('red', 'yellow', 'green')),
    state             text NOT NULL CHECK (state IN ('open', 'acknowledged', 'correcting', 'awaiting-measurement',
                                                     'disputed', 'reopened', 'excepted', 'closed')),
    found_at          timestamptz NOT NULL,
    opened_at         timestamptz NOT NULL,
    check_workdays    smallint NOT NULL,
    correct_workdays  smallint NOT NULL,
    hard_workdays     smallint NOT NULL,
    answer_by         timestamptz,
    hard              boolean NOT NULL DEFAULT false,
    acknowledged_at   timestamptz,
    planned_on        date,
    before_claim      text,
    reopened_at       timestamptz,
    reopen_count      integer NOT NULL DEFAULT 0,
    reopened_records  bigint NOT NULL DEFAULT 0,
    closed_at         timestamptz,
    open_records      bigint NOT NULL DEFAULT 0 CHECK (open_records >= 0),
    passed            bigint NOT NULL DEFAULT 0 CHECK (passed >= 0),
    withdrawn         bigint NOT NULL DEFAULT 0 CHECK (withdrawn >= 0),
    rule_gone         bigint NOT NULL DEFAULT 0 CHECK (rule_gone >= 0),
    excepted          bigint NOT NULL DEFAULT 0 CHECK (excepted >= 0),
    looks             integer NOT NULL DEFAULT 0,
    key_digest        bytea CHECK (octet_length(key_digest) = 32),
    record_ids        text[],
    -- Nobody closes a case while a record of it is open; the columns that say so are written by the measurement only.
    CONSTRAINT repair_case_closed CHECK (
        (state IN ('closed', 'excepted')) = (closed_at IS NOT NULL)
        AND (closed_at IS NULL OR open_records = 0)
        AND (state <> 'closed' OR excepted = 0)),
    CHECK ((kind = 'look-up') = (key_digest IS NOT NULL))
);
CREATE INDEX IF NOT EXISTS repair_case_agency ON lienthong.repair_case (agency, id) WHERE closed_at IS NULL;
CREATE INDEX IF NOT EXISTS repair_case_group ON lienthong.repair_case (dataset, rule, source, id);
CREATE INDEX IF NOT EXISTS repair_case_digest ON lienthong.repair_case (key_digest) WHERE kind = 'look-up';
CREATE UNIQUE INDEX IF NOT EXISTS repair_case_look_up ON lienthong.repair_case (dataset, key_digest)
    WHERE kind = 'look-up' AND closed_at IS NULL;
COMMENT ON TABLE lienthong.repair_case IS 'Phiếu sửa dữ liệu gửi cơ quan chủ quản; chỉ lần đo đạt mới đóng phiếu';
COMMENT ON COLUMN lienthong.repair_case.key_digest IS 'Dấu HMAC của khóa được tra cứu; khóa không được lưu';

CREATE TABLE IF NOT EXISTS lienthong.repair_claim (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id          bigint NOT NULL REFERENCES lienthong.repair_case (id),
    at               timestamptz NOT NULL,
    actor            text NOT NULL CHECK (actor <> ''),
    agency           text NOT NULL CHECK (agency <> ''),
    reason           text NOT NULL CHECK (reason <> ''),
    rule_version     integer NOT NULL,
    records          bigint NOT NULL CHECK (records > 0),
    decided_at       timestamptz,
    decided_by       text,
    decided_agency   text,
    accepted         boolean,
    decision_reason  text,
    lapsed_at        timestamptz,  -- the case ended before anybody decided
    CHECK ((decided_at IS NULL) = (accepted IS NULL)),
    CHECK (decided_by IS NULL OR (decided_by <> actor AND decided_agency <> agency))
);
CREATE UNIQUE INDEX IF NOT EXISTS repair_claim_open ON lienthong.repair_claim (case_id)
    WHERE decided_at IS NULL AND lapsed_at IS NULL;
COMMENT ON TABLE lienthong.repair_claim IS 'Khiếu nại "không phải lỗi" của cơ quan chủ quản và quyết định của người khác';

CREATE TABLE IF NOT EXISTS lienthong.repair_member (
    finding    bigint PRIMARY KEY,
    case_id    bigint NOT NULL REFERENCES lienthong.repair_case (id),
    record_id  text NOT NULL,
    opened_at  timestamptz NOT NULL,
    unproven   boolean NOT NULL DEFAULT false,  -- its finding is closed, but the rule did not pass on the record
    claimed    bigint,                          -- the claim that is about it
    excepted   bigint,                          -- the claim accepted for it
    ended_at   timestamptz,
    ended      text CHECK (ended IN ('passed', 'withdrawn', 'rule-gone', 'again')),
    CHECK ((ended IS NULL) = (ended_at IS NULL))
);
CREATE INDEX IF NOT EXISTS repair_member_case ON lienthong.repair_member (case_id, finding) WHERE ended_at IS NULL;
CREATE INDEX IF NOT EXISTS repair_member_record ON lienthong.repair_member (record_id) WHERE ended_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS repair_member_unproven ON lienthong.repair_member (case_id)
    WHERE unproven AND ended_at IS NULL;
COMMENT ON TABLE lienthong.repair_member IS 'Bản ghi thuộc phiếu sửa: mỗi dòng là một phát hiện';

CREATE TABLE IF NOT EXISTS lienthong.repair_exception (
    dataset       text NOT NULL,
    record_id     text NOT NULL,
    rule          text NOT NULL,
    rule_version  integer NOT NULL,
    claim_id      bigint NOT NULL REFERENCES lienthong.repair_claim (id),
    made_at       timestamptz NOT NULL,
    PRIMARY KEY (record_id, rule, rule_version, dataset)
);
COMMENT ON TABLE lienthong.repair_exception IS 'Ngoại lệ đã chấp nhận theo bản ghi và phiên bản quy tắc; luôn nhìn thấy';

CREATE TABLE IF NOT EXISTS lienthong.repair_event (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id       bigint NOT NULL REFERENCES lienthong.repair_case (id),
    at            timestamptz NOT NULL,
    what          text NOT NULL,
    state_before  text,
    state_after   text NOT NULL,
    actor         text,
    agency        text,
    reason        text,
    facts         json NOT NULL DEFAULT '{}',
    CHECK ((actor IS NULL) = (agency IS NULL)),
    CHECK (state_after <> 'closed' OR actor IS NULL OR state_before = 'closed')
);
CREATE INDEX IF NOT EXISTS repair_event_case ON lienthong.repair_event (case_id, id);
COMMENT ON TABLE lienthong.repair_event IS 'Diễn biến của phiếu sửa, chỉ ghi thêm';

CREATE TABLE IF NOT EXISTS lienthong.repair_look (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id    bigint NOT NULL REFERENCES lienthong.repair_case (id),
    at         timestamptz NOT NULL,
    requester  text NOT NULL,
    purpose    text NOT NULL,
    outcome    text NOT NULL CHECK (outcome IN ('not-found', 'incomplete', 'disputed'))
);
CREATE INDEX IF NOT EXISTS repair_look_case ON lienthong.repair_look (case_id, requester);
COMMENT ON TABLE lienthong.repair_look IS 'Cơ quan đã tra cứu mà không nhận được kết quả tốt, chỉ ghi thêm';

CREATE TABLE IF NOT EXISTS lienthong.repair_progress (
    dataset        text PRIMARY KEY,
    finding        bigint NOT NULL DEFAULT 0,
    closed_to      timestamptz,
    looked_at_batch bigint NOT NULL DEFAULT 0,
    synced_at      timestamptz,
    reconciled_at  timestamptz
);
COMMENT ON TABLE lienthong.repair_progress IS 'Đã chuyển phát hiện thành phiếu sửa đến đâu';

-- The two halves of an HMAC-SHA-256 key: a digest of a key of a record tells nothing to who has not these.
CREATE TABLE IF NOT EXISTS lienthong.repair_secret (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    inner_pad  bytea NOT NULL CHECK (octet_length(inner_pad) = 64),
    outer_pad  bytea NOT NULL CHECK (octet_length(outer_pad) = 64)
);

CREATE OR REPLACE FUNCTION lienthong.repair_digest(dataset text, key text[]) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog AS $body$
    SELECT sha256(s.outer_pad || sha256(s.inner_pad || convert_to(dataset || E'\x1e' || array_to_string(key, E'\x1f'),
        'UTF8'))) FROM lienthong.repair_secret s
$body$;

-- The gateway's one way in: note a look that found no good record, and get the number of its case.
CREATE OR REPLACE FUNCTION lienthong.repair_note_look(
    of_dataset text, of_key text[], had_outcome text, asked_by text, for_purpose text, owner text, level text,
    records text[], moment timestamptz, answer timestamptz, check_days integer, correct_days integer,
    hard_days integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $body$
DECLARE
    number bigint;
    digest bytea := lienthong.repair_digest(of_dataset, of_key);
BEGIN
    -- Where it was decided that no record is missing, asking again opens nothing.
    UPDATE lienthong.repair_case c SET looks = c.looks + 1
    WHERE c.dataset = of_dataset AND c.key_digest = digest AND c.state = 'excepted' RETURNING c.id INTO number;
    IF number IS NOT NULL THEN
        RETURN number;
    END IF;
    INSERT INTO lienthong.repair_case AS c (kind, agency, dataset, rule, source, colour, state, found_at, opened_at,
        check_workdays, correct_workdays, hard_workdays, answer_by, open_records, looks, key_digest, record_ids)
    VALUES ('look-up', owner, of_dataset, 'look-up:' || had_outcome, '', level, 'open', moment, moment,
        check_days, correct_days, hard_days, answer, 1, 1, digest, nullif(records, '{}'))
    ON CONFLICT (dataset, key_digest) WHERE kind = 'look-up' AND closed_at IS NULL
        DO UPDATE SET looks = c.looks + 1,
            answer_by = least(c.answer_by, excluded.answer_by),
            record_ids = coalesce(excluded.record_ids, c.record_ids)
    RETURNING c.id INTO number;
    IF NOT EXISTS (SELECT FROM lienthong.repair_event e WHERE e.case_id = number) THEN
        INSERT INTO lienthong.repair_event (case_id, at, what, state_after, facts)
        VALUES (number, moment, 'opened', 'open', json_build_object('outcome', had_outcome));
    END IF;
    -- One line an agency and outcome and day: a machine that asks in a loop fills nothing.
    IF NOT EXISTS (SELECT FROM lienthong.repair_look l WHERE l.case_id = number AND l.requester = asked_by
                   AND l.outcome = had_outcome AND l.at > moment - interval '1 day') THEN
        INSERT INTO lienthong.repair_look (case_id, at, requester, purpose, outcome)
        VALUES (number, moment, asked_by, for_purpose, had_outcome);
    END IF;
    RETURN number;
END
$body$;

-- What an agency may know of a case: only of one it brought about.
CREATE OR REPLACE FUNCTION lienthong.repair_case_of(number bigint, asked_by text)
RETURNS TABLE (id bigint, dataset text, rule text, state text, opened_at timestamptz, answer_by timestamptz,
    planned_on date, closed_at timestamptz, agency text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $body$
    SELECT c.id, c.dataset, c.rule, c.state, c.opened_at, c.answer_by, c.planned_on, c.closed_at, c.agency
    FROM lienthong.repair_case c
    WHERE c.id = number AND EXISTS (SELECT FROM lienthong.repair_look l
                                    WHERE l.case_id = c.id AND l.requester = asked_by)
$body$;

REVOKE ALL ON FUNCTION lienthong.repair_note_look(text, text[], text, text, text, text, text, text[], timestamptz,
    timestamptz, integer, integer, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION lienthong.repair_case_of(bigint, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION lienthong.repair_digest(text, text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION lienthong.refuse_undoing_repair() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'the record of a repair case is never rewritten' USING ERRCODE = 'insufficient_privilege';
END
$body$;
CREATE OR REPLACE TRIGGER repair_event_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON lienthong.repair_event
    FOR EACH STATEMENT EXECUTE FUNCTION lienthong.refuse_undoing_repair();
CREATE OR REPLACE TRIGGER repair_exception_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON lienthong.repair_exception
    FOR EACH STATEMENT EXECUTE FUNCTION lienthong.refuse_undoing_repair();
CREATE OR REPLACE TRIGGER repair_look_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON lienthong.repair_look
    FOR EACH STATEMENT EXECUTE FUNCTION lienthong.refuse_undoing_repair();

-- Which findings were closed lately, without reading all of them.
DO $body$
BEGIN
    IF to_regclass('lienthong.finding') IS NOT NULL AND to_regclass('lienthong.finding_closed') IS NULL THEN
        CREATE INDEX finding_closed ON lienthong.finding (closed_at) WHERE closed_at IS NOT NULL;
    END IF;
END
$body$;
