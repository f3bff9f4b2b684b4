import { afterEach, expect, jest, test } from '@jest/globals';
import { Listeners } from '../../../../recipes/caches/listeners.js';

afterEach(() => {
  jest.restoreAllMocks();
});

test('M6: tells each listener once; one that throws disturbs no other, and its error surfaces on a turn of its own', () => {
  const turns: (() => void)[] = [];
  jest.spyOn(globalThis, 'queueMicrotask').mockImplementation((run) => void turns.push(run));
  const listeners = new Listeners<number>();
  const told: string[] = [];
  const broken = (): void => {
    throw new Error('broken');
  };
  const fine = ({ type }: { readonly type: string }): void => void told.push(type);
  listeners.add('ready', broken);
  listeners.add('ready', fine);
  listeners.add('ready', fine);
  listeners.add('resync', fine);
  listeners.tell('ready', { type: 'ready' });
  expect([told, turns.length]).toEqual([['ready'], 1]);
  expect(turns[0]).toThrow('broken');
  listeners.remove('ready', broken);
  listeners.remove('change', fine);
  listeners.tell('ready', { type: 'ready' });
  listeners.clear();
  listeners.tell('resync', { type: 'resync' });
  expect([told, turns.length]).toEqual([['ready', 'ready'], 1]);
});
