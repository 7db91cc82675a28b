// Storage beside the same work in plain SQL through the same driver, in Prisma and in Drizzle: rounds in turns, medians.
//
// Statements of storage are those of runtime/mvcc/src/sql.rs, sent as the gateway sends them: unnamed, every parameter as text,
// a first read and the commit after it without a session, attempts after a conflict with one, lines of npm/kontract's own for
// calls that met. Plain SQL is sent in the same way. All connections have the timeouts of the gateway's role. Arguments: superuser's URL
// of an empty database, rows in the table.

import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { PrismaPg } from '@prisma/adapter-pg';
import { eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { PrismaClient } from 'bench-prisma';
import { transformSync } from '../../node_modules/esbuild/lib/main.js';

const [adminUrl, rowsText = '1000'] = process.argv.slice(2);
const ROWS = Number(rowsText);
const ROUNDS = Number(process.env.ROUNDS ?? 7);
const ROUND_MS = Number(process.env.ROUND_MS ?? 400);
const HOT_CLIENTS = 16;
const GROUPS = ROWS / 10;
const url = new URL(adminUrl);
url.username = 'kt_gateway';

const pick = () => `r${Math.floor(Math.random() * ROWS)}`;
const connect = async (to = adminUrl) => {
  const client = new pg.Client({ connectionString: String(to), pipeline: true });
  await client.connect();
  return client;
};

// ── kontract ──
const expiry = 9_999_999_999;
const mac = createHmac('sha256', Buffer.alloc(32, 7)).update(`bench.${expiry}`).digest('hex');
const who = `${mac}bench.${expiry}`;
const LOOK = 'SELECT kt.look_tbl_rows($1::text, $2::text)';
const LOOK_QUERY =
  "SELECT kt.here($8::text, decode($9::text, 'hex')), NULL UNION ALL SELECT id, data::text FROM kt.query_tbl_rows($1::text::uuid, $2::text::jsonb, $3::text::jsonb, $4::text, $5::text::bool, $6::text, $7::text::int, $8::text)";
const COMMIT_ALONE = "SELECT kt.commit($1::text::uuid, $2::text::jsonb, decode($3::text, 'hex'), decode($4::text, 'hex'), $5::text, $6::text)";
const STORE =
  'SELECT kt.store_tbl_rows($1::text::uuid, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text::jsonb, $8::text::bool)';
const BEGIN =
  "SELECT snap, answer FROM kt.start($1::text, $2::text::bigint, decode($3::text, 'hex'), $4::text::uuid, decode($5::text, 'hex'), p_at => $6::text, p_from => $7::text)";
const GET = 'SELECT kt.get_tbl_rows($1::text::uuid, $2::text)::text';
const COMMIT = "SELECT kt.commit($1::text::uuid, $2::text::jsonb, decode($3::text, 'hex'), decode($4::text, 'hex'))";
const payload = (part) => JSON.stringify([{ t: 'rows', ...part }]);

const turnsOfTheGateway = readFileSync(new URL('../../npm/kontract/src/server/turns.ts', import.meta.url), 'utf8');
const { code } = transformSync(turnsOfTheGateway, { loader: 'ts', format: 'esm' });
const { Turn, isContested } = await import(`data:text/javascript,${encodeURIComponent(code)}`);

/** A row, and where it was read. */
function looked(result) {
  const text = Object.values(result.rows[0])[0];
  const end = text.indexOf('\n');
  return { row: JSON.parse(text.slice(end + 1)), from: text.slice(0, text.lastIndexOf('/', end)) };
}

async function read(client, sid, key, attempt) {
  if (attempt === 1) return looked(await client.query(LOOK, [key, who]));
  const begun = client.query(BEGIN, ['bench', String(expiry), mac, sid, null, null, null]);
  const [, found] = await Promise.all([begun, client.query(GET, [sid, key])]);
  return { row: JSON.parse(Object.values(found.rows[0])[0]) };
}

/** `shared` is the connection of calls that met over a row; without it, each has its own. */
function kontract(client, shared = () => client) {
  const increment = async (key) => {
    const what = `tbl_rows/${key}`;
    const turn = new Turn();
    try {
      for (let attempt = 1; ; attempt++) {
        if (turn.what === undefined && isContested(what)) await turn.come(what);
        const connection = turn.what === undefined ? client : shared();
        try {
          const sid = randomUUID();
          const { row, from } = await read(connection, sid, key, attempt);
          const patch = { n: row.n + 1 };
          const commit =
            from === undefined
              ? connection.query(COMMIT, [sid, payload({ r: [key], upd: [[key, patch]] }), null, null])
              : connection.query(STORE, [sid, who, from, 'rows', 'upd', key, JSON.stringify(patch), 'true']);
          turn.leave();
          return await commit;
        } catch (error) {
          if (error.code !== 'KT409') throw error;
          kontract.conflicts = (kontract.conflicts ?? 0) + 1;
          if ((await turn.come(what)) || attempt === 1) continue;
          const bound = 4 * 2 ** Math.min(attempt - 1, 9);
          await new Promise((resolve) => setTimeout(resolve, bound * Math.random()));
        }
      }
    } finally {
      turn.leave();
    }
  };
  return {
    'point read': async () => looked(await client.query(LOOK, [pick(), who])).row,
    'read-modify-write': () => increment(pick()),
    'commit of 10 rows': () => {
      const put = tenRows().map((row) => [row.id, row]);
      return client.query(COMMIT_ALONE, [randomUUID(), payload({ put }), null, null, who, null]);
    },
    'indexed query': async () => {
      const pattern = JSON.stringify({ g: Math.floor(Math.random() * GROUPS) });
      const found = await client.query(LOOK_QUERY, [null, pattern, null, null, 'false', null, '100', who, null]);
      return found.rows.slice(1).map((row) => JSON.parse(row.data ?? Object.values(row)[1]));
    },
    'hot key': () => increment('r0'),
  };
}

// ── plain SQL, through the same driver ──
function plain(client) {
  const increment = async (key) => {
    const begun = client.query('BEGIN', []);
    const [, read] = await Promise.all([begun, client.query('SELECT data::text FROM plain WHERE id = $1::text FOR UPDATE', [key])]);
    const row = JSON.parse(read.rows[0].data);
    const stored = client.query('UPDATE plain SET data = $2::text::jsonb WHERE id = $1::text', [key, JSON.stringify({ ...row, n: row.n + 1 })]);
    await Promise.all([stored, client.query('COMMIT', [])]);
  };
  return {
    'point read': async () => JSON.parse((await client.query('SELECT data::text FROM plain WHERE id = $1::text', [pick()])).rows[0].data),
    'read-modify-write': () => increment(pick()),
    'commit of 10 rows': () => {
      const put = (row) =>
        client.query('INSERT INTO plain (id, data) VALUES ($1::text, $2::text::jsonb) ON CONFLICT (id) DO UPDATE SET data = excluded.data', [
          row.id,
          JSON.stringify(row),
        ]);
      return Promise.all([client.query('BEGIN', []), ...tenRows().map(put), client.query('COMMIT', [])]);
    },
    'indexed query': async () => {
      const pattern = JSON.stringify({ g: Math.floor(Math.random() * GROUPS) });
      const read = await client.query('SELECT data::text FROM plain WHERE data @> $1::text::jsonb LIMIT 100', [pattern]);
      return read.rows.map((row) => JSON.parse(row.data));
    },
    'hot key': () => increment('r0'),
  };
}

// ── Drizzle ──
const table = pgTable('plain', { id: text().primaryKey(), data: jsonb().notNull(), n: integer().notNull().default(0) });
function orm(client) {
  const db = drizzle(client);
  const increment = (key) =>
    db.transaction(async (tx) => {
      const [row] = await tx.select().from(table).where(eq(table.id, key)).for('update');
      await tx.update(table).set({ data: { ...row.data, n: row.data.n + 1 } }).where(eq(table.id, key));
    });
  return {
    'point read': async () => (await db.select().from(table).where(eq(table.id, pick())))[0].data,
    'read-modify-write': () => increment(pick()),
    'commit of 10 rows': () => {
      const values = tenRows().map((row) => ({ id: row.id, data: row }));
      return db.insert(table).values(values).onConflictDoUpdate({ target: table.id, set: { data: sql`excluded.data` } });
    },
    'indexed query': async () => {
      const pattern = JSON.stringify({ g: Math.floor(Math.random() * GROUPS) });
      return (await db.select().from(table).where(sql`${table.data} @> ${pattern}::jsonb`).limit(100)).map((row) => row.data);
    },
    'hot key': () => increment('r0'),
  };
}

// ── Prisma ──
function prisma() {
  const db = new PrismaClient({ adapter: new PrismaPg({ connectionString: adminUrl, max: 1 }) });
  const increment = (key) =>
    db.$transaction(
      async (tx) => {
        await tx.$queryRaw`SELECT 1 FROM plain WHERE id = ${key} FOR UPDATE`;
        const row = await tx.plain.findUnique({ where: { id: key } });
        await tx.plain.update({ where: { id: key }, data: { data: { ...row.data, n: row.data.n + 1 } } });
      },
      { maxWait: 20_000, timeout: 20_000 },
    );
  return {
    close: () => db.$disconnect(),
    'point read': async () => (await db.plain.findUnique({ where: { id: pick() } })).data,
    'read-modify-write': () => increment(pick()),
    'commit of 10 rows': () =>
      db.$transaction(
        tenRows().map((row) => db.plain.upsert({ where: { id: row.id }, create: { id: row.id, data: row }, update: { data: row } })),
      ),
    // Its own filters on JSON use no index.
    'indexed query': async () => {
      const pattern = JSON.stringify({ g: Math.floor(Math.random() * GROUPS) });
      return db.$queryRaw`SELECT id, data FROM plain WHERE data @> ${pattern}::jsonb LIMIT 100`;
    },
    'hot key': () => increment('r0'),
  };
}

/** Ten neighbours, in order, so that nobody waits for another in a circle. */
function tenRows() {
  const first = Math.floor(Math.random() * (ROWS - 10));
  return Array.from({ length: 10 }, (_, at) => rowOf(first + at)).sort((a, b) => (a.id < b.id ? -1 : 1));
}

function rowOf(number) {
  return { id: `r${number}`, n: 0, g: number % GROUPS, text: 'a'.repeat(100) };
}

/** Operations of one client in a time, in µs each. */
async function timed(work) {
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < ROUND_MS) {
    await work();
    count += 1;
  }
  return ((performance.now() - start) * 1000) / count;
}

/** Operations of many clients in a second. */
async function rate(works) {
  const start = performance.now();
  let count = 0;
  await Promise.all(
    works.map(async (work) => {
      while (performance.now() - start < ROUND_MS * 2) {
        await work();
        count += 1;
      }
    }),
  );
  return (count * 1000) / (performance.now() - start);
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

async function seed() {
  const admin = await connect();
  const row = `jsonb_build_object('id', 'r' || i, 'n', 0, 'g', i % ${GROUPS}, 'text', repeat('a', 100))`;
  await admin.query(`
    SELECT kt.set_identity_key(decode(repeat('07', 32), 'hex')), kt.provision('rows', 'tbl_rows');
    INSERT INTO kt_data.tbl_rows (id, data, _owner, _order) SELECT 'r' || i, ${row}, 'bench', i FROM generate_series(0, ${ROWS} - 1) i;
    SELECT setval('kt_data.tbl_rows_seq', ${ROWS});
    CREATE TABLE plain (id text PRIMARY KEY, data jsonb NOT NULL, n int NOT NULL DEFAULT 0);
    INSERT INTO plain (id, data) SELECT 'r' || i, ${row} FROM generate_series(0, ${ROWS} - 1) i;
    CREATE INDEX plain_data ON plain USING gin (data jsonb_path_ops) WITH (fastupdate = off);`);
  // What the gateway's role has: a timer for each statement is a part of its price.
  for (const limit of ["statement_timeout = '30s'", "lock_timeout = '10s'", "idle_in_transaction_session_timeout = '10s'"]) {
    await admin.query(`ALTER DATABASE ${admin.escapeIdentifier(admin.database)} SET ${limit}`);
  }
  await admin.query('VACUUM ANALYZE kt_data.tbl_rows, plain');
  await admin.end();
}

await seed();
const collector = await connect(url);
const clients = await Promise.all([connect(url), connect(), connect()]);
const peers = { kontract: kontract(clients[0]), 'plain SQL': plain(clients[1]), Prisma: prisma(), Drizzle: orm(clients[2]) };
const results = {};
for (const work of ['point read', 'read-modify-write', 'commit of 10 rows', 'indexed query']) {
  results[work] = Object.fromEntries(Object.keys(peers).map((peer) => [peer, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [peer, works] of Object.entries(peers)) {
      if (round === 0) await timed(works[work]);
      results[work][peer].push(await timed(works[work]));
      if (peer === 'kontract') while ((await collector.query('SELECT more FROM kt.collect()', [])).rows[0].more);
    }
  }
}
// One connection for each hot client, as the others have; the gateway shares four.
const many = async (make, to) => Promise.all(Array.from({ length: HOT_CLIENTS }, async () => make(await connect(to))['hot key']));
const shared = await Promise.all(Array.from({ length: 4 }, () => connect(url)));
const hot = {
  kontract: Array.from({ length: HOT_CLIENTS }, (_, at) => kontract(shared[at % 4], () => shared[0])['hot key']),
  'plain SQL': await many(plain),
  Prisma: await Promise.all(Array.from({ length: HOT_CLIENTS }, async () => prisma()['hot key'])),
  Drizzle: await many(orm),
};
results['hot key, 16 clients, per s'] = Object.fromEntries(Object.keys(peers).map((peer) => [peer, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [peer, works] of Object.entries(hot)) {
    results['hot key, 16 clients, per s'][peer].push(await rate(works));
    if (peer === 'kontract') while ((await collector.query('SELECT more FROM kt.collect()', [])).rows[0].more);
  }
}
console.log(`${ROWS} rows, ${ROUNDS} rounds in turns; µs for each operation of one client, least / median\n`);
console.log(`| | ${Object.keys(peers).join(' | ')} | to plain SQL |\n|---|${'---|'.repeat(Object.keys(peers).length + 1)}`);
for (const [work, by] of Object.entries(results)) {
  const best = work.startsWith('hot') ? Math.max : Math.min;
  const cells = Object.values(by).map((all) => `${Math.round(best(...all))} / ${Math.round(median(all))}`);
  // Round by round, because what else the machine does is the same for the two of a round.
  const ratios = by.kontract.map((one, round) => one / by['plain SQL'][round]).sort((a, b) => a - b);
  const at = (part) => ratios[Math.round((ratios.length - 1) * part)].toFixed(2);
  console.log(`| ${work} | ${cells.join(' | ')} | ${at(0.5)} (${at(0.25)}–${at(0.75)}) |`);
}
console.log(`\n${kontract.conflicts ?? 0} conflicts`);
process.exit(0);
