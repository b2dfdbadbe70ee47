-- As JSON, because attnames and rowfilter exist from PostgreSQL 15 on.
SELECT to_jsonb(published) AS published
FROM pg_publication_tables AS published
WHERE pubname = %(publication)s
