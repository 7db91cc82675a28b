-- Template of a tenants' table: functions with the names and arguments of `40_table.sql` that pass each call on to the table of
-- the caller's tenant; @P@ is the ptr. A tenant that has not written anything has no table, and reads nothing.
DROP FUNCTION IF EXISTS kt.get_@P@(uuid, text), kt.mget_@P@(uuid, text[]), kt.list_@P@(uuid, text, int), kt.list_@P@(uuid, text, int, text), kt.last_@P@(uuid, int),
  kt.history_@P@(uuid, text, int), kt.query_@P@(uuid, jsonb, jsonb, text, bool, text, int), kt.count_@P@(uuid, jsonb, jsonb);

-- Versions had 32 bits once.
DO $f$
BEGIN
  IF pg_get_function_result(to_regprocedure('kt.history_@P@(uuid, text, int, text)')) LIKE 'TABLE(_version integer,%' THEN
    DROP FUNCTION kt.history_@P@(uuid, text, int, text);
  END IF;
END $f$;

CREATE OR REPLACE FUNCTION kt.get_@P@(p_sid uuid, p_id text, p_who text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  place text := kt_priv.place(p_sid, '@P@', p_who); answer jsonb;
BEGIN
  IF place IS NOT NULL THEN
    EXECUTE format('SELECT kt.get_%s($1, $2, $3)', place) INTO answer USING p_sid, p_id, p_who;
  END IF;
  RETURN answer;
END $f$;

CREATE OR REPLACE FUNCTION kt.look_@P@(p_id text, p_who text, p_idem bytea DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  RETURN concat(kt.here(p_who, p_idem), E'\n', kt.get_@P@(NULL, p_id, p_who)::text);
END $f$;

CREATE OR REPLACE FUNCTION kt.mget_@P@(p_sid uuid, p_ids text[], p_who text DEFAULT NULL) RETURNS TABLE (id text, data jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 10 AS $f$
#variable_conflict use_column
DECLARE
  place text := kt_priv.place(p_sid, '@P@', p_who);
BEGIN
  IF place IS NOT NULL THEN
    RETURN QUERY EXECUTE format('SELECT * FROM kt.mget_%s($1, $2, $3)', place) USING p_sid, p_ids, p_who;
  END IF;
END $f$;

CREATE OR REPLACE FUNCTION kt.list_@P@(p_sid uuid, p_after text, p_limit int, p_who text DEFAULT NULL, p_place bigint DEFAULT NULL)
RETURNS TABLE (id text, data jsonb, _order bigint, _after bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 100 AS $f$
#variable_conflict use_column
DECLARE
  place text := kt_priv.place(p_sid, '@P@', p_who);
BEGIN
  IF place IS NOT NULL THEN
    RETURN QUERY EXECUTE format('SELECT * FROM kt.list_%s($1, $2, $3, $4, $5)', place) USING p_sid, p_after, p_limit, p_who, p_place;
  END IF;
END $f$;

CREATE OR REPLACE FUNCTION kt.last_@P@(p_sid uuid, p_limit int, p_who text DEFAULT NULL) RETURNS TABLE (id text, data jsonb, _order bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 10 AS $f$
#variable_conflict use_column
DECLARE
  place text := kt_priv.place(p_sid, '@P@', p_who);
BEGIN
  IF place IS NOT NULL THEN
    RETURN QUERY EXECUTE format('SELECT * FROM kt.last_%s($1, $2, $3)', place) USING p_sid, p_limit, p_who;
  END IF;
END $f$;

CREATE OR REPLACE FUNCTION kt.history_@P@(p_sid uuid, p_id text, p_limit int, p_who text DEFAULT NULL) RETURNS TABLE (_version bigint, data jsonb, _at timestamptz, _until timestamptz, _ended bool)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 10 AS $f$
#variable_conflict use_column
DECLARE
  place text := kt_priv.place(p_sid, '@P@', p_who);
BEGIN
  IF place IS NOT NULL THEN
    RETURN QUERY EXECUTE format('SELECT * FROM kt.history_%s($1, $2, $3, $4)', place) USING p_sid, p_id, p_limit, p_who;
  END IF;
END $f$;

CREATE OR REPLACE FUNCTION kt.query_@P@(
  p_sid uuid, p_pattern jsonb, p_rest jsonb, p_field text, p_descending bool, p_after text, p_limit int, p_who text DEFAULT NULL) RETURNS TABLE (id text, data jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 100 AS $f$
#variable_conflict use_column
DECLARE
  place text := kt_priv.place(p_sid, '@P@', p_who);
BEGIN
  IF place IS NOT NULL THEN
    RETURN QUERY EXECUTE format('SELECT * FROM kt.query_%s($1, $2, $3, $4, $5, $6, $7, $8)', place) USING p_sid, p_pattern, p_rest, p_field, p_descending, p_after, p_limit, p_who;
  END IF;
END $f$;

CREATE OR REPLACE FUNCTION kt.count_@P@(p_sid uuid, p_pattern jsonb, p_rest jsonb, p_who text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  place text := kt_priv.place(p_sid, '@P@', p_who); answer bigint := 0;
BEGIN
  IF place IS NOT NULL THEN
    EXECUTE format('SELECT kt.count_%s($1, $2, $3, $4)', place) INTO answer USING p_sid, p_pattern, p_rest, p_who;
  END IF;
  RETURN answer;
END $f$;

CREATE OR REPLACE FUNCTION kt.store_@P@(
  p_sid uuid, p_who text, p_from text, p_name text, p_how text, p_key text, p_row jsonb, p_read bool, p_idem bytea DEFAULT NULL, p_answer bytea DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  RETURN kt.commit(p_sid, kt_priv.payload(p_name, p_how, p_key, p_row, p_read), p_idem, p_answer, p_who, p_from);
END $f$;

GRANT EXECUTE ON FUNCTION kt.look_@P@, kt.get_@P@, kt.mget_@P@, kt.list_@P@, kt.last_@P@, kt.query_@P@, kt.count_@P@, kt.history_@P@, kt.store_@P@ TO kt_gateway;
