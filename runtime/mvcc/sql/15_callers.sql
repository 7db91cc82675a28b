-- Who calls, and what they may do. A caller is known by an open session, or by the credential that comes with the statement as
-- p_who: 64 hexadecimal digits of the code and then what it was computed of, "owner.expiry". Such a statement reads the state at
-- which it runs.
SET LOCAL ROLE kt_owner;

-- Refuses a credential that the identity part did not issue: p_mac is HMAC-SHA256 of "owner.expiry" (Unix seconds), and the
-- gateway's role cannot read the key. Also refuses a database that was restored and not rebased.
CREATE OR REPLACE FUNCTION kt_priv.prove(p_owner text, p_exp bigint, p_mac bytea) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_inner bytea; v_outer bytea; v_system bigint; v_horizon xid8; v_mac bytea;
BEGIN
  IF p_owner IS NULL OR p_exp IS NULL OR p_mac IS NULL OR p_owner IN ('', '*') THEN
    RAISE EXCEPTION 'bad credential' USING ERRCODE = 'KT401', DETAIL = 'credential';
  END IF;
  SELECT m.inner_key, m.outer_key, m.system_id, m.horizon INTO v_inner, v_outer, v_system, v_horizon FROM kt_priv.meta m WHERE m.one;
  IF v_inner IS NULL THEN
    RAISE EXCEPTION 'the identity key is not set' USING ERRCODE = 'KT503';
  END IF;
  v_mac := sha256(v_outer || sha256(v_inner || convert_to(p_owner || '.' || p_exp, 'UTF8')));
  -- Hashed once more, so that the time of the comparison says nothing about the right value.
  IF p_exp <= extract(epoch FROM clock_timestamp()) OR sha256(v_mac) <> sha256(p_mac) THEN
    RAISE EXCEPTION 'bad credential' USING ERRCODE = 'KT401', DETAIL = 'credential';
  END IF;
  -- A connection stays with its cluster, so the cluster is asked once for each: that takes as long as all the rest. Who sets
  -- this himself deceives nobody else.
  IF current_setting('kontract.cluster', true) IS DISTINCT FROM v_system::text OR v_horizon > pg_snapshot_xmax(pg_current_snapshot()) THEN
    IF kt_priv.restored() THEN
      RAISE EXCEPTION 'restored from a dump of another cluster: needs a rebase' USING ERRCODE = 'KT503';
    END IF;
    PERFORM set_config('kontract.cluster', v_system::text, false);
  END IF;
END $$;

-- The same of a credential in one piece, with an expiry of ten digits, over a connection that knows its cluster: false also where
-- kt_priv.prove would say more. The columns are those of kt_priv.meta. It is parsed here, whatever the search_path of a caller, and has no
-- settings of its own, so that it becomes a part of the statement that calls it.
CREATE OR REPLACE FUNCTION kt_priv.proves(p_inner bytea, p_outer bytea, p_system bigint, p_horizon xid8, p_who text) RETURNS bool
LANGUAGE sql VOLATILE
RETURN sha256(sha256(p_outer || sha256(p_inner || convert_to(substr(p_who, 65), 'UTF8')))) = sha256(decode(left(p_who, 64), 'hex'))
   AND length(p_who) > 75 AND substr(p_who, 65, 2) <> '*.' AND left(right(p_who, 11), 1) = '.' AND right(p_who, 10)::bigint > extract(epoch FROM clock_timestamp())
   AND p_system::text = current_setting('kontract.cluster', true) AND p_horizon <= pg_snapshot_xmax(pg_current_snapshot());

-- The owner that a credential in one piece proves.
CREATE OR REPLACE FUNCTION kt_priv.caller(p_who text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_code text := left(p_who, 64); v_signed text := substr(p_who, 65); v_expiry text; v_owner text;
BEGIN
  -- No regular expression takes this apart as cheaply.
  v_expiry := right(v_signed, strpos(reverse(v_signed), '.') - 1);
  v_owner := left(v_signed, -length(v_expiry) - 1);
  IF p_who IS NULL OR length(v_code) < 64 OR translate(v_code, '0123456789abcdef', '') <> '' OR v_expiry !~ '^[0-9]+$' OR length(v_expiry) > 18 THEN
    RAISE EXCEPTION 'bad credential' USING ERRCODE = 'KT401', DETAIL = 'credential';
  END IF;
  PERFORM kt_priv.prove(v_owner, v_expiry::bigint, decode(v_code, 'hex'));
  RETURN v_owner;
END $$;

-- What an owner may do, as kt.storage has it: table name → ptr, ptr → permission bits (those of a tenant's part of a table
-- beside the table's), and ptr of a tenants' table → that of this owner's tenant. Of all tables, or of those with the names.
DROP FUNCTION IF EXISTS kt_priv.rights(text);
CREATE OR REPLACE FUNCTION kt_priv.rights(p_owner text, p_names text[] DEFAULT NULL, OUT names jsonb, OUT rights jsonb, OUT places jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  SELECT coalesce(jsonb_object_agg(g.id, g.ptr), '{}'), coalesce(jsonb_object_agg(g.ptr, g.permissions), '{}'),
         jsonb_object_agg(p.ptr, kt_priv.tenant_ptr(p.ptr, p_owner)) FILTER (WHERE p.ptr IS NOT NULL)
    INTO names, rights, places FROM kt.storage g LEFT JOIN kt_priv.templates p ON p.ptr = g.ptr
   WHERE (p_names IS NULL OR g.id = ANY (p_names)) AND (g.owner = p_owner
      OR (g.owner = '*' AND NOT EXISTS (SELECT 1 FROM kt.storage o WHERE o.owner = p_owner AND (o.id = g.id OR o.ptr = g.ptr))));
  IF places IS NULL THEN
    places := '{}';
  ELSE
    rights := rights || (SELECT jsonb_object_agg(e.value, rights -> e.key) FROM jsonb_each_text(places) e);
  END IF;
END $$;

-- What kt_priv.meta says of everybody.
CREATE OR REPLACE FUNCTION kt_priv.everybodys(OUT names jsonb, OUT rights jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM kt.storage g WHERE g.owner <> '*') THEN
    rights := (SELECT coalesce(jsonb_object_agg(g.ptr, g.permissions), '{}') FROM kt.storage g);
    IF NOT EXISTS (SELECT 1 FROM kt_priv.templates) THEN
      names := (SELECT coalesce(jsonb_object_agg(g.id, g.ptr), '{}') FROM kt.storage g);
    END IF;
  END IF;
END $$;

-- Refuses an owner without p_need on a table, by the same rules. p_ptr may be the part of the owner's tenant.
CREATE OR REPLACE FUNCTION kt_priv.allow(p_owner text, p_ptr text, p_need int) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_bits int; v_template text;
BEGIN
  SELECT g.permissions INTO v_bits FROM kt.storage g
   WHERE g.ptr = p_ptr AND (g.owner = p_owner
      OR (g.owner = '*' AND NOT EXISTS (SELECT 1 FROM kt.storage o WHERE o.owner = p_owner AND (o.id = g.id OR o.ptr = g.ptr))));
  IF (v_bits & p_need) = p_need THEN RETURN; END IF;
  IF v_bits IS NULL THEN
    SELECT t.template INTO v_template FROM kt_priv.tables t
     WHERE t.ptr = p_ptr AND t.ptr = kt_priv.tenant_ptr(t.template, p_owner);
    IF v_template IS NULL THEN
      RAISE EXCEPTION 'no such table for this owner' USING ERRCODE = 'KT404';
    END IF;
    PERFORM kt_priv.allow(p_owner, v_template, p_need);
    RETURN;
  END IF;
  RAISE EXCEPTION 'permission % needed, have %', p_need, v_bits USING ERRCODE = 'KT403';
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

-- The snapshot of a caller who may do p_need on a table.
DROP FUNCTION IF EXISTS kt_priv.open(uuid, text, int);
CREATE OR REPLACE FUNCTION kt_priv.open(
  p_sid uuid, p_ptr text, p_need int, p_who text DEFAULT NULL) RETURNS pg_snapshot
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_snap pg_snapshot; v_bits int;
BEGIN
  IF p_sid IS NULL THEN
    -- The usual case in one statement, as in look_<ptr>.
    SELECT (m.rights -> p_ptr)::int INTO v_bits FROM kt_priv.meta m
     WHERE kt_priv.proves(m.inner_key, m.outer_key, m.system_id, m.horizon, p_who);
    IF v_bits & p_need = p_need THEN
      RETURN pg_current_snapshot();
    END IF;
    PERFORM kt_priv.allow(kt_priv.caller(p_who), p_ptr, p_need);
    RETURN pg_current_snapshot();
  END IF;
  SELECT a.snap INTO v_snap FROM kt.trxs a
   WHERE a.sid = sha256(uuid_send(p_sid)) AND a.expires_at > statement_timestamp()
     AND ((a.rights -> p_ptr)::int & p_need) = p_need;
  IF NOT FOUND THEN
    PERFORM kt_priv.deny(p_sid, p_ptr, p_need);
  END IF;
  RETURN v_snap;
END $$;

-- The owner of a session, or the one that a credential names.
DROP FUNCTION IF EXISTS kt_priv.whose(uuid);
CREATE OR REPLACE FUNCTION kt_priv.whose(p_sid uuid, p_who text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF p_sid IS NULL THEN
    RETURN kt_priv.caller(p_who);
  END IF;
  RETURN (SELECT a.owner FROM kt.trxs a WHERE a.sid = sha256(uuid_send(p_sid)));
END $$;

-- The table of a caller's tenant, in which it may read; null where nobody has written to it yet.
DROP FUNCTION IF EXISTS kt_priv.place(uuid, text);
CREATE OR REPLACE FUNCTION kt_priv.place(p_sid uuid, p_template text, p_who text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_ptr text;
BEGIN
  PERFORM kt_priv.open(p_sid, p_template, 4, p_who);
  IF p_sid IS NULL THEN
    v_ptr := kt_priv.tenant_ptr(p_template, kt_priv.caller(p_who));
  ELSE
    SELECT a.places ->> p_template INTO v_ptr FROM kt.trxs a WHERE a.sid = sha256(uuid_send(p_sid));
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

-- The first answer to an idempotency key that was applied, in hexadecimal.
CREATE OR REPLACE FUNCTION kt_priv.first_answer(p_owner text, p_idem bytea) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT encode(l.answer, 'hex') FROM kt_priv.ledger l WHERE l.owner = p_owner AND l.key = p_idem);
END $$;

-- What a read without a session says beside its rows: "snapshot/incarnation/answer". The first two are what kt.start and kt.commit go on
-- from, and `at` later; the answer, in hexadecimal, is the first one to an idempotency key that was applied. One statement has one
-- snapshot, so this is also that of the read.
CREATE OR REPLACE FUNCTION kt.here(p_who text, p_idem bytea DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_answer text;
BEGIN
  IF p_idem IS NOT NULL THEN
    v_answer := kt_priv.first_answer(kt_priv.caller(p_who), p_idem);
  END IF;
  RETURN concat(pg_current_snapshot()::text, '/', (SELECT m.incarnation FROM kt_priv.meta m), '/', v_answer);
END $$;

-- The snapshot of what kt.here said.
CREATE OR REPLACE FUNCTION kt_priv.snapshot_of(p_from text) RETURNS pg_snapshot
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF p_from !~ '^[0-9:,]+/[-0-9a-f]*$' THEN
    RAISE EXCEPTION 'not a snapshot' USING ERRCODE = 'KT400';
  END IF;
  RETURN split_part(p_from, '/', 1)::pg_snapshot;
END $$;

-- Begins a new history where the server's memory was lost, before anything is written under ids that the old one may have known.
CREATE OR REPLACE FUNCTION kt_priv.revive() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO kt_priv.life DEFAULT VALUES ON CONFLICT DO NOTHING;
  IF FOUND THEN
    -- Commits and steps of the horizon are on the disk with all that came before them; what an abort left in the log may be younger.
    INSERT INTO kt_priv.histories (incarnation, last)
      SELECT m.incarnation, greatest(m.horizon, (SELECT l.txid FROM kt_priv.log l WHERE l.owner <> '' ORDER BY l.txid DESC LIMIT 1)) FROM kt_priv.meta m;
    UPDATE kt_priv.meta SET incarnation = gen_random_uuid();
  END IF;
END $$;

-- Nobody had registered that snapshot. Garbage that it needs may be gone if the horizon has passed it, and its ids may have been given out
-- again if the server has crashed since. As the horizon is committed before anything below it goes, or together with that, a
-- look at it after the versions were looked at is enough.
CREATE OR REPLACE FUNCTION kt_priv.still_kept(p_snap pg_snapshot, p_from text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM kt_priv.life, kt_priv.meta m
                  WHERE m.horizon <= pg_snapshot_xmin(p_snap) AND m.incarnation::text = split_part(p_from, '/', 2)) THEN
    RAISE EXCEPTION 'the snapshot is not kept' USING ERRCODE = 'KT409';
  END IF;
END $$;

RESET ROLE;
GRANT EXECUTE ON FUNCTION kt.here(text, bytea) TO kt_gateway;
