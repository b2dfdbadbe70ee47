-- What of the server decides whether it can be followed.
SELECT
    current_setting('server_version_num')::int AS version,
    current_setting('server_encoding') AS encoding,
    current_setting('wal_level') AS wal_level,
    current_setting('max_replication_slots')::int AS slots_max,
    (SELECT count(*) FROM pg_replication_slots)::int AS slots_used,
    current_setting('max_wal_senders')::int AS senders_max,
    (SELECT count(*) FROM pg_stat_replication)::int AS senders_used,
    current_setting('max_slot_wal_keep_size') AS keep_size,
    pg_is_in_recovery() AS standby,
    current_user::text AS account,
    (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may_replicate,
    current_setting('synchronized_standby_slots', true) AS standby_slots
