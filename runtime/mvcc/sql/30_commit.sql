-- Commit: one call, at READ COMMITTED, with locks that are held until it is durable.
--
-- Of an open session p_sid, or without one, of the caller that p_who proves: then p_from is what kt.here said beside the one read
-- before, or null where nothing was read. p_sid names the commit in both, and does so once.
--
-- Payload: an array in order of ptr, one element for each table:
--   {"t": name, "r": [keys read], "q": [predicates read],
--    "del": [keys], "put": [[key, row]…], "upd": [[key, patch]…], "push": [[key, row]…]}
-- No list has a key twice.
-- A predicate is {"k": "c", "v": pattern, "w": rest} (containment and kt_priv.matches), {"k": "l", "from": n, "to": n} (range of _order, open where absent)
-- or {"k": "a"} (the whole table).
SET LOCAL ROLE kt_owner;

-- The locks of the values that a part of a payload gives to unique fields. Equal JSON values have equal hashes.
CREATE OR REPLACE FUNCTION kt_priv.value_locks(p_part jsonb, p_fields jsonb, p_salt int) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN ARRAY(SELECT jsonb_hash_extended(w.e -> 1 -> f.name, hashtextextended(f.name, p_salt))
                 FROM (SELECT jsonb_array_elements(p_part -> o.op) AS e FROM unnest(array['put', 'upd', 'push']) o(op)) w
                CROSS JOIN jsonb_array_elements_text(p_fields) f(name)
                WHERE jsonb_typeof(w.e -> 1 -> f.name) <> 'null');
END $$;

-- The payload of a commit of one row (kt.store_<ptr>).
CREATE OR REPLACE FUNCTION kt_priv.payload(p_name text, p_how text, p_key text, p_row jsonb, p_read bool) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN jsonb_build_array(jsonb_build_object('t', p_name, p_how, jsonb_build_array(jsonb_build_array(p_key, p_row)))
                           || CASE WHEN p_read THEN jsonb_build_object('r', jsonb_build_array(p_key)) ELSE '{}' END);
END $$;

DROP FUNCTION IF EXISTS kt.commit(uuid, jsonb, bytea, bytea);
CREATE OR REPLACE FUNCTION kt.commit(
  p_sid uuid, p_payload jsonb, p_idem bytea DEFAULT NULL, p_answer bytea DEFAULT NULL,
  p_who text DEFAULT NULL, p_from text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_hash bytea; v_alone bool := p_who IS NOT NULL; v_lives bool;
  v_owner text; v_snap pg_snapshot; v_before bigint; v_uniques jsonb; v_values bigint[]; v_wants text[]; v_names jsonb; v_rights jsonb; v_places jsonb;      -- the session
  v_tables int; v_table jsonb; v_name text; v_ptr text; v_need int; v_named text[]; v_ptrs text[]; v_absent bool;
  v_keys jsonb; v_count int; v_wanted int; v_salt int; v_changes jsonb; v_conflict jsonb; v_answer text; v_void text;
  v_room int := 256;      -- for locks of keys, in all tables together: PostgreSQL has about 64 for each connection
  v_exclusive bigint[]; v_shared bigint[];
BEGIN
  -- Each expression is prepared anew in each transaction, which costs more than to evaluate it: the usual way through has few of them.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'kt.commit needs read committed' USING ERRCODE = 'KT500';
  END IF;
  IF p_sid IS NULL OR jsonb_typeof(p_payload) IS DISTINCT FROM 'array' OR p_payload = '[]' THEN
    RAISE EXCEPTION 'nothing to commit' USING ERRCODE = 'KT400';
  END IF;
  v_hash := sha256(uuid_send(p_sid));
  v_tables := jsonb_array_length(p_payload);
  IF v_alone THEN
    -- The usual case in one statement, as in look_<ptr>, with the count of changes: that comes before the rights, because a change between
    -- the two must not be missed.
    SELECT left(substr(p_who, 65), -11), c.count, c.uniques, m.names, m.rights, '{}'::jsonb, l.one
      INTO v_owner, v_before, v_uniques, v_names, v_rights, v_places, v_lives
      FROM kt_priv.meta m CROSS JOIN kt_priv.changes c LEFT JOIN kt_priv.life l ON true
     WHERE kt_priv.proves(m.inner_key, m.outer_key, m.system_id, m.horizon, p_who);
    IF NOT FOUND THEN
      v_owner := kt_priv.caller(p_who);
      SELECT c.count, c.uniques, l.one INTO v_before, v_uniques, v_lives FROM kt_priv.changes c LEFT JOIN kt_priv.life l ON true;
    END IF;
    IF p_from IS NOT NULL THEN
      v_snap := kt_priv.snapshot_of(p_from);
    ELSIF v_lives IS NULL THEN                                       -- what was read before a crash is a conflict in the end
      PERFORM kt_priv.revive();
    END IF;
    IF v_names IS NULL THEN
      v_wants := ARRAY(SELECT e.value ->> 't' FROM jsonb_array_elements(p_payload) e);
      SELECT r.names, r.rights, r.places INTO v_names, v_rights, v_places FROM kt_priv.rights(v_owner, v_wants) r;
    END IF;
  ELSE
    SELECT a.owner, a.snap, a.names, a.rights, a.places, c.uniques INTO v_owner, v_snap, v_names, v_rights, v_places, v_uniques
      FROM kt.trxs a, kt_priv.changes c
     WHERE a.sid = v_hash AND a.expires_at > statement_timestamp();
    IF NOT FOUND THEN
      RAISE EXCEPTION 'no live session' USING ERRCODE = 'KT401';
    END IF;
  END IF;

  -- 1. For each table: ptr, permissions, and its lock: shared, or exclusive where a predicate has to hold, keys are many (in the
  --    table or in those before it) or a tenant's table is not there yet.
  FOR i IN 0 .. v_tables - 1 LOOP
    v_table := p_payload -> i;
    v_name := v_names ->> (v_table ->> 't');
    v_ptr := coalesce(v_places ->> v_name, v_name);        -- of a tenants' table, this tenant's
    v_need := (CASE WHEN v_table ?| array['r', 'q'] THEN 4 ELSE 0 END)
            | (CASE WHEN v_table ?| array['put', 'upd', 'push'] THEN 2 ELSE 0 END)
            | (CASE WHEN v_table ? 'del' THEN 1 ELSE 0 END);
    IF v_ptr IS NULL OR ((v_rights -> v_ptr)::int & v_need) <> v_need THEN
      IF v_alone THEN
        PERFORM kt_priv.allow(v_owner, v_name, v_need);
      ELSE
        PERFORM kt_priv.deny(p_sid, v_ptr, v_need);
      END IF;
    END IF;
    IF v_snap IS NULL AND v_need >= 4 THEN
      RAISE EXCEPTION 'what was read, was read at a snapshot' USING ERRCODE = 'KT400';
    END IF;
    -- The same order for all tenants: their parts of a table stand where the table does.
    IF i > 0 AND v_name COLLATE "C" <= v_named[i] THEN
      RAISE EXCEPTION 'tables must come in order of ptr' USING ERRCODE = 'KT400';
    END IF;
    v_keys := coalesce(v_table -> 'del', '[]') || jsonb_path_query_array(v_table, '$.put[*][0]')
           || jsonb_path_query_array(v_table, '$.upd[*][0]') || jsonb_path_query_array(v_table, '$.push[*][0]');
    v_changes := coalesce(v_changes, '{}') || jsonb_build_object(v_ptr, v_keys);
    v_ptrs := v_ptrs || v_ptr;
    v_named := v_named || v_name;
    v_salt := hashtext(v_ptr);
    v_count := jsonb_array_length(v_keys);
    v_wanted := v_count + coalesce(jsonb_array_length(v_table -> 'r'), 0);
    IF v_uniques ? v_name THEN
      v_values := kt_priv.value_locks(v_table, v_uniques -> v_name, v_salt);
      v_wanted := v_wanted + cardinality(v_values);
    END IF;
    IF v_ptr = v_name THEN
      v_absent := false;
    ELSE
      v_absent := NOT EXISTS (SELECT 1 FROM kt_priv.tables t WHERE t.ptr = v_ptr);
      IF v_absent THEN
        v_void := pg_advisory_xact_lock_shared(19285, hashtext(v_name))::text;      -- no part is made while all of them are looked at (kt.provision)
      END IF;
    END IF;
    IF v_table ? 'q' OR v_wanted > least(64, v_room) OR v_absent THEN
      v_void := pg_advisory_xact_lock(19285, v_salt)::text;
    ELSE
      v_room := v_room - v_wanted;
      v_void := pg_advisory_xact_lock_shared(19285, v_salt)::text;
      FOR j IN 0 .. v_count - 1 LOOP
        v_exclusive := v_exclusive || hashtextextended(v_keys ->> j, v_salt);
      END LOOP;
      IF v_uniques ? v_name THEN
        v_exclusive := v_exclusive || v_values;
      END IF;
      IF v_table ? 'r' THEN
        FOR j IN 0 .. jsonb_array_length(v_table -> 'r') - 1 LOOP
          v_shared := v_shared || hashtextextended(v_table -> 'r' ->> j, v_salt);
        END LOOP;
      END IF;
      IF v_table ? 'push' THEN
        v_exclusive := v_exclusive || hashtextextended(E'\x01tail', v_salt);
      END IF;
    END IF;
  END LOOP;

  -- 2. Key locks in order of their hash: exclusive for written keys and the tail, shared for read ones.
  IF cardinality(v_exclusive) = 1 AND (v_shared IS NULL OR v_shared <@ v_exclusive) THEN
    v_void := pg_advisory_xact_lock(v_exclusive[1])::text;
  ELSIF v_exclusive IS NOT NULL OR v_shared IS NOT NULL THEN
    PERFORM CASE WHEN u.exclusive THEN pg_advisory_xact_lock(u.lock)::text ELSE pg_advisory_xact_lock_shared(u.lock)::text END
       FROM (SELECT w.lock, bool_or(w.exclusive) AS exclusive
               FROM (SELECT unnest(v_exclusive) AS lock, true AS exclusive UNION ALL SELECT unnest(v_shared), false) w
              GROUP BY w.lock ORDER BY w.lock) u;
  END IF;

  -- A change of rights ends sessions; where there is none, it waits for the commits that know of the old rights, and those look
  -- once more behind that (4). This lock comes after the others, because whoever changes rights may hold those.
  IF v_alone THEN
    v_void := pg_advisory_xact_lock_shared(19284, 4)::text;
  END IF;

  -- 3. The first write of this transaction gives it its id, and comes after every lock: for two commits that conflict, the
  --    order of _txid is the order of serialization. A second commit of one idempotency key waits here for the first.
  IF p_idem IS NOT NULL THEN
    INSERT INTO kt_priv.ledger (owner, key, sid, answer) VALUES (v_owner, p_idem, v_hash, coalesce(p_answer, ''))
      ON CONFLICT (owner, key) DO NOTHING;
    IF NOT FOUND THEN
      SELECT encode(l.answer, 'hex') INTO v_answer FROM kt_priv.ledger l WHERE l.owner = v_owner AND l.key = p_idem;
      RAISE EXCEPTION 'already applied' USING ERRCODE = 'KT208', DETAIL = v_answer;
    END IF;
  END IF;
  FOR i IN 1 .. v_tables LOOP
    IF v_ptrs[i] <> v_named[i] THEN
      -- A tenant's table is made by its first write; nothing can have changed in one that is not there.
      CONTINUE WHEN NOT kt_priv.ready(v_named[i], v_ptrs[i], CASE WHEN p_payload -> (i - 1) ?| array['put', 'upd', 'push'] THEN v_owner END);
    END IF;
    EXECUTE format('SELECT kt_priv.commit_%s($1, $2, $3)', v_ptrs[i]) INTO v_conflict USING v_snap, v_owner, p_payload -> (i - 1);
    IF v_conflict IS NOT NULL THEN
      RAISE EXCEPTION 'conflict' USING ERRCODE = 'KT409', DETAIL = v_conflict::text;
    END IF;
  END LOOP;

  -- 4. The session is used up, exactly once: its row in the log comes first, as in abort, so that the two never deadlock.
  --    Without a session the same statement looks whether rights may have changed, and whether the snapshot is kept: the
  --    versions have been looked at (kt_priv.still_kept). What is not as usual is asked again, one by one.
  IF v_alone THEN
    INSERT INTO kt_priv.log (sid, owner, changes)
      SELECT v_hash, v_owner, v_changes FROM kt_priv.changes c, kt_priv.life, kt_priv.meta m
       WHERE c.count = v_before
         AND (v_snap IS NULL OR m.horizon <= pg_snapshot_xmin(v_snap) AND m.incarnation::text = split_part(p_from, '/', 2))
      ON CONFLICT (sid) DO NOTHING;
    IF NOT FOUND THEN
      IF v_uniques <> (SELECT c.uniques FROM kt_priv.changes c) OR EXISTS (
           SELECT 1 FROM kt_priv.rights(v_owner, v_wants) r WHERE r.names <> v_names OR r.rights <> v_rights OR r.places <> v_places) THEN
        RAISE EXCEPTION 'the rights have changed' USING ERRCODE = 'KT409';
      END IF;
      IF v_snap IS NOT NULL THEN
        PERFORM kt_priv.still_kept(v_snap, p_from);
      END IF;
      INSERT INTO kt_priv.log (sid, owner, changes) VALUES (v_hash, v_owner, v_changes) ON CONFLICT (sid) DO NOTHING;
    END IF;
  ELSE
    INSERT INTO kt_priv.log (sid, owner, changes) VALUES (v_hash, v_owner, v_changes) ON CONFLICT (sid) DO NOTHING;
    IF FOUND THEN
      DELETE FROM kt.trxs a WHERE a.sid = v_hash AND a.expires_at > statement_timestamp() AND a.xmin = a.born::xid;
    END IF;
  END IF;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no live session' USING ERRCODE = 'KT401';
  END IF;

  -- 5. Values that only one row may have. When everything is written, because they may go from row to row in one commit, and what was
  --    read is known to hold, because a conflict runs again and this does not. Who gives a value back need not hold its lock:
  --    until that is committed, the value is taken.
  IF v_uniques <> '{}' THEN
    FOR i IN 1 .. v_tables LOOP
      CONTINUE WHEN NOT (v_uniques ? v_named[i] AND p_payload -> (i - 1) ?| array['put', 'upd', 'push']);
      EXECUTE format('SELECT kt_priv.taken_%s($1, $2, $3)', v_ptrs[i]) INTO v_conflict USING v_owner, p_payload -> (i - 1), v_uniques -> v_named[i];
      IF v_conflict IS NOT NULL THEN
        RAISE EXCEPTION 'another row has this %', v_conflict ->> 'field' USING ERRCODE = 'KT422', DETAIL = v_conflict::text;
      END IF;
    END LOOP;
  END IF;
  RETURN pg_current_xact_id()::text;
END $$;

RESET ROLE;
GRANT EXECUTE ON FUNCTION kt.commit(uuid, jsonb, bytea, bytea, text, text) TO kt_gateway;
