/** At least once, over histories that chance writes: who puts and takes, and what is lost on the way. */
import { expect, it } from '@jest/globals';
import { ZooKeeper, ZooKeeperError } from 'zookit';
import { Queue, type QueueItem } from 'zookit/recipes';
import { expireSession } from '../../support/expire-session.js';
import { type Proxy, type ProxyRequest, startProxy } from '../../support/proxy.js';
import { sharedServer } from '../../support/shared.js';
import { until } from '../../support/until.js';
import { op, type Rig, startRig } from '../rig.js';

const path = '/q';
const anyOf = [op.multi, op.multi, op.multi, op.getChildren, op.getData, op.sync, op.delete];

/** What became of a put, as far as its caller was told. */
type Told = 'stored' | 'not stored' | 'unknown';

/** What a taker did with an item, and what it was told of that. */
interface Taken {
  readonly item: QueueItem<number>;
  outcome: 'under work' | 'acked' | 'given back' | 'lost';
}

class History {
  readonly puts = new Map<number, Told>();
  readonly taken = new Map<number, Taken[]>();

  /** Nobody else may hold what is handed out. */
  begin(item: QueueItem<number>): Taken {
    const before = this.taken.get(item.value) ?? [];
    const taken: Taken = { item, outcome: 'under work' };
    this.taken.set(item.value, [...before, taken]);
    expect(before.filter((each) => each.outcome === 'acked')).toEqual([]);
    expect(before.filter((each) => each.outcome === 'under work' && each.item.held)).toEqual([]);
    for (const each of before) expect(item.fencingToken.greaterThan(each.item.fencingToken)).toBe(true);
    return taken;
  }

  outcomes(value: number): string[] {
    return (this.taken.get(value) ?? []).map(({ outcome }) => outcome);
  }
}

async function put(queue: Queue<number>, value: number, { puts }: History): Promise<void> {
  puts.set(value, 'unknown');
  try {
    await queue.put(value);
    puts.set(value, 'stored');
  } catch (error) {
    expect(error).toMatchObject({ code: 'SESSION_EXPIRED', mayHaveBeenApplied: true });
  }
}

/** Takes, and settles as chance will have it, until it is told to stop. */
async function take(queue: Queue<number>, history: History, signal: AbortSignal): Promise<void> {
  for await (const item of queue.items({ signal })) {
    const taken = history.begin(item);
    const dice = Math.random();
    try {
      if (dice < 0.1) await item.nack();
      else if (dice < 0.2) await item.release();
      else await item.ack();
      taken.outcome = dice < 0.2 ? 'given back' : 'acked';
    } catch (error) {
      taken.outcome = 'lost';
      expect(error instanceof ZooKeeperError && ['SESSION_EXPIRED', 'ITEM_LOST'].includes(error.code)).toBe(true);
    }
  }
}

/** Somebody behind a link of its own. */
async function party(rig: Rig): Promise<{ proxy: Proxy; zk: ZooKeeper }> {
  const proxy = await startProxy(sharedServer());
  return { proxy, zk: await ZooKeeper.connect(proxy.connectString + rig.chroot, { sessionTimeout: 10_000 }) };
}

function loseSomething(proxy: Proxy): void {
  const opCode = anyOf[Math.floor(Math.random() * anyOf.length)];
  const matches = (request: ProxyRequest): boolean => request.opCode === opCode;
  const dice = Math.random();
  if (dice < 0.45) void proxy.swallowNextReply(matches);
  else if (dice < 0.9) void proxy.swallowNextRequest(matches);
  else proxy.resetAll();
}

it('O1: what was put is taken at least once, and twice only by those who were told of a loss', async () => {
  await using rig = await startRig();
  const parties = await Promise.all([party(rig), party(rig), party(rig)]);
  try {
    const history = new History();
    const ending = new AbortController();
    const each = 120;
    const takers = parties.map(({ zk }) => take(new Queue<number>(zk, path), history, ending.signal));
    const putters = parties.map(async ({ zk }, index) => {
      const queue = new Queue<number>(zk, path);
      for (let value = index * each; value < (index + 1) * each; value += 2)
        await Promise.all([put(queue, value, history), put(queue, value + 1, history)]);
    });
    const chaos = (async () => {
      for (let round = 0; history.puts.size < parties.length * each; round++) {
        const { proxy, zk } = parties[round % parties.length]!;
        loseSomething(proxy);
        if (round % 40 === 39 && zk.state === 'connected')
          await expireSession(sharedServer(), zk.session.export()).catch(() => undefined);
        const size = history.puts.size;
        await until(() => history.puts.size > size + 4 || history.puts.size === parties.length * each, {
          what: 'the puts to go on',
          timeout: 60_000,
        });
      }
    })();
    await Promise.all([...putters, chaos]);
    const check = new Queue<number>(rig.observer, path);
    await until(async () => (await check.size()) === 0, { what: 'the queue to be empty', timeout: 60_000 });
    ending.abort();
    await Promise.all(takers);
    for (const [value, told] of history.puts) {
      const outcomes = history.outcomes(value);
      const acked = outcomes.filter((outcome) => outcome === 'acked').length;
      expect(acked).toBeLessThanOrEqual(1);
      // One that was lost at its ack may have been done.
      if (told === 'stored' && acked === 0)
        expect([value, outcomes]).toEqual([value, expect.arrayContaining(['lost'])]);
    }
    for (const folder of [`${path}-locks`, `${path}-puts`])
      await until(async () => (await rig.observer.getChildren(folder)).length === 0, { what: `${folder} to be empty` });
  } finally {
    await Promise.all(parties.map(({ zk, proxy }) => zk.close({ timeout: 300 }).then(() => proxy.close())));
  }
}, 180_000);
