-- Template of a data table and its functions; @P@ is the ptr. Everything is generated and static: plans are cached for each
-- connection, and no name is put together while a call runs. Running it again for a table that exists renews its functions.
--
-- In a table of owners each row belongs to the owner who stored it, and keys are unique for each owner: there @MINE@ is a
-- condition on every look at the table, @WHOSE@ declares whose call it is (@LOOKER@ without a session), and @KEY@ puts the owner before
-- the other columns of an index. In other tables all four are empty.
--
-- Where fields may not be read, @SEEN@ is a row without them, @WARD@ refuses a pattern that asks for one, @KEPT@ brings them into a row
-- that is stored without them (and @STORED@ is w.data with them), and @HIDDEN@ has their names. In other tables @SEEN@ is t.data, @STORED@ w.data,
-- and the others are empty.
--
-- A version is visible at a snapshot s when s sees _txid and does not see _deleted_txid. Reads are STABLE: the check of the
-- session and the rows come from one physical snapshot, so that the collector cannot come between them.
CREATE TABLE IF NOT EXISTS kt_data.@P@ (
  id text NOT NULL, data jsonb NOT NULL, _version bigint NOT NULL DEFAULT 1,
  _txid xid8 NOT NULL DEFAULT pg_current_xact_id(), _owner text NOT NULL,
  _deleted_txid xid8, _order bigint NOT NULL);
CREATE SEQUENCE IF NOT EXISTS kt_data.@P@_seq OWNED BY kt_data.@P@._order;
CREATE UNIQUE INDEX IF NOT EXISTS @P@_u ON kt_data.@P@ (@KEY@id) WHERE _deleted_txid IS NULL;
CREATE INDEX IF NOT EXISTS @P@_o ON kt_data.@P@ (@KEY@_order) WHERE _deleted_txid IS NULL;
CREATE INDEX IF NOT EXISTS @P@_t ON kt_data.@P@ (_txid) WHERE _deleted_txid IS NULL;
CREATE INDEX IF NOT EXISTS @P@_d ON kt_data.@P@ (_deleted_txid) WHERE _deleted_txid IS NOT NULL;
CREATE INDEX IF NOT EXISTS @P@_h ON kt_data.@P@ (@KEY@id, _deleted_txid) WHERE _deleted_txid IS NOT NULL;
CREATE INDEX IF NOT EXISTS @P@_g ON kt_data.@P@ USING gin (data jsonb_path_ops) WITH (fastupdate = off) WHERE _deleted_txid IS NULL;

-- Versions had 32 bits once.
DO $f$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = 'kt_data.@P@'::regclass AND a.attname = '_version' AND a.atttypid = 'int'::regtype) THEN
    ALTER TABLE kt_data.@P@ ALTER COLUMN _version TYPE bigint;
    DROP FUNCTION IF EXISTS kt.history_@P@(uuid, text, int, text);
  END IF;
END $f$;

-- Reads of a caller: of an open session, or where p_sid is null of p_who (15_callers.sql).
DROP FUNCTION IF EXISTS kt.get_@P@(uuid, text), kt.mget_@P@(uuid, text[]), kt.list_@P@(uuid, text, int), kt.list_@P@(uuid, text, int, text), kt.last_@P@(uuid, int),
  kt.history_@P@(uuid, text, int), kt.query_@P@(uuid, jsonb, int), kt.query_@P@(uuid, jsonb, jsonb, text, bool, text, int),
  kt.count_@P@(uuid, jsonb), kt.count_@P@(uuid, jsonb, jsonb);

-- One row, or null.
CREATE OR REPLACE FUNCTION kt.get_@P@(p_sid uuid, p_id text, p_who text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  @WHOSE@s pg_snapshot; d jsonb; x xid8;
BEGIN
  IF p_sid IS NULL THEN                                            -- the snapshot is the statement's own, so what lives is visible
    s := kt_priv.open(p_sid, '@P@', 4, p_who);
    SELECT @SEEN@ INTO d FROM kt_data.@P@ t WHERE @MINE@t.id = p_id AND t._deleted_txid IS NULL;
    RETURN d;
  END IF;
  SELECT a.snap, @SEEN@, t._txid INTO s, d, x
    FROM kt.trxs a LEFT JOIN kt_data.@P@ t ON @MINE@t.id = p_id AND t._deleted_txid IS NULL
   WHERE a.sid = sha256(uuid_send(p_sid)) AND a.expires_at > statement_timestamp() AND ((a.rights -> '@P@')::int & 4) = 4;
  IF NOT FOUND THEN PERFORM kt_priv.deny(p_sid, '@P@', 4); END IF;
  IF x IS NULL OR NOT pg_visible_in_snapshot(x, s) THEN            -- rare: written or deleted since s
    d := NULL;
    SELECT @SEEN@ INTO d FROM kt_data.@P@ t
     WHERE @MINE@t.id = p_id AND t._deleted_txid >= pg_snapshot_xmin(s) AND NOT pg_visible_in_snapshot(t._deleted_txid, s)
       AND pg_visible_in_snapshot(t._txid, s);
  END IF;
  RETURN d;
END $f$;

-- One row without a session, as most calls begin and many end: what kt.here says, and on the next line the row, if there is one.
-- Everything is asked in one statement, because each costs as much as the row, and of as few tables as can be; whatever is not as usual
-- (a connection that is new, a credential that is wrong, no right) is asked again, one by one, with the same snapshot.
CREATE OR REPLACE FUNCTION kt.look_@P@(p_id text, p_who text, p_idem bytea DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  @LOOKER@said text; answer text; bits int;
BEGIN
  IF p_idem IS NOT NULL THEN
    answer := kt_priv.first_answer(left(substr(p_who, 65), -11), p_idem);
  END IF;
  SELECT concat(pg_current_snapshot()::text, '/', m.incarnation::text, '/', answer, E'\n',
                (SELECT @SEEN@::text FROM kt_data.@P@ t WHERE @MINE@t.id = p_id AND t._deleted_txid IS NULL)), (m.rights -> '@P@')::int
    INTO said, bits FROM kt_priv.meta m
   WHERE kt_priv.proves(m.inner_key, m.outer_key, m.system_id, m.horizon, p_who);
  IF bits & 4 = 4 THEN
    RETURN said;
  ELSIF said IS NOT NULL AND bits IS NULL THEN
    PERFORM kt_priv.allow(left(substr(p_who, 65), -11), '@P@', 4);
    RETURN said;
  END IF;
  RETURN concat(kt.here(p_who, p_idem), E'\n', kt.get_@P@(NULL, p_id, p_who)::text);
END $f$;

-- Those of the named rows that exist, in no order.
CREATE OR REPLACE FUNCTION kt.mget_@P@(p_sid uuid, p_ids text[], p_who text DEFAULT NULL) RETURNS TABLE (id text, data jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 10 AS $f$
#variable_conflict use_column
DECLARE
  @WHOSE@s pg_snapshot := kt_priv.open(p_sid, '@P@', 4, p_who); n int;
BEGIN
  RETURN QUERY SELECT t.id, @SEEN@ FROM kt_data.@P@ t
    WHERE @MINE@t.id = ANY (p_ids) AND t._deleted_txid IS NULL AND pg_visible_in_snapshot(t._txid, s);
  GET DIAGNOSTICS n = ROW_COUNT;
  IF n < cardinality(p_ids) THEN
    RETURN QUERY SELECT t.id, @SEEN@ FROM kt_data.@P@ t
      WHERE @MINE@t.id = ANY (p_ids) AND t._deleted_txid >= pg_snapshot_xmin(s) AND NOT pg_visible_in_snapshot(t._deleted_txid, s)
        AND pg_visible_in_snapshot(t._txid, s);
  END IF;
END $f$;

-- Rows in the order in which they were added, after the named one or after a place. _after is that row's place; nothing comes when
-- it is absent.
CREATE OR REPLACE FUNCTION kt.list_@P@(p_sid uuid, p_after text, p_limit int, p_who text DEFAULT NULL, p_place bigint DEFAULT NULL)
RETURNS TABLE (id text, data jsonb, _order bigint, _after bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 100 AS $f$
#variable_conflict use_column
DECLARE
  @WHOSE@s pg_snapshot := kt_priv.open(p_sid, '@P@', 4, p_who); m xid8 := pg_snapshot_xmin(s); o bigint := coalesce(p_place, -1);
BEGIN
  IF p_after IS NOT NULL THEN
    SELECT u._order INTO o FROM (
      SELECT t._order FROM kt_data.@P@ t WHERE @MINE@t.id = p_after AND t._deleted_txid IS NULL AND pg_visible_in_snapshot(t._txid, s)
      UNION ALL
      SELECT t._order FROM kt_data.@P@ t WHERE @MINE@t.id = p_after AND t._deleted_txid >= m
         AND NOT pg_visible_in_snapshot(t._deleted_txid, s) AND pg_visible_in_snapshot(t._txid, s)) u;
    IF NOT FOUND THEN RETURN; END IF;
  END IF;
  RETURN QUERY SELECT u.id, u.data, u._order, o FROM (
    (SELECT t.id, @SEEN@ AS data, t._order FROM kt_data.@P@ t
      WHERE @MINE@t._deleted_txid IS NULL AND t._order > o AND pg_visible_in_snapshot(t._txid, s) ORDER BY t._order LIMIT p_limit)
    UNION ALL
    (SELECT t.id, @SEEN@ AS data, t._order FROM kt_data.@P@ t
      WHERE @MINE@t._deleted_txid >= m AND NOT pg_visible_in_snapshot(t._deleted_txid, s) AND pg_visible_in_snapshot(t._txid, s)
        AND t._order > o ORDER BY t._order LIMIT p_limit)) u ORDER BY u._order LIMIT p_limit;
END $f$;

-- Rows from the end of the list, backwards.
CREATE OR REPLACE FUNCTION kt.last_@P@(p_sid uuid, p_limit int, p_who text DEFAULT NULL) RETURNS TABLE (id text, data jsonb, _order bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 10 AS $f$
#variable_conflict use_column
DECLARE
  @WHOSE@s pg_snapshot := kt_priv.open(p_sid, '@P@', 4, p_who); m xid8 := pg_snapshot_xmin(s);
BEGIN
  RETURN QUERY SELECT u.id, u.data, u._order FROM (
    (SELECT t.id, @SEEN@ AS data, t._order FROM kt_data.@P@ t
      WHERE @MINE@t._deleted_txid IS NULL AND pg_visible_in_snapshot(t._txid, s) ORDER BY t._order DESC LIMIT p_limit)
    UNION ALL
    (SELECT t.id, @SEEN@ AS data, t._order FROM kt_data.@P@ t
      WHERE @MINE@t._deleted_txid >= m AND NOT pg_visible_in_snapshot(t._deleted_txid, s) AND pg_visible_in_snapshot(t._txid, s)
      ORDER BY t._order DESC LIMIT p_limit)) u ORDER BY u._order DESC LIMIT p_limit;
END $f$;

-- The versions of a row that the snapshot knows of, the latest first; _at and _until as far as the log reaches back.
CREATE OR REPLACE FUNCTION kt.history_@P@(p_sid uuid, p_id text, p_limit int, p_who text DEFAULT NULL)
RETURNS TABLE (_version bigint, data jsonb, _at timestamptz, _until timestamptz, _ended bool)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 10 AS $f$
#variable_conflict use_column
DECLARE
  @WHOSE@s pg_snapshot := kt_priv.open(p_sid, '@P@', 4, p_who);
BEGIN
  RETURN QUERY SELECT v._version, v.data, a.at, u.at, u.ended
    FROM (SELECT t._version, @SEEN@ AS data, t._txid, t._deleted_txid FROM kt_data.@P@ t WHERE @MINE@t.id = p_id AND t._deleted_txid IS NULL
          UNION ALL
          SELECT t._version, @SEEN@ AS data, t._txid, t._deleted_txid FROM kt_data.@P@ t WHERE @MINE@t.id = p_id AND t._deleted_txid IS NOT NULL) v
    LEFT JOIN LATERAL (SELECT l.at FROM kt_priv.log l WHERE l.txid = v._txid LIMIT 1) a ON true
    CROSS JOIN LATERAL (SELECT (SELECT l.at FROM kt_priv.log l WHERE l.txid = v._deleted_txid LIMIT 1) AS at, true AS ended
                         WHERE v._deleted_txid IS NOT NULL AND pg_visible_in_snapshot(v._deleted_txid, s)
                        UNION ALL SELECT NULL, false
                         WHERE v._deleted_txid IS NULL OR NOT pg_visible_in_snapshot(v._deleted_txid, s)) u
   WHERE pg_visible_in_snapshot(v._txid, s) ORDER BY v._txid DESC LIMIT p_limit;
END $f$;

-- Rows that contain a pattern and match the rest of a filter: in the order in which they were added, or by a field (numbers,
-- then text, then what is neither), after the named one. MATERIALIZED, because with a LIMIT the planner would rather walk the
-- whole table in order than use the index on the content.
CREATE OR REPLACE FUNCTION kt.query_@P@(
  p_sid uuid, p_pattern jsonb, p_rest jsonb, p_field text, p_descending bool, p_after text, p_limit int, p_who text DEFAULT NULL)
RETURNS TABLE (id text, data jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 100 AS $f$
#variable_conflict use_column
DECLARE
  @WHOSE@s pg_snapshot := kt_priv.open(p_sid, '@P@', 4, p_who); m xid8 := pg_snapshot_xmin(s);
BEGIN
  @WARD@
  IF p_rest IS NULL AND p_field IS NULL AND p_after IS NULL THEN
    RETURN QUERY WITH hit AS MATERIALIZED (
        SELECT t.id, @SEEN@ AS data, t._order FROM kt_data.@P@ t
         WHERE @MINE@t._deleted_txid IS NULL AND t.data @> p_pattern AND pg_visible_in_snapshot(t._txid, s)
        UNION ALL
        SELECT t.id, @SEEN@ AS data, t._order FROM kt_data.@P@ t
         WHERE @MINE@t._deleted_txid >= m AND NOT pg_visible_in_snapshot(t._deleted_txid, s) AND pg_visible_in_snapshot(t._txid, s)
           AND t.data @> p_pattern)
      SELECT hit.id, hit.data FROM hit ORDER BY hit._order LIMIT p_limit;
    RETURN;
  END IF;
  RETURN QUERY WITH hit AS MATERIALIZED (
      SELECT t.id, @SEEN@ AS data, t._order FROM kt_data.@P@ t
       WHERE @MINE@t._deleted_txid IS NULL AND t.data @> p_pattern AND pg_visible_in_snapshot(t._txid, s)
         AND (p_rest IS NULL OR kt_priv.matches(@SEEN@, p_rest))
      UNION ALL
      SELECT t.id, @SEEN@ AS data, t._order FROM kt_data.@P@ t
       WHERE @MINE@t._deleted_txid >= m AND NOT pg_visible_in_snapshot(t._deleted_txid, s) AND pg_visible_in_snapshot(t._txid, s)
         AND t.data @> p_pattern AND (p_rest IS NULL OR kt_priv.matches(@SEEN@, p_rest))),
    keyed AS (
      SELECT hit.id, hit.data, hit._order, f.kind,
             CASE WHEN f.kind = 0 THEN (hit.data -> p_field)::numeric END AS number,
             CASE WHEN f.kind = 1 THEN hit.data ->> p_field END COLLATE "C" AS word
        FROM hit CROSS JOIN LATERAL (SELECT CASE jsonb_typeof(hit.data -> p_field) WHEN 'number' THEN 0 WHEN 'string' THEN 1 ELSE 2 END) f(kind)),
    placed AS (
      SELECT k.id, k.data, row_number() OVER (ORDER BY
               CASE WHEN p_descending THEN -k.kind ELSE k.kind END, CASE WHEN p_descending THEN -k.number ELSE k.number END,
               CASE WHEN p_descending THEN k.word END DESC, CASE WHEN NOT p_descending THEN k.word END, k._order) AS place
        FROM keyed k),
    start AS (SELECT CASE WHEN p_after IS NULL THEN 0 ELSE (SELECT b.place FROM placed b WHERE b.id = p_after) END AS place)
    SELECT w.id, w.data FROM placed w, start WHERE w.place > start.place OR (start.place IS NULL AND kt_priv.no_such_row())
     ORDER BY w.place LIMIT p_limit;
END $f$;

-- How many rows contain a pattern and match the rest of a filter; all rows where the pattern is null.
CREATE OR REPLACE FUNCTION kt.count_@P@(p_sid uuid, p_pattern jsonb, p_rest jsonb, p_who text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  @WHOSE@s pg_snapshot := kt_priv.open(p_sid, '@P@', 4, p_who); m xid8 := pg_snapshot_xmin(s); live bigint; dead bigint;
BEGIN
  @WARD@
  IF p_pattern IS NULL THEN
    SELECT count(*) INTO live FROM kt_data.@P@ t WHERE @MINE@t._deleted_txid IS NULL AND pg_visible_in_snapshot(t._txid, s);
  ELSE
    SELECT count(*) INTO live FROM kt_data.@P@ t
     WHERE @MINE@t._deleted_txid IS NULL AND t.data @> p_pattern AND pg_visible_in_snapshot(t._txid, s)
       AND (p_rest IS NULL OR kt_priv.matches(@SEEN@, p_rest));
  END IF;
  SELECT count(*) INTO dead FROM kt_data.@P@ t
   WHERE @MINE@t._deleted_txid >= m AND NOT pg_visible_in_snapshot(t._deleted_txid, s) AND pg_visible_in_snapshot(t._txid, s)
     AND (p_pattern IS NULL OR t.data @> p_pattern) AND (p_rest IS NULL OR kt_priv.matches(@SEEN@, p_rest));
  RETURN live + dead;
END $f$;

-- Whether what was read is still as it was at s: null, or the first key or predicate that is not.
DROP FUNCTION IF EXISTS kt_priv.check_@P@(pg_snapshot, jsonb, jsonb);
CREATE OR REPLACE FUNCTION kt_priv.check_@P@(s pg_snapshot, whose text, p_keys jsonb, p_predicates jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  m xid8 := pg_snapshot_xmin(s); k text; q jsonb;
BEGIN
  -- The usual case: one key, and what lives is visible.
  IF jsonb_array_length(p_keys) = 1 AND p_predicates IS NULL THEN
    PERFORM 1 FROM kt_data.@P@ t WHERE @MINE@t.id = p_keys ->> 0 AND t._deleted_txid IS NULL AND pg_visible_in_snapshot(t._txid, s);
    IF FOUND THEN RETURN NULL; END IF;
  END IF;
  -- LIMIT, because the planner takes so few keys for many, and would read the whole table once rather than look each of them up.
  SELECT r.id INTO k FROM jsonb_array_elements_text(p_keys) r(id) CROSS JOIN LATERAL (
      (SELECT 1 FROM kt_data.@P@ t
        WHERE @MINE@t.id = r.id AND t._deleted_txid IS NULL AND NOT pg_visible_in_snapshot(t._txid, s) LIMIT 1)
      UNION ALL
      (SELECT 1 FROM kt_data.@P@ t
        WHERE @MINE@t.id = r.id AND t._deleted_txid >= m AND NOT pg_visible_in_snapshot(t._deleted_txid, s)
          AND pg_visible_in_snapshot(t._txid, s) LIMIT 1)) changed
   LIMIT 1;
  IF FOUND THEN RETURN jsonb_build_object('t', '@P@', 'key', k); END IF;
  IF p_predicates IS NOT NULL THEN
    SELECT p.q INTO q FROM (
      SELECT @SEEN@ AS data, t._order FROM kt_data.@P@ t WHERE @MINE@t._deleted_txid IS NULL AND t._txid >= m AND NOT pg_visible_in_snapshot(t._txid, s)
      UNION ALL
      SELECT @SEEN@ AS data, t._order FROM kt_data.@P@ t
       WHERE @MINE@t._deleted_txid >= m AND NOT pg_visible_in_snapshot(t._deleted_txid, s) AND pg_visible_in_snapshot(t._txid, s)
      ) changed, jsonb_array_elements(p_predicates) p(q)
     WHERE CASE p.q ->> 'k'
             WHEN 'c' THEN changed.data @> (p.q -> 'v') AND (NOT p.q ? 'w' OR kt_priv.matches(changed.data, p.q -> 'w'))
             WHEN 'l' THEN changed._order >= coalesce((p.q ->> 'from')::bigint, -9223372036854775808)
                       AND changed._order <= coalesce((p.q ->> 'to')::bigint, 9223372036854775807)
             ELSE true END
     LIMIT 1;
    IF FOUND THEN RETURN jsonb_build_object('t', '@P@', 'predicate', q); END IF;
  END IF;
  RETURN NULL;
END $f$;

-- Validates and applies one table's part of a commit; every lock is held. Null, or the conflict.
-- Versions are marked by their places in the table, which are looked up key by key, and without sequential scans: the planner takes a
-- list for ten keys and would rather read a small table once, with a plan that stays when the table has grown.
DROP FUNCTION IF EXISTS kt_priv.commit_@P@(pg_snapshot, text, jsonb);
CREATE OR REPLACE FUNCTION kt_priv.commit_@P@(s pg_snapshot, whose text, p_part jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $f$
DECLARE
  c jsonb; a jsonb; op text; n int; x xid8; fixed text[]; refused jsonb;
BEGIN
  IF p_part ?| array['r', 'q'] THEN
    c := kt_priv.check_@P@(s, whose, coalesce(p_part -> 'r', '[]'), p_part -> 'q');
    IF c IS NOT NULL THEN RETURN c; END IF;
  END IF;
  IF NOT p_part ?| array['del', 'put', 'upd', 'push'] THEN RETURN NULL; END IF;
  x := pg_current_xact_id();

  IF p_part ? 'del' THEN
    UPDATE kt_data.@P@ u SET _deleted_txid = x
     WHERE u.ctid = ANY (ARRAY(SELECT (SELECT t.ctid FROM kt_data.@P@ t WHERE @MINE@t.id = w.id AND t._deleted_txid IS NULL)
                                 FROM jsonb_array_elements_text(p_part -> 'del') w(id)));
  END IF;

  -- Read-only fields: the values of a row that exists stay.
  SELECT t.readonly INTO fixed FROM kt_priv.tables t WHERE t.ptr = '@P@';
  IF cardinality(fixed) > 0 THEN
    SELECT jsonb_build_object('t', '@P@', 'key', t.id, 'field', f.name) INTO refused
      FROM (SELECT false AS merge, e FROM jsonb_array_elements(coalesce(p_part -> 'put', '[]') || coalesce(p_part -> 'push', '[]')) e
            UNION ALL SELECT true, e FROM jsonb_array_elements(coalesce(p_part -> 'upd', '[]')) e) w
      CROSS JOIN LATERAL (SELECT t.id, t.data FROM kt_data.@P@ t WHERE @MINE@t.id = w.e ->> 0 AND t._deleted_txid IS NULL LIMIT 1) t
      CROSS JOIN unnest(fixed) f(name)
     WHERE CASE WHEN f.name = ANY ('@HIDDEN@') THEN w.e -> 1 ? f.name        -- whether the value is the same is not told
                ELSE t.data -> f.name IS DISTINCT FROM w.e -> 1 -> f.name AND NOT (w.merge AND NOT w.e -> 1 ? f.name) END
     LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'field % is read-only', refused ->> 'field' USING ERRCODE = 'KT403', DETAIL = refused::text;
    END IF;
  END IF;

  FOREACH op IN ARRAY array['put', 'upd', 'push'] LOOP
    a := p_part -> op;
    n := jsonb_array_length(a);
    CONTINUE WHEN coalesce(n, 0) = 0;
    IF jsonb_array_length(jsonb_path_query_array(a, 'strict $[*][1] ? (@.type() == "object")', '{}', true)) <> n THEN
      RAISE EXCEPTION 'a row is an object' USING ERRCODE = 'KT400';
    END IF;
    -- A row comes out of the join when its old version is marked, so that the index of keys never has both.
    WITH w AS MATERIALIZED (SELECT e ->> 0 AS id, e -> 1 AS data, place FROM jsonb_array_elements(a) WITH ORDINALITY p(e, place)),
      old AS (
        UPDATE kt_data.@P@ u SET _deleted_txid = x
         WHERE u.ctid = ANY (ARRAY(SELECT (SELECT t.ctid FROM kt_data.@P@ t WHERE @MINE@t.id = w.id AND t._deleted_txid IS NULL) FROM w))
        RETURNING u.id, u._version, u._order, u.data)
    INSERT INTO kt_data.@P@ (id, data, _version, _txid, _owner, _order)
    SELECT w.id, CASE WHEN op = 'upd' THEN coalesce(old.data, '{}') || w.data ELSE @STORED@ END, coalesce(old._version, 0) + 1, x, whose,
           CASE WHEN old.id IS NULL OR op = 'push' THEN nextval('kt_data.@P@_seq') ELSE old._order END
      FROM w LEFT JOIN old ON old.id = w.id ORDER BY w.place;
  END LOOP;
  RETURN NULL;
END $f$;

-- The first row of a part that was applied whose value of a unique field another live row has, too; or null. Whatever is written
-- is there already. An aggregate, because with a LIMIT the planner would rather walk the table than use the index on the content.
CREATE OR REPLACE FUNCTION kt_priv.taken_@P@(whose text, p_part jsonb, p_fields jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  k text; f text; v jsonb; n bigint;
BEGIN
  FOR k, f, v IN SELECT w.e ->> 0, u.name, w.e -> 1 -> u.name
                   FROM (SELECT jsonb_array_elements(p_part -> o.op) AS e FROM unnest(array['put', 'upd', 'push']) o(op)) w
                  CROSS JOIN jsonb_array_elements_text(p_fields) u(name)
                  WHERE jsonb_typeof(w.e -> 1 -> u.name) <> 'null' LOOP
    SELECT count(*) INTO n FROM kt_data.@P@ t
     WHERE @MINE@t._deleted_txid IS NULL AND t.data @> jsonb_build_object(f, v) AND t.data -> f = v;
    IF n > 1 THEN RETURN jsonb_build_object('t', '@P@', 'key', k, 'field', f); END IF;
  END LOOP;
  RETURN NULL;
END $f$;

-- A commit without a session that writes one row (p_how is put, upd or push, as in kt.commit's payload) and has read that row at most: what
-- kt.commit does with it, at three fifths of the cost. The locks are the same, and come first: what is asked behind them need not be asked again.
-- What is not as usual (a new connection, rights of owners' own, read-only or unique fields, a snapshot that is not kept, whatever is refused)
-- is asked of kt.commit, before anything is written. If that wants further locks, it waits in another order than others do, which
-- matters to a change of rights only; PostgreSQL lets one of them pass.
CREATE OR REPLACE FUNCTION kt.store_@P@(
  p_sid uuid, p_who text, p_from text, p_name text, p_how text, p_key text, p_row jsonb, p_read bool, p_idem bytea DEFAULT NULL, p_answer bytea DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  s pg_snapshot := CASE WHEN p_from ~ '^[0-9:,]+/' THEN split_part(p_from, '/', 1)::pg_snapshot END; n int := CASE WHEN p_read THEN 6 ELSE 2 END;
  whose text; x xid8; d jsonb := p_row; old_version bigint; old_order bigint; old_data jsonb; v_void text;
BEGIN
  v_void := concat(
    pg_advisory_xact_lock_shared(19285, hashtext('@P@')),
    CASE WHEN p_how = 'push' THEN concat(
      pg_advisory_xact_lock(least(hashtextextended(p_key, hashtext('@P@')), hashtextextended(E'\x01tail', hashtext('@P@')))),
      pg_advisory_xact_lock(hashtextextended(E'\x01tail', hashtext('@P@')))) END,
    pg_advisory_xact_lock(hashtextextended(p_key, hashtext('@P@'))),
    pg_advisory_xact_lock_shared(19284, 4));
  -- The first write gives the transaction its id, behind every lock. Rows that were read are looked at later: a version that lives and is
  -- visible at the snapshot is the one that was read, whatever garbage has gone meanwhile.
  INSERT INTO kt_priv.log (sid, owner, changes)
    SELECT sha256(uuid_send(p_sid)), left(substr(p_who, 65), -11), jsonb_build_object('@P@', jsonb_build_array(p_key))
      FROM kt_priv.meta m, kt_priv.life, kt_priv.tables t
     WHERE kt_priv.proves(m.inner_key, m.outer_key, m.system_id, m.horizon, p_who) AND (m.rights -> '@P@')::int & n = n
       AND t.ptr = '@P@' AND t.readonly = '{}' AND t.uniques = '{}'
       AND CASE WHEN p_from IS NULL THEN NOT p_read ELSE p_read IS NOT NULL AND m.horizon <= pg_snapshot_xmin(s) AND m.incarnation::text = split_part(p_from, '/', 2) END
       AND p_how IN ('put', 'upd', 'push') AND jsonb_typeof(p_row) = 'object' AND current_setting('transaction_isolation') = 'read committed'
    ON CONFLICT (sid) DO NOTHING RETURNING owner, txid INTO whose, x;
  IF NOT FOUND THEN
    RETURN kt.commit(p_sid, kt_priv.payload(p_name, p_how, p_key, p_row, p_read), p_idem, p_answer, p_who, p_from);
  END IF;
  IF p_idem IS NOT NULL THEN
    INSERT INTO kt_priv.ledger (owner, key, sid, answer) VALUES (whose, p_idem, sha256(uuid_send(p_sid)), coalesce(p_answer, ''))
      ON CONFLICT (owner, key) DO NOTHING;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'already applied' USING ERRCODE = 'KT208', DETAIL = kt_priv.first_answer(whose, p_idem);
    END IF;
  END IF;
  UPDATE kt_data.@P@ t SET _deleted_txid = x
   WHERE @MINE@t.id = p_key AND t._deleted_txid IS NULL AND (NOT p_read OR pg_visible_in_snapshot(t._txid, s))
    RETURNING t._version, t._order, t.data INTO old_version, old_order, old_data;
  IF NOT FOUND THEN
    IF p_read THEN
      RAISE EXCEPTION 'conflict' USING ERRCODE = 'KT409', DETAIL = jsonb_build_object('t', '@P@', 'key', p_key)::text;
    END IF;
    old_version := 0;
    old_order := nextval('kt_data.@P@_seq');
  ELSIF p_how = 'upd' THEN
    d := old_data || d;
  ELSE
    @KEPT@
    IF p_how = 'push' THEN
      old_order := nextval('kt_data.@P@_seq');
    END IF;
  END IF;
  INSERT INTO kt_data.@P@ (id, data, _version, _txid, _owner, _order) VALUES (p_key, d, old_version + 1, x, whose, old_order);
  RETURN x::text;
END $f$;

GRANT EXECUTE ON FUNCTION kt.look_@P@, kt.get_@P@, kt.mget_@P@, kt.list_@P@, kt.last_@P@, kt.query_@P@, kt.count_@P@, kt.history_@P@, kt.store_@P@ TO kt_gateway;
