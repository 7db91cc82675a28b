-- What a query asks for beyond containment. The core decides the same for rows that are not stored yet (src/filter.rs).
SET LOCAL ROLE kt_owner;

-- {"path": jsonpath predicate, "bounds": its variables, "none": [patterns], "some": [[patterns]…]}. What cannot be compared
-- makes the path unknown, which is no match.
CREATE OR REPLACE FUNCTION kt_priv.matches(p_data jsonb, p_rest jsonb) RETURNS bool
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (NOT p_rest ? 'path' OR coalesce(jsonb_path_match(p_data, (p_rest ->> 'path')::jsonpath, p_rest -> 'bounds', true), false))
     AND (NOT p_rest ? 'none' OR NOT EXISTS (SELECT 1 FROM jsonb_array_elements(p_rest -> 'none') n WHERE p_data @> n.value))
     AND (NOT p_rest ? 'some' OR NOT EXISTS (SELECT 1 FROM jsonb_array_elements(p_rest -> 'some') s
           WHERE NOT EXISTS (SELECT 1 FROM jsonb_array_elements(s.value) e WHERE p_data @> e.value)));
END $$;

-- Called where a page would start after a row that the query does not find.
CREATE OR REPLACE FUNCTION kt_priv.no_such_row() RETURNS bool
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'there is no row with the key that the page starts after' USING ERRCODE = 'KT400';
END $$;

RESET ROLE;
