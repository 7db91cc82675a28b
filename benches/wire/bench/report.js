// A table of medians with their quartiles, and each median beside JSON's.

export function report(title, runs) {
  const peers = [...new Set(runs.map((run) => run.peer))];
  const of = (peer, op) => runs.find((run) => run.peer === peer && run.op === op);
  const base = (op) => quantile(of('JSON', op === 'lazy' ? 'decode' : op).samples, 0.5);
  console.log(`\n${title}\n\n| | bytes | encode µs | ×JSON | decode µs | ×JSON | lazily, one field µs |\n|---|---|---|---|---|---|---|`);
  for (const peer of peers) {
    const cells = ['encode', 'decode'].flatMap((op) => {
      const run = of(peer, op);
      return [spread(run.samples), (quantile(run.samples, 0.5) / base(op)).toFixed(2)];
    });
    const lazy = of(peer, 'lazy');
    console.log(`| ${peer} | ${of(peer, 'encode').size} | ${cells.join(' | ')} | ${lazy === undefined ? '' : spread(lazy.samples)} |`);
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
