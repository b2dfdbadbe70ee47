SELECT
    attribute.attname::text AS name,
    attribute.atttypid::bigint AS type_oid,
    attribute.atttypmod AS type_modifier,
    format_type(attribute.atttypid, attribute.atttypmod) AS type_name,
    NOT attribute.attnotnull AS nullable,
    attribute.attgenerated <> '' AS generated,
    has_column_privilege(attribute.attrelid, attribute.attnum, 'SELECT') AS may_read,
    col_description(attribute.attrelid, attribute.attnum) AS comment
FROM pg_attribute AS attribute
WHERE attribute.attrelid = %(oid)s AND attribute.attnum > 0 AND NOT attribute.attisdropped
ORDER BY attribute.attnum
