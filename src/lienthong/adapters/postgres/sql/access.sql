-- Who may see what, and who looked: keys, grants, and the journal of looks.
-- Running this again changes nothing.

CREATE SCHEMA IF NOT EXISTS lienthong;

CREATE TABLE IF NOT EXISTS lienthong.access_key (
    fingerprint  bytea PRIMARY KEY CHECK (octet_length(fingerprint) = 32),
    agency       text NOT NULL CHECK (agency ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'),
    issued_at    timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz
);
CREATE INDEX IF NOT EXISTS access_key_agency ON lienthong.access_key (agency);
COMMENT ON TABLE lienthong.access_key IS 'Khóa truy cập của cơ quan khai thác; chỉ lưu dấu vân tay SHA-256';

CREATE TABLE IF NOT EXISTS lienthong.grant_of_access (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agency        text NOT NULL CHECK (agency ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'),
    dataset       text NOT NULL,
    elements      text[] NOT NULL CHECK (cardinality(elements) > 0),
    purpose       text NOT NULL CHECK (purpose <> ''),
    legal_basis   text NOT NULL CHECK (legal_basis <> ''),
    valid_from    date NOT NULL,
    valid_to      date NOT NULL CHECK (valid_to > valid_from),
    granted_at    timestamptz NOT NULL DEFAULT now(),
    withdrawn_at  timestamptz
);
CREATE INDEX IF NOT EXISTS grant_of_access_agency ON lienthong.grant_of_access (agency, dataset)
    WHERE withdrawn_at IS NULL;
COMMENT ON TABLE lienthong.grant_of_access IS 'Quyền khai thác: cơ quan, bộ dữ liệu, trường, mục đích, căn cứ, thời hạn';

CREATE TABLE IF NOT EXISTS lienthong.access_journal (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    agency   text NOT NULL,
    dataset  text NOT NULL,
    purpose  text NOT NULL,
    outcome  text NOT NULL
        CHECK (outcome IN ('found', 'not-found', 'incomplete', 'disputed', 'cancelled', 'refused')),
    records  integer NOT NULL CHECK (records >= 0)
);
CREATE INDEX IF NOT EXISTS access_journal_dataset ON lienthong.access_journal (dataset, at);
COMMENT ON TABLE lienthong.access_journal IS 'Nhật ký khai thác, chỉ ghi thêm; không chứa khóa của người được tra cứu';

CREATE OR REPLACE FUNCTION lienthong.refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'the access journal is never rewritten' USING ERRCODE = 'insufficient_privilege';
END
$body$;
CREATE OR REPLACE TRIGGER access_journal_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON lienthong.access_journal
    FOR EACH STATEMENT EXECUTE FUNCTION lienthong.refuse_rewriting();
