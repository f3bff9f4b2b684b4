import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InvalidArgumentError } from '../../src/errors.js';
import { type AuthInfo, checkAuth, type ClientOptions, resolveOptions } from '../../src/options.js';

/** Resolves options that the types do not allow. */
function resolveAny(options: unknown): unknown {
  return resolveOptions(options as ClientOptions);
}

const LONGEST = 2 ** 31 - 1;
const MIB = 1024 * 1024;

const defaults = {
  sessionTimeout: 10_000,
  connectTimeout: 30_000,
  maxRequestBytes: 1_048_575,
  maxReplyBytes: 64 * MIB,
  offlineQueue: { maxOperations: 10_000, maxBytes: 64 * MIB, maxWait: 30_000 },
  auth: [],
  sasl: undefined,
  tls: undefined,
  session: undefined,
  renewSession: true,
  whenAhead: 'renew',
  inFlight: { maxOperations: 100_000, maxBytes: 64 * MIB, whenFull: 'wait' },
  readOnly: false,
  keepSession: false,
  unref: false,
  retry: expect.any(Function),
  defaultAcl: expect.any(Function),
  schema: undefined,
  lookup: undefined,
  resolveSrv: undefined,
  followReconfig: false,
  logger: undefined,
};

describe('the defaults', () => {
  it('hold where nothing is given', () => {
    expect(resolveOptions()).toEqual(defaults);
    expect(resolveOptions({})).toEqual(defaults);
  });

  it('are what undefined means', () => {
    const nothing = Object.fromEntries(Object.keys(defaults).map((name) => [name, undefined]));
    expect(resolveOptions(nothing)).toEqual(defaults);
    const queue = { maxOperations: undefined, maxBytes: undefined, maxWait: undefined };
    expect(resolveOptions({ offlineQueue: queue })).toEqual(defaults);
  });

  it('fill up an offlineQueue that gives some of its bounds', () => {
    expect(resolveOptions({ offlineQueue: { maxWait: 5 } }).offlineQueue).toEqual({
      ...defaults.offlineQueue,
      maxWait: 5,
    });
  });

  it('cannot be changed afterwards', () => {
    expect(Object.isFrozen(resolveOptions())).toBe(true);
  });
});

describe('numbers', () => {
  const ranges: readonly (readonly [string, string, number, number])[] = [
    ['sessionTimeout', 'milliseconds', 1, LONGEST],
    ['connectTimeout', 'milliseconds', 1, LONGEST],
    ['maxRequestBytes', 'bytes', 1_024, LONGEST],
    ['maxReplyBytes', 'bytes', 1_024, LONGEST],
    ['offlineQueue.maxOperations', 'operations', 1, LONGEST],
    ['offlineQueue.maxBytes', 'bytes', 1, Number.MAX_SAFE_INTEGER],
    ['offlineQueue.maxWait', 'milliseconds', 1, LONGEST],
    ['inFlight.maxOperations', 'operations', 1, LONGEST],
    ['inFlight.maxBytes', 'bytes', 1, Number.MAX_SAFE_INTEGER],
  ];

  function resolveNumber(name: string, value: unknown): unknown {
    const [outer = '', inner] = name.split('.');
    return resolveAny(inner === undefined ? { [outer]: value } : { [outer]: { [inner]: value } });
  }

  it.each(ranges)('%s is taken from the least to the most', (name, _, least, most) => {
    expect(() => resolveNumber(name, least)).not.toThrow();
    expect(() => resolveNumber(name, most)).not.toThrow();
  });

  describe.each(ranges)('%s is refused', (name, unit, least, most) => {
    it.each<[unknown, string]>([
      [least - 1, String(least - 1)],
      [most + 1, String(most + 1)],
      [least + 0.5, String(least + 0.5)],
      [NaN, 'NaN'],
      [Infinity, 'Infinity'],
      ['5000', '"5000"'],
      [10n, '10'],
      [null, 'null'],
      [{}, 'of type object'],
      [true, 'true'],
    ])('as %p', (value, shown) => {
      expect(() => resolveNumber(name, value)).toThrow(
        new InvalidArgumentError(
          `the option ${name} is ${shown}; it must be a whole number of ${unit} from ${least} to ${most}`,
        ),
      );
    });
  });
});

describe('the other options', () => {
  it.each<[string, unknown, string]>([
    ['renewSession', 'no', 'the option renewSession is "no"; it must be true or false'],
    ['renewSession', null, 'the option renewSession is null; it must be true or false'],
    ['whenAhead', 'panic', 'the option whenAhead is "panic"; it must be "renew" or "wait"'],
    ['readOnly', 1, 'the option readOnly is 1; it must be true or false'],
    ['keepSession', 'no', 'the option keepSession is "no"; it must be true or false'],
    ['unref', null, 'the option unref is null; it must be true or false'],
    ['retry', true, 'the option retry is true; it must be a function, such as retries.exponential()'],
    [
      'defaultAcl',
      [],
      'the option defaultAcl: the ACL must be a list with at least one entry; acl.open, acl.creatorAll and acl.digest(...) are examples',
    ],
    ['inFlight', false, 'the option inFlight is false; it must be an object'],
    ['inFlight', { whenFull: 'drop' }, 'the option inFlight.whenFull is "drop"; it must be "wait" or "reject"'],
    ['lookup', 'dns', 'the option lookup is "dns"; it must be a function'],
    ['lookup', {}, 'the option lookup is of type object; it must be a function'],
    ['resolveSrv', 'dns', 'the option resolveSrv is "dns"; it must be a function'],
    ['followReconfig', 1, 'the option followReconfig is 1; it must be true or false'],
    ['offlineQueue', true, 'the option offlineQueue is true; it must be an object, or false'],
    ['offlineQueue', null, 'the option offlineQueue is null; it must be an object, or false'],
    ['auth', null, 'the option auth must be a list of { scheme, auth }'],
    ['auth', [null], 'the option auth must be a list of { scheme, auth }'],
    ['auth', { scheme: 'digest', auth: 'u:p' }, 'the option auth must be a list of { scheme, auth }'],
    ['session', null, 'the option session must be an object of id and password'],
    ['session', '0x1', 'the option session must be an object of id and password'],
  ])('%s is refused as %j', (name, value, message) => {
    expect(() => resolveAny({ [name]: value })).toThrow(new InvalidArgumentError(message));
  });

  it('are taken as they are', () => {
    const given: ClientOptions = {
      renewSession: false,
      whenAhead: 'wait',
      lookup: () => undefined,
      resolveSrv: () => Promise.resolve([]),
      followReconfig: true,
      offlineQueue: false,
      session: { id: '0x100000C92d0004c', password: 'AAAA' },
    };
    const { session, auth } = resolveOptions({ ...given, auth: [{ scheme: 'digest', auth: 'u:p' }] });
    expect(resolveOptions(given)).toEqual({ ...defaults, ...given, session });
    expect([session?.id, session?.password]).toEqual(['0x100000C92d0004c', 'AAAA']);
    expect(auth.map((each) => [each.scheme, each.auth])).toEqual([['digest', 'u:p']]);
  });

  it('show no secrets', () => {
    const resolved = resolveOptions({
      session: { id: '0x1', password: 'secret' },
      auth: [{ scheme: 'digest', auth: 'u:secret' }],
      sasl: { mechanism: 'DIGEST-MD5', username: 'u', password: 'secret' },
      tls: { passphrase: 'secret' },
    });
    const shown = inspect(resolved, { depth: Infinity, showHidden: true, getters: true });
    expect(shown + JSON.stringify(resolved)).not.toContain('secret');
  });

  it.each(['100', '0x', '0x11112222333344445', '0xzz', ''])('a session id is not %j', (id) => {
    expect(() => resolveOptions({ session: { id, password: '' } })).toThrow(
      new InvalidArgumentError(
        `the option session.id is "${id}"; it must be a hexadecimal number such as "0x100000c92d0004c"`,
      ),
    );
  });
});

describe('unknown names are refused', () => {
  it('among the options', () => {
    expect(() => resolveAny({ sessionTimeOut: 1 })).toThrow(
      new InvalidArgumentError(
        'there is no option "sessionTimeOut"; known are sessionTimeout, connectTimeout, maxRequestBytes, maxReplyBytes, offlineQueue, inFlight, auth, defaultAcl, schema, sasl, tls, session, renewSession, whenAhead, readOnly, keepSession, unref, retry, lookup, resolveSrv, followReconfig, logger',
      ),
    );
  });

  it('among those of offlineQueue', () => {
    expect(() => resolveAny({ offlineQueue: { max: 1 } })).toThrow(
      new InvalidArgumentError('there is no option of offlineQueue "max"; known are maxOperations, maxBytes, maxWait'),
    );
  });

  it('that every object has', () => {
    expect(() => resolveAny({ toString: 1 })).toThrow(InvalidArgumentError);
  });
});

it('refuses what is wrong with an InvalidArgumentError and nothing else', () => {
  const options = fc.dictionary(fc.constantFrom(...Object.keys(defaults)), fc.anything({ withBigInt: true }));
  fc.assert(
    fc.property(options, (given) => {
      try {
        expect(Object.keys(resolveAny(given) as object).sort()).toEqual(Object.keys(defaults).sort());
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidArgumentError);
      }
    }),
  );
});

describe('credentials', () => {
  it('are text or bytes', () => {
    expect(checkAuth({ scheme: 'digest', auth: 'u:p' })).toEqual({ scheme: 'digest', auth: 'u:p' });
    const auth = new Uint8Array([1]);
    expect(checkAuth({ scheme: 'x', auth })).toEqual({ scheme: 'x', auth });
  });

  it.each<[unknown, string]>([
    [{ scheme: '', auth: 'secret' }, 'auth: the scheme must be a non-empty string'],
    [{ auth: 'secret' }, 'auth: the scheme must be a non-empty string'],
    [{ scheme: 7, auth: 'secret' }, 'auth: the scheme must be a non-empty string'],
    [{ scheme: 'digest' }, 'auth: the credentials for the scheme digest must be a string or bytes'],
    [{ scheme: 'digest', auth: ['secret'] }, 'auth: the credentials for the scheme digest must be a string or bytes'],
  ])('are not %j', (info, message) => {
    expect(() => checkAuth(info as AuthInfo)).toThrow(new InvalidArgumentError(message));
  });

  it.each<[string, unknown]>([
    ['auth', [{ scheme: 'digest', auth: { text: 'u:secret' } }]],
    ['auth', [{ scheme: '', auth: 'u:secret' }]],
    ['auth', 'u:secret'],
    ['session', { id: '0x1', password: { text: 'secret' } }],
    ['session', { id: 'bad', password: 'secret' }],
    ['session', 'secret'],
  ])('appear in no message about %s', (name, value) => {
    const error = thrownBy(() => resolveAny({ [name]: value }));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(String(error)).not.toContain('secret');
  });
});

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
