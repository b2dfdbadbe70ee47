SELECT
    pubname::text AS name, puballtables AS all_tables, pubinsert AS inserts, pubupdate AS updates,
    pubdelete AS deletes, pubtruncate AS truncates, pubviaroot AS via_root
FROM pg_publication
WHERE pubname = %(publication)s
