import { expect, it } from '@jest/globals';
import { AddWatchMode, EventType, OpCode, WatcherType, Xid } from '../../../src/protocol/codes.js';

/** The numbers of the protocol, section 3.2 and 7.1, written down a second time. */

it('has the op codes of ZooKeeper 3.9', () => {
  expect(OpCode).toEqual({
    create: 1,
    delete: 2,
    exists: 3,
    getData: 4,
    setData: 5,
    getAcl: 6,
    setAcl: 7,
    getChildren: 8,
    sync: 9,
    ping: 11,
    getChildren2: 12,
    check: 13,
    multi: 14,
    create2: 15,
    reconfig: 16,
    checkWatches: 17,
    removeWatches: 18,
    createContainer: 19,
    createTtl: 21,
    multiRead: 22,
    auth: 100,
    setWatches: 101,
    sasl: 102,
    getEphemerals: 103,
    getAllChildrenNumber: 104,
    setWatches2: 105,
    addWatch: 106,
    whoAmI: 107,
    closeSession: -11,
    error: -1,
  });
});

it('has the reserved xids', () => {
  expect(Xid).toEqual({ notification: -1, ping: -2, auth: -4, setWatches: -8 });
});

it('has the numbers of watches and their events', () => {
  expect(EventType).toEqual({ created: 1, deleted: 2, dataChanged: 3, childrenChanged: 4 });
  expect(WatcherType).toEqual({ children: 1, data: 2, any: 3 });
  expect(AddWatchMode).toEqual({ persistent: 0, persistentRecursive: 1 });
});
