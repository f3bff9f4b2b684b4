import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JuteReader } from '../../../src/protocol/jute-reader.js';
import { JuteWriter } from '../../../src/protocol/jute-writer.js';
import {
  ACL_LEAST_BYTES,
  type ConnectRequest,
  dataBytes,
  readAcl,
  readConnectRequest,
  readConnectResponse,
  readStat,
  readWatcherEvent,
  ReplyHeader,
  writeAcl,
  writeConnectRequest,
  writeData,
} from '../../../src/protocol/records.js';
import { bytes, int, long } from '../../support/frames.js';
import { anyAcl, anyBytes, anyData, anyInt, anyLong, anyPath, anyStat } from '../support/arbitraries.js';
import { resultOrProtocolError } from '../support/codec.js';
import { cutOff, damaged } from '../support/damage.js';
import { bool, longOf, replyHeader, statBytes, watcherEvent } from '../support/reference.js';

const anyConnectRequest: fc.Arbitrary<ConnectRequest> = fc.record({
  lastZxidSeen: anyLong,
  timeout: anyInt,
  sessionId: anyLong,
  password: anyBytes,
  readOnly: fc.boolean(),
});

function connectRequestBytes(request: ConnectRequest): Buffer {
  const { lastZxidSeen, timeout, sessionId, password, readOnly } = request;
  return Buffer.concat([
    int(0),
    longOf(lastZxidSeen),
    int(timeout),
    longOf(sessionId),
    bytes(password),
    bool(readOnly),
  ]);
}

const anyConnectResponse = fc.record({
  timeout: anyInt,
  sessionId: anyLong,
  password: anyBytes,
  readOnly: fc.boolean(),
});

function written(write: (out: JuteWriter) => void): Buffer {
  const out = new JuteWriter();
  write(out);
  return out.take();
}

describe('the records of the handshake', () => {
  it('writes any connect request', () => {
    fc.assert(
      fc.property(anyConnectRequest, (request) => {
        expect(written((out) => writeConnectRequest(out, request))).toEqual(connectRequestBytes(request));
      }),
    );
  });

  it('reads any connect request', () => {
    fc.assert(
      fc.property(anyConnectRequest, (request) => {
        expect(readConnectRequest(new JuteReader(connectRequestBytes(request)))).toEqual(request);
      }),
    );
  });

  it('reads any connect response', () => {
    fc.assert(
      fc.property(anyConnectResponse, (response) => {
        const { timeout, sessionId, password, readOnly } = response;
        const record = Buffer.concat([int(0), int(timeout), longOf(sessionId), bytes(password), bool(readOnly)]);
        expect(readConnectResponse(new JuteReader(record))).toEqual(response);
      }),
    );
  });

  it('reads a connect response without the byte for read-only, as servers before 3.4 send it', () => {
    const record = Buffer.concat([int(0), int(4000), long(1), bytes(Buffer.alloc(16, 7))]);
    expect(readConnectResponse(new JuteReader(record))).toMatchObject({ timeout: 4000, readOnly: false });
  });

  it('reads a damaged connect response, or refuses it with a ProtocolError', () => {
    const record = Buffer.concat([int(0), int(4000), long(1), bytes(Buffer.alloc(16, 7)), bool(false)]);
    const broken = fc.oneof(cutOff(fc.constant(record)), damaged(fc.constant(record)));
    fc.assert(
      fc.property(broken, (content) => {
        const response = resultOrProtocolError(() => readConnectResponse(new JuteReader(content)));
        expect(response?.password.length ?? 0).toBeLessThanOrEqual(content.length);
      }),
    );
  });
});

describe('the records that operations share', () => {
  it('reads any reply header', () => {
    fc.assert(
      fc.property(anyInt, anyLong, anyInt, (xid, zxid, error) => {
        const header = new ReplyHeader();
        header.read(new JuteReader(replyHeader(xid, BigInt(zxid.toString()), error)));
        expect({ ...header }).toEqual({ xid, zxidHigh: zxid.high, zxidLow: zxid.low, error });
      }),
    );
  });

  it('reads any stat, which takes 68 bytes', () => {
    fc.assert(
      fc.property(anyStat, (stat) => {
        const record = statBytes(stat);
        expect(record.length).toBe(68);
        expect(readStat(new JuteReader(record))).toEqual(stat);
      }),
    );
  });

  it('reads any entry of an ACL that it has written', () => {
    fc.assert(
      fc.property(anyAcl, (entry) => {
        const record = written((out) => writeAcl(out, entry));
        expect(readAcl(new JuteReader(record))).toEqual(entry);
      }),
    );
  });

  it('knows how few bytes an entry of an ACL can take', () => {
    const smallest = written((out) => writeAcl(out, { scheme: '', id: '', permissions: [] }));
    expect(smallest.length).toBe(ACL_LEAST_BYTES);
  });

  it('reads the event of any notification', () => {
    fc.assert(
      fc.property(anyInt, anyPath, (type, path) => {
        expect(readWatcherEvent(new JuteReader(watcherEvent(type, path)))).toEqual({ type, path });
      }),
    );
  });
});

describe('data', () => {
  it('is written as bytes, text as UTF-8, null as null', () => {
    fc.assert(
      fc.property(anyData, (data) => {
        expect(written((out) => writeData(out, data))).toEqual(bytes(data));
      }),
    );
  });

  it('is never larger than its estimate', () => {
    fc.assert(
      fc.property(anyData, (data) => {
        expect(Buffer.from(data ?? '').length).toBeLessThanOrEqual(dataBytes(data));
      }),
    );
  });
});
