-- The people who work in the portal: accounts, roles, sessions, attempts, and a journal nobody can rewrite.
-- Secrets are kept as digests only. Running this again changes nothing.

CREATE SCHEMA IF NOT EXISTS lienthong;

CREATE TABLE IF NOT EXISTS lienthong.officer (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name           text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9._-]{2,63}$'),
    full_name      text NOT NULL CHECK (full_name <> ''),
    agency         text NOT NULL CHECK (agency ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'),
    salt           bytea NOT NULL CHECK (octet_length(salt) = 16),
    digest         bytea NOT NULL CHECK (octet_length(digest) = 32),
    cost           integer NOT NULL CHECK (cost BETWEEN 16384 AND 1048576),
    block          integer NOT NULL CHECK (block BETWEEN 1 AND 32),
    lanes          integer NOT NULL CHECK (lanes BETWEEN 1 AND 16),
    must_change    boolean NOT NULL,
    one_time_until timestamptz CHECK (must_change OR one_time_until IS NULL),
    failures       integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    waits_until    timestamptz,
    made_at        timestamptz NOT NULL,
    signed_in_at   timestamptz,
    locked_at      timestamptz,
    closed_at      timestamptz
);
COMMENT ON TABLE lienthong.officer IS 'Tài khoản cán bộ; mật khẩu chỉ giữ dưới dạng băm scrypt, tên không cấp lại';

CREATE TABLE IF NOT EXISTS lienthong.officer_role (
    officer  bigint NOT NULL REFERENCES lienthong.officer (id),
    role     text NOT NULL CHECK (role IN
        ('proposer', 'reviewer', 'approver', 'publisher', 'steward', 'assessor', 'leader', 'administrator')),
    PRIMARY KEY (officer, role)
);
COMMENT ON TABLE lienthong.officer_role IS 'Vai trò của cán bộ';

CREATE TABLE IF NOT EXISTS lienthong.officer_session (
    fingerprint  bytea PRIMARY KEY CHECK (octet_length(fingerprint) = 32),
    officer      bigint NOT NULL REFERENCES lienthong.officer (id),
    began_at     timestamptz NOT NULL,
    seen_at      timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL CHECK (ends_at > began_at)
);
CREATE INDEX IF NOT EXISTS officer_session_officer ON lienthong.officer_session (officer);
COMMENT ON TABLE lienthong.officer_session IS 'Phiên đăng nhập; chỉ giữ SHA-256 của bí mật phiên';

-- Names that nobody has are not written down: people type passwords into the wrong field.
CREATE TABLE IF NOT EXISTS lienthong.sign_in_attempt (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL,
    officer  bigint NOT NULL REFERENCES lienthong.officer (id),
    outcome  text NOT NULL CHECK (outcome IN ('taken', 'wrong', 'waiting', 'shut', 'expired'))
);
CREATE INDEX IF NOT EXISTS sign_in_attempt_officer ON lienthong.sign_in_attempt (officer, at);
COMMENT ON TABLE lienthong.sign_in_attempt IS 'Lượt đăng nhập của tài khoản có thật, đúng hay sai';

CREATE TABLE IF NOT EXISTS lienthong.officer_event (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL,
    actor    text NOT NULL CHECK (actor <> ''),
    officer  text NOT NULL CHECK (officer <> ''),
    act      text NOT NULL CHECK (act IN
        ('added', 'roles', 'reset', 'password', 'locked', 'unlocked', 'closed')),
    roles    text[]
);
CREATE INDEX IF NOT EXISTS officer_event_officer ON lienthong.officer_event (officer, id);
COMMENT ON TABLE lienthong.officer_event IS 'Nhật ký tài khoản, chỉ ghi thêm: ai tạo, đổi, khóa, đóng tài khoản nào';

CREATE OR REPLACE FUNCTION lienthong.refuse_rewriting_officers() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'the journal of accounts is never rewritten' USING ERRCODE = 'insufficient_privilege';
END
$body$;
CREATE OR REPLACE TRIGGER officer_event_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON lienthong.officer_event
    FOR EACH STATEMENT EXECUTE FUNCTION lienthong.refuse_rewriting_officers();
CREATE OR REPLACE TRIGGER sign_in_attempt_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON lienthong.sign_in_attempt
    FOR EACH STATEMENT EXECUTE FUNCTION lienthong.refuse_rewriting_officers();
