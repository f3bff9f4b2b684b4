import { expect, test } from '@jest/globals';
import { runScript } from '../support/child.js';
import { until } from '../support/until.js';
import { reply, startWireServer } from '../support/wire-server.js';
import { connectTo, EventLog, startRig } from './rig.js';

interface Look {
  readonly held: boolean;
  readonly aborted: boolean;
  readonly positive: boolean;
  readonly timerRan: boolean;
}

/**
 * A program with a lease. `block` keeps its event loop busy, in one synchronous stretch, until its session should be
 * over; then it looks, in the same stretch.
 */
const program = (connectString: string, block: string): string => `
  import { ZooKeeper } from 'zookit';
  const zk = await ZooKeeper.connect('${connectString}', { sessionTimeout: 2000 });
  const events = [];
  zk.on('session', ({ type }) => type === 'stalled' || events.push(type));
  await zk.create('/mine', null, { mode: 'ephemeral' });
  const lease = zk.lease();
  const look = (timerRan) => ({
    held: lease.held,
    aborted: lease.signal.aborted,
    positive: zk.session.remaining > 0,
    timerRan,
  });
  const before = look(false);
  let timerRan = false;
  setTimeout(() => (timerRan = true), 1);
  let time = performance.now();
  console.log('ready');
  ${block}
  const after = look(timerRan);
  const write = await zk.create('/late', null, { mode: 'ephemeral' }).then(() => 'written', (error) => error.code);
  if (!events.includes('connected')) await new Promise((resolve) => zk.once('connected', resolve));
  const owner = (await zk.exists('/mine'))?.ephemeralOwner;
  console.log(JSON.stringify({ before, after, events, write, ownsOld: owner !== undefined }));
  await zk.close();`;

interface Report {
  readonly before: Look;
  readonly after: Look;
  readonly events: string[];
  readonly write: string;
  readonly ownsOld: boolean;
}

const stillHeld: Look = { held: true, aborted: false, positive: true, timerRan: false };
const lost: Look = { held: false, aborted: true, positive: false, timerRan: false };

test('a process whose event loop was blocked past the deadline sees the loss at its first look, before any timer', async () => {
  await using rig = await startRig();
  const source = program(rig.connectString, `while (performance.now() < time + 4500);`);
  const { code, stdout, stderr } = await (await runScript({ source })).result;
  expect([code, stderr]).toEqual([0, '']);
  const report = JSON.parse(stdout.split('\n')[1] ?? '') as Report;
  expect(report).toMatchObject({ before: stillHeld, after: lost, ownsOld: false });
  expect(report.events[0]).toBe('lost');
  expect(report.events.slice(-2)).toEqual(['expired', 'connected']);
});

test('so does a process that was stopped by SIGSTOP', async () => {
  await using rig = await startRig();
  const source = program(
    rig.connectString,
    // Until the clock leaps, because this process was stopped; at last after a while, so as not to run for ever.
    `for (let begin = time, last = time; time - last < 500 && time - begin < 9000; ) {
       last = time;
       time = performance.now();
     }`,
  );
  await using child = await runScript({ source });
  await child.line(/^ready$/);
  child.signal('SIGSTOP');
  await until(async () => !(await rig.observer.has('/mine')), { what: 'the server to end the session' });
  child.signal('SIGCONT');
  const { code, stdout, stderr } = await child.result;
  expect([code, stderr]).toEqual([0, '']);
  const report = JSON.parse(stdout.split('\n')[1] ?? '') as Report;
  expect(report).toMatchObject({ before: stillHeld, after: lost, ownsOld: false });
  expect(report.events[0]).toBe('lost');
  expect(report.events.slice(-2)).toEqual(['expired', 'connected']);
});

test('an answer that comes after the deadline does not bring a lease back', async () => {
  await using server = await startWireServer();
  await using zk = await connectTo(server.connectString, { sessionTimeout: 1_500 });
  const events = new EventLog(zk);
  const lease = zk.lease();
  const answered = zk.exists('/node');
  const request = await server.frame();
  const end = performance.now() + 1_700;
  while (performance.now() < end);
  expect([lease.held, lease.signal.aborted, zk.session.remaining > 0]).toEqual([false, true, false]);
  request.connection.send(reply(request, { err: -101 }));
  await answered;
  expect([lease.held, zk.session.remaining > 0]).toEqual([false, false]);
  await events.first('lost');
});

test('a server that was asked nothing while the process slept is not given up for its silence', async () => {
  await using rig = await startRig({ sessionTimeout: 9_000 });
  const { zk, events } = rig;
  await zk.exists('/');
  const end = performance.now() + 6_700;
  while (performance.now() < end);
  const written = zk.create('/node');
  expect(await written).toMatchObject({ path: '/node' });
  expect(events.types).toEqual([]);
});
