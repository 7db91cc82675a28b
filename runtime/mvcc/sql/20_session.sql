-- Sessions: the identity key, begin, abort, and what ends a session from outside.
--
-- Advisory locks: (19284, 0) between begin and whoever must know every snapshot or every right; (19284, 1) the migrator; (19284, 2) a step
-- of garbage collection; (19284, 3) views for exec; (19284, 4) between a change of rights and commits without a session;
-- (19284, 5) the number of visitors' tables;
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
  UPDATE kt_priv.meta SET inner_key = kt_priv.pad(p_key, 54), outer_key = kt_priv.pad(p_key, 92);
END $$;

-- Opens a session at a new snapshot. The credential (owner, expiry in Unix seconds, HMAC-SHA256 of "owner.expiry") comes from
-- the identity part; the caller cannot make one. A known idempotency key answers with the first answer and opens nothing.
-- With p_at, an earlier snapshot and its history, the session reads the state of then, as far as versions are kept (KT410), and writes nothing.
-- With p_from, what kt.here said beside a first read, it goes on from that read's snapshot (KT409 where that is not possible any more).
-- It is not named begin: psql takes that word in CREATE FUNCTION for the start of a body, and could not restore a dump.
DROP FUNCTION IF EXISTS kt.begin(text, bigint, bytea, uuid, bytea, int);
DROP FUNCTION IF EXISTS kt.begin(text, bigint, bytea, uuid, bytea, int, text);
DROP FUNCTION IF EXISTS kt.start(text, bigint, bytea, uuid, bytea, int, text);
CREATE OR REPLACE FUNCTION kt.start(
  p_owner text, p_exp bigint, p_mac bytea, p_sid uuid, p_idem bytea DEFAULT NULL, p_ttl_s int DEFAULT 60, p_at text DEFAULT NULL,
  p_from text DEFAULT NULL,
  OUT snap text, OUT answer text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_names jsonb; v_rights jsonb; v_places jsonb; v_snap pg_snapshot; v_void text;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'kt.start needs read committed' USING ERRCODE = 'KT500';
  END IF;
  IF p_sid IS NULL OR p_at IS NOT NULL AND p_from IS NOT NULL THEN
    RAISE EXCEPTION 'a session needs an id and one snapshot' USING ERRCODE = 'KT400';
  END IF;
  PERFORM kt_priv.prove(p_owner, p_exp, p_mac);
  IF p_idem IS NOT NULL THEN
    SELECT encode(l.answer, 'hex') INTO answer FROM kt_priv.ledger l WHERE l.owner = p_owner AND l.key = p_idem;
    IF FOUND THEN RETURN; END IF;
  END IF;

  -- Shared with other begins: rights read and snapshot taken after this line stay true until the row is committed.
  v_void := pg_advisory_xact_lock_shared(19284, 0)::text;
  SELECT m.names, m.rights, '{}'::jsonb INTO v_names, v_rights, v_places FROM kt_priv.meta m;
  IF v_names IS NULL THEN
    SELECT r.names, r.rights, r.places INTO v_names, v_rights, v_places FROM kt_priv.rights(p_owner) r;
  END IF;
  v_snap := pg_current_snapshot();
  IF p_from IS NOT NULL THEN
    v_snap := kt_priv.snapshot_of(p_from);
    PERFORM kt_priv.still_kept(v_snap, p_from);
  ELSIF NOT EXISTS (SELECT 1 FROM kt_priv.life) THEN
    PERFORM kt_priv.revive();
  END IF;
  IF p_at IS NOT NULL THEN
    SELECT jsonb_object_agg(e.key, e.value::int & 4) INTO v_rights FROM jsonb_each(v_rights) e;
    IF p_at !~ '^[0-9]{1,19}:[0-9]{1,19}:[0-9,]*(/[-0-9a-f]*)?$' THEN
      RAISE EXCEPTION 'not a snapshot' USING ERRCODE = 'KT400';
    END IF;
    -- Of another history, its ids mean other transactions, but for those from before a crash.
    v_snap := split_part(p_at, '/', 1)::pg_snapshot;
    IF NOT EXISTS (SELECT 1 FROM kt_priv.meta m
                    WHERE m.horizon <= pg_snapshot_xmin(v_snap)
                      AND (m.incarnation::text = split_part(p_at, '/', 2)
                           OR EXISTS (SELECT 1 FROM kt_priv.histories h
                                       WHERE h.incarnation::text = split_part(p_at, '/', 2)
                                         AND h.last::text::numeric >= pg_snapshot_xmax(v_snap)::text::numeric - 1))) THEN
      RAISE EXCEPTION 'the state of then is not kept any more' USING ERRCODE = 'KT410';
    ELSIF pg_snapshot_xmax(v_snap) > pg_snapshot_xmax(pg_current_snapshot()) THEN
      RAISE EXCEPTION 'not a snapshot of the past' USING ERRCODE = 'KT400';
    END IF;
  END IF;
  snap := concat(v_snap::text, '/', (SELECT m.incarnation FROM kt_priv.meta m));
  INSERT INTO kt.trxs (sid, owner, create_txid, snap, names, rights, places, expires_at)
    VALUES (sha256(uuid_send(p_sid)), p_owner, pg_snapshot_xmin(v_snap), v_snap, v_names, coalesce(v_rights, '{}'), v_places,
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
-- migration does not keep everybody from beginning; the locks then wait for begins and commits that have read the old rights.
CREATE OR REPLACE FUNCTION kt_priv.end_sessions() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_owners text[] := array_remove(array[CASE WHEN TG_OP <> 'INSERT' THEN OLD.owner END, CASE WHEN TG_OP <> 'DELETE' THEN NEW.owner END], NULL);
BEGIN
  PERFORM pg_advisory_xact_lock(19284, 0), pg_advisory_xact_lock(19284, 4);
  DELETE FROM kt.trxs a WHERE a.owner = ANY (v_owners) OR '*' = ANY (v_owners);
  UPDATE kt_priv.meta SET (names, rights) = (SELECT e.names, e.rights FROM kt_priv.everybodys() e);
  UPDATE kt_priv.changes SET count = count + 1;
  RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS storage_changed ON kt.storage;
CREATE CONSTRAINT TRIGGER storage_changed AFTER INSERT OR UPDATE OR DELETE ON kt.storage
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION kt_priv.end_sessions();
DROP TRIGGER IF EXISTS tenants_changed ON kt_priv.tenants;
CREATE CONSTRAINT TRIGGER tenants_changed AFTER INSERT OR UPDATE OR DELETE ON kt_priv.tenants
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION kt_priv.end_sessions();

-- Unique fields that change are a change for everybody: who began before it would not look whether a value is taken. Who has the
-- locks of the table (kt.provision) knows that its rows are as the new fields want them.
CREATE OR REPLACE FUNCTION kt_priv.change_uniques() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF kt_priv.all_uniques() = (SELECT c.uniques FROM kt_priv.changes c) THEN
    RETURN NULL;
  END IF;
  PERFORM pg_advisory_xact_lock(19284, 0), pg_advisory_xact_lock(19284, 4);
  DELETE FROM kt.trxs;
  UPDATE kt_priv.changes SET count = count + 1, uniques = kt_priv.all_uniques();
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION kt_priv.all_uniques() RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT coalesce(jsonb_object_agg(u.ptr, u.uniques), '{}')
            FROM (SELECT t.ptr, t.uniques FROM kt_priv.tables t UNION ALL SELECT p.ptr, p.uniques FROM kt_priv.templates p) u
           WHERE u.uniques <> '{}');
END $$;
DROP TRIGGER IF EXISTS uniques_changed ON kt_priv.tables;
CREATE CONSTRAINT TRIGGER uniques_changed AFTER INSERT OR UPDATE OF uniques ON kt_priv.tables
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION kt_priv.change_uniques();
DROP TRIGGER IF EXISTS uniques_changed ON kt_priv.templates;
CREATE CONSTRAINT TRIGGER uniques_changed AFTER INSERT OR UPDATE OF uniques ON kt_priv.templates
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION kt_priv.change_uniques();

RESET ROLE;
GRANT EXECUTE ON FUNCTION kt.start(text, bigint, bytea, uuid, bytea, int, text, text), kt.abort(uuid) TO kt_gateway;
GRANT EXECUTE ON FUNCTION kt.set_identity_key(bytea) TO kt_deploy;
