// Results as text.

/** With commas. */
export const number = (value, digits = 0) =>
  value === undefined ? '' : value.toLocaleString('en-US', { maximumFractionDigits: digits, useGrouping: true });

/** With about three digits. */
export const short = (value) => number(value, value < 10 ? 2 : value < 100 ? 1 : 0);

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
  const columns = [
    ['', ({ client }) => client],
    ['op/s', ({ rate }) => number(rate)],
    ['spread', ({ rate, least, most }) => `${number(((most - least) / rate) * 100)} %`],
    ['zookit/it', ({ rate }) => (zookit ? short(zookit.rate / rate) : '')],
    ['CPU µs/op', ({ cpu }) => short(cpu)],
    ...(raw ? [['it/raw', ({ cpu }) => short(cpu / raw.cpu)]] : []),
    ['p50 µs', ({ p50 }) => short(p50)],
    ['p99 µs', ({ p99 }) => short(p99)],
    ['heap B/op', ({ heap }) => number(heap)],
    ['GC', ({ collecting }) => (collecting === undefined ? '' : `${number(collecting * 100, 1)} %`)],
  ];
  return table([columns.map(([head]) => head), ...results.map((result) => columns.map(([, text]) => text(result)))]);
}

/** A registry of many services, followed by one process: a row a client. */
export function servicesRows(results) {
  const heads = [
    '',
    'first lists, ms',
    'CPU, ms',
    'heap, MB',
    'buffers, MB',
    'heap B an instance',
    'CPU',
    'CPU µs a change',
  ];
  const rows = results.map(({ client, instances, load, loadCpu, heap, buffers, part, each }) => [
    client,
    short(load),
    short(loadCpu),
    ...[heap, buffers].map((bytes) => short(bytes / 1e6)),
    number(heap / instances),
    `${number(part * 100, 1)} %`,
    short(each),
  ]);
  return [heads, ...rows];
}

/** Below this, what the process does besides is more than what is measured. */
const LEAST_FOR_MEMORY = 100;

/** The steps of one kind: a row a count, each phase in all and an item. */
export function growthRows(taken) {
  const phases = Object.keys(taken[0].times);
  const heads = ['count', ...phases.flatMap((phase) => [`${phase}, ms`, 'µs each']), 'heap B each', 'buffers B each'];
  const rows = taken.map(({ count, times, heap, buffers }) => [
    number(count),
    ...phases.flatMap((phase) => [short(times[phase]), short((times[phase] / count) * 1_000)]),
    ...[heap, buffers].map((bytes) => (count < LEAST_FOR_MEMORY ? '' : number(bytes / count))),
  ]);
  return [heads, ...rows];
}
