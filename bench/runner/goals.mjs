// What is aimed at, each with what was measured.
import { rounded } from './figures.mjs';
import { describe } from './tables.mjs';

const peers = ['node-zookeeper-client', 'zookeeper', 'java', 'kazoo', 'curator'];

const by = (results, client) => results.find((result) => result.client.replace('-recipes', '') === client);
const best = (results) => Math.max(...results.filter(({ client }) => peers.includes(client)).map(({ rate }) => rate));
const overBest = (results) => by(results, 'zookit').rate / best(results);
const cpuOverRaw = (results) => by(results, 'zookit').cpu / by(results, 'raw').cpu;

const goals = [
  {
    target: 'stand-in',
    work: 'get',
    window: 256,
    what: 'operations/s',
    least: 600_000,
    of: (all) => by(all, 'zookit').rate,
  },
  {
    ...{ target: 'stand-in', work: 'get', window: 256, what: 'rate, in that of the raw socket', least: 0.5 },
    of: (all) => by(all, 'zookit').rate / by(all, 'raw').rate,
  },
  { target: 'stand-in', work: 'get', window: 256, what: 'rate, in that of the best peer', least: 12, of: overBest },
  { target: 'stand-in', work: 'get', window: 1, what: 'CPU, in that of the raw socket', most: 1.15, of: cpuOverRaw },
  { target: 'stand-in', work: 'children', window: 16, what: 'CPU, in that of the raw socket', most: 3, of: cpuOverRaw },
  ...['standalone', 'ensemble'].flatMap((target) => [
    { target, work: 'get', window: 256, what: 'CPU, in that of the raw socket', most: 1.2, of: cpuOverRaw },
    { target, work: 'get', window: 256, what: 'rate, in that of the best peer', least: 1, of: overBest },
    { target, work: 'set', window: 256, what: 'rate, in that of the best peer', least: 1, of: overBest },
  ]),
  { target: 'standalone', work: 'mutex', window: 1, what: 'rate, in that of the best peer', least: 2, of: overBest },
  { target: 'standalone', work: 'mutex', window: 10, what: 'rate, in that of the best peer', least: 1.5, of: overBest },
  {
    target: 'standalone',
    work: 'mutex',
    window: 100,
    what: 'rate, in that of the best peer',
    least: 1.5,
    of: overBest,
  },
];

const isOf = (goal) => (each) =>
  each.target === goal.target &&
  each.work === goal.work &&
  each.window === goal.window &&
  each.bytes === (goal.work === 'mutex' ? 0 : 100);

/** The goals that these cases tell something about: what was measured, and whether that is enough. */
export function judge(cases) {
  return goals.flatMap((goal) => {
    const found = cases.find(isOf(goal));
    const value = found === undefined ? Number.NaN : valueOf(goal, found.results);
    if (!Number.isFinite(value)) return [];
    return {
      name: `${goal.target}: ${describe(found)}`,
      what: goal.what,
      aim: goal.least === undefined ? `at most ${goal.most}` : `at least ${goal.least.toLocaleString('en-US')}`,
      value: rounded(value),
      isMet: goal.least === undefined ? value <= goal.most : value >= goal.least,
    };
  });
}

/** NaN where somebody did not take part. */
function valueOf(goal, results) {
  const taking = ['zookit', ...(goal.what.includes('raw') ? ['raw'] : [])];
  return taking.every((client) => by(results, client) !== undefined) ? goal.of(results) : Number.NaN;
}
