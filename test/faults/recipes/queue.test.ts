import { describe, expect, it } from '@jest/globals';
import { nameOf, SessionExpiredError } from 'zookit';
import { Queue, type QueueItem } from 'zookit/recipes';
import { expireSession } from '../../support/expire-session.js';
import type { ProxyRequest } from '../../support/proxy.js';
import { sharedServer } from '../../support/shared.js';
import { gate, until, within } from '../../support/until.js';
import { failureOf, op, type Rig, SHORT, startRig } from '../rig.js';

const path = '/q';

/** Transactions, by the folder that they write to. */
const writesTo =
  (folder: string) =>
  ({ opCode, body }: ProxyRequest): boolean =>
    opCode === op.multi && body.includes(folder);
const putting = writesTo(`${path}-puts/`);
const locking = writesTo(`${path}-locks/`);

function queueOf(rig: Rig): Queue<number> {
  return new Queue<number>(rig.zk, path);
}

/** What is in the queue, taken and done by somebody whom no fault befalls. */
async function drain({ observer }: Rig): Promise<QueueItem<number>[]> {
  const queue = new Queue<number>(observer, path);
  const items: QueueItem<number>[] = [];
  for (;;) {
    const item = await queue.poll();
    if (item === undefined) return items;
    items.push(item);
    await item.ack();
  }
}

async function values(rig: Rig): Promise<number[]> {
  return (await drain(rig)).flatMap((item) => item.values);
}

/** Resolves when nothing is left of locks and of marks of puts. */
async function tidy({ observer }: Rig): Promise<void> {
  for (const folder of [`${path}-locks`, `${path}-puts`])
    await until(async () => ((await observer.exists(folder))?.numChildren ?? 0) === 0, {
      what: `${folder} to be empty`,
    });
}

describe('a put', () => {
  it('whose request or reply is lost is stored once', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const queue = queueOf(rig);
    await queue.put(0);
    const lost = [rig.proxy.swallowNextReply(putting), rig.proxy.swallowNextRequest(putting)];
    await queue.put(1);
    lost.push(rig.proxy.swallowNextReply(putting));
    await queue.putAll([2, 3]);
    await Promise.all(lost);
    expect(await values(rig)).toEqual([0, 1, 2, 3]);
    await tidy(rig);
  });

  it('whose reply is lost is not stored again where its item was taken meanwhile', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const queue = queueOf(rig);
    await queue.put(0);
    const taken: number[] = [];
    await using consumer = new Queue<number>(rig.observer, path).consume((value) => void taken.push(value));
    const lost = rig.proxy.swallowNextReply(putting);
    const refused = lost.then(() => rig.proxy.refuse());
    const put = queue.put(1);
    await refused;
    await until(() => taken.includes(1), { what: 'the item to be taken' });
    await rig.restore();
    await put;
    await consumer.stop();
    expect([taken, await values(rig)]).toEqual([[0, 1], []]);
    await tidy(rig);
  });

  it('that was on its way when the session ended says that nobody knows', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const queue = queueOf(rig);
    await queue.put(0);
    const refused = rig.proxy.swallowNextReply(putting).then(() => rig.proxy.refuse());
    const failing = failureOf<SessionExpiredError>(queue.put(1));
    await refused;
    await expireSession(sharedServer(), rig.zk.session.export());
    await rig.restore();
    const failure = await within(failing, { what: 'the failure' });
    expect(failure).toBeInstanceOf(SessionExpiredError);
    expect([failure.mayHaveBeenApplied, await values(rig)]).toEqual([true, [0, 1]]);
  });

  it('that was not on its way is stored in the next session', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const queue = queueOf(rig);
    await queue.put(0);
    await rig.outlive();
    const put = queue.put(1);
    await rig.relink();
    await within(put, { what: 'the put' });
    expect(await values(rig)).toEqual([0, 1]);
    await tidy(rig);
  });

  it('that is given up says whether it may be stored, and then is as it says', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const queue = queueOf(rig);
    await queue.put(0);
    rig.proxy.cutToClient();
    const sent = failureOf(queue.put(1, { timeout: 200 }));
    await rig.proxy.seen(putting);
    expect(await sent).toMatchObject({ code: 'OPERATION_TIMEOUT', mayHaveBeenApplied: true });
    rig.proxy.heal();
    await tidy(rig);
    await rig.unlink();
    const abort = new AbortController();
    const unsent = failureOf(queue.put(2, { signal: abort.signal }));
    abort.abort();
    expect(await unsent).toMatchObject({ code: 'ABORTED', mayHaveBeenApplied: false });
    await rig.relink();
    await queue.put(3);
    expect(await values(rig)).toEqual([0, 1, 3]);
  });

  it('that waits for room goes on after a lost connection, and after the end of the session', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const queue = new Queue<number>(rig.zk, path, { maxItems: 1 });
    for (const cut of ['reconnect', 'outlive'] as const) {
      await queue.put(0);
      const put = queue.put(1);
      await until(() => rig.zk.watches().length > 0, { what: 'the wait' });
      await rig[cut]();
      const first = await new Queue<number>(rig.observer, path).take();
      await first.ack();
      if (cut === 'outlive') await rig.relink();
      await within(put, { what: 'the put' });
      expect([first.value, await values(rig)]).toEqual([0, [1]]);
    }
  });
});

describe('a take', () => {
  it('whose lock is lost on its way, or the reply to it, gets the item once', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const queue = queueOf(rig);
    await queue.putAll([1, 2]);
    await rig.observer.ensurePath(queue.lockPath);
    for (const lose of ['swallowNextReply', 'swallowNextRequest'] as const) {
      const lost = rig.proxy[lose](locking);
      const item = await queue.take();
      await lost;
      const lock = await rig.observer.exists(`${queue.lockPath}/${nameOf(item.path)}`);
      expect([item.fencingToken, item.held]).toEqual([lock?.czxid, true]);
      await item.ack();
    }
    expect(await values(rig)).toEqual([]);
    await tidy(rig);
  });

  it('does not hand out what was read before the lock was known', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const queue = queueOf(rig);
    await queue.putAll([1, 2]);
    await rig.observer.ensurePath(queue.lockPath);
    // The lock is lost on its way, and before it comes again somebody else is done with the item.
    const lost = rig.proxy.swallowNextRequest(locking).then(() => rig.proxy.refuse());
    const taking = queue.take();
    await lost;
    const first = await new Queue<number>(rig.observer, path).take();
    await first.ack();
    await rig.restore();
    const item = await taking;
    expect([first.value, item.value]).toEqual([1, 2]);
    await item.ack();
    await tidy(rig);
  });

  it('that is given up while it locks leaves no lock', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const queue = queueOf(rig);
    await queue.put(1);
    await rig.observer.ensurePath(queue.lockPath);
    const abort = new AbortController();
    // The lock reaches the server, and the answer comes when nobody waits for it any more.
    const stop = rig.proxy.onRequest((request) => {
      if (locking(request)) rig.proxy.cutToClient();
    });
    const taking = failureOf(queue.take({ signal: abort.signal }));
    await until(async () => (await rig.observer.exists(queue.lockPath))?.numChildren === 1, { what: 'the lock' });
    stop();
    abort.abort();
    expect(await taking).toMatchObject({ code: 'ABORTED' });
    rig.proxy.heal();
    await tidy(rig);
    expect(await values(rig)).toEqual([1]);
  });

  it('that waits goes on after a lost connection, and after the end of the session', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    for (const cut of ['reconnect', 'outlive'] as const) {
      const queue = queueOf(rig);
      const taking = queue.take();
      await until(() => rig.zk.watches().length > 0, { what: 'the wait' });
      await rig[cut]();
      if (cut === 'outlive') await rig.relink();
      await new Queue<number>(rig.observer, path).put(1);
      const item = await within(taking, { what: 'the item' });
      await item.ack();
      expect(item.held).toBe(false);
    }
    await until(() => rig.zk.watches().length === 0, { what: 'no watch' });
  });

  it('gets what comes back of somebody whose session has ended, without polling', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const queue = queueOf(rig);
    await queue.put(1);
    const item = await queue.take();
    const lost = gate<boolean>();
    item.signal.addEventListener('abort', () => void rig.observer.has(item.path).then(lost.open));
    const other = new Queue<number>(rig.observer, path);
    const taking = other.take();
    await until(() => rig.observer.watches().length === 2, { what: 'the watches' });
    await rig.outlive();
    // The holder has known it before the server could give the item away.
    const again = await within(taking, { what: 'the item' });
    expect([await lost.promise, item.held, again.value, again.id === item.id]).toEqual([true, false, 1, true]);
    expect(again.fencingToken.greaterThan(item.fencingToken)).toBe(true);
    await rig.relink();
    expect(await failureOf(item.ack())).toBeInstanceOf(SessionExpiredError);
    expect([again.held, await rig.observer.has(again.path)]).toEqual([true, true]);
    await again.ack();
  });
});

describe('a release', () => {
  it('of what was lost resolves, and leaves it to whoever has it now', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const queue = queueOf(rig);
    await queue.put(1);
    const item = await queue.take();
    await expireSession(sharedServer(), rig.zk.session.export());
    const again = await new Queue<number>(rig.observer, path).take();
    await item.release();
    expect([item.held, again.held, await rig.observer.getChildren(queue.lockPath)]).toEqual([
      false,
      true,
      ['queue-0000000000'],
    ]);
    await again.ack();
  });
});

describe('an ack', () => {
  it('whose request or reply is lost is done once', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const queue = queueOf(rig);
    await queue.putAll([1, 2, 3]);
    for (const lose of ['swallowNextReply', 'swallowNextRequest'] as const) {
      const item = await queue.take();
      const lost = rig.proxy[lose](locking);
      await item.ack();
      await lost;
    }
    expect(await values(rig)).toEqual([3]);
    await tidy(rig);
  });

  it('while there is no connection is sent after the reconnect', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const queue = queueOf(rig);
    await queue.putAll([1, 2]);
    const [first, second] = [await queue.take(), await queue.take()];
    await rig.unlink();
    expect([first.held, second.held]).toEqual([true, true]);
    const settling = [first.ack(), second.release()];
    // Somebody else may have it before the answer comes.
    expect([first.held, second.held, second.signal.aborted]).toEqual([false, false, true]);
    await rig.relink();
    await Promise.all(settling);
    expect(await values(rig)).toEqual([2]);
    await tidy(rig);
  });
});

describe('a nack', () => {
  it('whose request or reply is lost puts the item back once', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const queue = new Queue<number>(rig.zk, path, { maxAttempts: 5 });
    await queue.put(1);
    for (const lose of ['swallowNextReply', 'swallowNextRequest'] as const) {
      const item = await queue.take();
      const lost = rig.proxy[lose](locking);
      await item.nack();
      await lost;
    }
    // The count of the attempt is a transaction as well.
    const lost = rig.proxy.swallowNextReply(writesTo(`${path}/queue-0000000002`));
    const counted = queue.take();
    await lost;
    const item = await counted;
    expect(item.attempt).toBe(3);
    await item.nack();
    expect((await drain(rig)).map(({ attempt, value }) => [attempt, value])).toEqual([[4, 1]]);
    await tidy(rig);
  });
});

describe('consume', () => {
  it('goes on after the end of the session, and tells what was lost', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const queue = queueOf(rig);
    await queue.put(1);
    const seen: boolean[] = [];
    const failures: unknown[] = [];
    const begun = gate();
    await using consumer = queue.consume(
      async (_, item) => {
        begun.open();
        if (seen.length === 0) await new Promise((resolve) => item.signal.addEventListener('abort', resolve));
        seen.push(item.held);
      },
      { onFailure: (error) => failures.push(error) },
    );
    await begun.promise;
    await rig.outlive();
    await rig.relink();
    await until(async () => !(await rig.observer.has(`${path}/queue-0000000000`)), { what: 'the item to be done' });
    await consumer.stop();
    expect([seen, failures]).toEqual([[false, true], [expect.any(SessionExpiredError)]]);
    await tidy(rig);
  });
});
