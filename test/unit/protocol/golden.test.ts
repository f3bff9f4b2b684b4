import { describe, expect, it } from '@jest/globals';
import Long from 'long';
import { acl } from '../../../src/acl.js';
import {
  addWatch,
  auth,
  closeSession,
  create2,
  exists,
  getChildren2,
  getData,
  multi,
  ping,
  setWatches,
  setWatches2,
  sync,
  whoAmI,
} from '../../../src/operations/index.js';
import type { Operation } from '../../../src/operations/operation.js';
import type { SetWatchesRequest } from '../../../src/operations/watching.js';
import { JuteReader } from '../../../src/protocol/jute-reader.js';
import { JuteWriter } from '../../../src/protocol/jute-writer.js';
import {
  readConnectRequest,
  readConnectResponse,
  readWatcherEvent,
  ReplyHeader,
  writeConnectRequest,
} from '../../../src/protocol/records.js';
import { Stat } from '../../../src/stat.js';
import { golden, type GoldenName, goldenNames, goldenPayload } from './golden.js';

const SESSION_ID = Long.fromString('0100000c92d0004c', false, 16);
const PASSWORD = Buffer.from('2df2c13164487afdfedc415edc671e8d', 'hex');
const CREATED = Long.fromNumber(0x56ad3);
const SET = Long.fromNumber(0x56ad6);
const TIME = 0x1a1fbeb8190;

const statOfExA = new Stat(CREATED, CREATED, TIME, TIME, 0, 0, 0, SESSION_ID, 2, 0, CREATED);

function noWatches(relativeZxid: number): SetWatchesRequest {
  return {
    relativeZxid: Long.fromNumber(relativeZxid),
    data: [],
    exists: [],
    children: [],
    persistent: [],
    recursive: [],
  };
}

/** Frames a request as a channel does. */
function framed<Request>(xid: number, operation: Operation<Request, unknown>, request: Request): Buffer {
  const out = new JuteWriter();
  const mark = out.openFrame();
  out.int(xid);
  out.int(operation.opCode);
  operation.write(out, request);
  out.closeFrame(mark);
  return out.take();
}

function expectBytes(actual: Buffer, name: GoldenName): void {
  expect(actual.toString('hex')).toBe(golden(name).toString('hex'));
}

/** Reads the header of a captured reply; the reader stands at what follows. */
function opened(name: GoldenName): { readonly header: ReplyHeader; readonly reader: JuteReader } {
  const reader = new JuteReader(goldenPayload(name));
  const header = new ReplyHeader();
  header.read(reader);
  return { header, reader };
}

/** Reads a captured reply to its end. */
function decoded<Result>(name: GoldenName, operation: Operation<never, Result>): Result {
  const { header, reader } = opened(name);
  expect(header.error).toBe(0);
  const result = operation.read(reader, header);
  expect(reader.remaining).toBe(0);
  return result;
}

describe('the captured frames themselves', () => {
  it.each(goldenNames)('%s has the length that it announces', (name) => {
    expect(golden(name).readInt32BE(0)).toBe(goldenPayload(name).length);
  });
});

describe('requests are written as a real client writes them', () => {
  function connect(sessionId: Long, password: Buffer): Buffer {
    const out = new JuteWriter();
    const mark = out.openFrame();
    writeConnectRequest(out, { lastZxidSeen: Long.ZERO, timeout: 10_000, sessionId, password, readOnly: false });
    out.closeFrame(mark);
    return out.take();
  }

  it('connect request', () => {
    expectBytes(connect(Long.ZERO, Buffer.alloc(16)), 'connectRequest');
  });

  it('reattach request', () => {
    expectBytes(connect(SESSION_ID, PASSWORD), 'reattachRequest');
  });

  it('create2', () => {
    const request = { path: '/ex/a', data: 'hi', acl: acl.open, flags: 1 };
    expectBytes(framed(1, create2, request), 'create2Request');
  });

  it('getData with a watch', () => {
    expectBytes(framed(2, getData, { path: '/ex/a', watch: true }), 'getDataRequest');
  });

  it('ping', () => {
    expectBytes(framed(-2, ping, undefined), 'pingRequest');
  });

  it('exists with a watch', () => {
    expectBytes(framed(3, exists, { path: '/ex/b', watch: true }), 'existsRequest');
  });

  it('multi of a create, a check and a delete', () => {
    const operations = [
      { kind: 'create', withStat: false, path: '/ex/b', data: '1', acl: acl.open, flags: 0 },
      { kind: 'check', path: '/ex/a', version: 7 },
      { kind: 'delete', path: '/ex/a', version: -1 },
    ] as const;
    expectBytes(framed(4, multi, { path: '/', operations }), 'multiRequest');
  });

  it('auth', () => {
    expectBytes(framed(-4, auth, { scheme: 'digest', auth: Buffer.from('u:p') }), 'authRequest');
  });

  it('addWatch, recursive', () => {
    expectBytes(framed(6, addWatch, { path: '/ex', recursive: true }), 'addWatchRequest');
  });

  it('setWatches', () => {
    const request: SetWatchesRequest = {
      ...noWatches(0x5776c),
      data: ['/w/a', '/w/b', '/w/c'],
      exists: ['/w/n', '/w/m'],
      children: ['/w/d'],
    };
    expectBytes(framed(-8, setWatches, request), 'setWatchesRequest');
  });

  it('setWatches2', () => {
    const request: SetWatchesRequest = { ...noWatches(0x7fffffff), data: ['/ex/a'], recursive: ['/ex'] };
    expectBytes(framed(8, setWatches2, request), 'setWatches2Request');
  });

  it('sync', () => {
    expectBytes(framed(9, sync, { path: '/ex' }), 'syncRequest');
  });

  it('closeSession', () => {
    expectBytes(framed(11, closeSession, undefined), 'closeSessionRequest');
  });
});

describe('replies are read as a real server sends them', () => {
  it('connect response', () => {
    const reader = new JuteReader(goldenPayload('connectResponse'));
    expect(readConnectResponse(reader)).toEqual({
      timeout: 10_000,
      sessionId: SESSION_ID,
      password: PASSWORD,
      readOnly: false,
    });
    expect(reader.remaining).toBe(0);
  });

  it('expired response', () => {
    const reader = new JuteReader(goldenPayload('expiredResponse'));
    expect(readConnectResponse(reader)).toEqual({
      timeout: 0,
      sessionId: Long.ZERO,
      password: Buffer.alloc(16),
      readOnly: false,
    });
  });

  it.each([
    ['connectRequest', Long.ZERO, Buffer.alloc(16)],
    ['reattachRequest', SESSION_ID, PASSWORD],
  ] as const)('%s, as a server reads it', (name, sessionId, password) => {
    const reader = new JuteReader(goldenPayload(name));
    expect(readConnectRequest(reader)).toEqual({
      lastZxidSeen: Long.ZERO,
      timeout: 10_000,
      sessionId,
      password,
      readOnly: false,
    });
    expect(reader.remaining).toBe(0);
  });

  it('create2', () => {
    expect(decoded('create2Reply', create2)).toEqual({ path: '/ex/a', zxid: CREATED, stat: statOfExA });
  });

  it('getData', () => {
    const node = decoded('getDataReply', getData);
    expect(node.text()).toBe('hi');
    expect(node.stat).toEqual(statOfExA);
  });

  it('multi that failed', () => {
    expect(decoded('failedMultiReply', multi)).toEqual({
      zxid: Long.fromNumber(0x56ad5),
      results: [
        { kind: 'error', code: 0 },
        { kind: 'error', code: -103 },
        { kind: 'error', code: -2 },
      ],
    });
  });

  it('multi that succeeded', () => {
    expect(decoded('multiReply', multi)).toEqual({
      zxid: SET,
      results: [
        { kind: 'created', path: '/ex/b', stat: undefined },
        { kind: 'set', stat: new Stat(CREATED, SET, TIME, TIME + 2, 2, 0, 0, SESSION_ID, 2, 0, CREATED) },
      ],
    });
  });

  it('getChildren2', () => {
    const zxid = Long.fromNumber(0x56ad1);
    expect(decoded('getChildren2Reply', getChildren2)).toEqual({
      children: ['a', 'b'],
      stat: new Stat(zxid, zxid, TIME - 1, TIME - 1, 0, 2, 0, Long.ZERO, 0, 2, SET),
    });
  });

  it('sync', () => {
    expect(decoded('syncReply', sync)).toBe('/ex');
  });

  it('whoAmI', () => {
    expect(decoded('whoAmIReply', whoAmI)).toEqual([
      { scheme: 'ip', id: '127.0.0.1' },
      { scheme: 'digest', id: 'u' },
    ]);
  });

  it('addWatch, whose body of one number is nothing to read', () => {
    const { header, reader } = opened('addWatchReply');
    expect(header).toMatchObject({ xid: 6, zxidHigh: 0, zxidLow: 0x56ad6, error: 0 });
    expect(addWatch.read(reader, header)).toBeUndefined();
  });

  it.each([
    ['pingReply', { xid: -2, zxidHigh: 0, zxidLow: 0x56ad4, error: 0 }],
    ['existsReply', { xid: 3, zxidHigh: 0, zxidLow: 0x56ad4, error: -101 }],
    ['authReply', { xid: -4, zxidHigh: 0, zxidLow: 0, error: 0 }],
    ['setWatchesReply', { xid: -8, zxidHigh: 0, zxidLow: 0x57770, error: 0 }],
    ['closeSessionReply', { xid: 1, zxidHigh: 0, zxidLow: 0x5690d, error: 0 }],
  ] as const)('%s, which is a header only', (name, expected) => {
    const { header, reader } = opened(name);
    expect({ ...header }).toEqual(expected);
    expect(reader.remaining).toBe(0);
  });

  it.each([
    ['notification', 3, '/ex/a'],
    ['missedDataChanged', 3, '/w/a'],
    ['missedDeleted', 2, '/w/c'],
    ['missedCreated', 1, '/w/n'],
    ['missedChildrenChanged', 4, '/w/d'],
  ] as const)('%s', (name, type, path) => {
    const { header, reader } = opened(name);
    expect({ ...header }).toEqual({ xid: -1, zxidHigh: -1, zxidLow: -1, error: 0 });
    expect(readWatcherEvent(reader)).toEqual({ type, path });
    expect(reader.remaining).toBe(0);
  });
});
