-- `exec`: one statement of the application's own on one table, inside the transaction's snapshot.
--
-- The statement is run by kt_exec, which owns nothing but the guard and can see nothing but views of single tables; a view
-- answers only for the table of the call that is under way. Before it runs, PostgreSQL parses it into a function that is never
-- called and does not outlast a subtransaction, and what the tree mentions is checked: one query, no other table, only
-- functions and types that compute. Nothing is decided by looking at the text.
--
-- What it writes is not written: triggers on the view collect rows, which the caller lays over its transaction and commits as
-- it commits everything.
CREATE SCHEMA IF NOT EXISTS kt_guard AUTHORIZATION kt_exec;
GRANT USAGE ON SCHEMA kt_guard TO kt_owner;
ALTER DEFAULT PRIVILEGES FOR ROLE kt_exec REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

SET LOCAL ROLE kt_owner;

-- The snapshot of the call that is under way, for the view of a table.
CREATE OR REPLACE FUNCTION kt_priv.exec_snap(p_ptr text) RETURNS pg_snapshot
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF current_setting('kontract.ptr', true) IS DISTINCT FROM p_ptr THEN
    RAISE EXCEPTION 'this statement is about another table' USING ERRCODE = 'KT403';
  END IF;
  RETURN kt_priv.open(current_setting('kontract.sid')::uuid, p_ptr, 4);
END $$;

CREATE OR REPLACE FUNCTION kt_priv.exec_owner() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN kt_priv.whose(current_setting('kontract.sid')::uuid);
END $$;

-- What the transaction has written to the table so far: key → row, or null where it is deleted.
CREATE OR REPLACE FUNCTION kt_priv.exec_own() RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN coalesce(nullif(current_setting('kontract.own', true), ''), '{}')::jsonb;
END $$;

-- Collects what a statement writes, as `[key, row or null],` in order.
CREATE OR REPLACE FUNCTION kt_priv.exec_write() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_changes text := current_setting('kontract.changes', true); v_own jsonb; v_row jsonb;
BEGIN
  IF current_setting('kontract.ptr', true) IS DISTINCT FROM TG_ARGV[0] OR current_setting('kontract.write', true) IS DISTINCT FROM 'true' THEN
    RAISE EXCEPTION 'this call may not write' USING ERRCODE = 'KT403', DETAIL = 'write';
  END IF;
  IF TG_OP = 'DELETE' THEN
    PERFORM set_config('kontract.changes', v_changes || jsonb_build_array(OLD.id, NULL) || ',', true);
    RETURN OLD;
  END IF;
  IF NEW.id IS NULL OR jsonb_typeof(NEW.data) IS DISTINCT FROM 'object' OR (TG_OP = 'UPDATE' AND NEW.id <> OLD.id) THEN
    RAISE EXCEPTION 'a row has a key that does not change, and is an object' USING ERRCODE = 'KT400';
  END IF;
  IF TG_OP = 'INSERT' THEN
    v_own := kt_priv.exec_own();
    IF v_own ? NEW.id THEN
      v_row := nullif(v_own -> NEW.id, 'null');
    ELSE
      EXECUTE format('SELECT kt.get_%s($1, $2)', TG_ARGV[0]) INTO v_row USING current_setting('kontract.sid')::uuid, NEW.id;
    END IF;
    IF v_row IS NOT NULL THEN
      RAISE EXCEPTION 'there is a row with the key %', NEW.id USING ERRCODE = 'KT400';
    END IF;
  END IF;
  IF length(v_changes) > 4194304 THEN
    RAISE EXCEPTION 'the statement writes more than a commit holds' USING ERRCODE = 'KT400';
  END IF;
  PERFORM set_config('kontract.changes', v_changes || jsonb_build_array(NEW.id, NEW.data) || ',', true);
  RETURN NEW;
END $$;

-- The view of a table under a name, made when it is first used. Without the barrier the statement's own functions could be
-- asked about rows that the snapshot does not see.
CREATE OR REPLACE FUNCTION kt_priv.exec_view(p_ptr text, p_name text) RETURNS oid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_schema text := 'kt_view_' || substr(p_ptr, 5);
  v_view oid := to_regclass(format('%I.%I', v_schema, p_name));
  v_mine text := CASE WHEN (SELECT t.scope FROM kt_priv.tables t WHERE t.ptr = p_ptr) = 'owner'
                      THEN 't._owner = (SELECT kt_priv.exec_owner()) AND' ELSE '' END;
  v_hidden text := (SELECT format(' - %L::text[]', t.hidden) FROM kt_priv.tables t WHERE t.ptr = p_ptr AND t.hidden <> '{}');
BEGIN
  -- In a database that is shared, somebody else may have been there first.
  IF EXISTS (SELECT 1 FROM pg_namespace n WHERE n.nspname = v_schema AND n.nspowner <> 'kt_owner'::regrole) THEN
    RAISE EXCEPTION 'the schema % is not storage''s own', v_schema USING ERRCODE = 'KT500';
  ELSIF v_view IS NOT NULL THEN
    RETURN v_view;
  ELSIF octet_length(p_name) > 63 THEN
    RAISE EXCEPTION 'the name of the table is too long for SQL' USING ERRCODE = 'KT400';
  END IF;
  PERFORM pg_advisory_xact_lock(19284, 3);
  EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', v_schema);
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO kt_exec', v_schema);
  EXECUTE format(replace(replace(replace($view$
    CREATE OR REPLACE VIEW %I.%I WITH (security_barrier) AS
      SELECT t.id, t.data@LESS@ AS data FROM kt_data.@P@ t
       WHERE @MINE@ t._deleted_txid IS NULL AND pg_visible_in_snapshot(t._txid, (SELECT kt_priv.exec_snap('@P@')))
         AND NOT (SELECT kt_priv.exec_own()) ? t.id
      UNION ALL
      SELECT t.id, t.data@LESS@ AS data FROM kt_data.@P@ t
       WHERE @MINE@ t._deleted_txid >= (SELECT pg_snapshot_xmin(kt_priv.exec_snap('@P@')))
         AND NOT pg_visible_in_snapshot(t._deleted_txid, (SELECT kt_priv.exec_snap('@P@')))
         AND pg_visible_in_snapshot(t._txid, (SELECT kt_priv.exec_snap('@P@'))) AND NOT (SELECT kt_priv.exec_own()) ? t.id
      UNION ALL
      SELECT w.key, w.value@LESS@ FROM jsonb_each((SELECT kt_priv.exec_own())) w WHERE w.value <> 'null'
    $view$, '@MINE@', v_mine), '@P@', p_ptr), '@LESS@', replace(coalesce(v_hidden, ''), '%', '%%')), v_schema, p_name);
  EXECUTE format('CREATE OR REPLACE TRIGGER collect INSTEAD OF INSERT OR UPDATE OR DELETE ON %I.%I
                  FOR EACH ROW EXECUTE FUNCTION kt_priv.exec_write(%L)', v_schema, p_name, p_ptr);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I.%I TO kt_exec', v_schema, p_name);
  RETURN to_regclass(format('%I.%I', v_schema, p_name));
END $$;

-- Takes the views away, of one table or all, which come back when they are used: for a table that is rewritten, one whose fields are hidden
-- or not any more, or a new version of this file.
DROP FUNCTION IF EXISTS kt_priv.drop_views();
CREATE OR REPLACE FUNCTION kt_priv.drop_views(p_ptr text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_schema text;
BEGIN
  FOR v_schema IN SELECT n.nspname FROM pg_namespace n WHERE n.nspname LIKE 'kt\_view\_%' AND n.nspname = coalesce('kt_view_' || substr(p_ptr, 5), n.nspname) AND n.nspowner = 'kt_owner'::regrole LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', v_schema);
  END LOOP;
END $$;
SELECT kt_priv.drop_views();

RESET ROLE;
GRANT EXECUTE ON FUNCTION kt_priv.exec_snap(text), kt_priv.exec_owner(), kt_priv.exec_own() TO kt_exec;
SET LOCAL ROLE kt_exec;

-- The tree of a statement, as PostgreSQL parses it where a schema's tables can be named without it.
CREATE OR REPLACE FUNCTION kt_guard.tree(p_schema text, p_sql text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  c refcursor; n text; v_tree text; v_name text := 'probe_' || pg_backend_pid();
BEGIN
  PERFORM set_config('search_path', format('pg_catalog, %I, pg_temp', p_schema), true);
  -- A cursor takes one statement only. It is parsed here, and not run: nothing is fetched.
  OPEN c FOR EXECUTE 'EXPLAIN ' || p_sql USING n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n;
  CLOSE c;
  BEGIN
    EXECUTE format(E'CREATE FUNCTION kt_guard.%I(%s) RETURNS void LANGUAGE sql BEGIN ATOMIC %s\n; END',
                   v_name, array_to_string(array_fill('text'::text, array[16]), ', '), p_sql);
    SELECT p.prosqlbody::text INTO v_tree FROM pg_proc p WHERE p.proname = v_name AND p.pronamespace = 'kt_guard'::regnamespace;
    RAISE EXCEPTION 'parsed' USING ERRCODE = 'KT000';
  EXCEPTION WHEN SQLSTATE 'KT000' THEN
    RETURN v_tree;
  END;
END $$;

-- Raises unless a statement is one query about one view that only computes.
CREATE OR REPLACE FUNCTION kt_guard.vet(p_schema text, p_sql text, p_view oid, p_write bool) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_tree text := kt_guard.tree(p_schema, p_sql); v_what text;
BEGIN
  IF v_tree IS NULL OR v_tree !~ '^\(*\{QUERY :commandType [1-4] ' THEN
    RAISE EXCEPTION 'exec takes SELECT, INSERT, UPDATE or DELETE' USING ERRCODE = 'KT400';
  END IF;
  IF NOT p_write AND v_tree ~ ':commandType [2-4] ' THEN
    RAISE EXCEPTION 'this call may not write' USING ERRCODE = 'KT403', DETAIL = 'write';
  END IF;
  SELECT m[1] INTO v_what FROM regexp_matches(v_tree, '\{(XMLEXPR|CURRENTOFEXPR|NEXTVALUEEXPR|ROWMARKCLAUSE|TABLESAMPLECLAUSE|MERGEACTION)', 'g') m LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'exec does not know %', lower(v_what) USING ERRCODE = 'KT400';
  END IF;

  SELECT m[1]::oid::regclass::text INTO v_what FROM regexp_matches(v_tree, ':relid ([0-9]+)', 'g') m WHERE m[1]::oid NOT IN (0, p_view) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'exec sees one table, not %', v_what USING ERRCODE = 'KT400';
  END IF;

  SELECT coalesce(p.proname, f.id::text) INTO v_what
    FROM (SELECT m[1]::oid FROM regexp_matches(v_tree, ':(?:funcid|aggfnoid|winfnoid|opfuncid|hashfuncid|negfuncid) ([0-9]+)', 'g') m
          UNION SELECT coalesce(o.oprcode::oid, 1::oid)
            FROM (SELECT m[1] FROM regexp_matches(v_tree, ':(?:opno|eqop|sortop) ([0-9]+)', 'g') m
                  UNION SELECT n.id FROM regexp_matches(v_tree, ':opnos \(o ([0-9 ]+)\)', 'g') m, string_to_table(trim(m[1]), ' ') n(id)) e(id)
            LEFT JOIN pg_operator o ON o.oid = e.id::oid WHERE e.id <> '0') f(id)
    LEFT JOIN pg_proc p ON p.oid = f.id
   WHERE f.id <> 0 AND NOT coalesce(kt_guard.computes(p), false)
   LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'exec does not call %', v_what USING ERRCODE = 'KT400';
  END IF;

  SELECT format_type(t.id, NULL) INTO v_what
    FROM (SELECT m[1]::oid FROM regexp_matches(v_tree, ':[a-z_]*(?:type|typeid|typid) ([0-9]{2,})', 'g') m
          UNION SELECT n.id::oid FROM regexp_matches(v_tree, ':funccoltypes \(o ([0-9 ]+)\)', 'g') m, string_to_table(trim(m[1]), ' ') n(id)) t(id)
   WHERE t.id >= 16 AND t.id <> ALL (array['bool', 'int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'text', 'varchar', 'bpchar', 'json', 'jsonb',
           'jsonpath', 'date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval', 'uuid', 'bytea', 'record', 'unknown', 'void',
           'bool[]', 'int2[]', 'int4[]', 'int8[]', 'numeric[]', 'float4[]', 'float8[]', 'text[]', 'varchar[]', 'jsonb[]', 'date[]',
           'timestamptz[]', 'uuid[]', 'record[]']::regtype[]::oid[] || (SELECT c.reltype FROM pg_class c WHERE c.oid = p_view))
   LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'exec does not know the type %', v_what USING ERRCODE = 'KT400';
  END IF;
END $$;

-- Whether a function does nothing but compute: one of PostgreSQL's own that is immutable, or known to depend on nothing but
-- the time, the time zone and its arguments.
CREATE OR REPLACE FUNCTION kt_guard.computes(p pg_proc) RETURNS bool
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN p.pronamespace = 'pg_catalog'::regnamespace AND p.oid < 16384
     AND p.proname !~ '^(pg_|lo_|loread$|lowrite$|ts_|has_|binary_upgrade|query_to|table_to|cursor_to|schema_to|database_to|currtid)'
     AND (p.provolatile = 'i' OR p.provolatile = 's' AND
          (p.proname ~ '^(timestamptz?|date|time|timetz|interval)(_|$)' OR p.proname ~ '^jsonb?_(agg|object_agg|build|to_record|populate|path)'
           OR p.proname IN ('now', 'statement_timestamp', 'transaction_timestamp', 'to_char', 'to_date', 'to_timestamp', 'to_number', 'make_timestamptz', 'to_json', 'to_jsonb',
                            'row_to_json', 'array_to_json', 'array_to_string', 'concat', 'concat_ws', 'format', 'timezone', 'age', 'extract', 'array_agg',
                            'string_agg', 'generate_series', 'array_position', 'array_positions', 'textanycat', 'anytextcat')));
END $$;

-- The size of so many rows, where both are within what a statement may return.
CREATE OR REPLACE FUNCTION kt_guard.within(p_rows int, p_size bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF p_rows > 1000 THEN
    RAISE EXCEPTION 'the statement returns more than 1000 rows' USING ERRCODE = 'KT400';
  ELSIF p_size > 15728640 THEN
    RAISE EXCEPTION 'the statement returns more than 15 MiB' USING ERRCODE = 'KT413';
  END IF;
  RETURN p_size;
END $$;

-- Runs a statement that was vetted and reads. Not being volatile keeps it from writing, and gives it one physical snapshot.
CREATE OR REPLACE FUNCTION kt_guard.read(p_schema text, p_sql text, a text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  r record; v_row jsonb; v_rows jsonb[] := '{}'; v_size bigint := 0;
BEGIN
  PERFORM set_config('search_path', format('pg_catalog, %I, pg_temp', p_schema), true);
  FOR r IN EXECUTE p_sql USING a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13], a[14], a[15], a[16] LOOP
    v_row := to_jsonb(r);
    v_size := kt_guard.within(cardinality(v_rows) + 1, v_size + pg_column_size(v_row));
    v_rows := v_rows || v_row;
  END LOOP;
  RETURN to_jsonb(v_rows);
END $$;

-- Runs a statement that was vetted and may write. Without RETURNING it has no rows, and PostgreSQL opens no cursor for it.
CREATE OR REPLACE FUNCTION kt_guard.write(p_schema text, p_sql text, a text[]) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  r record; v_row jsonb; v_rows jsonb[] := '{}'; v_size bigint := 0;
BEGIN
  PERFORM set_config('search_path', format('pg_catalog, %I, pg_temp', p_schema), true);
  BEGIN
    FOR r IN EXECUTE p_sql USING a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13], a[14], a[15], a[16] LOOP
      v_row := to_jsonb(r);
      v_size := kt_guard.within(cardinality(v_rows) + 1, v_size + pg_column_size(v_row));
      v_rows := v_rows || v_row;
    END LOOP;
  EXCEPTION WHEN invalid_cursor_definition THEN
    EXECUTE p_sql USING a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13], a[14], a[15], a[16];
  END;
  RETURN to_jsonb(v_rows);
END $$;

GRANT EXECUTE ON FUNCTION kt_guard.vet(text, text, oid, bool), kt_guard.read(text, text, text[]), kt_guard.write(text, text, text[]) TO kt_owner;
RESET ROLE;
SET LOCAL ROLE kt_owner;

-- One statement on the table that the session's owner calls p_name. p_own is what the transaction has written to it so far;
-- p_write, whether the statement may write. Rows, and what it wants written: [[key, row or null]…].
CREATE OR REPLACE FUNCTION kt.exec(p_sid uuid, p_name text, p_sql text, p_args text[], p_own jsonb, p_write bool, OUT answer jsonb, OUT changes jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_named text; v_ptr text; v_view oid; v_schema text; v_void text;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'kt.exec needs read committed' USING ERRCODE = 'KT500';
  END IF;
  SELECT a.names ->> p_name, coalesce(a.places ->> (a.names ->> p_name), a.names ->> p_name) INTO v_named, v_ptr
    FROM kt.trxs a WHERE a.sid = sha256(uuid_send(p_sid)) AND a.expires_at > statement_timestamp();
  v_void := kt_priv.open(p_sid, v_ptr, 4)::text;
  IF p_sql IS NULL OR length(p_sql) > 65536 OR cardinality(p_args) > 16 THEN
    RAISE EXCEPTION 'exec takes a statement of at most 65536 characters and 16 parameters' USING ERRCODE = 'KT400';
  END IF;
  IF v_ptr <> v_named AND NOT kt_priv.ready(v_named, v_ptr) THEN
    v_void := pg_advisory_xact_lock_shared(19285, hashtext(v_named))::text;      -- as kt.commit
    v_void := pg_advisory_xact_lock(19285, hashtext(v_ptr))::text;
    PERFORM kt_priv.ready(v_named, v_ptr, kt_priv.whose(p_sid));
  END IF;
  v_view := kt_priv.exec_view(v_ptr, p_name);
  v_schema := (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = v_view);
  PERFORM set_config('kontract.sid', p_sid::text, true), set_config('kontract.ptr', v_ptr, true),
          set_config('kontract.own', coalesce(p_own, '{}')::text, true), set_config('kontract.write', coalesce(p_write, false)::text, true),
          set_config('kontract.changes', '', true);
  PERFORM kt_guard.vet(v_schema, p_sql, v_view, coalesce(p_write, false));
  IF p_write THEN
    answer := kt_guard.write(v_schema, p_sql, coalesce(p_args, '{}'));
  ELSE
    answer := kt_guard.read(v_schema, p_sql, coalesce(p_args, '{}'));
  END IF;
  changes := ('[' || rtrim(current_setting('kontract.changes'), ',') || ']')::jsonb;
  PERFORM set_config(s.name, '', true) FROM unnest(array['kontract.sid', 'kontract.ptr', 'kontract.own', 'kontract.write', 'kontract.changes']) s(name);
END $$;

RESET ROLE;
GRANT EXECUTE ON FUNCTION kt.exec(uuid, text, text, text[], jsonb, bool) TO kt_gateway;
