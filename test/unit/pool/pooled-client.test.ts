/** When a client of the pool can be lent. */
import { expect, test } from '@jest/globals';
import { ClosedError } from '../../../src/errors.js';
import { PooledClient } from '../../../src/pool/pooled-client.js';
import type { ZooKeeper } from '../../../src/zookeeper.js';

interface FakeState {
  state: string;
  remaining: number;
}

/** A client whose `ready` and `has` do this to its state. */
function clientOf(fake: FakeState, steps: { ready?: () => void; has?: () => void } = {}) {
  const asked: string[] = [];
  const step = (name: 'ready' | 'has'): Promise<void> => {
    asked.push(name);
    return new Promise((resolve) => {
      steps[name]?.();
      resolve();
    });
  };
  const zk = {
    get state() {
      return fake.state;
    },
    session: {
      get remaining() {
        return fake.remaining;
      },
    },
    ready: () => step('ready'),
    has: () => step('has'),
    close: () => step('ready'),
  };
  return { pooled: new PooledClient(zk as unknown as ZooKeeper), asked };
}

test('one that is connected, with a session that is certainly alive, is lent without a question', async () => {
  const { pooled, asked } = clientOf({ state: 'connected', remaining: 1 });
  expect([pooled.isReady, pooled.isOver]).toEqual([true, false]);
  expect(await pooled.becomesReady({})).toBe(true);
  expect(asked).toEqual([]);
});

test('one whose session may be over asks a server first: the process may have been stopped', async () => {
  const fake = { state: 'connected', remaining: 0 };
  const { pooled, asked } = clientOf(fake, { has: () => (fake.remaining = 5) });
  expect(pooled.isReady).toBe(false);
  expect(await pooled.becomesReady({})).toBe(true);
  expect(asked).toEqual(['ready', 'has']);
});

test('one without a connection is waited for', async () => {
  const fake = { state: 'suspended', remaining: 5 };
  const { pooled, asked } = clientOf(fake, { ready: () => (fake.state = 'connected') });
  expect(await pooled.becomesReady({})).toBe(true);
  expect(asked).toEqual(['ready']);
});

test('one that cannot become ready is no use', async () => {
  const { pooled } = clientOf(
    { state: 'suspended', remaining: 5 },
    {
      ready: () => {
        throw new ClosedError('closed', {}, false);
      },
    },
  );
  expect(await pooled.becomesReady({})).toBe(false);
});

test.each(['authFailed', 'closed'])('one that is %s is over', (state) => {
  expect(clientOf({ state, remaining: 5 }).pooled.isOver).toBe(true);
});

test('what the pool got when it was closed is no client', async () => {
  const pooled = new PooledClient();
  expect([pooled.isReady, pooled.isOver]).toEqual([false, false]);
  expect(await pooled.becomesReady({})).toBe(true);
  await pooled.close();
});
