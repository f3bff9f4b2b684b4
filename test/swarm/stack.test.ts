/** The stack of image/swarm.one-node.yaml on a real Swarm: it forms an ensemble, is updated, and loses a task. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ZooKeeper } from 'zookit';
import { Load } from '../faults/load/load.js';
import { failedReads } from '../image/rig.js';
import { docker, imageUnderTest } from '../support/docker.js';
import { until } from '../support/until.js';
import { joinSwarm, servers, Stack, type Task } from './rig.js';

/** A session timeout that outlasts an election on a busy machine, ms. */
const LONG = 60_000;

let swarm: Awaited<ReturnType<typeof joinSwarm>>;
let stack: Stack;
let chroot: string;

beforeAll(async () => {
  swarm = await joinSwarm();
  stack = await Stack.deploy(swarm.node);
}, 360_000);

afterAll(async () => {
  await stack.dispose();
  await swarm.leave();
}, 240_000);

beforeEach(async () => {
  await stack.allServe();
  chroot = `/test-${randomUUID()}`;
}, 300_000);

function connect(): Promise<ZooKeeper> {
  return ZooKeeper.connect(servers + chroot, { sessionTimeout: LONG, lookup: stack.lookup });
}

async function expectNothingLost(load: Load): Promise<void> {
  const problems = await load.finish();
  expect(problems).toEqual([]);
  expect(failedReads(load)).toEqual([]);
  expect(load.told).not.toContain('expired');
}

/** Watches an update until `stop`, which tells which task was started too early: before the one before it has served. */
function watchUpdate(before: readonly Task[]): { stop(): Promise<string[]> } {
  const replacing: string[] = [];
  const served = new Set<string>();
  const problems: string[] = [];
  let stopped = false;
  const look = async (): Promise<void> => {
    const tasks = await stack.tasks();
    if (tasks.length < 2) problems.push(`only ${tasks.length} tasks ran`);
    for (const { id, container } of tasks.filter(({ id }) => !before.some((old) => old.id === id))) {
      if (!replacing.includes(id)) {
        problems.push(
          ...replacing.filter((other) => !served.has(other)).map((other) => `${id} came before ${other} served`),
        );
        replacing.push(id);
      }
      if ((await container.health()).well) served.add(id);
    }
  };
  const watching = (async () => {
    while (!stopped) await look();
  })();
  return {
    async stop() {
      stopped = true;
      await watching;
      return problems;
    },
  };
}

it('forms an ensemble with one leader', async () => {
  expect((await stack.healths()).sort()).toEqual(['serving: follower', 'serving: follower', 'serving: leader']);
});

it('has names that a container on its network knows', async () => {
  const name = stack.project.name;
  for (const server of servers.split(',')) {
    const { code, stdout } = await stack.project.runToEnd(
      ...['--network', `${name}_zookeeper`, imageUnderTest(), 'zkCli.sh', '-server', server, 'ls', '/'],
    );
    expect([code, stdout]).toEqual([0, expect.stringContaining('[zookeeper')]);
  }
}, 120_000);

it('replaces a task that was killed; the new one joins with its data', async () => {
  await using zk = await connect();
  await zk.ensurePath('/');
  await using load = await Load.start(zk, 3, connect);
  const [task] = await stack.tasks();
  const epochs = await epochOf(task!.id);
  await task!.container.kill();
  const replaced = await until(
    async () => {
      const now = await stack.task(task!.slot);
      return now === undefined || now.id === task!.id ? undefined : now;
    },
    { what: 'another task', timeout: 120_000, interval: 250 },
  );
  await replaced.container.untilHealth(/^serving: /);
  // What it began with are the data of the task before: an empty server would start with none.
  expect(await replaced.container.logs()).toMatch(/Reading snapshot|Snapshot loaded in/);
  expect(await epochOf(replaced.id)).toBeGreaterThanOrEqual(epochs);
  await load.goesOn();
  await expectNothingLost(load);
}, 300_000);

/** The epoch that a member has accepted last, as its data say. */
async function epochOf(container: string): Promise<number> {
  return Number(await docker(['exec', container, 'cat', '/data/version-2/currentEpoch']));
}

describe('a rolling update', () => {
  it('takes one server after the other: no acknowledged write is lost, and no read fails', async () => {
    await using zk = await connect();
    await zk.ensurePath('/');
    await using load = await Load.start(zk, 3, connect);
    const before = await stack.tasks();
    const watched = watchUpdate(before);
    await stack.update({ ZOO_LOG_LEVEL: 'warn' });
    await stack.untilUpdate('completed');
    expect(await watched.stop()).toEqual([]);
    await stack.allServe();
    await load.goesOn();
    const after = await stack.tasks();
    expect(after.filter(({ id }) => before.some((old) => old.id === id))).toEqual([]);
    await expectNothingLost(load);
  }, 600_000);

  it.each([
    ['a configuration that is refused', { ZOO_TICK_TIME: 'often' }],
    // Nobody listens there, so this one hears of no other member, and runs.
    ['a member that does not join', { JVMFLAGS: '-DsocksProxyHost=127.0.0.1' }],
  ])(
    'stops at %s, and the others go on',
    async (_, environment) => {
      await using zk = await connect();
      await zk.ensurePath('/');
      await using load = await Load.start(zk, 3, connect);
      const before = await stack.tasks();
      await stack.update(environment);
      expect((await stack.untilUpdate('paused')).Message).toMatch(/update paused due to failure/);
      await load.goesOn();
      const left = (await stack.tasks()).filter(({ id }) => before.some((old) => old.id === id));
      expect(left).toHaveLength(2);
      await Promise.all(left.map(({ container }) => container.untilHealth(/^serving: (leader|follower)$/)));
      await docker(['service', 'rollback', '--detach', stack.service]);
      await stack.allServe();
      await stack.untilUpdate('rollback_completed');
      await expectNothingLost(load);
    },
    600_000,
  );
});
