import { expect, it } from '@jest/globals';
import { Long, nameOf } from 'zookit';
import { Mutex } from 'zookit/recipes';
import { type ProxyRequest } from '../../support/proxy.js';
import { gate, until } from '../../support/until.js';
import { failureOf, op, type Rig, startRig, SHORT } from '../rig.js';

const path = '/locks/a';
const anyOf = [op.create, op.getChildren, op.getData, op.delete, op.exists, op.sync];

/** Loses the next request, or the reply to it, of an operation that chance chooses. */
function loseSomething({ proxy }: Rig): void {
  const opCode = anyOf[Math.floor(Math.random() * anyOf.length)];
  const matches = (request: ProxyRequest): boolean => request.opCode === opCode;
  if (Math.random() < 0.5) void proxy.swallowNextReply(matches);
  else void proxy.swallowNextRequest(matches);
}

/** Ends the connection once, after the client has asked for its znode. Resolves when that is done. */
async function loseAtRandom({ proxy, observer }: Rig): Promise<void> {
  const isCreate = ({ opCode }: ProxyRequest): boolean => opCode === op.create;
  const way = Math.floor(Math.random() * 5);
  if (way === 0) await proxy.swallowNextReply(isCreate);
  else if (way === 1) await proxy.cutNextReply(isCreate);
  else if (way === 2) await proxy.swallowNextRequest(isCreate);
  else if (way === 3) await proxy.cutNextRequest(isCreate);
  else {
    // A while after the request: the reply is on its way, here, or has been read.
    const asked = gate();
    const ignore = proxy.onRequest((request) => isCreate(request) && asked.open());
    await asked.promise;
    ignore();
    const turns = Math.floor(Math.random() * 4);
    for (let turn = 0; turn < turns; turn++) await observer.exists('/');
    proxy.resetAll();
  }
}

it.each([
  ['operations that wait for a connection', {}],
  ['operations that fail without one', false],
] as const)(
  '100 lost requests and replies at random leave no ghost, and the lock goes on: %s',
  async (_, offlineQueue) => {
    await using rig = await startRig({ sessionTimeout: 10_000, offlineQueue });
    let inside = 0;
    const work = async (): Promise<void> => {
      expect(++inside).toBe(1);
      await rig.observer.sync('/');
      inside--;
    };
    for (let round = 0; round < 50; round++) {
      loseSomething(rig);
      loseSomething(rig);
      // Losses in a row make the pauses between attempts grow, so there is no short bound for it.
      await Promise.all([new Mutex(rig.zk, path).using(work), new Mutex(rig.observer, path).using(work)]);
      expect(await rig.observer.getChildren(path)).toEqual([]);
    }
    expect(rig.events.types).not.toContain('expired');
  },
  120_000,
);

it('200 connections that are lost between the create and its reply, at random points, leave no ghost', async () => {
  await using rig = await startRig({ sessionTimeout: 30_000 });
  await rig.observer.ensurePath(path);
  const tokens: Long[] = [];
  for (let round = 0; round < 200; round++) {
    const isGivenUp = round % 4 === 3;
    const stop = new AbortController();
    const lost = loseAtRandom(rig);
    const acquiring = new Mutex(rig.zk, path).acquire({ signal: stop.signal }).catch(() => undefined);
    await lost;
    if (isGivenUp) stop.abort();
    const lock = await acquiring;
    if (lock !== undefined) {
      expect([lock.held, await rig.observer.getChildren(path)]).toEqual([true, [nameOf(lock.path)]]);
      tokens.push(lock.fencingToken);
      await lock.release();
    }
    await until(async () => (await rig.observer.getChildren(path)).length === 0, { what: 'the znode to go' });
  }
  expect(tokens.length).toBeGreaterThanOrEqual(150);
  tokens.slice(1).forEach((token, index) => expect(token.greaterThan(tokens[index] ?? Long.ZERO)).toBe(true));
  expect(rig.events.types).not.toContain('expired');
}, 120_000);

it('a lost reply to the create: the lock is taken with the znode that was created', async () => {
  await using rig = await startRig({ sessionTimeout: 10_000 });
  await rig.observer.ensurePath(path);
  const lost = rig.proxy.swallowNextReply(({ opCode }) => opCode === op.create);
  const lock = await new Mutex(rig.zk, path).acquire();
  await lost;
  expect(rig.proxy.requests.filter(({ opCode }) => opCode === op.create)).toHaveLength(1);
  expect(lock.fencingToken).toEqual((await rig.observer.exists(lock.path))?.czxid);
});

it('a lost create: the list that was asked for with it does not count', async () => {
  await using rig = await startRig({ sessionTimeout: 10_000 });
  await rig.observer.ensurePath(path);
  void rig.proxy.swallowNextRequest(({ opCode }) => opCode === op.create);
  await using lock = await new Mutex(rig.zk, path).acquire({ timeout: 10_000 });
  // The second one is not given up because of it.
  expect(rig.proxy.requests.filter(({ opCode }) => opCode === op.create)).toHaveLength(2);
  expect(await rig.observer.getChildren(path)).toEqual([lock.path.slice(path.length + 1)]);
});

it.each(['timeout', 'signal'])(
  'a wait that is ended by its %s while the create is unanswered leaves no ghost',
  async (how) => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    await rig.observer.ensurePath(path);
    rig.proxy.holdReplies();
    const stop = new AbortController();
    const acquiring = failureOf(
      new Mutex(rig.zk, path).acquire(how === 'timeout' ? { timeout: 50 } : { signal: stop.signal }),
    );
    await rig.proxy.seen(({ opCode }) => opCode === op.create);
    stop.abort();
    await acquiring;
    expect(await rig.observer.getChildren(path)).toHaveLength(1);
    // The reply is lost, too: the znode is looked for and deleted all the same.
    rig.proxy.heal({ deliver: false });
    await until(async () => (await rig.observer.getChildren(path)).length === 0, { what: 'the znode to go' });
  },
);

it('a session that ends while the create is unanswered leaves no ghost in the next one', async () => {
  await using rig = await startRig({ sessionTimeout: SHORT });
  await rig.observer.ensurePath(path);
  const stop = new AbortController();
  const lost = rig.proxy.swallowNextReply(({ opCode }) => opCode === op.create);
  const acquiring = failureOf(new Mutex(rig.zk, path).acquire({ signal: stop.signal }));
  await lost;
  rig.proxy.cut();
  await until(async () => (await rig.observer.getChildren(path)).length === 0, {
    what: 'the server to end the session',
  });
  stop.abort();
  await acquiring;
  await rig.relink();
  await (await new Mutex(rig.zk, path).acquire({ timeout: 5_000 })).release();
  expect(await rig.observer.getChildren(path)).toEqual([]);
});
