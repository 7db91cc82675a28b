-- What runs beside the calls: garbage collection in steps, and the question whether this database was restored.
SET LOCAL ROLE kt_owner;

-- Where a step that met its bound goes on, when tables are many.
ALTER TABLE kt_priv.meta ADD COLUMN IF NOT EXISTS collected text NOT NULL DEFAULT '';

-- Whether the transaction ids in the tables speak of another history than this cluster's: the tables came out of a dump of
-- another cluster, or the cluster's own ids went back behind what is stored.
CREATE OR REPLACE FUNCTION kt_priv.restored() RETURNS bool
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT m.system_id <> (SELECT c.system_identifier FROM pg_control_system() c)
              OR m.horizon > pg_snapshot_xmax(pg_current_snapshot())
              OR EXISTS (SELECT 1 FROM kt_priv.log l WHERE l.txid >= pg_snapshot_xmax(pg_current_snapshot()))
            FROM kt_priv.meta m WHERE m.one);
END $$;

-- Which text of this script was run last, as whoever ran it has put it down: kt_deploy goes on from that one only.
ALTER TABLE kt_priv.meta ADD COLUMN IF NOT EXISTS script text;
CREATE OR REPLACE FUNCTION kt.script() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT m.script FROM kt_priv.meta m);
END $$;

-- One step of garbage collection: up to p_batch dead versions and old log rows, then the horizon for the next step. Whoever
-- serves calls may do a step between them: it locks nothing that a call needs but, for the horizon, the begins, for the time
-- of one look at the open sessions, and does not wait for them longer than lock_timeout. One step runs at a time.
DROP FUNCTION IF EXISTS kt.collect(int);
CREATE OR REPLACE FUNCTION kt.collect(p_batch int DEFAULT 1000, p_grace interval DEFAULT '10 seconds', OUT removed bigint, OUT more bool)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '50ms' AS $$
DECLARE
  v_batch bigint := least(greatest(p_batch, 1), 10000); v_from text; v_ptr text; v_seen int := 0; v_count bigint; v_keep interval;
  v_void text;
BEGIN
  removed := 0;
  more := false;
  IF NOT pg_try_advisory_xact_lock(19284, 2) OR kt_priv.restored() THEN RETURN; END IF;
  -- Nothing is promised about garbage, so nobody has to wait for the disk while the begins wait for this transaction.
  v_void := set_config('synchronous_commit', 'off', true);

  SELECT m.collected, greatest(m.keep, interval '1 day') INTO v_from, v_keep FROM kt_priv.meta m;
  FOR v_ptr IN SELECT t.ptr FROM kt_priv.tables t WHERE t.ptr >= v_from ORDER BY t.ptr LIMIT 64 LOOP
    v_seen := v_seen + 1;
    removed := removed + kt.gc_table(v_ptr, (v_batch - removed)::int);
    more := removed >= v_batch;
    EXIT WHEN more;
  END LOOP;
  v_ptr := CASE WHEN more OR v_seen = 64 THEN v_ptr ELSE '' END;
  IF removed < v_batch THEN
    DELETE FROM kt_priv.log WHERE ctid = ANY (ARRAY(
      SELECT l.ctid FROM kt_priv.log l WHERE l.at < now() - v_keep AND kt_priv.forgettable(l.txid) ORDER BY l.at LIMIT v_batch - removed));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    removed := removed + v_count;
    DELETE FROM kt_priv.ledger WHERE ctid = ANY (ARRAY(
      SELECT l.ctid FROM kt_priv.ledger l WHERE l.at < now() - interval '1 day' ORDER BY l.at LIMIT v_batch - removed));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    removed := removed + v_count;
    more := removed >= v_batch OR v_seen = 64;
  END IF;
  IF v_ptr <> v_from THEN
    UPDATE kt_priv.meta SET collected = v_ptr;
  END IF;

  BEGIN
    PERFORM kt.gc_horizon(p_grace);
  EXCEPTION WHEN lock_not_available THEN
    NULL;                                          -- the next step tries again
  END;
END $$;

SELECT kt_priv.revive() WHERE NOT EXISTS (SELECT 1 FROM kt_priv.life);

RESET ROLE;
GRANT EXECUTE ON FUNCTION kt.collect(int, interval) TO kt_gateway, kt_deploy;
GRANT EXECUTE ON FUNCTION kt.script(), kt_priv.restored() TO kt_deploy;
