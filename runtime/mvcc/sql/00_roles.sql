-- Roles, and what they may do in this database before any of our objects exist.
--
-- Roles belong to the whole cluster while this file runs once for each database: a role may exist already, or be created by
-- the installation of another database at this very moment. Either shows as an error that means "it is there", and no
-- existing role is altered, because two ALTERs of one role at once fail.
DO $$
DECLARE
  wanted record; v_name text;
BEGIN
  FOR wanted IN SELECT * FROM (VALUES ('kt_owner', 'NOLOGIN'), ('kt_exec', 'NOLOGIN'), ('kt_gateway', 'LOGIN'), ('kt_deploy', 'LOGIN')) v(name, login) LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.login);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL;
    END;
  END LOOP;

  -- A role of that name made or changed by somebody else could undo every boundary below.
  SELECT r.rolname INTO v_name FROM pg_catalog.pg_roles r
   WHERE r.rolname IN ('kt_owner', 'kt_exec', 'kt_gateway', 'kt_deploy')
     AND (r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls
          OR r.rolcanlogin AND r.rolname IN ('kt_owner', 'kt_exec'));
  IF FOUND THEN
    RAISE EXCEPTION 'the role % exists with more rights than storage allows', v_name USING ERRCODE = 'KT500',
      HINT = 'ALTER ROLE: none of SUPERUSER, CREATEROLE, CREATEDB, REPLICATION and BYPASSRLS; kt_owner and kt_exec have no LOGIN, either.';
  END IF;
  -- Superusers are what they are without being members. Who installs without being one, with CREATEROLE, owns the database and is a member.
  SELECT format('%s is a member of %s', m.rolname, g.rolname) INTO v_name
    FROM pg_catalog.pg_auth_members a JOIN pg_catalog.pg_roles m ON m.oid = a.member JOIN pg_catalog.pg_roles g ON g.oid = a.roleid
   WHERE m.rolname IN ('kt_owner', 'kt_exec', 'kt_gateway', 'kt_deploy')
      OR g.rolname IN ('kt_owner', 'kt_exec', 'kt_gateway', 'kt_deploy') AND NOT m.rolsuper AND m.rolname <> current_user;
  IF FOUND THEN
    RAISE EXCEPTION 'storage does not allow that %', v_name USING ERRCODE = 'KT500', HINT = 'REVOKE that membership.';
  END IF;
  IF NOT (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) THEN
    FOREACH v_name IN ARRAY array['kt_owner', 'kt_exec', 'kt_deploy'] LOOP
      IF NOT pg_has_role(current_user, v_name, 'USAGE') THEN
        EXECUTE format('GRANT %I TO CURRENT_USER', v_name);
      END IF;
    END LOOP;
  END IF;

  EXECUTE format('GRANT CONNECT ON DATABASE %I TO kt_gateway, kt_deploy', current_database());
  -- For the schemas of the views that `exec` sees, one for each table that it is used on.
  EXECUTE format('GRANT CREATE ON DATABASE %I TO kt_owner', current_database());

  -- In a database of its own, storage closes what is open to everybody. Beside the tables of another application it must
  -- not: those may live by what PUBLIC is given. The gateway then reaches what that application has opened to everybody.
  IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
                    AND n.nspname NOT IN ('kt', 'kt_priv', 'kt_data', 'kt_deploy', 'information_schema') AND n.nspname !~ '^pg_') THEN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    -- Large objects are storage beside the two tables.
    IF (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) THEN
      FOR v_name IN SELECT p.oid::regprocedure::text FROM pg_catalog.pg_proc p
                     WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname ~ '^(lo_|lowrite$|loread$)' LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', v_name);
      END LOOP;
    END IF;
  END IF;
END $$;

-- The statements are short and come through a pooler: a plan that suits every value beats planning each time, nothing
-- is worth compiling or spreading over workers, and nobody may hold locks while idle.
DO $$
DECLARE
  setting text;
BEGIN
  FOREACH setting IN ARRAY array[
    'plan_cache_mode = force_generic_plan', 'jit = off', 'max_parallel_workers_per_gather = 0',
    'default_transaction_isolation = ''read committed''',
    'statement_timeout = ''30s''', 'lock_timeout = ''10s''', 'idle_in_transaction_session_timeout = ''10s''']
  LOOP
    EXECUTE format('ALTER ROLE kt_gateway IN DATABASE %I SET %s', current_database(), setting);
  END LOOP;
  EXECUTE format('ALTER ROLE kt_deploy IN DATABASE %I SET lock_timeout = ''10s''', current_database());
  EXECUTE format('ALTER ROLE kt_deploy IN DATABASE %I SET idle_in_transaction_session_timeout = ''60s''', current_database());
END $$;

-- kt.start compares the cluster's identity with the one it was installed in. Everybody may ask for it unless somebody has revoked that.
DO $$
BEGIN
  IF NOT has_function_privilege('kt_owner', 'pg_catalog.pg_control_system()', 'EXECUTE') THEN
    GRANT EXECUTE ON FUNCTION pg_catalog.pg_control_system() TO kt_owner;
  END IF;
END $$;
