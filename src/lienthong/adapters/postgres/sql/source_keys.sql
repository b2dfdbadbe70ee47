-- Indexes that can identify a row: unique, whole, not deferrable, over plain columns that are never null.
SELECT
    index.indisprimary AS is_primary,
    index.indisreplident AS is_identity,
    class.relname::text AS name,
    array_agg(attribute.attname::text ORDER BY attribute.attnum) AS columns
FROM pg_index AS index
JOIN pg_class AS class ON class.oid = index.indexrelid
CROSS JOIN LATERAL unnest(index.indkey::smallint[]) WITH ORDINALITY AS part (number, place)
JOIN pg_attribute AS attribute ON attribute.attrelid = index.indrelid AND attribute.attnum = part.number
WHERE index.indrelid = %(oid)s AND index.indisunique AND index.indimmediate AND index.indisvalid
    AND index.indpred IS NULL AND index.indexprs IS NULL AND part.place <= index.indnkeyatts
GROUP BY index.indexrelid, index.indisprimary, index.indisreplident, class.relname
HAVING bool_and(attribute.attnotnull)
ORDER BY index.indisprimary DESC, class.relname
