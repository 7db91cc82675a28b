-- Schemas and the tables that do not depend on the application.
--
--   kt       the functions and the two tables that the gateway may see
--   kt_priv  keys, commit log, ledger, helpers: nobody but the owner (and kt_deploy for the list of migrations)
--   kt_data  the rows: nobody but the owner
--   kt_deploy  the migrator's own, and all that it owns: what the project's migrations make. Nothing of ours is in it, or reads it
CREATE SCHEMA IF NOT EXISTS kt AUTHORIZATION kt_owner;
CREATE SCHEMA IF NOT EXISTS kt_priv AUTHORIZATION kt_owner;
CREATE SCHEMA IF NOT EXISTS kt_data AUTHORIZATION kt_owner;
CREATE SCHEMA IF NOT EXISTS kt_deploy AUTHORIZATION kt_deploy;
GRANT USAGE ON SCHEMA kt TO kt_gateway, kt_deploy;
GRANT USAGE ON SCHEMA kt_priv TO kt_deploy;
ALTER DEFAULT PRIVILEGES FOR ROLE kt_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

SET LOCAL ROLE kt_owner;

-- Who may use which table. The owner '*' stands for everyone; an owner's own row for a name or a ptr replaces it entirely.
CREATE TABLE IF NOT EXISTS kt.storage (
  id          text NOT NULL CHECK (id <> ''),
  ptr         text NOT NULL CHECK (ptr ~ '^tbl_[a-z0-9_]{1,48}$'),
  owner       text NOT NULL CHECK (owner <> ''),
  permissions int  NOT NULL DEFAULT 7 CHECK (permissions BETWEEN 0 AND 7),
  PRIMARY KEY (owner, id));
CREATE UNIQUE INDEX IF NOT EXISTS storage_owner_ptr ON kt.storage (owner, ptr) INCLUDE (permissions);

-- Open transactions. UNLOGGED on purpose: emptied by crash recovery and absent after a failover, so it is valid exactly as
-- long as the history of transaction ids that its snapshots speak of.
CREATE UNLOGGED TABLE IF NOT EXISTS kt.trxs (
  sid         bytea PRIMARY KEY,      -- SHA-256 of the session id, which only the gateway call knows
  owner       text NOT NULL,
  create_txid xid8 NOT NULL,          -- xmin of snap: nothing that died at or after it may be collected
  snap        pg_snapshot NOT NULL,
  names       jsonb NOT NULL,         -- table name → ptr, and
  rights      jsonb NOT NULL,         -- ptr → permission bits, as kt.storage had them at begin
  expires_at  timestamptz NOT NULL)
  WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- Who wrote the row: a row that came out of a dump was written by another transaction and opens nothing.
ALTER TABLE kt.trxs ADD COLUMN IF NOT EXISTS born xid8 NOT NULL DEFAULT pg_current_xact_id();
ALTER TABLE kt.trxs ADD COLUMN IF NOT EXISTS places jsonb NOT NULL DEFAULT '{}';   -- ptr of a tenants' table → that of this tenant

-- Empty since the server has crashed or another has taken over: UNLOGGED, so that it ends where sessions do. Until somebody has
-- seen that (kt_priv.revive), ids of transactions may be given out a second time.
CREATE UNLOGGED TABLE IF NOT EXISTS kt_priv.life (one bool PRIMARY KEY DEFAULT true CHECK (one));
ALTER TABLE kt_priv.life DROP COLUMN IF EXISTS token;
ALTER TABLE kt_priv.life ADD COLUMN IF NOT EXISTS born xid8 NOT NULL DEFAULT pg_current_xact_id();      -- who wrote it, as for sessions

GRANT SELECT ON kt.storage TO kt_gateway, kt_deploy;
GRANT SELECT (owner, create_txid, snap, expires_at) ON kt.trxs TO kt_gateway;   -- no use for the hash of a session id

-- Which cluster the stored transaction ids belong to, and how far garbage has been collected.
CREATE TABLE IF NOT EXISTS kt_priv.meta (
  one bool PRIMARY KEY DEFAULT true CHECK (one), system_id bigint NOT NULL, horizon xid8 NOT NULL DEFAULT '0');
ALTER TABLE kt_priv.meta ADD COLUMN IF NOT EXISTS keep interval NOT NULL DEFAULT '0';      -- how far back old versions are kept
-- The horizon to come, and since when: snapshots without a session are that long safe.
ALTER TABLE kt_priv.meta ADD COLUMN IF NOT EXISTS next_horizon xid8 NOT NULL DEFAULT '0';
ALTER TABLE kt_priv.meta ADD COLUMN IF NOT EXISTS next_since timestamptz NOT NULL DEFAULT '-infinity';
-- Names the history of transaction ids: renewed after a crash, a dump and with each rebase. What names an earlier state names this too.
ALTER TABLE kt_priv.meta ADD COLUMN IF NOT EXISTS incarnation uuid NOT NULL DEFAULT gen_random_uuid();
-- The identity key, already combined with the two pads of HMAC (RFC 2104). It stands here because every table that a read
-- without a session asks costs as much as the row that it wants.
ALTER TABLE kt_priv.meta ADD COLUMN IF NOT EXISTS inner_key bytea, ADD COLUMN IF NOT EXISTS outer_key bytea;
-- What an owner without rows of its own in kt.storage may do, as kt_priv.rights has it, so that a call need not put it together: rights are
-- null where any owner has such rows, names also where there are tenants' tables.
ALTER TABLE kt_priv.meta ADD COLUMN IF NOT EXISTS names jsonb, ADD COLUMN IF NOT EXISTS rights jsonb;
-- How many owners who belong to no tenant may have a part of their own of each tenants' table.
ALTER TABLE kt_priv.meta ADD COLUMN IF NOT EXISTS most_visitors int NOT NULL DEFAULT 1000;
INSERT INTO kt_priv.meta (system_id) SELECT system_identifier FROM pg_control_system() ON CONFLICT DO NOTHING;

-- Histories that a crash has ended, with the last id that is known to belong to each: what an earlier state knew up to there
-- still means the same.
CREATE TABLE IF NOT EXISTS kt_priv.histories (incarnation uuid PRIMARY KEY, last xid8 NOT NULL);

-- Out of a dump, also of this cluster: snapshots that were taken there may know of more than came along.
DO $$
BEGIN
  UPDATE kt_priv.life SET born = pg_current_xact_id() WHERE xmin <> born::xid;
  IF FOUND THEN
    UPDATE kt_priv.meta SET incarnation = gen_random_uuid();
    DELETE FROM kt_priv.histories;
  END IF;
  -- Where the key stood once.
  IF to_regclass('kt_priv.secret') IS NOT NULL THEN
    UPDATE kt_priv.meta m SET inner_key = k.inner_key, outer_key = k.outer_key FROM kt_priv.secret k;
    DROP TABLE kt_priv.secret;
  END IF;
END $$;

-- One row for each commit: what changed, and the answer to "did my commit happen?". A session has one row at most: that of
-- its commit, or one with owner '' that says that it never will commit. It outlives a crash, which the session does not.
CREATE TABLE IF NOT EXISTS kt_priv.log (
  txid xid8 NOT NULL DEFAULT pg_current_xact_id(), sid bytea NOT NULL, owner text NOT NULL, changes jsonb NOT NULL,
  at timestamptz NOT NULL DEFAULT now());
CREATE INDEX IF NOT EXISTS log_txid ON kt_priv.log (txid);
DROP INDEX IF EXISTS kt_priv.log_sid;
CREATE INDEX IF NOT EXISTS log_at ON kt_priv.log (at);
CREATE UNIQUE INDEX IF NOT EXISTS log_once ON kt_priv.log (sid);

-- Answers to mutations by idempotency key.
CREATE TABLE IF NOT EXISTS kt_priv.ledger (
  owner text NOT NULL, key bytea NOT NULL, sid bytea NOT NULL, answer bytea NOT NULL, at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner, key));
CREATE INDEX IF NOT EXISTS ledger_at ON kt_priv.ledger (at);

-- The data tables, with the fields that never change once a row exists.
CREATE TABLE IF NOT EXISTS kt_priv.tables (
  ptr text PRIMARY KEY CHECK (ptr ~ '^tbl_[a-z0-9_]{1,48}$'), readonly text[] NOT NULL DEFAULT '{}');
ALTER TABLE kt_priv.tables ADD COLUMN IF NOT EXISTS scope text NOT NULL DEFAULT 'shared' CHECK (scope IN ('shared', 'owner'));
ALTER TABLE kt_priv.tables ADD COLUMN IF NOT EXISTS template text;        -- the tenants' table that this one is a tenant's part of
ALTER TABLE kt_priv.tables ADD COLUMN IF NOT EXISTS visitor bool NOT NULL DEFAULT false;      -- and of an owner who was in no tenant

-- Tables of which each tenant has its own, made at the first write. The ptr of a tenant's table is template__<hash of the tenant>.
CREATE TABLE IF NOT EXISTS kt_priv.templates (
  ptr text PRIMARY KEY CHECK (ptr ~ '^tbl_[a-z0-9_]{1,26}$'), readonly text[] NOT NULL DEFAULT '{}');

-- Fields of which no two live rows have the same value: of a table, or of each tenant's part of it.
ALTER TABLE kt_priv.tables ADD COLUMN IF NOT EXISTS uniques text[] NOT NULL DEFAULT '{}';
ALTER TABLE kt_priv.templates ADD COLUMN IF NOT EXISTS uniques text[] NOT NULL DEFAULT '{}';

-- Fields that nobody reads: they are written, kept and left out of whatever is answered.
ALTER TABLE kt_priv.tables ADD COLUMN IF NOT EXISTS hidden text[] NOT NULL DEFAULT '{}';
ALTER TABLE kt_priv.templates ADD COLUMN IF NOT EXISTS hidden text[] NOT NULL DEFAULT '{}';

-- Which tenant an owner belongs to. Who is not here is a tenant of its own.
CREATE TABLE IF NOT EXISTS kt_priv.tenants (owner text PRIMARY KEY CHECK (owner <> ''), tenant text NOT NULL CHECK (tenant <> ''));

-- Counts changes of rights, so that a commit without a session sees whether there was one since it has looked.
CREATE TABLE IF NOT EXISTS kt_priv.changes (one bool PRIMARY KEY DEFAULT true CHECK (one), count bigint NOT NULL DEFAULT 0);
-- All unique fields, ptr → names, where commits see them with what they read anyway.
ALTER TABLE kt_priv.changes ADD COLUMN IF NOT EXISTS uniques jsonb NOT NULL DEFAULT '{}';
INSERT INTO kt_priv.changes DEFAULT VALUES ON CONFLICT DO NOTHING;

-- What the migrator has applied.
CREATE TABLE IF NOT EXISTS kt_priv.migrations (
  name text PRIMARY KEY, checksum text NOT NULL, at timestamptz NOT NULL DEFAULT now());
GRANT SELECT, INSERT ON kt_priv.migrations TO kt_deploy;

RESET ROLE;
