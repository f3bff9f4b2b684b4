import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runScript } from '../support/child.js';
import { startServer, type ZooKeeperServer } from '../support/zookeeper.js';

let server: ZooKeeperServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server.close());

const MiB = 2 ** 20;

/** What the programs below share: the heap without what nobody needs, and the memory of the whole process, MiB. */
const prelude = `
  import { setFlagsFromString } from 'node:v8';
  import { runInNewContext } from 'node:vm';
  import { ZooKeeper } from 'zookit';
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc');
  const heap = () => { gc(); const { heapUsed, arrayBuffers } = process.memoryUsage(); return (heapUsed + arrayBuffers) / ${MiB}; };
  const rss = () => process.memoryUsage.rss() / ${MiB};
  const said = (line) => console.log(line);
  const heard = () => new Promise((resolve) => process.once('SIGUSR2', resolve));`;

test('H6: 10,000 operations that were given up while the server was paused leave no memory behind', async () => {
  const source = `${prelude}
    const zk = await ZooKeeper.connect('${server.connectString}', { sessionTimeout: 60_000 });
    await zk.upsert('/node', 'x');
    const round = () => {
      const abort = new AbortController();
      const given = Array.from({ length: 10_000 }, (_, index) =>
        index % 2 === 0 ? zk.setData('/node', 'y'.repeat(100), -1, { signal: abort.signal }) : zk.getData('/node', { timeout: 10 }));
      setImmediate(() => abort.abort());
      return Promise.allSettled(given);
    };
    await round();
    await zk.sync();
    const before = heap();
    const told = heard();
    said('ready');
    await told;
    const codes = new Set((await round()).map(({ reason }) => reason?.code));
    const paused = heap();
    said('given up');
    await zk.sync();
    const after = heap();
    await zk.close();
    said(JSON.stringify({ codes: [...codes].sort(), paused: paused - before, after: after - before }));`;
  await using child = await runScript({ source });
  await child.line(/^ready$/, { timeout: 60_000 });
  server.pause();
  try {
    child.signal('SIGUSR2');
    await child.line(/^given up$/, { timeout: 60_000 });
  } finally {
    server.resume();
  }
  const { code, stdout, stderr } = await child.result;
  expect([code, stderr]).toEqual([0, '']);
  const report = JSON.parse(stdout.split('\n')[2] ?? '') as { codes: string[]; paused: number; after: number };
  expect(report.codes).toEqual(['ABORTED', 'OPERATION_TIMEOUT']);
  expect(report.paused).toBeLessThan(20);
  // What leaked would be as much as there was meanwhile.
  expect(report.after).toBeLessThan(5);
}, 120_000);

test('Q1: a million calls while no server is there fail at once beyond the bound, and take less than 100 MB', async () => {
  const source = `${prelude}
    const zk = ZooKeeper.open('127.0.0.1:1', { offlineQueue: { maxWait: 600_000 } });
    const codes = {};
    const note = ({ code }) => { codes[code] = (codes[code] ?? 0) + 1; };
    const before = rss();
    let most = 0;
    for (let call = 1; call <= 1_000_000; call++) {
      zk.setData('/node', 'x').catch(note);
      // A caller that never waits would fill the memory with its own promises.
      if (call % 1_000 === 0) { await new Promise(setImmediate); most = Math.max(most, rss()); }
    }
    const inTime = codes.QUEUE_FULL;
    await zk.close();
    await new Promise(setImmediate);
    said(JSON.stringify({ inTime, codes, grown: most - before }));`;
  // V8 takes tens of megabytes for what is garbage already, unless it is told to look sooner.
  const env = { NODE_OPTIONS: '--max-semi-space-size=2' };
  const { code, stdout, stderr } = await (await runScript({ source }, { env })).result;
  expect([code, stderr]).toEqual([0, '']);
  const report = JSON.parse(stdout) as { inTime: number; codes: Record<string, number>; grown: number };
  expect(report).toMatchObject({ inTime: 990_000, codes: { QUEUE_FULL: 990_000, CLOSED: 10_000 } });
  expect(report.grown).toBeLessThan(100);
}, 120_000);

test('a server that stops reading: what is asked of it takes no more memory than the bounds allow', async () => {
  const source = `${prelude}
    const zk = await ZooKeeper.connect('${server.connectString}', {
      sessionTimeout: 60_000, inFlight: { maxBytes: 8 * ${MiB} }, offlineQueue: { maxBytes: 8 * ${MiB} },
    });
    await zk.upsert('/node', 'x');
    const data = Buffer.alloc(100_000, 'x');
    const round = async (calls) => {
      const codes = {};
      const note = (code) => { codes[code] = (codes[code] ?? 0) + 1; };
      const asked = [];
      for (let call = 1; call <= calls; call++) {
        asked.push(zk.setData('/node', data).then(() => note('done'), ({ code }) => note(code)));
        if (call % 100 === 0) await new Promise(setImmediate);
      }
      return { asked, codes };
    };
    await Promise.all((await round(100)).asked);
    const before = heap();
    const told = heard();
    said('ready');
    await told;
    // 400 MB in all.
    const { asked, codes } = await round(4_000);
    const grown = heap() - before;
    said('asked');
    await Promise.all(asked);
    said(JSON.stringify({ codes, grown, after: heap() - before }));
    await zk.close();`;
  await using child = await runScript({ source });
  await child.line(/^ready$/, { timeout: 60_000 });
  server.pause();
  try {
    child.signal('SIGUSR2');
    await child.line(/^asked$/, { timeout: 60_000 });
  } finally {
    server.resume();
  }
  const { code, stdout, stderr } = await child.result;
  expect([code, stderr]).toEqual([0, '']);
  const report = JSON.parse(stdout.split('\n')[2] ?? '') as {
    codes: Record<string, number>;
    grown: number;
    after: number;
  };
  // What was accepted was done; what would not fit was refused at once.
  expect(report.codes).toEqual({ done: expect.any(Number), QUEUE_FULL: expect.any(Number) });
  expect(report.codes.done).toBeLessThan(200);
  expect(report.grown).toBeLessThan(40);
  expect(report.after).toBeLessThan(5);
}, 120_000);
