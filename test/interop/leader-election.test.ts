import { expect, it } from '@jest/globals';
import { LeaderElection } from 'zookit/recipes';
import { gate, until, within } from '../support/until.js';
import { usePeers } from './peers.js';

const peers = usePeers();

async function untilStanding(path: string, count: number): Promise<void> {
  await until(async () => (await peers.zk.getChildren(path)).length === count, { what: `${count} who stand` });
}

it('LeaderSelector of Curator: it leads, then ours, then it again; each lists the other', async () => {
  const path = '/selector';
  const java = await peers.curator.open('leaderSelector', path, { data: 'java', requeue: true });
  await java.call('start');
  expect(await java.call('await')).toBe(true);
  const [leads, ends] = [gate(), gate()];
  await using election = new LeaderElection(
    peers.zk,
    path,
    async () => {
      leads.open();
      await ends.promise;
    },
    { id: 'node' },
  );
  const running = election.run();
  await untilStanding(path, 2);
  expect(election.isLeader).toBe(false);
  expect((await election.participants()).map(({ id, isLeader }) => [id, isLeader])).toEqual([
    ['java', true],
    ['node', false],
  ]);
  await java.call('yield');
  await within(leads.promise, { what: 'our term' });
  await untilStanding(path, 2);
  expect(await java.call('leader')).toBe('node');
  expect(await java.call('participants')).toEqual([
    { id: 'node', isLeader: true },
    { id: 'java', isLeader: false },
  ]);
  expect(await java.call('isLeader')).toBe(false);
  ends.open();
  await running;
  expect(await java.call('await')).toBe(true);
  expect((await election.leader())?.id).toBe('java');
  await java.close();
});

it('Election of kazoo, told of our names: it leads, then ours, then it again', async () => {
  const path = '/election';
  const open = () => peers.kazoo.open('election', path, { data: 'python', patterns: ['-lock-'] });
  const first = await open();
  await first.call('start');
  expect(await first.call('await')).toBe(true);
  const [leads, ends] = [gate(), gate()];
  await using election = new LeaderElection(
    peers.zk,
    path,
    async () => {
      leads.open();
      await ends.promise;
    },
    { id: 'node' },
  );
  const running = election.run();
  await untilStanding(path, 2);
  expect((await election.participants()).map(({ id }) => id)).toEqual(['python', 'node']);
  expect(await first.call('participants')).toEqual(['python', 'node']);
  await first.close();
  await within(leads.promise, { what: 'our term' });
  await using second = await open();
  await second.call('start');
  await untilStanding(path, 2);
  expect(await second.call('isLeader')).toBe(false);
  ends.open();
  await running;
  expect(await second.call('await')).toBe(true);
});
