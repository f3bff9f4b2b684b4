// zookit alone against the stand-in, in this process, for profilers: `node --cpu-prof bench/profile.mjs --work get
// --window 256 --bytes 100 --seconds 5 [--client raw]`.
import { parseArgs } from 'node:util';
import { measure } from './clients/measure.mjs';
import { startStandIn } from './runner/stand-in.mjs';

const { values } = parseArgs({
  options: {
    work: { type: 'string', default: 'get' },
    window: { type: 'string', default: '256' },
    bytes: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '5' },
    client: { type: 'string', default: 'zookit' },
  },
});

const { open } = await import(`./clients/${values.client}.mjs`);
const standIn = await startStandIn();
const work = { work: values.work, window: Number(values.window), bytes: Number(values.bytes) };
const client = await open({ ...work, port: standIn.port, name: values.client });
const result = await measure(client, { warmup: 1_000, measure: Number(values.seconds) * 1_000 });
await client.close();
await standIn.end();

const each = (total) => (total / result.operations).toFixed(2);
console.log(`${values.client} ${JSON.stringify(work)}`);
console.log(`${Math.round(result.operations / result.seconds)} operations/s, ${each(result.cpu)} µs of CPU each`);
console.log(`${each(result.heapBytes)} bytes of heap each; ${each(result.collecting)} µs of collections each`);
if (result.p50 !== undefined) console.log(`p50 ${result.p50.toFixed(0)} µs, p99 ${result.p99.toFixed(0)} µs`);
