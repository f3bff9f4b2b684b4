import { describe, expect, it } from '@jest/globals';
import {
  type FencingToken,
  Group,
  type Partition,
  Partitioner,
  partitioning,
  type PartitionStrategy,
} from 'zookit/recipes';
import { type Child, runScript } from '../../support/child.js';
import { sharedServer } from '../../support/shared.js';
import { gate, until, within } from '../../support/until.js';
import { failureOf, op, type Rig, startRig, SHORT } from '../rig.js';

const path = '/set';
const partitions = Array.from({ length: 8 }, (_, index) => `p${index}`);
const settle = 50;

/** Sees to it that no partition has two owners, and that its tokens only grow. Throws where it is wrong. */
class Referee {
  readonly violations: string[] = [];
  taken = 0;
  private readonly last = new Map<string, { readonly partition: Partition; readonly token: FencingToken }>();

  take(partition: Partition): void {
    const { name, fencingToken: token } = partition;
    const before = this.last.get(name);
    if (before !== undefined) {
      if (before.partition.held) this.violations.push(`${name} has two owners`);
      if (!token.greaterThan(before.token))
        this.violations.push(`${name}: ${token.toString()} after ${before.token.toString()}`);
    }
    this.taken++;
    this.last.set(name, { partition, token });
  }
}

/** Works on whatever it gets, until it is closed. */
function work(partitioner: Partitioner, referee: Referee): Promise<void> {
  return partitioner.run(async (partition) => {
    referee.take(partition);
    await new Promise((resolve) => {
      if (partition.signal.aborted) resolve(undefined);
      else partition.signal.addEventListener('abort', resolve);
    });
  });
}

function make(rig: Rig, id: string, options: { zk?: Rig['zk']; strategy?: PartitionStrategy } = {}): Partitioner {
  return new Partitioner(options.zk ?? rig.zk, path, { partitions, id, settle, strategy: options.strategy });
}

/** A strategy that counts how often it is asked. */
function counted(): { strategy: PartitionStrategy; divisions: () => number } {
  const { divide } = partitioning.roundRobin();
  let divisions = 0;
  const strategy: PartitionStrategy = {
    divide: (...question) => {
      divisions++;
      return divide(...question);
    },
  };
  return { strategy, divisions: () => divisions };
}

async function untilAllOwned(all: readonly Partitioner[]): Promise<void> {
  await until(
    () =>
      all.every(({ state }) => state === 'acquired') &&
      new Set(all.flatMap(({ owned }) => [...owned.keys()])).size === partitions.length,
    { what: `all to be owned: ${all.map(({ state, owned }) => `${state} ${owned.size}`).join(', ')}`, timeout: 30_000 },
  );
}

describe.each([
  ['roundRobin', partitioning.roundRobin()],
  ['sticky', partitioning.sticky()],
])('a partitioner, %s', (_, strategy) => {
  it('never has two owners of one partition: members come, go and are cut off at random', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const referee = new Referee();
    const members = ['a', 'b', 'c'].map((id, index) =>
      make(rig, id, { strategy, ...(index > 0 && { zk: rig.observer }) }),
    );
    const running = members.map((member) => work(member, referee));
    for (let round = 0; round < 8; round++) {
      rig.proxy.resetAll();
      if (round % 2 === 0) {
        const member = make(rig, `d${round}`, { strategy });
        members.push(member);
        running.push(work(member, referee));
      } else {
        await members.splice(Math.floor(Math.random() * members.length), 1)[0]?.close();
      }
      await untilAllOwned(members);
    }
    await Promise.all(members.map((member) => member.close()));
    await Promise.all(running);
    expect(referee.violations).toEqual([]);
    expect(referee.taken).toBeGreaterThan(20);
    for (const name of partitions) expect(await rig.observer.getChildren(`${path}/locks/${name}`)).toEqual([]);
    expect(await rig.observer.getChildren(`${path}/party`)).toEqual([]);
    expect(rig.events.types).not.toContain('expired');
  }, 120_000);

  it('gives the partitions of a member whose session has expired to the others, and takes part again', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const referee = new Referee();
    const [cut, other] = [make(rig, 'cut', { strategy }), make(rig, 'other', { strategy, zk: rig.observer })];
    const running = [work(cut, referee), work(other, referee)];
    await untilAllOwned([cut, other]);
    const before = [...cut.owned.values()];
    expect(before).toHaveLength(4);
    await rig.outlive();
    expect(before.map(({ held, signal }) => held || !signal.aborted)).not.toContain(true);
    await until(() => other.owned.size === partitions.length, { what: 'the other one to own all', timeout: 20_000 });
    await rig.relink();
    await untilAllOwned([cut, other]);
    expect([cut.owned.size, other.owned.size]).toEqual([4, 4]);
    await Promise.all([cut.close(), other.close()]);
    await Promise.all(running);
    expect(referee.violations).toEqual([]);
  }, 60_000);

  it('holds what it has, and divides nothing, while it is cut off for less than its session', async () => {
    await using rig = await startRig({ sessionTimeout: 20_000 });
    const referee = new Referee();
    const [cut, other] = [make(rig, 'cut', { strategy }), make(rig, 'other', { strategy, zk: rig.observer })];
    const running = [work(cut, referee), work(other, referee)];
    await untilAllOwned([cut, other]);
    const tokens = [...cut.owned.values()].map(({ fencingToken }) => fencingToken.toString());
    await rig.unlink();
    await other.close();
    expect([...cut.owned.values()].map(({ held }) => held)).toEqual([true, true, true, true]);
    expect(referee.taken).toBe(partitions.length);
    await rig.relink();
    await untilAllOwned([cut]);
    const kept = [...cut.owned.values()].filter(({ fencingToken }) => tokens.includes(fencingToken.toString()));
    expect([cut.owned.size, kept.length]).toEqual([8, 4]);
    await cut.close();
    await Promise.all(running);
    expect(referee.violations).toEqual([]);
  });
});

describe('a partitioner', () => {
  it('takes over what a killed member had when its session is over', async () => {
    await using rig = await startRig();
    const kill = async (): Promise<Child> =>
      await runScript({
        source: `
          import { ZooKeeper } from 'zookit';
          import { Partitioner } from 'zookit/recipes';
          const zk = await ZooKeeper.connect('${sharedServer().connectString}${rig.chroot}', { sessionTimeout: ${SHORT} });
          const partitioner = new Partitioner(zk, '${path}', { partitions: ${JSON.stringify(partitions)}, settle: ${settle}, id: 'killed' });
          for await (const { owned } of partitioner)
            for (const { name, fencingToken } of owned.values()) console.log('token', name, String(fencingToken), owned.size);`,
      });
    await using child = await kill();
    await child.line(/^token p\d+ \d+ 8$/);
    const referee = new Referee();
    const heir = make(rig, 'heir');
    const running = work(heir, referee);
    // Half of them come over in peace.
    await until(() => heir.owned.size === 4, { what: 'its share', timeout: 20_000 });
    await child.kill();
    await untilAllOwned([heir]);
    for (const [, name = '', token = ''] of child.stdout.matchAll(/^token (p\d+) (\d+)/gm))
      expect(heir.owned.get(name)?.fencingToken.greaterThan(token)).toBe(true);
    await heir.close();
    await running;
    expect(referee.violations).toEqual([]);
  }, 60_000);

  it('of a member that was stopped past its session: what it wakes up with is lost at the first look', async () => {
    await using rig = await startRig();
    await using child = await runScript({
      source: `
        import { ZooKeeper } from 'zookit';
        import { Partitioner } from 'zookit/recipes';
        const zk = await ZooKeeper.connect('${sharedServer().connectString}${rig.chroot}', { sessionTimeout: ${SHORT} });
        const partitioner = new Partitioner(zk, '${path}', { partitions: ${JSON.stringify(partitions)}, settle: ${settle} });
        let last = performance.now();
        for await (const { owned, revoked } of partitioner) {
          if (revoked.length > 0) continue;
          const partitions = [...owned.values()];
          console.log('owns', partitions.length);
          if (partitions.length < 8) continue;
          for (;;) {
            const now = performance.now();
            if (now - last > ${SHORT}) break;
            last = now;
          }
          console.log('woke', partitions.filter(({ held }) => held).length);
          break;
        }
        await zk.close();
        console.log('ended');`,
    });
    await child.line(/^owns 8$/, { timeout: 20_000 });
    child.signal('SIGSTOP');
    const heir = make(rig, 'heir');
    const running = work(heir, new Referee());
    await untilAllOwned([heir]);
    child.signal('SIGCONT');
    expect((await child.line(/^woke (\d)$/, { timeout: 20_000 }))[1]).toBe('0');
    await child.line(/^ended$/, { timeout: 20_000 });
    expect([...heir.owned.values()].map(({ held }) => held)).not.toContain(false);
    await heir.close();
    await running;
  }, 60_000);

  it('does not take a partition again before the work on it was let go, even in the same process', async () => {
    await using rig = await startRig({ sessionTimeout: 20_000 });
    const { divisions, strategy } = counted();
    const partitioner = new Partitioner(rig.zk, path, { partitions: ['p'], id: 'a', settle, strategy });
    const [begun, letGo] = [gate<Partition>(), gate()];
    let [now, most, times] = [0, 0, 0];
    const running = partitioner.run(async (partition) => {
      most = Math.max(most, ++now);
      times++;
      begun.open(partition);
      await new Promise((resolve) => partition.signal.addEventListener('abort', resolve));
      if (times === 1) await letGo.promise;
      now--;
    });
    const partition = await begun.promise;
    await rig.observer.delete(partition.path);
    await until(() => partition.signal.aborted, { what: 'it to know that the znode is gone' });
    expect([partition.held, partitioner.state]).toEqual([false, 'release']);
    // Also when it is divided anew meanwhile.
    const before = divisions();
    await rig.observer.create(`${path}/party/${'0'.repeat(32)}-z`);
    await until(() => divisions() > before, { what: 'another division' });
    await rig.zk.sync('/');
    expect(await rig.observer.getChildren(`${path}/locks/p`)).toEqual([]);
    letGo.open();
    await until(() => times === 2, { what: 'it to take it again' });
    expect(most).toBe(1);
    await partitioner.close();
    await running;
  });

  it('divides anew when somebody has come and gone unseen: that one may have been given something', async () => {
    await using rig = await startRig({ sessionTimeout: 20_000 });
    const { divisions, strategy } = counted();
    const partitioner = make(rig, 'a', { strategy });
    const running = work(partitioner, new Referee());
    await untilAllOwned([partitioner]);
    const before = divisions();
    await rig.unlink();
    await rig.observer.create(`${path}/party/${'0'.repeat(32)}-guest`);
    await rig.observer.delete(`${path}/party/${'0'.repeat(32)}-guest`);
    await rig.relink();
    await until(() => divisions() === before + 1, { what: 'another division' });
    await rig.reconnect();
    await rig.zk.sync('/');
    await untilAllOwned([partitioner]);
    expect(divisions()).toBe(before + 1);
    await partitioner.close();
    await running;
  });

  it('never tells of a partition that was lost before anybody was told of it', async () => {
    await using rig = await startRig({ sessionTimeout: 20_000 });
    const blocker = `${path}/locks/p1/foreign__lock__`;
    const { path: blocking } = await rig.observer.create(blocker, null, {
      mode: 'ephemeralSequential',
      parents: 'persistent',
    });
    const partitioner = new Partitioner(rig.zk, path, { partitions: ['p0', 'p1'], settle });
    const goOn = gate();
    const told: string[][] = [];
    const looping = (async () => {
      for await (const { acquired, revoked } of partitioner) {
        told.push([...acquired.map(({ name, held }) => `${name} ${held}`), ...revoked.map(({ name }) => `-${name}`)]);
        if (told.length === 1) await goOn.promise;
        else break;
      }
    })();
    await until(() => told.length === 1, { what: 'the first one' });
    await rig.observer.delete(blocking);
    const lost = await until(() => partitioner.owned.get('p1'), { what: 'the second one' });
    await rig.observer.delete(lost.path);
    const again = await until(() => partitioner.owned.get('p1') !== lost && partitioner.owned.get('p1'), {
      what: 'it to be taken again',
    });
    expect([lost.held, again.held]).toEqual([false, true]);
    goOn.open();
    await looping;
    expect(told).toEqual([['p0 true'], ['p1 true']]);
  });

  it('takes part again when somebody deletes its znode, and loses nothing by that', async () => {
    await using rig = await startRig({ sessionTimeout: 20_000 });
    const { divide } = partitioning.roundRobin();
    const seen: string[] = [];
    const strategy: PartitionStrategy = {
      divide: (names, members, previous) => {
        seen.push(members.map(({ id }) => id).join());
        return divide(names, members, previous);
      },
    };
    // Without a pause: it has to see by itself that it is not among the members.
    const partitioner = new Partitioner(rig.zk, path, { partitions, id: 'a', settle: 0, strategy });
    const referee = new Referee();
    const running = work(partitioner, referee);
    await untilAllOwned([partitioner]);
    for (let round = 0; round < 5; round++) {
      const divisions = seen.length;
      for (const name of await rig.observer.getChildren(`${path}/party`))
        await rig.observer.delete(`${path}/party/${name}`);
      await until(() => seen.length > divisions, { what: 'another division' });
      await untilAllOwned([partitioner]);
    }
    expect([new Set(seen), referee.taken]).toEqual([new Set(['a']), partitions.length]);
    await partitioner.close();
    await running;
  });

  it('divides and takes nothing before the members have settled, by what the server says now', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const { divisions, strategy } = counted();
    const partitioner = new Partitioner(rig.zk, path, { partitions, id: 'a', settle: 3_000, strategy });
    const running = work(partitioner, new Referee());
    await untilAllOwned([partitioner]);
    expect(divisions()).toBe(1);

    // A change that was seen does not settle while there is no connection.
    await using guest = await new Group(rig.observer, `${path}/party`, { layout: 'shallowParty' }).join('z');
    await until(() => partitioner.state === 'allocating', { what: 'it to see the guest' });
    const since = performance.now();
    await rig.outlive();
    await until(() => performance.now() - since > 3_500, { what: 'the time to pass in which they would have settled' });
    expect(divisions()).toBe(1);
    expect([...partitioner.owned.values()].map(({ held }) => held)).not.toContain(true);

    // In the new session it is a member again at once, and owns nothing yet.
    await rig.relink();
    await until(async () => (await rig.observer.getChildren(`${path}/party`)).length === 2, { what: 'it to be back' });
    await rig.zk.sync('/');
    expect([divisions(), (await rig.observer.getChildren(`${path}/locks/p0`)).length]).toEqual([1, 0]);
    await until(() => partitioner.owned.size === 4, { what: 'its share', timeout: 20_000 });
    expect([divisions(), guest.held]).toEqual([2, true]);
    await partitioner.close();
    await running;
  }, 60_000);

  it.each([{}, false] as const)(
    'is divided whatever request or reply was lost: offlineQueue %p',
    async (offlineQueue) => {
      await using rig = await startRig({ sessionTimeout: 20_000, offlineQueue });
      for (const opCode of [op.create, op.setData, op.getData, op.exists, op.getChildren, 12, op.delete, op.sync]) {
        void rig.proxy.swallowNextReply((request) => request.opCode === opCode);
        void rig.proxy.swallowNextRequest((request) => request.opCode === opCode);
        const referee = new Referee();
        const strategy = partitioning.sticky();
        const members = [make(rig, 'a', { strategy }), make(rig, 'b', { strategy, zk: rig.observer })];
        const running = members.map((member) => work(member, referee));
        await untilAllOwned(members);
        await Promise.all(members.map((member) => member.close()));
        await Promise.all(running);
        expect(referee.violations).toEqual([]);
        for (const name of partitions) expect(await rig.observer.getChildren(`${path}/locks/${name}`)).toEqual([]);
        expect(await rig.observer.getChildren(`${path}/party`)).toEqual([]);
      }
    },
    120_000,
  );

  it('ends with the client', async () => {
    await using rig = await startRig();
    const partitioner = make(rig, 'a');
    const referee = new Referee();
    const running = work(partitioner, referee);
    await untilAllOwned([partitioner]);
    const owned = [...partitioner.owned.values()];
    await rig.zk.close({ timeout: 20_000 });
    expect(await failureOf(within(running, { what: 'the end' }))).toMatchObject({ code: 'CLOSED' });
    expect(owned.map(({ held }) => held)).not.toContain(true);
    expect([partitioner.owned.size, partitioner.state]).toEqual([0, 'failure']);
  });
});
