-- As JSON, because newer servers have more columns (wal_status, invalidation_reason).
SELECT
    (SELECT to_jsonb(slot) FROM pg_replication_slots AS slot WHERE slot.slot_name = %(slot)s) AS slot,
    current_database()::text AS database,
    (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END
        - '0/0')::bigint AS written
