import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError, type WaitOptions } from 'zookit';
import { LeaderLatch } from '../../../recipes/leaders/leader-latch.js';
import { LiveConfig } from '../../../recipes/config/live-config.js';
import { Mutex } from '../../../recipes/locks/mutex.js';
import { Group } from '../../../recipes/members/group.js';
import { Partitioner } from '../../../recipes/members/partitioner.js';
import { PersistentNode } from '../../../recipes/members/persistent-node.js';
import { ServiceRegistry } from '../../../recipes/services/service-registry.js';
import { FakeClient } from './fake-client.js';

/** Nothing is asked of it: bad options are refused before. */
const { zk } = new FakeClient();
const wrong: object = { dta: 'x' };

describe('an option with an unknown name is refused, and the known ones are named', () => {
  it.each([
    ['Mutex', () => new Mutex(zk, '/m', { ...wrong }), 'margin, loseOn, data'],
    ['LeaderLatch', () => new LeaderLatch(zk, '/l', { ...wrong }), 'margin, loseOn, id'],
    ['PersistentNode', () => new PersistentNode(zk, '/o', null, { ...wrong }), 'margin, loseOn, mode, protected'],
    ['Group', () => new Group(zk, '/g', { ...wrong }), 'layout'],
    ['Partitioner', () => new Partitioner(zk, '/p', { partitions: [], ...wrong }), 'margin, loseOn, partitions'],
    ['ServiceRegistry', () => new ServiceRegistry(zk, { ...wrong }), 'basePath'],
  ])('by %s', (operation, make, known) => {
    expect(make).toThrow(InvalidArgumentError);
    expect(make).toThrow(`there is no option "dta"; known are ${known}`);
    expect(make).toThrow(operation);
  });

  it('by register', async () => {
    const registering = new ServiceRegistry(zk).register({ name: 'cart', ...({ prot: 80 } as object) });
    await expect(registering).rejects.toThrow('there is no option "prot"');
  });

  it('by LiveConfig.open', async () => {
    await expect(LiveConfig.open(zk, '/c', { ...wrong })).rejects.toThrow('there is no option "dta"');
  });

  it('by a wait', async () => {
    await expect(new Mutex(zk, '/m').acquire({ ...({ timout: 5 } as object) })).rejects.toThrow(
      'known are timeout, signal',
    );
  });
});

describe('a wait', () => {
  it.each([NaN, -1, Infinity, null, '5'])('of %p is refused', async (timeout) => {
    const options = { timeout } as WaitOptions;
    await expect(new Mutex(zk, '/m').acquire(options)).rejects.toThrow(`the timeout is ${String(timeout)}`);
  });

  it('with a signal that is none is refused', async () => {
    const options = { signal: {} } as WaitOptions;
    await expect(new Mutex(zk, '/m').tryAcquire(options)).rejects.toThrow('the signal is no AbortSignal');
  });
});
