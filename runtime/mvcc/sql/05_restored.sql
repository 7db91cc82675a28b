-- What a restore leaves behind where our roles were missing, or of a dump without owners: everything belongs to whoever
-- restored it. A function of a superuser's that runs with its owner's rights would be a hole, so functions, which this script
-- makes anew, go; schemas and tables become the owner's again.
DO $$
DECLARE
  v_name text;
BEGIN
  FOR v_name IN SELECT p.oid::regprocedure::text FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
                 WHERE n.nspname IN ('kt', 'kt_priv', 'kt_data') AND pg_get_userbyid(p.proowner) !~ '^kt_' LOOP
    EXECUTE format('DROP FUNCTION IF EXISTS %s CASCADE', v_name);
  END LOOP;
  -- What `exec` uses is made anew as well, the views when they are needed.
  FOR v_name IN SELECT n.nspname::text FROM pg_catalog.pg_namespace n
                 WHERE (n.nspname = 'kt_guard' OR n.nspname LIKE 'kt\_view\_%') AND pg_get_userbyid(n.nspowner) !~ '^kt_' LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', v_name);
  END LOOP;
  FOR v_name IN SELECT n.nspname::text FROM pg_catalog.pg_namespace n
                 WHERE n.nspname IN ('kt', 'kt_priv', 'kt_data') AND pg_get_userbyid(n.nspowner) !~ '^kt_' LOOP
    EXECUTE format('ALTER SCHEMA %I OWNER TO kt_owner', v_name);
  END LOOP;
  -- The sequences belong to columns and follow their tables.
  FOR v_name IN SELECT c.oid::regclass::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname IN ('kt', 'kt_priv', 'kt_data') AND c.relkind = 'r' AND pg_get_userbyid(c.relowner) !~ '^kt_' LOOP
    EXECUTE format('ALTER TABLE %s OWNER TO kt_owner', v_name);
  END LOOP;
END $$;
