// How large a table grows under updates while garbage is collected as the gateway does it: every ten seconds, in steps, until
// nothing is left. Arguments: superuser's URL of an empty database with storage, number of updates (ten for each commit).

import { createHmac, randomUUID } from 'node:crypto';
import pg from 'pg';

const [adminUrl, updatesText = '1000000'] = process.argv.slice(2);
const COMMITS = Number(updatesText) / 10;
const ROWS = 1000;
const CLIENTS = 4;
const COLLECT_EVERY_MS = 10_000;

const expiry = 9_999_999_999;
const mac = createHmac('sha256', Buffer.alloc(32, 7)).update(`bench.${expiry}`).digest('hex');
const url = new URL(adminUrl);
url.username = 'kt_gateway';

const connect = async (to) => {
  const client = new pg.Client({ connectionString: String(to), pipeline: true });
  await client.connect();
  return client;
};
const admin = await connect(adminUrl);
await admin.query("SELECT kt.set_identity_key(decode(repeat('07', 32), 'hex')), kt.provision('rows', 'tbl_rows')");

let done = 0;
let slowest = 0;

async function update(client) {
  while (done < COMMITS) {
    done += 1;
    const sid = randomUUID();
    const first = Math.floor(Math.random() * (ROWS - 10));
    const put = Array.from({ length: 10 }, (_, at) => [`r${first + at}`, { id: `r${first + at}`, n: done, text: 'x'.repeat(100) }]);
    const start = performance.now();
    await client.query('SELECT kt.commit($1, $2, p_who => $3)', [sid, JSON.stringify([{ t: 'rows', put }]), `${mac}bench.${expiry}`]);
    slowest = Math.max(slowest, performance.now() - start);
  }
}

async function size() {
  const { rows } = await admin.query(`
    SELECT pg_relation_size('kt_data.tbl_rows') / 1048576.0 AS table, pg_indexes_size('kt_data.tbl_rows') / 1048576.0 AS indexes,
           pg_total_relation_size('kt_priv.log') / 1048576.0 AS log, (SELECT count(*) FROM kt_data.tbl_rows) AS versions`);
  return rows[0];
}

async function report(when) {
  const { table, indexes, log, versions } = await size();
  const mb = (value) => Number(value).toFixed(1);
  console.log(`| ${when} | ${versions} | ${mb(table)} | ${mb(indexes)} | ${mb(log)} | ${slowest.toFixed(0)} |`);
  slowest = 0;
}

async function collect(client) {
  for (;;) {
    const { rows } = await client.query('SELECT more FROM kt.collect()');
    if (!rows[0].more) return;
  }
}

console.log('| updates | versions | table MB | indexes MB | log MB | slowest commit ms |\n|---|---|---|---|---|---|');
const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connect(url)));
const updates = Promise.all(clients.map(update)).then(() => 'done');
const collector = await connect(url);
const turn = () => new Promise((resolve) => setTimeout(resolve, COLLECT_EVERY_MS));
let reported = 0;
while ((await Promise.race([updates, turn()])) !== 'done') {
  await collect(collector);
  if (done - reported >= COMMITS / 10) {
    reported = done;
    await report(done * 10);
  }
}
await collect(collector);
await collect(collector);
await report('the end');
process.exit(0);
