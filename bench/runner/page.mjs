// Results as the tables of docs/performance.md.
import { judge } from './goals.mjs';
import { describe, growthRows, number, servicesRows, short } from './tables.mjs';

const order = ['zookit', 'raw', 'raw-joined', 'node-zookeeper-client', 'zookeeper', 'java', 'curator', 'kazoo'];
const recipes = ['mutex', 'list', 'pick', 'fanout'];

const nameOf = ({ client }) => client.replace('-recipes', '');

/** `texts`: so many columns to the left, the others to the right. */
function markdown([heads, ...rows], texts = 1) {
  const lines = [heads, heads.map((_, index) => (index < texts ? '---' : '---:')), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** A row a case, a column a client. */
function byClient(cases, show) {
  const clients = order.filter((client) =>
    cases.some(({ results }) => results.some((each) => nameOf(each) === client)),
  );
  const rows = cases.map(({ results, ...details }) => [
    describe(details),
    ...clients.map((client) => {
      const result = results.find((each) => nameOf(each) === client);
      return result === undefined ? '' : show(result);
    }),
  ]);
  return markdown([['', ...clients], ...rows]);
}

function operations(cases, title) {
  if (cases.length === 0) return [];
  const quantiles = ({ p50, p99 }) => (p50 === undefined ? '' : `${short(p50)} / ${short(p99)}`);
  const memory = ({ heap, collecting }) =>
    heap === undefined ? '' : `${number(heap)} / ${number(collecting * 100, 1)} %`;
  return [
    `### ${title}`,
    'Operations a second:',
    byClient(cases, ({ rate }) => number(rate)),
    "Microseconds of the client's processor time an operation, user and system:",
    byClient(cases, ({ cpu }) => short(cpu)),
    'Latency, p50 / p99, microseconds:',
    byClient(cases, quantiles),
    'Bytes allocated on the heap an operation / part of the time in garbage collections:',
    byClient(cases, memory),
  ];
}

function recipeTables(cases) {
  if (cases.length === 0) return [];
  return [
    '### Recipes, on one real server',
    'Cycles, lists, picks and changes a second:',
    byClient(cases, ({ rate }) => short(rate)),
    "Microseconds of the client's processor time for one:",
    byClient(cases, ({ cpu }) => short(cpu)),
    'Latency, p50 / p99, microseconds:',
    byClient(cases, ({ p50, p99 }) => `${short(p50)} / ${short(p99)}`),
  ];
}

function servicesTable(results) {
  if (results === undefined || results.length === 0) return [];
  const [{ services, instances, changes }] = results;
  return [
    '### A big registry, on one real server',
    `${number(instances)} instances of ${number(services)} services, all followed by one process: until all first lists are ` +
      `there, what they hold, and the part of a processor while ${number(changes)} instances change each second:`,
    markdown(servicesRows(results)),
  ];
}

const growthTitles = {
  watches: 'Watches, each with a listener of its own: to set them, and to be told of a change of each',
  caches: 'Znodes in a cache, 100 bytes each: until it is ready, and until it has followed a write of each',
  operations: 'Operations in flight: to call them in one go, and until the last is answered',
  sessions: 'Sessions in one process: to open them, one read of each at once, to close them',
};

function growthTables(growth) {
  if (growth === undefined) return [];
  return [
    '### Growth',
    ...Object.entries(growthTitles).flatMap(([kind, title]) => {
      const taken = growth.filter((each) => each.kind === kind);
      // Figures of before that kind was measured have none.
      return taken.length === 0 ? [] : [`${title}:`, markdown(growthRows(taken))];
    }),
  ];
}

function goalTable(cases) {
  const judged = judge(cases);
  if (judged.length === 0) return [];
  const rows = judged.map(({ name, what, aim, value, isMet }) => [name, what, aim, short(value), isMet ? 'yes' : 'no']);
  return ['### What is aimed at', markdown([['', 'what', 'aim', 'measured', 'met'], ...rows], 5)];
}

/** The part of the page between its marks. */
export function page(results) {
  const { processor, cores, memoryGiB, system, node, clients, server, cases, growth, services, date, rounds, seconds } =
    results;
  const versions = Object.entries(clients)
    .filter(([name]) => !name.startsWith('raw') && !name.endsWith('-recipes'))
    .map(([name, version]) => `${name} ${version}`);
  const of = (target) => cases.filter((each) => each.target === target && !recipes.includes(each.work));
  return [
    `${date}. ${processor}, ${cores} cores, ${memoryGiB} GiB, ${system}. Node ${node}; ZooKeeper ${server ?? 'not run'}; ` +
      `${versions.join(', ')}. ${rounds} rounds of ${seconds} s each, recipes of up to five times that.`,
    '![Reads a second](performance/operations.svg)',
    '![Recipes](performance/recipes.svg)',
    ...goalTable(cases),
    ...operations(of('stand-in'), 'Against a server that answers at once'),
    ...operations(of('standalone'), 'Against one real server'),
    ...operations(of('ensemble'), 'Against a follower of a real ensemble of three'),
    ...recipeTables(cases.filter(({ work }) => recipes.includes(work))),
    ...servicesTable(services),
    ...growthTables(growth),
    '',
  ].join('\n\n');
}
