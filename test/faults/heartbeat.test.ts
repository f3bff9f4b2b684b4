import { expect, test } from '@jest/globals';
import { HoldUps } from '../support/hold-ups.js';
import { until } from '../support/until.js';
import { connectResponse, frame, int, long, notification, reply, startWireServer } from '../support/wire-server.js';
import { EventLog, op, connectTo } from './rig.js';

/** How much later a timer may run, ms, beside the time for which this process was held up. */
const SLACK = 250;

const pong = frame(int(-2), long(0), int(0));

test('pings go out after a third of the timeout without a request, also when events keep coming', async () => {
  await using server = await startWireServer({ answerPings: false });
  await using zk = await connectTo(server.connectString, { sessionTimeout: 1_800 });
  const connection = await server.connection();
  let last = performance.now();
  using heldUp = new HoldUps();
  for (let ping = 1; ping <= 4; ping++) {
    // Just before a ping is due, an event: it is no reason for the next ping to come later.
    const due = last + 1_800 / 3;
    await until(() => performance.now() > due - 80, { what: 'a ping to be due', interval: 5 });
    connection.send(notification('/node', 3));
    const { opCode } = await server.frame();
    expect(opCode).toBe(op.ping);
    expect(performance.now() - last).toBeLessThanOrEqual(600 + SLACK + heldUp.total);
    last = performance.now();
    connection.send(pong);
  }
  expect(zk.state).toBe('connected');
});

test('a busy connection is not pinged', async () => {
  await using server = await startWireServer({ answerPings: false });
  await using zk = await connectTo(server.connectString, { sessionTimeout: 6_000 });
  const begin = performance.now();
  const opCodes = new Set<number>();
  while (performance.now() - begin < 2_500) {
    const answered = zk.exists('/node');
    const request = await server.frame();
    opCodes.add(request.opCode);
    request.connection.send(reply(request, { err: -101 }));
    await answered;
  }
  expect([...opCodes]).toEqual([op.exists]);
});

test('pings go on, and the server is not given up, while a large reply trickles in', async () => {
  await using server = await startWireServer({ answerPings: false });
  await using zk = await connectTo(server.connectString, { sessionTimeout: 900 });
  const events = new EventLog(zk);
  const answered = zk.getChildren('/');
  const request = await server.frame();
  const whole = reply(request, { body: Buffer.concat([int(1), int(3_000), Buffer.alloc(3_000, 'x')]) });
  const pings: number[] = [];
  for (let sent = 0; pings.length < 6; sent += 10) {
    request.connection.send(whole.subarray(sent, sent + 10));
    // The pongs stand behind the reply, as on a real server.
    pings.push((await server.frame()).opCode);
    if (pings.length === 6) request.connection.send(whole.subarray(sent + 10), ...pings.map(() => pong));
  }
  expect((await answered)[0]).toHaveLength(3_000);
  expect(pings).toEqual(pings.map(() => op.ping));
  expect(events.types).toEqual(['lost']);
});

test('a late pong confirms the session from the ping that it answers, not from a later one', async () => {
  await using server = await startWireServer({ answerPings: false });
  await using zk = await connectTo(server.connectString, { sessionTimeout: 1_500 });
  const connection = await server.connection();
  expect((await server.frame()).opCode).toBe(op.ping);
  const firstPing = performance.now();
  connection.send(notification('/keeps/the/line/alive', 3));
  expect((await server.frame()).opCode).toBe(op.ping);
  const secondPing = performance.now();
  connection.send(pong);
  await until(() => zk.session.remaining > firstPing + 1_100 - performance.now(), { what: 'the pong', interval: 1 });
  expect(zk.session.remaining).toBeLessThanOrEqual(firstPing + 1_500 - performance.now() + 5);
  expect(secondPing - firstPing).toBeGreaterThan(200);
});

test('a silent server is given up after two thirds of the timeout, and the next one is tried', async () => {
  await using one = await startWireServer();
  await using other = await startWireServer();
  await using zk = await connectTo(`${one.connectString},${other.connectString}`, { sessionTimeout: 6_000 });
  const events = new EventLog(zk);
  const before = zk.session.server;
  const [used, next] = before === one.connectString ? [one, other] : [other, one];
  // From now on nobody answers on the connection in use.
  const connection = await used.connection();
  const silentSince = performance.now();
  using heldUp = new HoldUps();
  muzzle(connection);
  await events.first('connected');
  expect(events.types).toEqual(['suspended', 'connected']);
  expect(events.timeOf('suspended') - silentSince).toBeLessThanOrEqual(4_000 + 200 + SLACK + heldUp.total);
  expect(zk.session.server).toBe(next.connectString);
  const { connectRequest } = await next.connection();
  expect(connectRequest.sessionId).toBe(BigInt(zk.session.id.toString()));
  expect(connectResponse(connectRequest)).toHaveLength(41);
});

/** Answers nothing more, pings included. */
function muzzle(connection: { send(...pieces: Uint8Array[]): void }): void {
  connection.send = () => undefined;
}
