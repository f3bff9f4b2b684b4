// Results as text.

const number = (value, digits = 0) =>
  value === undefined ? '' : value.toLocaleString('en-US', { maximumFractionDigits: digits, useGrouping: true });

const short = (value) => number(value, value < 10 ? 2 : value < 100 ? 1 : 0);

/** Columns as wide as their widest entry; the first to the left, the others to the right. */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) => row.map((text, column) => (column === 0 ? text.padEnd(widths[0]) : text.padStart(widths[column]))))
    .map((row) => `  ${row.join('  ')}`.trimEnd())
    .join('\n');
}

const sizes = { 0: 'no bytes', 100: '100 bytes', 10000: '10 KB', 1000000: '1 MB' };

/** What is done, in words. */
export function describe({ work, window, bytes, count }) {
  switch (work) {
    case 'mutex':
      return window === 1 ? 'mutex, uncontended' : `mutex, ${window} contenders`;
    case 'list':
      return `registry, list ${count} instances`;
    case 'pick':
      return `registry, pick among ${count} instances`;
    case 'fanout':
      return `configuration, ${count} watchers told of a change`;
    case 'children':
      return `children of 1,000, window ${window}`;
    case 'multi':
      return `multi of 10, window ${window}`;
    default:
      return `${work}, ${sizes[bytes]}, window ${window}`;
  }
}

const isZookit = ({ client }) => client.startsWith('zookit');

/** One case: a row a client. */
export function caseTable({ results }) {
  const zookit = results.find(isZookit);
  const raw = results.find(({ client }) => client === 'raw');
  const rows = results.map((result) => [
    result.client,
    number(result.rate),
    `${number(((result.most - result.least) / result.rate) * 100)} %`,
    zookit ? short(zookit.rate / result.rate) : '',
    short(result.cpu),
    raw ? short(result.cpu / raw.cpu) : '',
    short(result.p50),
    short(result.p99),
    number(result.heap),
    result.collecting === undefined ? '' : `${number(result.collecting * 100, 1)} %`,
  ]);
  const heads = ['', 'op/s', 'spread', 'zookit/it', 'CPU µs/op', 'it/raw', 'p50 µs', 'p99 µs', 'heap B/op', 'GC'];
  return table([heads, ...rows]);
}
