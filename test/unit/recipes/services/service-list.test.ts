import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ServiceInstance } from 'zookit/recipes';
import { changeOf, type KeyedList } from '../../../../recipes/services/service-list.js';
import { instanceOf } from './instances.js';

/** A list of instances by name, with a version each. */
function listOf(versions: Readonly<Record<string, number>>): KeyedList<unknown> {
  const keys = Object.keys(versions).sort();
  const instances = keys.map((key) => instanceOf(key, { payload: versions[key] }));
  return { keys, list: { instances, stale: false } };
}

const lists = fc.dictionary(fc.constantFrom(...'abcdefgh'), fc.nat(2)).map(listOf);
const ids = (instances: readonly ServiceInstance[]): string[] => instances.map(({ id }) => id);

test('in the first list all are added', () => {
  const list = listOf({ a: 1, b: 1 });
  expect(changeOf(undefined, list)).toEqual({ ...list.list, added: list.list.instances, removed: [], updated: [] });
});

test('a list that is only stale has changed nothing', () => {
  const list = listOf({ a: 1 });
  const after = { ...list, list: { ...list.list, stale: true, staleSince: 7 } };
  const change = changeOf(list, after);
  expect(change).toEqual({ ...after.list, added: [], removed: [], updated: [] });
});

test('property: the list before, less what was removed, with what was added and updated, is the list after', () => {
  fc.assert(
    fc.property(lists, lists, (before, after) => {
      const { added, removed, updated, instances } = changeOf(before, after);
      const known = new Map(before.list.instances.map((instance) => [instance.id, instance]));
      for (const { id } of removed) expect(known.delete(id)).toBe(true);
      for (const { instance, previous } of updated) {
        expect(known.get(instance.id)).toBe(previous);
        known.set(instance.id, instance);
      }
      for (const instance of added) {
        expect(known.has(instance.id)).toBe(false);
        known.set(instance.id, instance);
      }
      expect([...known.keys()].sort()).toEqual(ids(instances));
      for (const instance of instances) expect(known.get(instance.id)).toBe(instance);
    }),
  );
});
