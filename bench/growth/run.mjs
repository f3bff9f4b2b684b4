// Time and memory as the number of watches, of znodes in a cache, of operations in flight and of sessions grows. Against
// the stand-in, so that it is the client's time and memory.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median, rounded } from '../runner/figures.mjs';
import { startStandIn } from '../runner/stand-in.mjs';
import { growthRows, table } from '../runner/tables.mjs';
import { CACHED_COUNTS } from '../wire/works.mjs';

const driver = fileURLToPath(new URL('driver.mjs', import.meta.url));
const run = promisify(execFile);

const steps = {
  watches: [1, 10, 100, 1_000, 10_000, 100_000],
  caches: CACHED_COUNTS,
  operations: [10, 100, 1_000, 10_000, 100_000],
  sessions: [1, 10, 100, 1_000],
};

/** Each step is taken so often; the middle one counts. */
const TIMES = 3;

async function step(kind, count, port) {
  const taken = [];
  for (let time = 0; time < TIMES; time++) {
    const { stdout } = await run(process.execPath, ['--expose-gc', driver, kind, String(count), String(port)]);
    taken.push(JSON.parse(stdout));
  }
  const middle = (of) => rounded(median(taken.map(of)));
  const phases = Object.keys(taken[0].times);
  return {
    kind,
    count,
    /** Milliseconds, by phase. */
    times: Object.fromEntries(phases.map((phase) => [phase, middle(({ times }) => times[phase])])),
    /** Bytes. */
    heap: middle(({ heap }) => heap),
    buffers: middle(({ buffers }) => buffers),
  };
}

export async function measureGrowth() {
  const standIn = await startStandIn();
  const all = [];
  try {
    for (const [kind, counts] of Object.entries(steps)) {
      const taken = [];
      for (const count of counts) taken.push(await step(kind, count, standIn.port));
      console.log(`\ngrowth: ${kind}`);
      console.log(table(growthRows(taken)));
      all.push(...taken);
    }
  } finally {
    await standIn.end();
  }
  return all;
}
