-- Provisioning, garbage collection and the move to another cluster: what kt_deploy may do.
SET LOCAL ROLE kt_owner;

DROP FUNCTION IF EXISTS kt_priv.generate(text), kt_priv.generate(text, text);
CREATE OR REPLACE FUNCTION kt_priv.generate(p_ptr text, p_scope text, p_hidden text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_own bool := p_scope = 'owner'; v_hides bool := cardinality(p_hidden) > 0; v_hidden text := quote_literal(p_hidden::text) || '::text[]'; v_sql text := CASE WHEN p_scope = 'tenant' THEN kt_priv.tenants_template() ELSE kt_priv.table_template() END;
BEGIN
  -- The names go into the functions' text.
  IF p_ptr !~ '^tbl_[a-z0-9_]{1,48}$' OR p_hidden::text ~ '[@$\\]' THEN
    RAISE EXCEPTION 'bad ptr, or a name that cannot be hidden' USING ERRCODE = 'KT400';
  END IF;
  v_sql := replace(v_sql, '@WHOSE@', CASE WHEN v_own THEN 'whose text := kt_priv.whose(p_sid, p_who); ' ELSE '' END);
  v_sql := replace(v_sql, '@LOOKER@', CASE WHEN v_own THEN 'whose text := left(substr(p_who, 65), -11); ' ELSE '' END);
  v_sql := replace(v_sql, '@MINE@', CASE WHEN v_own THEN 't._owner = whose AND ' ELSE '' END);
  v_sql := replace(v_sql, '@KEY@', CASE WHEN v_own THEN '_owner, ' ELSE '' END);
  v_sql := replace(v_sql, '@P@', p_ptr);
  v_sql := replace(v_sql, '@SEEN@', CASE WHEN v_hides THEN '(t.data - ' || v_hidden || ')' ELSE 't.data' END);
  v_sql := replace(v_sql, '@WARD@', CASE WHEN v_hides THEN 'PERFORM kt_priv.ward(p_pattern, ' || v_hidden || ');' ELSE '' END);
  v_sql := replace(v_sql, '@KEPT@', CASE WHEN v_hides THEN 'd := kt_priv.only(old_data, ' || v_hidden || ') || d;' ELSE '' END);
  v_sql := replace(v_sql, '@STORED@', CASE WHEN v_hides THEN 'kt_priv.only(old.data, ' || v_hidden || ') || w.data' ELSE 'w.data' END);
  EXECUTE replace(v_sql, '''@HIDDEN@''', CASE WHEN v_hides THEN v_hidden ELSE '''{}''' END);
END $$;

-- Refuses a pattern with a field that may not be read.
CREATE OR REPLACE FUNCTION kt_priv.ward(p_pattern jsonb, p_hidden text[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF p_pattern ?| p_hidden THEN
    RAISE EXCEPTION 'a field that may not be read' USING ERRCODE = 'KT403';
  END IF;
END $$;

-- The named fields of a row.
CREATE OR REPLACE FUNCTION kt_priv.only(p_data jsonb, p_fields text[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT coalesce(jsonb_object_agg(e.key, e.value), '{}') FROM jsonb_each(p_data) e WHERE e.key = ANY (p_fields));
END $$;

-- Makes or renews a tenant's part of a table, which is reached through the functions of the tenants' table only.
DROP FUNCTION IF EXISTS kt_priv.renew(text);
CREATE OR REPLACE FUNCTION kt_priv.renew(p_ptr text, p_hidden text[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM kt_priv.generate(p_ptr, 'shared', p_hidden);
  EXECUTE format('REVOKE EXECUTE ON FUNCTION kt.look_%1$s, kt.get_%1$s, kt.mget_%1$s, kt.list_%1$s, kt.last_%1$s, kt.query_%1$s, kt.count_%1$s, '
                 'kt.history_%1$s, kt.store_%1$s FROM kt_gateway', p_ptr);
END $$;

-- Whether a tenant's part of a table is there; made first where an owner is named who wants it. Whoever belongs to a tenant was put
-- there by an administrator; others are as many as care to visit, and each part costs the catalogue a table, its indexes and functions.
DROP FUNCTION IF EXISTS kt_priv.ready(text, text, bool);
CREATE OR REPLACE FUNCTION kt_priv.ready(p_template text, p_ptr text, p_owner text DEFAULT NULL) RETURNS bool
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_visitor bool; v_most int;
BEGIN
  IF EXISTS (SELECT 1 FROM kt_priv.tables t WHERE t.ptr = p_ptr) THEN
    RETURN true;
  ELSIF p_owner IS NULL THEN
    RETURN false;
  END IF;
  v_visitor := NOT EXISTS (SELECT 1 FROM kt_priv.tenants m WHERE m.owner = p_owner);
  IF v_visitor THEN
    PERFORM pg_advisory_xact_lock(19284, 5);
    SELECT m.most_visitors INTO v_most FROM kt_priv.meta m;
    IF v_most <= (SELECT count(*) FROM kt_priv.tables t WHERE t.template = p_template AND t.visitor) THEN
      RAISE EXCEPTION '% owners who are in no tenant have a part of % already', v_most, p_template USING ERRCODE = 'KT403',
        HINT = 'Put the owner into a tenant (kontract migrate tenant), or let more of them have one (kt.limit_visitors).';
    END IF;
  END IF;
  PERFORM kt_priv.renew(p_ptr, (SELECT p.hidden FROM kt_priv.templates p WHERE p.ptr = p_template));
  INSERT INTO kt_priv.tables (ptr, readonly, hidden, template, visitor)
    SELECT p_ptr, p.readonly, p.hidden, p.ptr, v_visitor FROM kt_priv.templates p WHERE p.ptr = p_template;
  RETURN true;
END $$;

-- How many owners who are in no tenant may have a part of each tenants' table. Parts that are there stay.
CREATE OR REPLACE FUNCTION kt.limit_visitors(p_most int) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF p_most IS NULL OR p_most NOT BETWEEN 0 AND 1000000 THEN
    RAISE EXCEPTION 'visitors are 0 to 1000000' USING ERRCODE = 'KT400';
  END IF;
  UPDATE kt_priv.meta SET most_visitors = p_most;
END $$;

-- Refuses where live rows of a table have equal values in one of the fields. The keys are for whoever may read the rows.
CREATE OR REPLACE FUNCTION kt_priv.require_unique(p_ptr text, p_own bool, p_fields text[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_field text; v_count bigint; v_keys text;
BEGIN
  FOREACH v_field IN ARRAY p_fields LOOP
    EXECUTE format('SELECT count(*), string_agg(g.keys, ''; '' ORDER BY g.keys) FILTER (WHERE g.place <= 5) FROM (
        SELECT left(string_agg(t.id, '', '' ORDER BY t._order), 200) AS keys, row_number() OVER (ORDER BY min(t._order)) AS place
          FROM kt_data.%I t WHERE t._deleted_txid IS NULL AND jsonb_typeof(t.data -> $1) <> ''null''
         GROUP BY %s t.data -> $1 HAVING count(*) > 1) g', p_ptr, CASE WHEN p_own THEN 't._owner,' ELSE '' END)
      INTO v_count, v_keys USING v_field;
    IF v_count > 0 THEN
      RAISE EXCEPTION 'the field % of % cannot be unique: % of its values are those of several rows%', v_field, p_ptr, v_count,
        CASE WHEN pg_has_role(session_user, 'kt_owner', 'USAGE') THEN ', such as those with the keys ' || v_keys ELSE '' END
        USING ERRCODE = 'KT422';
    END IF;
  END LOOP;
END $$;

-- Creates the table behind p_ptr when it is not there, and lets an owner ('*': everyone) use it under the name p_id.
-- Read-only fields: a list replaces the table's list; null keeps it (none for a new table). Scope: 'shared', 'owner' (each owner
-- sees rows of its own) or 'tenant' (each tenant has a table of its own); null keeps it ('shared' for a new table). Unique fields: as
-- read-only ones; refused (KT422) where rows have equal values. Hidden fields, which nobody reads: as read-only ones.
DROP FUNCTION IF EXISTS kt.provision(text, text, text, int, text[]), kt.provision(text, text, text, int, text[], text),
  kt.provision(text, text, text, int, text[], text, text[]);
CREATE OR REPLACE FUNCTION kt.provision(
  p_id text, p_ptr text, p_owner text DEFAULT '*', p_permissions int DEFAULT 7, p_readonly text[] DEFAULT NULL, p_scope text DEFAULT NULL,
  p_unique text[] DEFAULT NULL, p_hidden text[] DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_scope text; v_part text; v_uniques text[]; v_hidden text[]; v_before text[];
BEGIN
  IF p_ptr IS NULL OR p_ptr !~ '^tbl_[a-z0-9_]{1,48}$' OR p_permissions NOT BETWEEN 0 AND 7 OR p_id = '' OR p_owner = ''
     OR p_scope NOT IN ('shared', 'owner', 'tenant') THEN
    RAISE EXCEPTION 'bad ptr, permissions, name, owner or scope' USING ERRCODE = 'KT400';
  END IF;
  IF p_unique IS NOT NULL AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'unique fields need read committed' USING ERRCODE = 'KT500';
  END IF;
  -- A ptr that could be a tenant's part of another table.
  IF p_ptr ~ '__[0-9a-f]{20}$' OR (p_scope = 'tenant' AND length(p_ptr) > 30) THEN
    RAISE EXCEPTION 'this ptr is kept for tenants, or is too long for their table' USING ERRCODE = 'KT400';
  END IF;
  PERFORM pg_advisory_xact_lock(19285, hashtext(p_ptr));
  SELECT u.scope, u.hidden, coalesce(p_hidden, u.hidden), coalesce(p_unique, u.uniques) INTO v_scope, v_before, v_hidden, v_uniques
    FROM (SELECT t.scope, t.hidden, t.uniques FROM kt_priv.tables t WHERE t.ptr = p_ptr
          UNION ALL SELECT 'tenant', p.hidden, p.uniques FROM kt_priv.templates p WHERE p.ptr = p_ptr) u;
  IF NOT FOUND THEN
    v_scope := coalesce(p_scope, 'shared');
    v_hidden := coalesce(p_hidden, '{}');
    v_uniques := coalesce(p_unique, '{}');
    PERFORM kt_priv.generate(p_ptr, v_scope, v_hidden);
  ELSIF v_scope <> p_scope THEN
    RAISE EXCEPTION 'the table % has the scope %, which cannot change', p_ptr, v_scope USING ERRCODE = 'KT400';
  END IF;
  IF v_uniques && v_hidden THEN
    RAISE EXCEPTION 'a unique field tells whether there is a row with a value, so that it is not hidden' USING ERRCODE = 'KT400';
  END IF;
  IF v_scope = 'tenant' THEN
    INSERT INTO kt_priv.templates (ptr, readonly, uniques, hidden) VALUES (p_ptr, coalesce(p_readonly, '{}'), v_uniques, v_hidden)
      ON CONFLICT (ptr) DO UPDATE SET readonly = coalesce(p_readonly, templates.readonly), uniques = v_uniques, hidden = v_hidden;
    UPDATE kt_priv.tables t SET readonly = coalesce(p_readonly, t.readonly), hidden = v_hidden
     WHERE t.template = p_ptr AND (p_readonly IS NOT NULL OR p_hidden IS NOT NULL);
  ELSE
    INSERT INTO kt_priv.tables (ptr, readonly, scope, uniques, hidden) VALUES (p_ptr, coalesce(p_readonly, '{}'), v_scope, v_uniques, v_hidden)
      ON CONFLICT (ptr) DO UPDATE SET readonly = coalesce(p_readonly, tables.readonly), uniques = v_uniques, hidden = v_hidden;
  END IF;
  IF v_hidden <> v_before THEN        -- what is generated leaves them out
    FOR v_part IN SELECT t.ptr FROM kt_priv.tables t WHERE p_ptr IN (t.ptr, t.template) ORDER BY t.ptr LOOP
      PERFORM pg_advisory_xact_lock(19285, hashtext(v_part));
      PERFORM CASE WHEN v_part = p_ptr THEN kt_priv.generate(v_part, v_scope, v_hidden) ELSE kt_priv.renew(v_part, v_hidden) END;
      PERFORM kt_priv.drop_views(v_part);
    END LOOP;
  END IF;
  IF cardinality(p_unique) > 0 THEN
    FOR v_part IN SELECT t.ptr FROM kt_priv.tables t WHERE p_ptr IN (t.ptr, t.template) ORDER BY t.ptr LOOP
      PERFORM pg_advisory_xact_lock(19285, hashtext(v_part));
      PERFORM kt_priv.require_unique(v_part, v_scope = 'owner', p_unique);
    END LOOP;
  END IF;
  INSERT INTO kt.storage (id, ptr, owner, permissions) VALUES (p_id, p_ptr, p_owner, p_permissions)
    ON CONFLICT (owner, id) DO UPDATE SET ptr = excluded.ptr, permissions = excluded.permissions;
END $$;

-- Puts an owner into a tenant; null takes it out, and makes it a tenant of its own. Its open transactions end.
CREATE OR REPLACE FUNCTION kt.set_tenant(p_owner text, p_tenant text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF p_owner IS NULL OR p_owner IN ('', '*') OR p_tenant = '' THEN
    RAISE EXCEPTION 'bad owner or tenant' USING ERRCODE = 'KT400';
  END IF;
  IF p_tenant IS NULL THEN
    DELETE FROM kt_priv.tenants m WHERE m.owner = p_owner;
  ELSE
    INSERT INTO kt_priv.tenants (owner, tenant) VALUES (p_owner, p_tenant) ON CONFLICT (owner) DO UPDATE SET tenant = excluded.tenant;
  END IF;
END $$;

-- Takes an owner's own row back, so that the default holds for it again; for '*', takes the default away.
CREATE OR REPLACE FUNCTION kt.withdraw(p_id text, p_owner text DEFAULT '*') RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM kt.storage g WHERE g.id = p_id AND g.owner = p_owner;
  RETURN FOUND;
END $$;

-- Whether nothing is asked of a commit any more that is older than what is kept: where history is, the last one before that time
-- says up to where versions may go (kt.gc_horizon).
CREATE OR REPLACE FUNCTION kt_priv.forgettable(p_txid xid8) RETURNS bool
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT m.keep = '0' OR p_txid < m.horizon FROM kt_priv.meta m);
END $$;

-- Moves the horizon: no live snapshot, and none to come, needs a version that died below it. Snapshots without a session are
-- not known, so it follows p_grace behind; those that are older find out (kt_priv.still_kept).
DROP FUNCTION IF EXISTS kt.gc_horizon();
CREATE OR REPLACE FUNCTION kt.gc_horizon(p_grace interval DEFAULT '10 seconds') RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '50ms' AS $$
DECLARE
  v_horizon xid8; v_kept xid8;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'kt.gc_horizon needs read committed' USING ERRCODE = 'KT500';
  END IF;
  IF kt_priv.restored() THEN
    RAISE EXCEPTION 'restored from a dump of another cluster: needs a rebase' USING ERRCODE = 'KT503';
  END IF;
  PERFORM pg_advisory_xact_lock(19284, 0);       -- waits for begins between their snapshot and their row
  IF NOT EXISTS (SELECT 1 FROM kt_priv.life) THEN
    PERFORM kt_priv.revive();
  END IF;
  DELETE FROM kt.trxs a WHERE a.expires_at < clock_timestamp();
  SELECT least((SELECT a.create_txid FROM kt.trxs a ORDER BY a.create_txid LIMIT 1), pg_snapshot_xmin(pg_current_snapshot()))
    INTO v_horizon;
  IF p_grace > '0' THEN
    UPDATE kt_priv.meta m SET next_horizon = v_horizon, next_since = now()
     WHERE m.next_since NOT BETWEEN now() - p_grace AND now()
     RETURNING least(v_horizon, (SELECT o.next_horizon FROM kt_priv.meta o)) INTO v_horizon;
    IF NOT FOUND THEN
      SELECT m.horizon INTO v_horizon FROM kt_priv.meta m;
    END IF;
  END IF;
  -- What is kept for `history` and `at`: versions that died since the last commit before that time.
  SELECT least(v_horizon, coalesce((SELECT l.txid FROM kt_priv.log l WHERE l.at < now() - m.keep ORDER BY l.at DESC LIMIT 1), '0'))
    INTO v_kept FROM kt_priv.meta m WHERE m.keep > '0';
  v_horizon := coalesce(v_kept, v_horizon);
  UPDATE kt_priv.meta SET horizon = greatest(horizon, v_horizon) RETURNING horizon INTO v_horizon;
  RETURN v_horizon::text;
END $$;

-- How far back old versions are kept, beyond what open transactions need.
CREATE OR REPLACE FUNCTION kt.keep_history(p_keep interval) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF p_keep IS NULL OR p_keep NOT BETWEEN interval '0' AND interval '10 years' THEN
    RAISE EXCEPTION 'history is kept for 0 to 10 years' USING ERRCODE = 'KT400';
  END IF;
  UPDATE kt_priv.meta SET keep = p_keep;
END $$;

-- Deletes up to p_batch dead versions below the horizon; how many there were.
CREATE OR REPLACE FUNCTION kt.gc_table(p_ptr text, p_batch int DEFAULT 5000) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_count bigint;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM kt_priv.tables t WHERE t.ptr = p_ptr) THEN
    RAISE EXCEPTION 'no such table' USING ERRCODE = 'KT404';
  END IF;
  EXECUTE format('DELETE FROM kt_data.%1$I WHERE ctid = ANY (ARRAY(SELECT ctid FROM kt_data.%1$I WHERE _deleted_txid < $1 LIMIT $2))', p_ptr)
    USING (SELECT m.horizon FROM kt_priv.meta m), p_batch;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END $$;

-- Forgets commits and answers older than p_keep.
CREATE OR REPLACE FUNCTION kt.gc_log(p_keep interval DEFAULT '1 day') RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_count bigint; v_all bigint; v_keep interval := (SELECT greatest(p_keep, m.keep, interval '1 hour') FROM kt_priv.meta m);
BEGIN
  -- A session lives 15 minutes at most; its outcome must be answerable for longer than that.
  DELETE FROM kt_priv.log l WHERE l.at < now() - v_keep AND kt_priv.forgettable(l.txid);
  GET DIAGNOSTICS v_all = ROW_COUNT;
  DELETE FROM kt_priv.ledger l WHERE l.at < now() - greatest(p_keep, interval '1 hour');
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_all + v_count;
END $$;

-- After a restore into another cluster, whose transaction ids mean other transactions: every live row becomes visible to all.
CREATE OR REPLACE FUNCTION kt.rebase() RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_ptr text;
BEGIN
  TRUNCATE kt.trxs, kt_priv.log;
  PERFORM kt_priv.drop_views();       -- a column that a view shows keeps its type
  FOR v_ptr IN SELECT t.ptr FROM kt_priv.tables t ORDER BY t.ptr LOOP
    EXECUTE format('DELETE FROM kt_data.%I WHERE _deleted_txid IS NOT NULL', v_ptr);
    EXECUTE format('ALTER TABLE kt_data.%I ALTER COLUMN _txid TYPE xid8 USING ''3''::xid8', v_ptr);   -- one rewrite, no dead rows
  END LOOP;
  UPDATE kt_priv.meta SET system_id = (SELECT c.system_identifier FROM pg_control_system() c), horizon = '0',
    next_horizon = '0', next_since = '-infinity', incarnation = gen_random_uuid();
  DELETE FROM kt_priv.histories;
  INSERT INTO kt_priv.life DEFAULT VALUES ON CONFLICT (one) DO UPDATE SET born = pg_current_xact_id();
END $$;

-- Tables that an earlier version of this file made get the functions of this one.
SELECT kt_priv.generate(t.ptr, t.scope, t.hidden) FROM kt_priv.tables t WHERE t.template IS NULL ORDER BY t.ptr;
SELECT kt_priv.generate(p.ptr, 'tenant') FROM kt_priv.templates p ORDER BY p.ptr;
SELECT kt_priv.renew(t.ptr, t.hidden) FROM kt_priv.tables t WHERE t.template IS NOT NULL ORDER BY t.ptr;

UPDATE kt_priv.meta SET (names, rights) = (SELECT e.names, e.rights FROM kt_priv.everybodys() e);

RESET ROLE;
GRANT EXECUTE ON FUNCTION kt.provision(text, text, text, int, text[], text, text[], text[]), kt.withdraw(text, text), kt.set_tenant(text, text), kt.limit_visitors(int), kt.gc_horizon(interval),
  kt.gc_table(text, int), kt.gc_log(interval), kt.keep_history(interval), kt.rebase() TO kt_deploy;
