-- Sessions: the identity key, begin, abort, and what ends a session from outside.
--
-- Advisory locks: (19284, 0) between begin and whoever must know every snapshot or every right; (19284, 1) the migrator; (19284, 2) a step
-- of garbage collection; (19284, 3) views for exec;
-- (19285, hash of ptr) tables; one-argument locks are keys.
SET LOCAL ROLE kt_owner;

CREATE OR REPLACE FUNCTION kt_priv.pad(p_key bytea, p_byte int) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_key bytea := CASE WHEN length(p_key) > 64 THEN sha256(p_key) ELSE p_key END;
  v_pad bytea := decode(repeat(lpad(to_hex(p_byte), 2, '0'), 64), 'hex');
BEGIN
  FOR i IN 0 .. length(v_key) - 1 LOOP
    v_pad := set_byte(v_pad, i, get_byte(v_key, i) # p_byte);
  END LOOP;
  RETURN v_pad;
END $$;

CREATE OR REPLACE FUNCTION kt.set_identity_key(p_key bytea) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF p_key IS NULL OR length(p_key) < 32 THEN
    RAISE EXCEPTION 'the identity key needs at least 32 bytes' USING ERRCODE = 'KT400';
  END IF;
  INSERT INTO kt_priv.secret (inner_key, outer_key) VALUES (kt_priv.pad(p_key, 54), kt_priv.pad(p_key, 92))
    ON CONFLICT (one) DO UPDATE SET inner_key = excluded.inner_key, outer_key = excluded.outer_key;
END $$;

-- The one place that says why a call on a table was refused.
CREATE OR REPLACE FUNCTION kt_priv.deny(p_sid uuid, p_ptr text, p_need int) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_rights jsonb;
BEGIN
  SELECT a.rights INTO v_rights FROM kt.trxs a
   WHERE a.sid = sha256(uuid_send(p_sid)) AND a.expires_at > statement_timestamp();
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no live session' USING ERRCODE = 'KT401';
  END IF;
  IF p_ptr IS NULL OR NOT v_rights ? p_ptr THEN
    RAISE EXCEPTION 'no such table for this owner' USING ERRCODE = 'KT404';
  END IF;
  RAISE EXCEPTION 'permission % needed, have %', p_need, v_rights -> p_ptr USING ERRCODE = 'KT403';
END $$;

-- The snapshot of a session that may do p_need on a table.
CREATE OR REPLACE FUNCTION kt_priv.open(p_sid uuid, p_ptr text, p_need int) RETURNS pg_snapshot
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_snap pg_snapshot;
BEGIN
  SELECT a.snap INTO v_snap FROM kt.trxs a
   WHERE a.sid = sha256(uuid_send(p_sid)) AND a.expires_at > statement_timestamp()
     AND ((a.rights -> p_ptr)::int & p_need) = p_need;
  IF NOT FOUND THEN
    PERFORM kt_priv.deny(p_sid, p_ptr, p_need);
  END IF;
  RETURN v_snap;
END $$;

-- The owner of a session.
CREATE OR REPLACE FUNCTION kt_priv.whose(p_sid uuid) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT a.owner FROM kt.trxs a WHERE a.sid = sha256(uuid_send(p_sid)));
END $$;

-- The table of a session's tenant, in which it may read; null where nobody has written to it yet.
CREATE OR REPLACE FUNCTION kt_priv.place(p_sid uuid, p_template text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_ptr text;
BEGIN
  SELECT a.places ->> p_template INTO v_ptr FROM kt.trxs a
   WHERE a.sid = sha256(uuid_send(p_sid)) AND a.expires_at > statement_timestamp() AND ((a.rights -> p_template)::int & 4) = 4;
  IF NOT FOUND THEN
    PERFORM kt_priv.deny(p_sid, p_template, 4);
  END IF;
  RETURN (SELECT t.ptr FROM kt_priv.tables t WHERE t.ptr = v_ptr);
END $$;

-- Where the tenant of an owner has its part of a tenants' table. A tenant and an owner of the same name are two tenants.
CREATE OR REPLACE FUNCTION kt_priv.tenant_ptr(p_template text, p_owner text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN p_template || '__' || left(encode(sha256(convert_to(
    coalesce((SELECT 'tenant:' || m.tenant FROM kt_priv.tenants m WHERE m.owner = p_owner), 'owner:' || p_owner), 'UTF8')), 'hex'), 20);
END $$;

-- Opens a session at a new snapshot. The credential (owner, expiry in Unix seconds, HMAC-SHA256 of "owner.expiry") comes from
-- the identity part; the caller cannot make one. A known idempotency key answers with the first answer and opens nothing.
-- With p_at, an earlier snapshot, the session reads the state of then, as far as versions are kept (KT410), and writes nothing.
-- It is not named begin: psql takes that word in CREATE FUNCTION for the start of a body, and could not restore a dump.
DROP FUNCTION IF EXISTS kt.begin(text, bigint, bytea, uuid, bytea, int);
DROP FUNCTION IF EXISTS kt.begin(text, bigint, bytea, uuid, bytea, int, text);
CREATE OR REPLACE FUNCTION kt.start(
  p_owner text, p_exp bigint, p_mac bytea, p_sid uuid, p_idem bytea DEFAULT NULL, p_ttl_s int DEFAULT 60, p_at text DEFAULT NULL,
  OUT snap text, OUT answer text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_inner bytea; v_outer bytea; v_system bigint; v_horizon xid8; v_mac bytea; v_names jsonb; v_rights jsonb; v_places jsonb; v_snap pg_snapshot; v_void text;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'kt.start needs read committed' USING ERRCODE = 'KT500';
  END IF;
  IF p_owner IS NULL OR p_exp IS NULL OR p_mac IS NULL OR p_sid IS NULL OR p_owner IN ('', '*') THEN
    RAISE EXCEPTION 'bad credential' USING ERRCODE = 'KT401';
  END IF;
  SELECT k.inner_key, k.outer_key, m.system_id, m.horizon INTO v_inner, v_outer, v_system, v_horizon
    FROM kt_priv.meta m LEFT JOIN kt_priv.secret k ON k.one WHERE m.one;
  IF v_inner IS NULL THEN
    RAISE EXCEPTION 'the identity key is not set' USING ERRCODE = 'KT503';
  END IF;
  v_mac := sha256(v_outer || sha256(v_inner || convert_to(p_owner || '.' || p_exp, 'UTF8')));
  -- Hashed once more, so that the time of the comparison says nothing about the right value.
  IF p_exp <= extract(epoch FROM clock_timestamp()) OR sha256(v_mac) <> sha256(p_mac) THEN
    RAISE EXCEPTION 'bad credential' USING ERRCODE = 'KT401';
  END IF;
  -- A connection stays with its cluster, so the cluster is asked once for each: that takes as long as all the rest. Who sets
  -- this himself deceives nobody else.
  IF current_setting('kontract.cluster', true) IS DISTINCT FROM v_system::text OR v_horizon > pg_snapshot_xmax(pg_current_snapshot()) THEN
    IF kt_priv.restored() THEN
      RAISE EXCEPTION 'restored from a dump of another cluster: needs a rebase' USING ERRCODE = 'KT503';
    END IF;
    v_void := set_config('kontract.cluster', v_system::text, false);
  END IF;
  IF p_idem IS NOT NULL THEN
    SELECT encode(l.answer, 'hex') INTO answer FROM kt_priv.ledger l WHERE l.owner = p_owner AND l.key = p_idem;
    IF FOUND THEN RETURN; END IF;
  END IF;

  -- Shared with other begins: rights read and snapshot taken after this line stay true until the row is committed.
  v_void := pg_advisory_xact_lock_shared(19284, 0)::text;
  SELECT coalesce(jsonb_object_agg(g.id, g.ptr), '{}'), coalesce(jsonb_object_agg(g.ptr, CASE WHEN p_at IS NULL THEN g.permissions ELSE g.permissions & 4 END), '{}')
       , jsonb_object_agg(p.ptr, kt_priv.tenant_ptr(p.ptr, p_owner)) FILTER (WHERE p.ptr IS NOT NULL)
    INTO v_names, v_rights, v_places FROM kt.storage g LEFT JOIN kt_priv.templates p ON p.ptr = g.ptr
   WHERE g.owner = p_owner
      OR (g.owner = '*' AND NOT EXISTS (SELECT 1 FROM kt.storage o WHERE o.owner = p_owner AND (o.id = g.id OR o.ptr = g.ptr)));
  IF v_places IS NOT NULL THEN
    v_rights := v_rights || (SELECT jsonb_object_agg(e.value, v_rights -> e.key) FROM jsonb_each_text(v_places) e);
  END IF;
  v_snap := pg_current_snapshot();
  IF p_at IS NOT NULL THEN
    IF p_at !~ '^[0-9]{1,19}:[0-9]{1,19}:[0-9,]*$' OR pg_snapshot_xmax(p_at::pg_snapshot) > pg_snapshot_xmax(v_snap) THEN
      RAISE EXCEPTION 'not a snapshot of the past' USING ERRCODE = 'KT400';
    END IF;
    v_snap := p_at::pg_snapshot;
    IF pg_snapshot_xmin(v_snap) < (SELECT m.horizon FROM kt_priv.meta m) THEN
      RAISE EXCEPTION 'the state of then is not kept any more' USING ERRCODE = 'KT410';
    END IF;
  END IF;
  snap := v_snap::text;
  INSERT INTO kt.trxs (sid, owner, create_txid, snap, names, rights, places, expires_at)
    VALUES (sha256(uuid_send(p_sid)), p_owner, pg_snapshot_xmin(v_snap), v_snap, v_names, v_rights, coalesce(v_places, '{}'),
            clock_timestamp() + make_interval(secs => least(greatest(p_ttl_s, 1), 900)))
    ON CONFLICT (sid) DO NOTHING;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'this session id is used up' USING ERRCODE = 'KT401';
  END IF;
END $$;

-- Ends a session, and says what became of it: 'committed', 'aborted' (now, by this call) or 'gone' (not committed, and never
-- will be). The INSERT waits for a commit of the same session that is under way, and a commit that comes later fails on the
-- row, also when its begin comes with it over a connection or a pooler that was thought lost, and also after a crash.
CREATE OR REPLACE FUNCTION kt.abort(p_sid uuid) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_hash bytea := sha256(uuid_send(p_sid)); v_owner text;
BEGIN
  INSERT INTO kt_priv.log (sid, owner, changes) VALUES (v_hash, '', '{}') ON CONFLICT (sid) DO NOTHING;
  IF FOUND THEN
    DELETE FROM kt.trxs a WHERE a.sid = v_hash;
    RETURN CASE WHEN FOUND THEN 'aborted' ELSE 'gone' END;
  END IF;
  SELECT l.owner INTO v_owner FROM kt_priv.log l WHERE l.sid = v_hash;
  RETURN CASE WHEN v_owner <> '' THEN 'committed' ELSE 'gone' END;
END $$;

-- A change of rights ends the sessions that began with the old ones. Deferred to the commit of the change, so that a long
-- migration does not keep everybody from beginning; the lock then waits for begins that have read the old rights.
CREATE OR REPLACE FUNCTION kt_priv.end_sessions() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_owners text[] := array_remove(array[CASE WHEN TG_OP <> 'INSERT' THEN OLD.owner END, CASE WHEN TG_OP <> 'DELETE' THEN NEW.owner END], NULL);
BEGIN
  PERFORM pg_advisory_xact_lock(19284, 0);
  DELETE FROM kt.trxs a WHERE a.owner = ANY (v_owners) OR '*' = ANY (v_owners);
  RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS storage_changed ON kt.storage;
CREATE CONSTRAINT TRIGGER storage_changed AFTER INSERT OR UPDATE OR DELETE ON kt.storage
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION kt_priv.end_sessions();
DROP TRIGGER IF EXISTS tenants_changed ON kt_priv.tenants;
CREATE CONSTRAINT TRIGGER tenants_changed AFTER INSERT OR UPDATE OR DELETE ON kt_priv.tenants
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION kt_priv.end_sessions();

RESET ROLE;
GRANT EXECUTE ON FUNCTION kt.start(text, bigint, bytea, uuid, bytea, int, text), kt.abort(uuid) TO kt_gateway;
GRANT EXECUTE ON FUNCTION kt.set_identity_key(bytea) TO kt_deploy;
