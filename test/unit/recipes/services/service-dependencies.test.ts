import { afterEach, expect, it, jest } from '@jest/globals';
import { type ServiceListChange, ServiceDependencies, type ServiceProvider } from 'zookit/recipes';
import { settle } from '../fake-client.js';
import { instance } from './fake-providers.js';

afterEach(() => {
  jest.restoreAllMocks();
});

/** Dependencies on one service, whose lists come as they are given. */
function setUp(atLeast = 1) {
  const lists: ServiceListChange[] = [];
  let wake = (): void => undefined;
  const provider = {
    name: 'pricing',
    close: async () => undefined,
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const list = lists.shift();
        if (list === undefined) await new Promise<void>((resolve) => (wake = resolve));
        else yield list;
      }
    },
  };
  const dependencies = new ServiceDependencies({ provider: () => provider as unknown as ServiceProvider }, [
    { name: 'pricing', atLeast },
  ]);
  const heard: string[] = [];
  dependencies.on('up', ({ instances }) => void heard.push(`up ${instances}`));
  dependencies.on('down', ({ instances }) => void heard.push(`down ${instances}`));
  const give = async (count: number, stale = false): Promise<void> => {
    const instances = Array.from({ length: count }, (_, index) => instance(String(index)));
    lists.push({ instances, stale, added: [], removed: [], updated: [] });
    wake();
    await settle();
  };
  return { dependencies, heard, give };
}

it('an old list brings nobody down, nor up', async () => {
  const { dependencies, heard, give } = setUp(2);
  await give(0, true);
  expect([heard, dependencies.states[0]?.state]).toEqual([[], 'unknown']);
  await give(2);
  await give(1, true);
  expect([heard, dependencies.states]).toEqual([
    ['up 2'],
    [{ name: 'pricing', required: true, atLeast: 2, state: 'up', instances: 2, stale: true }],
  ]);
  await give(1);
  expect([heard, dependencies.states[0]]).toMatchObject([['up 2', 'down 1'], { state: 'down', stale: false }]);
  await give(3, true);
  expect(heard).toEqual(['up 2', 'down 1']);
});

it('a listener that throws disturbs no other, and its error surfaces on a turn of its own', async () => {
  const { dependencies, heard, give } = setUp();
  const turns: (() => void)[] = [];
  jest.spyOn(globalThis, 'queueMicrotask').mockImplementation((run) => void turns.push(run));
  dependencies.on('up', () => {
    throw new RangeError('broken');
  });
  const told: string[] = [];
  dependencies.on('up', () => void told.push('after it'));
  await give(1);
  expect([heard, told, turns.length]).toEqual([['up 1'], ['after it'], 1]);
  expect(turns[0]).toThrow('broken');
});

it('what a filter throws on does not count', async () => {
  const lists = [{ instances: [instance('a')], stale: false }];
  const provider = {
    name: 'pricing',
    async *[Symbol.asyncIterator]() {
      yield* lists;
      await new Promise(() => undefined);
    },
  };
  const filter = (): boolean => {
    throw new RangeError('broken');
  };
  const dependencies = new ServiceDependencies({ provider: () => provider as unknown as ServiceProvider }, [
    { name: 'pricing', provider: { filter } },
  ]);
  await settle();
  expect(dependencies.states[0]).toMatchObject({ state: 'down', instances: 0 });
});
