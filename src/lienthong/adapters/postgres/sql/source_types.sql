SELECT wanted.oid, wanted.modifier, format_type(wanted.oid::oid, wanted.modifier) AS name
FROM unnest(%(oids)s::bigint[], %(modifiers)s::int[]) AS wanted (oid, modifier)
