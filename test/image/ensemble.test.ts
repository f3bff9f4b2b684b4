/** The ensemble of image/compose.ensemble.yaml, on real containers, and what befalls them. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ZooKeeper } from 'zookit';
import { Load } from '../faults/load/load.js';
import { docker } from '../support/docker.js';
import { until } from '../support/until.js';
import { ComposeEnsemble, failedReads, LONG, type Member } from './rig.js';

let ensemble: ComposeEnsemble;
let chroot: string;
let truth: ZooKeeper;

beforeAll(async () => {
  ensemble = await ComposeEnsemble.start();
}, 240_000);

afterAll(async () => {
  await ensemble.dispose();
}, 120_000);

beforeEach(async () => {
  chroot = `/test-${randomUUID()}`;
  truth = await ZooKeeper.connect(ensemble.connectString + chroot, { sessionTimeout: LONG });
  await truth.ensurePath('/');
}, 120_000);

afterEach(async () => {
  await truth.close();
  await ensemble.heal();
}, 240_000);

/** Three clients with mixed traffic, each of which may use every server with a vote. */
function startLoad(): Promise<Load> {
  const servers = ensemble.connectString + chroot;
  return Load.start(truth, 3, () => ZooKeeper.connect(servers, { sessionTimeout: LONG }));
}

async function expectNothingLost(load: Load): Promise<void> {
  const problems = await load.finish();
  expect(problems).toEqual([]);
  expect(failedReads(load)).toEqual([]);
  expect(load.told).not.toContain('expired');
}

/** A member that does not lead. */
async function follower(): Promise<Member> {
  const leader = await ensemble.leader();
  return ensemble.voters.find((member) => member !== leader)!;
}

describe('the ensemble', () => {
  it('elects one leader, and the observer observes', async () => {
    const says = await Promise.all(ensemble.members.map(async ({ container }) => (await container.health()).says));
    expect(says.slice(0, 3).sort()).toEqual(['serving: follower', 'serving: follower', 'serving: leader']);
    expect(says[3]).toBe('serving: observer');
  });

  it('shows a write at one member on every other, and on the observer', async () => {
    await using writer = await ensemble.connect(ensemble.voters[0]!, chroot);
    await writer.create('/written', 'once');
    for (const member of ensemble.members) {
      await using reader = await ensemble.connect(member, chroot);
      await reader.sync('/');
      expect((await reader.getData('/written')).text()).toBe('once');
    }
  }, 120_000);
});

describe('under load, no acknowledged write is lost and no read fails while', () => {
  it('each member is killed in turn', async () => {
    await using load = await startLoad();
    for (const { container } of ensemble.members) {
      await container.kill();
      await load.goesOn();
      await container.start();
      await container.untilHealth(/^serving: /);
    }
    await load.goesOn();
    await expectNothingLost(load);
  }, 480_000);

  it('the leader is killed', async () => {
    await using load = await startLoad();
    const leader = await ensemble.leader();
    await leader.container.kill();
    await load.goesOn();
    await leader.container.start();
    await leader.container.untilHealth(/^serving: /);
    await load.goesOn();
    await expectNothingLost(load);
  }, 240_000);

  it('the leader is stopped, by the signal that docker stop sends', async () => {
    await using load = await startLoad();
    const leader = await ensemble.leader();
    await leader.container.stop();
    await load.goesOn();
    await leader.container.start();
    await leader.container.untilHealth(/^serving: /);
    await expectNothingLost(load);
  }, 240_000);

  it.each([
    ['a follower', follower],
    ['the leader', () => ensemble.leader()],
  ])(
    '%s is paused, and goes on',
    async (_, which) => {
      await using load = await startLoad();
      const { container } = await which();
      await container.pause();
      await load.goesOn();
      await container.unpause();
      await container.untilHealth(/^serving: /);
      await load.goesOn();
      await expectNothingLost(load);
    },
    240_000,
  );

  it.each([
    ['a follower', follower],
    ['the leader', () => ensemble.leader()],
  ])(
    '%s is cut off the network; its health says so until it is back',
    async (_, which) => {
      await using load = await startLoad();
      const { container, name } = await which();
      const network = `${ensemble.project.name}_default`;
      await docker(['network', 'disconnect', network, container.name]);
      try {
        await container.untilHealth(/^not serving: starting, without a quorum, or cut off/);
        expect((await container.state()).Status).toBe('running');
        await load.goesOn();
      } finally {
        await docker(['network', 'connect', '--alias', name, network, container.name]);
      }
      await container.untilHealth(/^serving: /);
      await load.goesOn();
      await expectNothingLost(load);
    },
    240_000,
  );
});

describe('health', () => {
  it('of a member without the others: starting, and no case for a restart', async () => {
    const [zoo1, ...others] = ensemble.members;
    await Promise.all(others.map(({ container }) => container.kill()));
    const { container } = zoo1!;
    await container.untilHealth(/^not serving: /);
    expect((await container.health()).well).toBe(false);
    await until(async () => (await container.health('member')).says.endsWith('no quorum'), {
      what: 'the time to join to be over',
      timeout: 60_000,
    });
    expect((await container.health('member')).well).toBe(true);
    await Promise.all(others.map((other) => other.container.start()));
    await container.untilHealth(/^serving: /);
  }, 240_000);
});

describe('the data', () => {
  it('outlive the removal of every container, as long as the volumes stay', async () => {
    await truth.create('/kept', 'for good');
    const ids = () => docker(['ps', '--quiet', '--no-trunc', ...filter()]);
    const before = await ids();
    await ensemble.compose.down();
    expect(await ids()).toBe('');
    await ensemble.compose.up();
    await ensemble.allServe();
    expect((await ids()).split('\n').filter((id) => before.includes(id))).toEqual([]);
    for (const member of ensemble.members) {
      await using reader = await ensemble.connect(member, chroot);
      await reader.sync('/');
      expect((await reader.getData('/kept')).text()).toBe('for good');
    }
  }, 240_000);
});

function filter(): readonly string[] {
  return ['--filter', `label=com.docker.compose.project=${ensemble.project.name}`];
}
