import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ServerAddress } from '../../../src/connection/connect-string.js';
import type { HostProvider } from '../../../src/connection/host-provider.js';
import { Rounds } from '../../../src/connection/rounds.js';
import { type TestClock, useRealClock, useTestClock } from '../support/clock.js';
import { turn } from '../support/fake-network.js';
import { ALMOST_ONE, always } from '../support/random.js';

const three = ['a', 'b', 'c'].map((host) => ({ host, port: 2181 }));
const one = three.slice(0, 1);
const A = { host: 'a', port: 2181 };

let clock: TestClock;
beforeEach(() => {
  clock = useTestClock();
});
afterEach(useRealClock);

function roundsOf(servers: readonly ServerAddress[], random = always(ALMOST_ONE)): Rounds {
  return new Rounds({ servers: () => servers }, false, random);
}

/** The next attempt: its pause, and where it goes. */
function attempt(rounds: Rounds, longest?: number): { pause: number; host: string } {
  const pause = Math.round(rounds.pause(longest));
  if (rounds.isOver) rounds.begin(1_000, () => undefined).start();
  return { pause, host: rounds.take().host };
}

function pauses(rounds: Rounds, attempts: number): number[] {
  return Array.from({ length: attempts }, () => attempt(rounds).pause);
}

describe('the order', () => {
  it('is that of the provider, who is asked at each round', () => {
    const lists = [three, [...three].reverse(), one];
    const rounds = new Rounds({ servers: () => lists.shift() ?? three });
    expect(Array.from({ length: 8 }, () => attempt(rounds).host).join('')).toBe('abccbaaa');
  });

  it('begins anew after a session was confirmed, of which the provider is told', () => {
    const connected = jest.fn();
    const rounds = new Rounds({ servers: () => three, connected });
    attempt(rounds);
    attempt(rounds);
    rounds.confirmed(three[1]!);
    expect(connected.mock.calls).toEqual([[three[1]]]);
    expect(attempt(rounds).host).toBe('a');
  });
});

describe('the pauses', () => {
  it('are none in the first round', () => {
    expect(pauses(roundsOf(three), 3)).toEqual([0, 0, 0]);
  });

  it('come between rounds only, and double from 100 ms on up to 5 s', () => {
    const between = pauses(roundsOf(three), 30);
    const rounds = between.filter((_, index) => index % 3 === 0);
    expect(rounds).toEqual([0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
    expect(between.filter((_, index) => index % 3 !== 0)).toEqual(new Array(20).fill(0));
  });

  it('have full jitter: they can be nothing, or half of it', () => {
    expect(pauses(roundsOf(three, always(0)), 4)[3]).toBe(0);
    expect(pauses(roundsOf(three, always(0.5)), 4)[3]).toBe(50);
  });

  it('stay at the longest, also after very many rounds, and with sessions of any length', () => {
    const rounds = roundsOf(three);
    expect(pauses(rounds, 30_001).at(-1)).toBe(5000);
    expect(attempt(roundsOf(one), 60_000).pause).toBe(0);
    rounds.take();
    rounds.take();
    expect(rounds.pause(60_000)).toBeCloseTo(5000);
  });

  it('spread the clients that lost one server over 50 ms, and begin from the shortest again', () => {
    const rounds = roundsOf(three);
    pauses(rounds, 10);
    rounds.confirmed(A);
    expect(pauses(rounds, 4)).toEqual([50, 0, 0, 100]);
  });

  it('can be bounded further, while a session is to be saved', () => {
    const rounds = roundsOf(one);
    expect(Array.from({ length: 4 }, () => attempt(rounds, 150).pause)).toEqual([0, 100, 150, 150]);
  });

  it('go on growing while no session is confirmed', () => {
    expect(pauses(roundsOf(one), 4)).toEqual([0, 100, 200, 400]);
  });

  it('grow also while nobody knows a server', () => {
    const rounds = new Rounds({ servers: () => [] }, false, always(ALMOST_ONE));
    const grown = Array.from({ length: 3 }, () => {
      const pause = Math.round(rounds.pause());
      rounds.begin(1_000, () => undefined).start();
      return pause;
    });
    expect(grown).toEqual([0, 100, 200]);
  });
});

it('knows when a round is over, and whether it has failed', () => {
  const rounds = roundsOf(three);
  expect([rounds.isOver, rounds.hasFailed]).toEqual([true, false]);
  const over = Array.from({ length: 4 }, () => {
    attempt(rounds);
    return rounds.hasFailed;
  });
  expect(over).toEqual([false, false, true, false]);
  rounds.confirmed(A);
  expect([rounds.isOver, rounds.hasFailed]).toEqual([true, false]);
});

it('knows the servers, once it has asked for them', () => {
  const rounds = roundsOf(three);
  expect(rounds.servers).toEqual([]);
  attempt(rounds);
  expect(rounds.servers).toEqual(three);
});

describe('a provider that', () => {
  const begun = jest.fn<(failure?: Error) => void>();
  beforeEach(() => void begun.mockReset());

  /** Begins a round, and waits for nothing. */
  function begin(servers: unknown): Rounds {
    const rounds = new Rounds({ servers } as HostProvider);
    rounds.begin(1_000, begun).start();
    return rounds;
  }

  it('promises a list is waited for', async () => {
    const rounds = begin(() => Promise.resolve(three));
    expect(begun).not.toHaveBeenCalled();
    await turn();
    expect(begun.mock.calls).toEqual([[]]);
    expect(rounds.take().host).toBe('a');
    expect(clock.timers).toBe(0);
  });

  const nonsense: readonly [string, unknown, string][] = [
    ['nothing', undefined, 'it must be a list of { host, port }'],
    ['text', 'zk:2181', 'it must be a list of { host, port }'],
    ['no server', [], 'it names no server'],
    ['null for a server', [null], 'server 1: it must be an object of host and port'],
    ['a server without a host', [A, { port: 1 }], 'server 2: the host must be a name or an address'],
    ['a host that is none', [{ host: 'a b', port: 1 }], 'server 1: the host must be'],
    ['a host in brackets', [{ host: '[::1]', port: 1 }], 'IPv6 without brackets'],
    ['a port that is text', [{ host: 'a', port: '2181' }], 'server 1: the port must be a number from 1 to 65535'],
    ['a port that is none', [{ host: 'a', port: 65_536 }], 'the port must be a number from 1 to 65535'],
    ['tls that is text', [{ host: 'a', port: 1, tls: 'yes' }], 'server 1: tls must be true or false'],
  ];

  it.each(nonsense)('gives %s has failed', async (_, list, problem) => {
    const failures: unknown[] = [];
    for (const given of [() => list, () => Promise.resolve(list)]) {
      begin(given);
      await turn();
      failures.push(begun.mock.calls.at(-1)?.[0]);
    }
    expect(begun).toHaveBeenCalledTimes(2);
    for (const failure of failures) {
      expect(failure).toMatchObject({ code: 'LINK_DOWN' });
      expect((failure as Error).message).toContain(`it gave no list of servers: `);
      expect((failure as Error).message).toContain(problem);
    }
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no idea');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no idea'))],
  ])('%s has failed', async (_, servers) => {
    begin(servers);
    await turn();
    expect(begun.mock.calls).toEqual([[expect.objectContaining({ message: 'no idea', cause: new Error('no idea') })]]);
  });

  it('throws what is no error has failed, too', () => {
    begin(() => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error
      throw 'a text';
    });
    expect(begun.mock.calls).toEqual([[expect.objectContaining({ message: 'a text' })]]);
  });

  it('never answers has failed when its time is over, and is told so; a late answer changes nothing', async () => {
    let answer: ((list: unknown) => void) | undefined;
    let signal: AbortSignal | undefined;
    const rounds = begin((given: AbortSignal) => {
      signal = given;
      return new Promise((resolve) => (answer = resolve));
    });
    await clock.advance(999);
    expect([begun.mock.calls.length, signal?.aborted]).toEqual([0, false]);
    await clock.advance(1);
    expect(begun.mock.calls).toEqual([[expect.objectContaining({ message: 'it gave no servers within 1000 ms' })]]);
    expect(signal?.aborted).toBe(true);
    answer?.(three);
    await turn();
    expect(begun).toHaveBeenCalledTimes(1);
    expect(rounds.servers.length).toBe(0);
  });

  it('fails later leaves the servers that it gave before', () => {
    const lists: (typeof three | undefined)[] = [three, undefined];
    const rounds = new Rounds({ servers: () => lists.shift() ?? [] });
    for (const _ of three) attempt(rounds);
    rounds.begin(1_000, begun).start();
    expect(begun.mock.calls).toEqual([[expect.any(Error)]]);
    expect(rounds.isOver).toBe(false);
    expect(rounds.take().host).toBe('a');
  });

  it('is asked no more tells nobody', async () => {
    const signals: AbortSignal[] = [];
    const rounds = new Rounds({
      servers: async (signal) => {
        signals.push(signal);
        return three;
      },
    });
    const query = rounds.begin(1_000, begun);
    query.start();
    query.stop();
    query.stop();
    await turn();
    expect(begun).not.toHaveBeenCalled();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(clock.timers).toBe(0);
  });

  it('throws when told of a connection disturbs nobody', () => {
    const rounds = new Rounds({
      servers: () => three,
      connected: () => {
        throw new Error('not now');
      },
    });
    expect(() => rounds.confirmed(A)).not.toThrow();
  });

  it('has a name is called by it', () => {
    expect(new Rounds({ servers: () => one }).providerName).toBe('host provider');
    expect(new Rounds({ name: 'consul', servers: () => one }).providerName).toBe('consul');
  });
});

it('gives each server once, with nothing but what makes an address', () => {
  const rounds = roundsOf([A, { ...A, extra: 1 } as ServerAddress, { ...A, tls: true }, { ...A, tls: undefined }]);
  rounds.begin(1_000, () => undefined).start();
  expect([rounds.servers.length, rounds.take(), rounds.take()]).toEqual([2, A, { ...A, tls: true }]);
});
