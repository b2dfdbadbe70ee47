-- The past of the centre: from when on a dataset is known. The functions of each dataset are derived beside this file.
-- Every statement can be repeated.

CREATE INDEX IF NOT EXISTS batch_applied ON lienthong.batch (applied_at, id);
CREATE INDEX IF NOT EXISTS batch_snapshot ON lienthong.batch (source, id) WHERE snapshot;
CREATE INDEX IF NOT EXISTS batch_dataset_whole ON lienthong.batch_dataset (dataset, batch_id)
    WHERE snapshot AND changes = 0;
CREATE INDEX IF NOT EXISTS quarantine_settled_key ON lienthong.quarantine (business_key, dataset) WHERE state <> 'open';

-- The end of a snapshot names the datasets it covered, with no change of its own. Ends written before this was so are
-- given the datasets of the batches that the snapshot consists of.
INSERT INTO lienthong.batch_dataset (batch_id, dataset, snapshot, applied_at, changes, allowed_lag_s, lag_within)
SELECT DISTINCT ON (e.id, d.dataset) e.id, d.dataset, true, e.applied_at, 0, d.allowed_lag_s, 0
FROM (SELECT id, source, applied_at,
             coalesce(lag(id) OVER (PARTITION BY source ORDER BY id), 0) AS before
      FROM lienthong.batch WHERE snapshot AND read = 0) e
JOIN lienthong.batch b ON b.source = e.source AND b.snapshot AND b.id > e.before AND b.id < e.id
JOIN lienthong.batch_dataset d ON d.batch_id = b.id
ORDER BY e.id, d.dataset, d.batch_id DESC
ON CONFLICT DO NOTHING;

-- The newest batch the centre had stored at a moment of its own clock; without one, every batch there will be.
CREATE OR REPLACE FUNCTION lienthong.batch_known_at(_known_at timestamptz) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT CASE WHEN $1 IS NULL THEN 9223372036854775807 ELSE coalesce((
    SELECT b.id FROM lienthong.batch b WHERE b.applied_at <= $1 ORDER BY b.applied_at DESC, b.id DESC LIMIT 1), 0) END
$$;
COMMENT ON FUNCTION lienthong.batch_known_at IS 'Lô đồng bộ mới nhất mà Trung tâm đã ghi nhận tại một thời điểm';

CREATE OR REPLACE FUNCTION lienthong.known_sources(_dataset text, _known_at timestamptz DEFAULT NULL)
    RETURNS TABLE (source text, known_from timestamptz, read_until timestamptz)
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
WITH whole AS (
    SELECT b.source, min(b.id) AS ended FROM lienthong.batch_dataset d JOIN lienthong.batch b ON b.id = d.batch_id
    WHERE d.dataset = $1 AND d.snapshot AND d.changes = 0 AND d.batch_id <= (SELECT lienthong.batch_known_at($2))
    GROUP BY b.source
), known AS (
    -- All rows of a snapshot are read as of one moment; tables without a row have only the moment it ended.
    SELECT w.source, coalesce(
        (SELECT max(s.source_time) FROM lienthong.batch s
         WHERE s.source = w.source AND s.snapshot AND s.id < w.ended AND s.id > coalesce(
            (SELECT max(p.id) FROM lienthong.batch p
             WHERE p.source = w.source AND p.snapshot AND p.read = 0 AND p.id < w.ended), 0)),
        (SELECT e.applied_at FROM lienthong.batch e WHERE e.id = w.ended)) AS known_from
    FROM whole w
)
SELECT k.source, k.known_from, CASE
    WHEN l.phase <> 'stream' THEN NULL WHEN l.status = 'healthy' THEN l.heartbeat_at ELSE l.source_time END
FROM known k LEFT JOIN lienthong.link l ON l.source = k.source
UNION ALL
SELECT l.source, NULL, NULL FROM lienthong.link l
WHERE l.phase = 'snapshot' AND NOT EXISTS (SELECT FROM known k WHERE k.source = l.source) AND EXISTS (
    SELECT FROM lienthong.batch b JOIN lienthong.batch_dataset d ON d.batch_id = b.id AND d.dataset = $1
    WHERE b.source = l.source AND b.snapshot)
ORDER BY 1
$$;
COMMENT ON FUNCTION lienthong.known_sources IS
    'Từng nguồn của bộ dữ liệu: biết từ thời điểm nào, đã đọc đến thời điểm nào';

-- No row is no answer: before the first snapshot of a dataset the question itself is refused.
CREATE OR REPLACE FUNCTION lienthong.must_be_known(_dataset text, _moment timestamptz, _known_at timestamptz)
    RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE first timestamptz;
BEGIN
    IF _moment IS NULL THEN
        RAISE EXCEPTION 'a moment is needed' USING ERRCODE = '22004';
    END IF;
    SELECT min(k.known_from) INTO first FROM lienthong.known_sources(_dataset, _known_at) k;
    IF first IS NULL OR first > _moment THEN
        RAISE EXCEPTION 'dataset % is not known at that moment (chưa xác định)', _dataset
            USING ERRCODE = 'LT303', HINT = coalesce('known from ' || first::text, 'no snapshot of it has ended');
    END IF;
    RETURN true;
END $$;
COMMENT ON FUNCTION lienthong.must_be_known IS 'Từ chối câu hỏi về thời điểm chưa xác định';
