// `npm run bench:quick`: figures that are nearly the same in each run, compared with those of baseline.json. Ends with 1
// at a clear loss. `-- --save` takes what was measured as the new baseline.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { findClients } from './runner/clients.mjs';
import { median, rounded } from './runner/figures.mjs';
import { startStandIn } from './runner/stand-in.mjs';
import { describe, table } from './runner/tables.mjs';

const baselineFile = new URL('baseline.json', import.meta.url);

/** `calls`: about a quarter of a second. */
const cases = [
  { work: 'get', window: 1, bytes: 100, calls: 5_000 },
  { work: 'get', window: 256, bytes: 100, calls: 60_000 },
  { work: 'exists', window: 256, bytes: 100, calls: 60_000 },
  { work: 'set', window: 256, bytes: 100, calls: 60_000 },
  { work: 'create', window: 256, bytes: 100, calls: 25_000 },
  { work: 'children', window: 256, bytes: 100, calls: 1_000 },
  { work: 'multi', window: 256, bytes: 100, calls: 5_000 },
  { work: 'watch', window: 256, bytes: 100, calls: 6_000 },
];

/** How far a figure may be above the baseline. README.md says how these were chosen. */
const tolerated = { heap: 0.04, wire: 0.001, cpuRatio: 0.75 };

const ROUNDS = 6;
/** How often so many rounds are added where the processor time is above what is tolerated: the machine may be busy. */
const ATTEMPTS = 3;
/** Of the raw socket, milliseconds. */
const RUN = { warmup: 30, measure: 150 };

/** The least of the rounds: other processes can only add to what an operation takes. */
const leastCpu = (rounds) => Math.min(...rounds.map(({ cpu, operations }) => cpu / operations));

/** `enough`: the ratio of processor times that needs no second look. */
async function measureCase({ calls, ...details }, raw, zookit, enough) {
  const rounds = { raw: [], zookit: [] };
  const ratio = () => leastCpu(rounds.zookit) / leastCpu(rounds.raw);
  // Of the raw socket always the same work: how many long replies come in one piece differs from process to process.
  await raw.ask('open', { ...details, work: 'get', name: 'quick' });
  await zookit.ask('open', { ...details, name: 'quick' });
  await raw.ask('run', RUN);
  await zookit.ask('calls', { calls: 2 * calls });
  for (let attempt = 0; attempt < ATTEMPTS && (attempt === 0 || ratio() > enough); attempt++) {
    for (let round = 0; round < ROUNDS; round++) {
      rounds.raw.push(await raw.ask('run', RUN));
      rounds.zookit.push(await zookit.ask('calls', { calls }));
    }
  }
  for (const driver of [raw, zookit]) await driver.ask('close');
  const each = (figure) => rounded(median(rounds.zookit.map((round) => round[figure] / round.operations)));
  return { heap: each('heapBytes'), wire: each('wireBytes'), cpuRatio: rounded(ratio()) };
}

async function measureAll(baseline) {
  const standIn = await startStandIn();
  const started = findClients('', ['raw', 'zookit']).filter(({ takesPart }) => takesPart.includes('get'));
  const measured = {};
  try {
    for (const details of cases) {
      const [raw, zookit] = ['raw', 'zookit'].map((name) => started.find((client) => client.name === name).start());
      try {
        const name = describe(details);
        const enough = (1 + tolerated.cpuRatio) * (baseline[name]?.cpuRatio ?? 0);
        measured[name] = await measureCase({ ...details, port: standIn.port }, raw, zookit, enough);
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
  console.log(table([['', 'heap bytes/op', 'wire bytes/op', 'CPU/raw get'], ...rows]));
  return losses;
}

const { values } = parseArgs({ options: { save: { type: 'boolean', default: false } } });
const baseline = JSON.parse(readFileSync(baselineFile, 'utf8'));
// For a new baseline all rounds are taken.
const measured = await measureAll(values.save ? {} : baseline);
const losses = compareWith(baseline, measured);
if (values.save) {
  writeFileSync(baselineFile, `${JSON.stringify(measured, null, 2)}\n`);
  console.log('Saved as the new baseline.');
} else if (losses.length > 0) {
  console.error(`Clearly worse than the baseline:\n${losses.map((loss) => `  ${loss}`).join('\n')}`);
  process.exitCode = 1;
}
