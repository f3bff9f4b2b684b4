import { describe, expect, it } from '@jest/globals';
import { layersOf } from '../../../../recipes/config/config-layers.js';

describe('layers', () => {
  it('by their names are in the order that counts', () => {
    expect(layersOf({ instance: '/i', global: '/g', zone: undefined, service: '/s' }, 'test')).toEqual([
      { name: 'global', path: '/g' },
      { name: 'service', path: '/s' },
      { name: 'instance', path: '/i' },
    ]);
  });

  it('in a list are in its order', () => {
    const list = [
      { name: 'b', path: '/b' },
      { name: 'a', path: '/a' },
    ];
    expect(layersOf(list, 'test')).toEqual(list);
  });

  it('of a path alone are one', () => {
    expect(layersOf('/c', 'test')).toEqual([{ name: '/c', path: '/c' }]);
  });

  it.each<[unknown, string]>([
    ['c', 'c'],
    [{}, 'there is no layer; at least one is needed'],
    [[], 'there is no layer; at least one is needed'],
    [{ regional: '/r' }, 'there is no layer "regional"; known are global, service, zone, instance'],
    [{ global: '/a', service: '/a' }, 'two layers have the path /a'],
    [
      [
        { name: 'a', path: '/a' },
        { name: 'a', path: '/b' },
      ],
      'two layers have the name a',
    ],
    [[{ path: '/a' }], 'a layer must be { name, path }'],
    [[null], 'a layer must be { name, path }'],
    [null, 'it must be a path, layers by name, or a list of layers'],
    [5, 'it must be a path, layers by name, or a list of layers'],
    [{ global: 5 }, 'path'],
  ])('%j are refused', (paths, message) => {
    expect(() => layersOf(paths as string, 'test')).toThrow(message);
  });
});
