-- Proposals to the dictionary and every decision about them. Nothing here is ever changed or deleted:
-- where an item stands follows from its events. Running this again changes nothing.

CREATE SCHEMA IF NOT EXISTS lienthong;

CREATE TABLE IF NOT EXISTS lienthong.dictionary_task (
    number       bigint PRIMARY KEY CHECK (number > 0),
    actor        text NOT NULL CHECK (actor <> ''),
    agency       text NOT NULL CHECK (agency <> ''),
    reason       text NOT NULL CHECK (reason <> ''),
    diff         json NOT NULL,
    proposed_at  timestamptz NOT NULL
);
COMMENT ON TABLE lienthong.dictionary_task IS 'Lượt đề xuất thuật ngữ: một lượt rà soát cho cả tập đề xuất, kèm so sánh';

CREATE TABLE IF NOT EXISTS lienthong.dictionary_draft (
    task          bigint NOT NULL REFERENCES lienthong.dictionary_task (number),
    kind          text NOT NULL CHECK (kind IN ('code-list', 'value-domain', 'data-element', 'dataset')),
    item          text NOT NULL CHECK (item <> ''),
    version       text NOT NULL CHECK (version ~ '^[0-9]+[.][0-9]+[.][0-9]+$'),
    place         text NOT NULL CHECK (place <> ''),
    base_hash     text CHECK (base_hash ~ '^[0-9a-f]{64}$'),
    content_hash  text NOT NULL CHECK (content_hash ~ '^[0-9a-f]{64}$'),
    files         json NOT NULL,  -- ending of the file: its text
    PRIMARY KEY (task, kind, item)
);
CREATE INDEX IF NOT EXISTS dictionary_draft_item ON lienthong.dictionary_draft (kind, item, version);
COMMENT ON TABLE lienthong.dictionary_draft IS 'Dự thảo thuật ngữ: đúng các byte sẽ được công bố khi phê duyệt';

CREATE TABLE IF NOT EXISTS lienthong.dictionary_event (
    number             bigint PRIMARY KEY CHECK (number > 0),
    kind               text NOT NULL,
    item               text NOT NULL,
    version            text NOT NULL,
    status_before      text,
    status_after       text NOT NULL,
    agency             text NOT NULL CHECK (agency <> ''),
    actor              text NOT NULL CHECK (actor <> ''),
    content_hash       text NOT NULL CHECK (content_hash ~ '^[0-9a-f]{64}$'),
    recorded_at        timestamptz NOT NULL,
    task               bigint NOT NULL,
    reason             text,
    decision           text,
    decision_hash      text CHECK (decision_hash ~ '^[0-9a-f]{64}$'),
    effective          date,
    successor_id       text,
    successor_version  text,
    stewards           text[] NOT NULL,
    chain              text NOT NULL UNIQUE CHECK (chain ~ '^[0-9a-f]{64}$'),
    CHECK (status_after <> 'rejected' OR reason IS NOT NULL),
    CHECK (status_after <> 'superseded' OR (successor_id IS NOT NULL AND effective IS NOT NULL)),
    CHECK (status_after <> 'approved' OR (decision IS NOT NULL AND effective IS NOT NULL))
);
CREATE INDEX IF NOT EXISTS dictionary_event_item ON lienthong.dictionary_event (kind, item, number);
COMMENT ON TABLE lienthong.dictionary_event IS 'Sự kiện trạng thái của thuật ngữ, chỉ ghi thêm, nối chuỗi băm';
COMMENT ON COLUMN lienthong.dictionary_event.recorded_at IS 'Thời điểm ghi nhận';
COMMENT ON COLUMN lienthong.dictionary_event.effective IS 'Ngày quyết định có hiệu lực';

CREATE OR REPLACE FUNCTION lienthong.refuse_undoing_decisions() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'decisions about the dictionary are never rewritten' USING ERRCODE = 'insufficient_privilege';
END
$body$;
CREATE OR REPLACE TRIGGER dictionary_task_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON lienthong.dictionary_task
    FOR EACH STATEMENT EXECUTE FUNCTION lienthong.refuse_undoing_decisions();
CREATE OR REPLACE TRIGGER dictionary_draft_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON lienthong.dictionary_draft
    FOR EACH STATEMENT EXECUTE FUNCTION lienthong.refuse_undoing_decisions();
CREATE OR REPLACE TRIGGER dictionary_event_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON lienthong.dictionary_event
    FOR EACH STATEMENT EXECUTE FUNCTION lienthong.refuse_undoing_decisions();
