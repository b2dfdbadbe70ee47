-- Tables the account may read, without those of the system and without partitions of another table.
SELECT namespace.nspname::text AS schema, class.relname::text AS table
FROM pg_class AS class
JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE class.relkind IN ('r', 'p') AND NOT class.relispartition AND class.relpersistence = 'p'
    AND namespace.nspname NOT IN ('pg_catalog', 'information_schema') AND namespace.nspname NOT LIKE 'pg\_%'
    AND has_schema_privilege(namespace.oid, 'USAGE') AND has_table_privilege(class.oid, 'SELECT')
ORDER BY namespace.nspname, class.relname
