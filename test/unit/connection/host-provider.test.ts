import { describe, expect, it } from '@jest/globals';
import { HostProvider } from '../../../src/connection/host-provider.js';

const servers = ['a', 'b', 'c'].map((host) => ({ host, port: 2181 }));

/** The pauses of so many attempts in a row. */
function pauses(hosts: HostProvider, attempts: number): number[] {
  return Array.from({ length: attempts }, () => hosts.next().pause);
}

const always = (value: number) => (): number => value;
const ALMOST_ONE = 1 - 2 ** -53;

describe('the order', () => {
  it('goes round all servers, again and again', () => {
    const hosts = new HostProvider(servers);
    const round = Array.from({ length: 3 }, () => hosts.next().server.host);
    const second = Array.from({ length: 3 }, () => hosts.next().server.host);
    expect([...round].sort()).toEqual(['a', 'b', 'c']);
    expect(second).toEqual(round);
  });

  it('is shuffled, each order being as likely as any other', () => {
    const counts = new Map<string, number>();
    for (const first of [0, 0.34, 0.67]) {
      for (const second of [0, 0.5]) {
        const draws = [first, second];
        const hosts = new HostProvider(servers, () => draws.shift() ?? 0);
        const order = Array.from({ length: 3 }, () => hosts.next().server.host).join('');
        counts.set(order, (counts.get(order) ?? 0) + 1);
      }
    }
    // Three draws for the last place, two for the one before: each of the six orders has come once.
    expect([...counts.keys()].sort()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
  });

  it('leaves the list that was given as it is', () => {
    const given = Object.freeze([...servers]);
    expect(() => new HostProvider(given)).not.toThrow();
  });

  it('goes on with the next server after a session was confirmed', () => {
    const hosts = new HostProvider(servers);
    const first = hosts.next().server;
    hosts.confirmed();
    expect(hosts.next().server).not.toBe(first);
  });
});

describe('the pauses', () => {
  it('are none in the first round', () => {
    expect(pauses(new HostProvider(servers, always(ALMOST_ONE)), 3)).toEqual([0, 0, 0]);
  });

  it('come between rounds only, and double from 100 ms on up to 5 s', () => {
    const between = pauses(new HostProvider(servers, always(ALMOST_ONE)), 30);
    const rounds = between.filter((_, index) => index % 3 === 0).map(Math.round);
    expect(rounds).toEqual([0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
    expect(between.filter((_, index) => index % 3 !== 0)).toEqual(new Array(20).fill(0));
  });

  it('have full jitter: they can be nothing, or half of it', () => {
    expect(pauses(new HostProvider(servers, always(0)), 4)[3]).toBe(0);
    expect(pauses(new HostProvider(servers, always(0.5)), 4)[3]).toBe(50);
  });

  it('stay at the longest, also after very many rounds', () => {
    const last = pauses(new HostProvider(servers, always(ALMOST_ONE)), 30_001).at(-1);
    expect(Math.round(last ?? 0)).toBe(5000);
  });

  it('spread the clients that lost one server over 50 ms, and begin from the shortest again', () => {
    const hosts = new HostProvider(servers, always(ALMOST_ONE));
    pauses(hosts, 10);
    hosts.confirmed();
    expect(pauses(hosts, 4).map(Math.round)).toEqual([50, 0, 0, 100]);
  });

  it('can be bounded further, while a session is to be saved', () => {
    const hosts = new HostProvider(servers.slice(0, 1), always(ALMOST_ONE));
    const bounded = Array.from({ length: 4 }, () => Math.round(hosts.next(150).pause));
    expect(bounded).toEqual([0, 100, 150, 150]);
  });

  it('go on growing while no session is confirmed', () => {
    const hosts = new HostProvider(servers.slice(0, 1), always(ALMOST_ONE));
    expect(pauses(hosts, 4).map(Math.round)).toEqual([0, 100, 200, 400]);
  });
});

it('knows when a round is over', () => {
  const hosts = new HostProvider(servers);
  const over = Array.from({ length: 4 }, () => {
    hosts.next();
    return hosts.roundIsOver;
  });
  expect(over).toEqual([false, false, true, false]);
  hosts.confirmed();
  expect(hosts.roundIsOver).toBe(false);
});

it('knows the number of servers', () => {
  expect(new HostProvider(servers).size).toBe(3);
});
