import { describe, expect, it, test } from '@jest/globals';
import type { ZooKeeper } from 'zookit';
import {
  bytes,
  notification,
  reply,
  startWireServer,
  stat,
  type WireConnection,
  type WireFrame,
  type WireServer,
} from '../support/wire-server.js';
import { connectTo, EventLog } from './rig.js';

const node = { body: Buffer.concat([bytes('x'), stat()]) };
const changed = (path: string): Buffer => notification(path, 3);

/** How the bytes of several frames reach the client. */
const segmentations: readonly [string, (connection: WireConnection, stream: Buffer) => Promise<void> | void][] = [
  ['in one TCP segment', (connection, stream) => connection.send(stream)],
  [
    'one byte per segment',
    async (connection, stream) => {
      for (const byte of stream) {
        connection.send(Uint8Array.of(byte));
        await new Promise(setImmediate);
      }
    },
  ],
];

/** Leaves a data watch on each path; its event goes into `order`. */
async function watch(server: WireServer, zk: ZooKeeper, order: string[], ...paths: string[]): Promise<void> {
  for (const path of paths) {
    const read = zk.getData(path, { watch: () => void note(order, `event ${path}`) });
    const request = await server.frame();
    request.connection.send(reply(request, node));
    await read;
  }
}

/** What user code does that is told something: some steps of its own, in microtasks, before it is done. */
async function note(order: string[], what: string): Promise<void> {
  order.push(what);
  for (let step = 0; step < 20; step++) await Promise.resolve();
  order.push(`${what} done`);
}

async function framesOf(server: WireServer, count: number): Promise<WireFrame[]> {
  const frames: WireFrame[] = [];
  while (frames.length < count) frames.push(await server.frame());
  return frames;
}

const both = (what: string): string[] => [what, `${what} done`];

describe.each(segmentations)('what arrives %s', (_, send) => {
  it('is told in its order: what follows a result is over before the next event, and the event before later results', async () => {
    await using server = await startWireServer();
    await using zk = await connectTo(server.connectString);
    const order: string[] = [];
    await watch(server, zk, order, '/a', '/b', '/c');
    const reads = ['1', '2', '3', '4'].map((name) => zk.getData('/node').then(() => note(order, `result ${name}`)));
    const [one, two, three, four] = (await framesOf(server, 4)) as [WireFrame, WireFrame, WireFrame, WireFrame];
    await send(
      one.connection,
      Buffer.concat([
        reply(one, node),
        changed('/a'),
        reply(two, node),
        changed('/b'),
        changed('/c'),
        reply(three, node),
        reply(four, node),
      ]),
    );
    await Promise.all(reads);
    expect(order.slice(0, 6)).toEqual(['result 1', 'event /a', 'result 2'].flatMap(both));
    // Neighbours of one kind may overlap; what is between a result and an event may not.
    expect(order.slice(6, 10).sort()).toEqual(['event /b', 'event /c'].flatMap(both));
    expect(order.slice(10).sort()).toEqual(['result 3', 'result 4'].flatMap(both));
  });

  it('first an event: it is told before the result that shows the change', async () => {
    await using server = await startWireServer();
    await using zk = await connectTo(server.connectString);
    const order: string[] = [];
    await watch(server, zk, order, '/a');
    const read = zk.getData('/a').then(() => note(order, 'result'));
    const request = await server.frame();
    await send(request.connection, Buffer.concat([changed('/a'), reply(request, node)]));
    await read;
    expect(order).toEqual(['event /a', 'result'].flatMap(both));
  });

  it('failures stand in line like results', async () => {
    await using server = await startWireServer();
    await using zk = await connectTo(server.connectString);
    const order: string[] = [];
    await watch(server, zk, order, '/a');
    const reads = ['1', '2'].map((name) => zk.getData('/missing').catch(() => note(order, `failure ${name}`)));
    const [one, two] = (await framesOf(server, 2)) as [WireFrame, WireFrame];
    const missing = { err: -101 };
    await send(one.connection, Buffer.concat([reply(one, missing), changed('/a'), reply(two, missing)]));
    await Promise.all(reads);
    expect(order).toEqual(['failure 1', 'event /a', 'failure 2'].flatMap(both));
  });
});

test('a watch that the continuation of a result sets is not told of an event that came before its own reply', async () => {
  await using server = await startWireServer();
  await using zk = await connectTo(server.connectString);
  const order: string[] = [];
  await watch(server, zk, order, '/a');
  let second: Promise<unknown> | undefined;
  const read = zk.exists('/other').then(() => {
    second = zk.getData('/a', { watch: () => order.push('second') });
  });
  const request = await server.frame();
  request.connection.send(reply(request, { err: -101 }), changed('/a'));
  await read;
  const next = await server.frame();
  next.connection.send(reply(next, node));
  await second;
  expect(order).toEqual(both('event /a'));
  next.connection.send(changed('/a'));
  const fence = zk.exists('/fence');
  const last = await server.frame();
  last.connection.send(reply(last, { err: -101 }));
  await fence;
  expect(order).toEqual([...both('event /a'), 'second']);
});

test('the end of a connection is told after all that came over it', async () => {
  await using server = await startWireServer();
  await using zk = await connectTo(server.connectString);
  const order: string[] = [];
  await watch(server, zk, order, '/a');
  const events = new EventLog(zk);
  zk.on('suspended', () => order.push('suspended'));
  const outcomes = [
    zk.getData('/node').then(() => note(order, 'result')),
    zk.create('/node').catch(() => note(order, 'failure')),
  ];
  const [one] = await framesOf(server, 2);
  one?.connection.send(reply(one, node), changed('/a'));
  one?.connection.end();
  await Promise.all(outcomes);
  await events.first('suspended');
  expect(order).toEqual([...['result', 'event /a', 'failure'].flatMap(both), 'suspended']);
});
