// `npm run bench:quick`: figures that are nearly the same in each run, compared with those of baseline.json. Ends with 1
// at a clear loss. `-- --save` takes what was measured as the new baseline.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { findClients } from './runner/clients.mjs';
import { median, rounded } from './runner/figures.mjs';
import { startStandIn } from './runner/stand-in.mjs';
import { describe, table } from './runner/tables.mjs';

const baselineFile = new URL('baseline.json', import.meta.url);

const cases = [
  { work: 'get', window: 1, bytes: 100 },
  { work: 'get', window: 256, bytes: 100 },
  { work: 'exists', window: 256, bytes: 100 },
  { work: 'set', window: 256, bytes: 100 },
  { work: 'create', window: 256, bytes: 100 },
  { work: 'children', window: 16, bytes: 100 },
  { work: 'multi', window: 16, bytes: 100 },
  { work: 'watch', window: 256, bytes: 100 },
];

/** How far a figure may be above the baseline. README.md says how these were chosen. */
const tolerated = { heap: 0.05, wire: 0.01, cpuRatio: 0.4 };

const ROUNDS = 6;
const WARM_UP = { warmup: 450, measure: 50 };
const RUN = { warmup: 30, measure: 200 };

/** The least of the rounds: other processes can only add to what an operation takes. */
const leastCpu = (rounds) => Math.min(...rounds.map(({ cpu, operations }) => cpu / operations));

async function measureCase(details, raw, zookit) {
  const drivers = [raw, zookit];
  const rounds = new Map(drivers.map((driver) => [driver, []]));
  for (const driver of drivers) {
    await driver.ask('open', { ...details, name: 'quick' });
    await driver.ask('run', WARM_UP);
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const driver of drivers) rounds.get(driver).push(await driver.ask('run', RUN));
  }
  for (const driver of drivers) await driver.ask('close');
  const ours = rounds.get(zookit);
  return {
    heap: rounded(median(ours.map(({ heapBytes, operations }) => heapBytes / operations))),
    wire: rounded(median(ours.map(({ wireBytes, operations }) => wireBytes / operations))),
    cpuRatio: rounded(leastCpu(ours) / leastCpu(rounds.get(raw))),
  };
}

async function measureAll() {
  const standIn = await startStandIn();
  const started = findClients('', ['raw', 'zookit']).filter(({ takesPart }) => takesPart.includes('get'));
  const measured = {};
  try {
    for (const details of cases) {
      const [raw, zookit] = ['raw', 'zookit'].map((name) => started.find((client) => client.name === name).start());
      try {
        measured[describe(details)] = await measureCase({ ...details, port: standIn.port }, raw, zookit);
      } finally {
        await Promise.all([raw.end(), zookit.end()]);
      }
    }
  } finally {
    await standIn.end();
  }
  return measured;
}

/** Each figure beside that of the baseline. Returns what is clearly worse. */
function compareWith(baseline, measured) {
  const losses = [];
  const rows = Object.entries(measured).map(([name, figures]) => {
    const cells = Object.entries(tolerated).map(([figure, tolerance]) => {
      const [is, was] = [figures[figure], baseline[name]?.[figure]];
      if (was === undefined) return `${is}`;
      const change = is / was - 1;
      if (change > tolerance) losses.push(`${name}: ${figure} ${is}, which was ${was}`);
      return `${is} (${change < 0 ? '' : '+'}${(change * 100).toFixed(1)} %)`;
    });
    return [name, ...cells];
  });
  console.log(table([['', 'heap bytes/op', 'wire bytes/op', 'CPU zookit/raw'], ...rows]));
  return losses;
}

const { values } = parseArgs({ options: { save: { type: 'boolean', default: false } } });
const measured = await measureAll();
const losses = compareWith(JSON.parse(readFileSync(baselineFile, 'utf8')), measured);
if (values.save) {
  writeFileSync(baselineFile, `${JSON.stringify(measured, null, 2)}\n`);
  console.log('Saved as the new baseline.');
} else if (losses.length > 0) {
  console.error(`Clearly worse than the baseline:\n${losses.map((loss) => `  ${loss}`).join('\n')}`);
  process.exitCode = 1;
}
