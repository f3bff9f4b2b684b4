import { expect, it } from '@jest/globals';
import * as operations from '../../../src/operations/index.js';

it('has every operation with its op code, the release that brought it, and what a lost connection means for it', () => {
  const table = Object.fromEntries(
    Object.entries(operations).map(([name, { opCode, since, effect }]) => [name, [opCode, since, effect]]),
  );
  expect(table).toEqual({
    create: [1, '3.0.0', 'write'],
    deleteNode: [2, '3.0.0', 'write'],
    exists: [3, '3.0.0', 'read'],
    getData: [4, '3.0.0', 'read'],
    setData: [5, '3.0.0', 'write'],
    getAcl: [6, '3.0.0', 'read'],
    setAcl: [7, '3.0.0', 'write'],
    getChildren: [8, '3.0.0', 'read'],
    sync: [9, '3.0.0', 'read'],
    ping: [11, '3.0.0', 'connection'],
    getChildren2: [12, '3.3.0', 'read'],
    multi: [14, '3.4.0', 'write'],
    create2: [15, '3.5.0', 'write'],
    reconfig: [16, '3.5.0', 'write'],
    removeWatches: [18, '3.5.0', 'connection'],
    createContainer: [19, '3.5.1', 'write'],
    createTtl: [21, '3.5.3', 'write'],
    multiRead: [22, '3.6.0', 'read'],
    auth: [100, '3.0.0', 'connection'],
    setWatches: [101, '3.0.0', 'connection'],
    sasl: [102, '3.4.0', 'connection'],
    getEphemerals: [103, '3.6.0', 'read'],
    getAllChildrenNumber: [104, '3.6.0', 'read'],
    setWatches2: [105, '3.6.0', 'connection'],
    addWatch: [106, '3.6.0', 'read'],
    whoAmI: [107, '3.7.0', 'read'],
    closeSession: [-11, '3.0.0', 'write'],
  });
});

it('knows which reads leave which watch', () => {
  const { exists, getChildren, getChildren2, getData } = operations;
  expect([exists, getData, getChildren, getChildren2].map(({ watch }) => watch)).toEqual([
    'exists',
    'data',
    'children',
    'children',
  ]);
});

it('takes a missing znode for an answer in exists alone', () => {
  const withAnswer = Object.entries(operations).filter(([, operation]) => 'missing' in operation);
  expect(withAnswer.map(([name]) => name)).toEqual(['exists']);
});
