SELECT
    class.oid::bigint AS oid,
    class.relkind::text AS kind,
    class.relreplident::text AS identity,
    class.relpersistence::text AS persistence,
    greatest(class.reltuples, 0)::bigint AS rows_estimated,
    obj_description(class.oid, 'pg_class') AS comment,
    has_schema_privilege(namespace.oid, 'USAGE') AS may_enter,
    has_table_privilege(class.oid, 'SELECT') AS may_read
FROM pg_class AS class
JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE namespace.nspname = %(schema)s AND class.relname = %(table)s AND class.relkind IN ('r', 'p', 'f', 'v', 'm')
