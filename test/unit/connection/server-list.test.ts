import { describe, expect, it } from '@jest/globals';
import type { ServerAddress } from '../../../src/connection/connect-string.js';
import { ServerList } from '../../../src/connection/server-list.js';
import { seeded } from '../support/random.js';

function serversOf(...hosts: string[]): ServerAddress[] {
  return hosts.map((host) => ({ host, port: 2181 }));
}

const hostsOf = (list: ServerList): string =>
  list
    .servers()
    .map(({ host }) => host)
    .join('');
const at = (host: string): ServerAddress => ({ host, port: 2181 });

describe('a list of servers', () => {
  it('is shuffled, each order being as likely as any other', () => {
    const orders = new Set<string>();
    for (const first of [0, 0.34, 0.67]) {
      for (const second of [0, 0.5]) {
        const draws = [first, second];
        orders.add(hostsOf(new ServerList(serversOf('a', 'b', 'c'), () => draws.shift() ?? 0)));
      }
    }
    // Three draws for the last place, two for the one before: each of the six orders has come once.
    expect([...orders].sort()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
  });

  it('leaves the list that was given as it is', () => {
    const given = Object.freeze(serversOf('a', 'b', 'c'));
    expect(() => new ServerList(given)).not.toThrow();
  });

  it('is in the same order in each round', () => {
    const list = new ServerList(serversOf('a', 'b', 'c'));
    expect(hostsOf(list)).toBe(hostsOf(list));
  });

  it('goes on with the next server after a session was confirmed', () => {
    const list = new ServerList(serversOf('a', 'b', 'c'), seeded(1));
    const [first = '', second = '', third = ''] = hostsOf(list);
    list.connected(at(first));
    expect(hostsOf(list)).toBe(second + third + first);
    list.connected(at(third));
    expect(hostsOf(list)).toBe(first + second + third);
  });
});

describe('an update', () => {
  it('leaves a server that is on the new list, where that does not grow', () => {
    const list = new ServerList(serversOf('a', 'b', 'c'));
    expect(list.update(serversOf('a', 'b'), [at('a')])).toBe(false);
    expect(hostsOf(list)).toBe('ba');
  });

  it('moves a client whose server is gone', () => {
    const list = new ServerList(serversOf('a', 'b', 'c'));
    expect(list.update(serversOf('b', 'c', 'd'), [at('a')])).toBe(true);
    // The old ones have as many clients as before; so d, which is new, takes those of a.
    expect(hostsOf(list)[0]).toBe('d');
  });

  it('knows a server by any of its names, whatever their case', () => {
    const list = new ServerList(serversOf('localhost'));
    expect(list.update(serversOf('127.0.0.1'), [at('localhost'), at('127.0.0.1')])).toBe(false);
    expect(list.update(serversOf('ZK'), [at('zk')])).toBe(false);
  });

  it('tells ports apart', () => {
    const list = new ServerList(serversOf('a'));
    expect(list.update([{ host: 'a', port: 2182 }], [at('a')])).toBe(true);
  });

  it('sends a client that is nowhere to any of the new servers', () => {
    const first = new Set<string>();
    const random = seeded(7);
    for (let count = 0; count < 100; count++) {
      const list = new ServerList(serversOf('a'), random);
      expect(list.update(serversOf('a', 'b', 'c'), [])).toBe(false);
      first.add(hostsOf(list)[0] ?? '');
    }
    expect([...first].sort()).toEqual(['a', 'b', 'c']);
  });

  it('can keep servers for the last resort, each once', () => {
    const list = new ServerList(serversOf('seed', 'a'), seeded(1));
    list.update(serversOf('a', 'b'), [at('a')], serversOf('seed', 'a'));
    expect(list.servers()).toEqual([at('b'), at('a'), at('seed')]);
    expect(list.listed).toEqual([at('b'), at('a')]);
    list.connected(at('seed'));
    expect(list.servers().at(-1)).toEqual(at('seed'));
  });
});

describe('many clients that are told of new servers', () => {
  const CLIENTS = 3_000;

  /** Clients, each with the server that it is at. */
  class Crowd {
    private readonly random = seeded(42);
    private readonly clients: { readonly list: ServerList; place: string }[];
    moved = 0;

    constructor(hosts: string) {
      this.clients = Array.from({ length: CLIENTS }, () => {
        const list = new ServerList(serversOf(...hosts), this.random);
        const place = hostsOf(list)[0] ?? '';
        list.connected(at(place));
        return { list, place };
      });
    }

    update(hosts: string): this {
      this.moved = 0;
      for (const client of this.clients) {
        if (!client.list.update(serversOf(...hosts), [at(client.place)])) continue;
        this.moved++;
        client.place = hostsOf(client.list)[0] ?? '';
        client.list.connected(at(client.place));
      }
      return this;
    }

    /** Clients of each server. */
    get load(): Record<string, number> {
      const load: Record<string, number> = {};
      for (const { place } of this.clients) load[place] = (load[place] ?? 0) + 1;
      return load;
    }
  }

  function expectEven(crowd: Crowd, hosts: string): void {
    expect(Object.keys(crowd.load).sort().join('')).toBe(hosts);
    const fair = CLIENTS / hosts.length;
    // Five standard deviations of what chance alone does.
    for (const clients of Object.values(crowd.load)) {
      expect(Math.abs(clients - fair)).toBeLessThan(5 * Math.sqrt(fair));
    }
  }

  it.each<[string, string, string, number]>([
    ['servers are added', 'abc', 'abcde', 2 / 5],
    ['servers are removed', 'abcde', 'abc', 2 / 5],
    ['one takes the place of another', 'abc', 'abd', 1 / 3],
    ['all are replaced', 'abc', 'def', 1],
    ['some are removed and more are added', 'abcd', 'bcdefgh', 4 / 7],
    ['more are removed than added', 'abcdef', 'efg', 4 / 6],
    ['the list stays', 'abc', 'abc', 0],
    ['one is left', 'abc', 'b', 2 / 3],
  ])('spread evenly when %s, and move no more than they must', (_, before, after, share) => {
    const crowd = new Crowd(before).update(after);
    expectEven(crowd, after);
    expect(Math.abs(crowd.moved / CLIENTS - share)).toBeLessThan(0.05);
  });

  it('are still spread evenly after a rolling replacement', () => {
    const crowd = new Crowd('abc');
    for (const hosts of ['abcd', 'bcd', 'bcde', 'cde', 'cdef', 'def']) expectEven(crowd.update(hosts), hosts);
  });
});
