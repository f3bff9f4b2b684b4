import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { dial, type Lookup } from '../../../src/connection/dial.js';
import { type FakeNetwork, turn, useFakeNetwork } from '../support/fake-network.js';

let network: FakeNetwork;

beforeEach(() => {
  network = useFakeNetwork();
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** The look-up that the socket was given. */
function dialled(lookup?: Lookup): Lookup {
  dial({ host: 'zk', port: 2182 }, lookup);
  return network.newest.options.lookup!;
}

it('dials the host and the port, without delay, and tries all addresses side by side', () => {
  dial({ host: 'zk', port: 2182 });
  expect(network.newest.options).toMatchObject({
    host: 'zk',
    port: 2182,
    noDelay: true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: 250,
  });
});

describe('the look-up', () => {
  it('is the one that was given', () => {
    const callback = jest.fn<Parameters<Lookup>[2]>();
    const addresses = [{ address: '10.0.0.1', family: 4 }];
    const lookup = jest.fn<Lookup>((_hostname, _options, found) => found(null, addresses));
    dialled(lookup)('zk', { all: true }, callback);
    expect(lookup.mock.calls[0]?.slice(0, 2)).toEqual(['zk', { all: true }]);
    expect(callback.mock.calls[0]?.slice(0, 2)).toEqual([null, addresses]);
  });

  it('that finds several addresses brings them in any order', () => {
    const addresses = ['1', '2', '3'].map((last) => ({ address: `10.0.0.${last}`, family: 4 }));
    const lookup = dialled((_hostname, _options, found) => found(null, addresses));
    const first = new Set<string>();
    for (const [one, two] of [
      [0.99, 0.99],
      [0.99, 0],
      [0, 0.99],
    ] as const) {
      jest.spyOn(Math, 'random').mockReturnValueOnce(one).mockReturnValueOnce(two);
      lookup('zk', { all: true }, (_error, found) => {
        expect(found).toHaveLength(3);
        first.add((found as { address: string }[])[0]?.address ?? '');
      });
    }
    expect(first).toEqual(new Set(['10.0.0.1', '10.0.0.2', '10.0.0.3']));
    expect(addresses.map(({ address }) => address)).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3']);
  });

  it('that finds one address, as text, brings that', () => {
    const callback = jest.fn<Parameters<Lookup>[2]>();
    dialled((_hostname, _options, found) => found(null, '10.0.0.1', 4))('zk', {}, callback);
    expect(callback.mock.calls).toEqual([[null, '10.0.0.1', 4]]);
  });

  it('passes its error on', () => {
    const callback = jest.fn<Parameters<Lookup>[2]>();
    const error = new Error('no such name');
    dialled((_hostname, _options, found) => found(error, ''))('zk', {}, callback);
    expect(callback.mock.calls[0]?.[0]).toBe(error);
  });

  it('that finds nothing has failed', async () => {
    const callback = jest.fn<Parameters<Lookup>[2]>();
    dialled((_hostname, _options, found) => found(null, []))('zk', { all: true }, callback);
    await turn();
    expect(callback.mock.calls).toEqual([[new Error('no address was found for zk'), []]]);
  });

  it.each([
    ['an error and nothing else, as dns.lookup does', [new Error('no such name')]],
    ['nothing at all', []],
    ['null and nothing', [null]],
    ['an empty text', [null, '']],
    ['no address in a list', [null, [undefined]]],
  ])('that calls back with %s has failed, and throws nothing out of the callback', async (_, answer) => {
    const callback = jest.fn<Parameters<Lookup>[2]>();
    const found = jest.fn();
    dialled((_hostname, _options, done) => {
      // The real one is called on a turn of its own, where what it throws would end the process.
      (done as (...args: unknown[]) => void)(...answer);
      found();
    })('zk', { all: true }, callback);
    await turn();
    expect(found).toHaveBeenCalledTimes(1);
    expect(callback).toHaveBeenCalledTimes(1);
    expect(callback.mock.calls[0]?.[0]?.message).toMatch(/no such name|no address was found for zk/);
  });

  it('that leaves the error undefined where there is none has succeeded', () => {
    const callback = jest.fn<Parameters<Lookup>[2]>();
    const lookup = dialled((_hostname, _options, done) => {
      (done as (...args: unknown[]) => void)(undefined, '10.0.0.1', 4);
    });
    lookup('zk', {}, callback);
    expect(callback.mock.calls).toEqual([[null, '10.0.0.1', 4]]);
  });

  it('that throws has failed', async () => {
    const callback = jest.fn<Parameters<Lookup>[2]>();
    const lookup = dialled(() => {
      throw new Error('no resolver');
    });
    lookup('zk', {}, callback);
    expect(callback).not.toHaveBeenCalled();
    await turn();
    expect(callback.mock.calls[0]?.[0]).toEqual(new Error('no resolver'));
  });
});
