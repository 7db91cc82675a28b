// A table of medians with their quartiles, and each median beside JSON's.

export function report(title, runs) {
  const peers = [...new Set(runs.map((run) => run.peer))];
  const of = (peer, op) => runs.find((run) => run.peer === peer && run.op === op);
  const base = (op) => quantile(of('JSON', op).samples, 0.5);
  const ops = ['encode', 'decode', 'sum', 'page'].filter((op) => runs.some((run) => run.op === op));
  const heads = { encode: 'encode µs', decode: 'decode µs', sum: 'one field of each row µs', page: '20 rows µs' };
  const columns = ops.flatMap((op) => [heads[op], '×JSON']);
  console.log(`\n${title}\n\n| | bytes | ${columns.join(' | ')} |\n|---|---${'|---'.repeat(columns.length)}|`);
  for (const peer of peers) {
    const cells = ops.flatMap((op) => {
      const run = of(peer, op);
      if (run === undefined) return ['', ''];
      return [spread(run.samples), (quantile(run.samples, 0.5) / base(op)).toFixed(2)];
    });
    console.log(`| ${peer} | ${of(peer, 'encode').size} | ${cells.join(' | ')} |`);
  }
}

function spread(samples) {
  const [low, median, high] = [0.25, 0.5, 0.75].map((q) => (quantile(samples, q) / 1000).toPrecision(3));
  return `${median} (${low}–${high})`;
}

function quantile(samples, q) {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}
