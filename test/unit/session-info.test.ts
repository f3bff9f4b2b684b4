import { describe, expect, it } from '@jest/globals';
import Long from 'long';
import type { Session } from '../../src/session/session.js';
import { SessionInfo } from '../../src/session-info.js';

function infoOf(fields: object): SessionInfo {
  return new SessionInfo(fields as Session);
}

describe('a session as users see it', () => {
  it.each([
    ['0100000c92d0004c', '0x100000c92d0004c'],
    // Server ids above 127 make session ids negative (R6).
    ['ef00000000000001', '0xef00000000000001'],
    ['0', '0x0'],
  ])('writes the id %s as servers do: %s', (hex, text) => {
    const id = Long.fromString(hex, true, 16).toSigned();
    expect(String(infoOf({ id }))).toBe(text);
  });

  it('knows its own ephemeral znodes, and before there is a session none', () => {
    const session = { id: Long.ZERO };
    const info = infoOf(session);
    expect(info.owns({ ephemeralOwner: Long.ZERO })).toBe(false);
    session.id = Long.fromString('ef00000000000001', true, 16).toSigned();
    expect(info.owns({ ephemeralOwner: Long.ZERO })).toBe(false);
    expect(info.owns({ ephemeralOwner: Long.fromBits(1, 0xef000000 | 0) })).toBe(true);
    expect(info.owns({ ephemeralOwner: Long.ONE })).toBe(false);
  });

  it('has what another process needs to attach to it', () => {
    const info = infoOf({ id: Long.fromNumber(255), password: Buffer.from([1, 2, 3]) });
    expect(info.export()).toEqual({ id: '0xff', password: 'AQID' });
  });

  it('tells what the session knows at this moment', () => {
    const session = { id: Long.ONE, timeout: 4_000, deadline: { remaining: 3_000 }, server: undefined };
    const info = infoOf(session);
    expect(info).toMatchObject({ id: Long.ONE, timeout: 4_000, remaining: 3_000, server: undefined });
    Object.assign(session, { server: { host: '::1', port: 2181 }, deadline: { remaining: -5 } });
    expect(info).toMatchObject({ server: '[::1]:2181', remaining: -5 });
  });

  it('shows its password to nobody who only looks at it', () => {
    const info = infoOf({ id: Long.ONE, password: Buffer.from('secret') });
    expect(JSON.stringify(info)).not.toContain(Buffer.from('secret').toString('base64'));
    expect(Object.keys(info)).toEqual([]);
  });
});
