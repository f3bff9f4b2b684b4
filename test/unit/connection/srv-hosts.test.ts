import { promises as dns } from 'node:dns';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SrvHosts } from '../../../src/connection/srv-hosts.js';
import type { SrvRecord, SrvResolver } from '../../../src/options.js';
import { type TestClock, useRealClock, useTestClock } from '../support/clock.js';
import { seeded } from '../support/random.js';

const NAME = '_zookeeper._tcp.example.com';

let clock: TestClock;
beforeEach(() => {
  clock = useTestClock();
});
afterEach(useRealClock);

function record(name: string, { port = 2181, priority = 0, weight = 0 } = {}): SrvRecord {
  return { name, port, priority, weight };
}

function hostsOf(records: unknown, random?: () => number): SrvHosts {
  return new SrvHosts(NAME, () => Promise.resolve(records as SrvRecord[]), random);
}

const { signal } = new AbortController();

async function order(hosts: SrvHosts): Promise<string> {
  return (await hosts.servers(signal)).map(({ host }) => host).join('');
}

/** How often each server comes first, in so many rounds. */
async function firsts(records: readonly SrvRecord[], rounds: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const hosts = hostsOf(records, seeded(3));
  for (let count = 0; count < rounds; count++) {
    const [first = ''] = await order(hosts);
    counts[first] = (counts[first] ?? 0) + 1;
  }
  return counts;
}

describe('the order of the servers', () => {
  it('is that of their priorities, lower ones first', async () => {
    const records = [record('c', { priority: 20 }), record('a', { priority: 1 }), record('b', { priority: 10 })];
    expect(await order(hostsOf(records))).toBe('abc');
  });

  it('follows the weights, within one priority', async () => {
    const counts = await firsts(
      [record('a', { weight: 60 }), record('b', { weight: 30 }), record('c', { weight: 10 })],
      2_000,
    );
    expect(counts.a).toBeGreaterThan(1_100);
    expect(counts.a).toBeLessThan(1_300);
    expect(counts.b).toBeGreaterThan(500);
    expect(counts.b).toBeLessThan(700);
    expect(counts.c).toBeGreaterThan(120);
    expect(counts.c).toBeLessThan(280);
  });

  it('leaves a small chance to a server without weight', async () => {
    const counts = await firsts([record('a', { weight: 20 }), record('b', { weight: 0 })], 2_000);
    expect(counts.b).toBeGreaterThan(20);
    expect(counts.b).toBeLessThan(200);
  });

  it('is any order where no record has a weight', async () => {
    const counts = await firsts([record('a'), record('b'), record('c')], 900);
    for (const name of ['a', 'b', 'c']) expect(counts[name]).toBeGreaterThan(230);
  });
});

it('gives the ports of the records', async () => {
  expect(await hostsOf([record('a', { port: 2282 })]).servers(signal)).toEqual([{ host: 'a', port: 2282 }]);
});

it('leaves out records that name no server', async () => {
  const records = [record('.'), record(''), record('x', { port: 0 }), null, record('a')];
  expect(await order(hostsOf(records))).toBe('a');
});

it.each<[string, unknown, string]>([
  ['no record', [], `there is no SRV record of ${NAME} with a host and a port`],
  ['none that names a server', [record('.')], `there is no SRV record of ${NAME} with a host and a port`],
  ['what is no list', 'records', 'the look-up of SRV records gave no list'],
])('fails where the look-up brings %s', async (_, records, message) => {
  await expect(hostsOf(records).servers(signal)).rejects.toThrow(message);
});

describe('the look-up', () => {
  it('is made with the name as it was given, and anew for each round', async () => {
    const resolve = jest
      .fn<SrvResolver>()
      .mockResolvedValueOnce([record('a')])
      .mockResolvedValueOnce([record('b')]);
    const hosts = new SrvHosts(NAME, resolve);
    expect(await order(hosts)).toBe('a');
    clock.freeze(1_000);
    expect(await order(hosts)).toBe('b');
    expect(resolve.mock.calls).toEqual([
      [NAME, signal],
      [NAME, signal],
    ]);
    expect(hosts.name).toBe(`dns-srv://${NAME}`);
  });

  it('is made once a second at most', async () => {
    const resolve = jest.fn<SrvResolver>().mockResolvedValue([record('a')]);
    const hosts = new SrvHosts(NAME, resolve);
    for (let count = 0; count < 5; count++) {
      await order(hosts);
      clock.freeze(199);
    }
    expect(resolve).toHaveBeenCalledTimes(1);
  });

  it('that fails says why, and is made again at the next round', async () => {
    const resolve = jest
      .fn<SrvResolver>()
      .mockRejectedValueOnce(new Error('ESERVFAIL'))
      .mockResolvedValue([record('a')]);
    const hosts = new SrvHosts(NAME, resolve);
    await expect(hosts.servers(signal)).rejects.toThrow('ESERVFAIL');
    expect(await order(hosts)).toBe('a');
  });

  describe('by the name servers of the system', () => {
    it('is what is used by default', async () => {
      const resolve = jest.spyOn(dns.Resolver.prototype, 'resolveSrv').mockResolvedValue([record('a')]);
      expect(await order(new SrvHosts(NAME))).toBe('a');
      expect(resolve.mock.calls).toEqual([[NAME]]);
    });

    it('is cancelled when nobody waits for it, so that it keeps no process alive', async () => {
      let fail: ((error: Error) => void) | undefined;
      jest.spyOn(dns.Resolver.prototype, 'resolveSrv').mockReturnValue(
        new Promise((_, reject) => {
          fail = reject;
        }),
      );
      const cancel = jest
        .spyOn(dns.Resolver.prototype, 'cancel')
        .mockImplementation(() => fail?.(new Error('ECANCELLED')));
      const controller = new AbortController();
      const servers = new SrvHosts(NAME).servers(controller.signal);
      controller.abort();
      await expect(servers).rejects.toThrow('ECANCELLED');
      expect(cancel).toHaveBeenCalledTimes(1);
    });
  });
});
