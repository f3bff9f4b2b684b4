import { describe, expect, it } from '@jest/globals';
import { type FencingToken, type Partition, Partitioner, partitioning, type PartitionStrategy } from 'zookit/recipes';
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
    const partitioner = new Partitioner(rig.zk, path, { partitions: ['p'], settle });
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
    expect(await rig.observer.getChildren(`${path}/locks/p`)).toEqual([]);
    letGo.open();
    await until(() => times === 2, { what: 'it to take it again' });
    expect(most).toBe(1);
    await partitioner.close();
    await running;
  });

  it('divides anew when somebody has come and gone unseen: that one may have been given something', async () => {
    await using rig = await startRig({ sessionTimeout: 20_000 });
    let divisions = 0;
    const { divide } = partitioning.roundRobin();
    const strategy: PartitionStrategy = {
      divide: (...question) => {
        divisions++;
        return divide(...question);
      },
    };
    const partitioner = make(rig, 'a', { strategy });
    const running = work(partitioner, new Referee());
    await untilAllOwned([partitioner]);
    const before = divisions;
    await rig.unlink();
    await rig.observer.create(`${path}/party/${'0'.repeat(32)}-guest`);
    await rig.observer.delete(`${path}/party/${'0'.repeat(32)}-guest`);
    await rig.relink();
    await until(() => divisions === before + 1, { what: 'another division' });
    await rig.reconnect();
    await rig.zk.sync('/');
    await untilAllOwned([partitioner]);
    expect(divisions).toBe(before + 1);
    await partitioner.close();
    await running;
  });

  it('takes part again when somebody deletes its znode, and loses nothing by that', async () => {
    await using rig = await startRig({ sessionTimeout: 20_000 });
    const partitioner = make(rig, 'a');
    const referee = new Referee();
    const running = work(partitioner, referee);
    await untilAllOwned([partitioner]);
    for (const name of await rig.observer.getChildren(`${path}/party`))
      await rig.observer.delete(`${path}/party/${name}`);
    await until(async () => (await rig.observer.getChildren(`${path}/party`)).length === 1, {
      what: 'it to come back',
    });
    await untilAllOwned([partitioner]);
    expect(referee.taken).toBe(partitions.length);
    await partitioner.close();
    await running;
  });

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
