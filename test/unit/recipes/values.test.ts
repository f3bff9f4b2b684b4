import { describe, expect, it, test } from '@jest/globals';
import { BadVersionError, ConnectionLossError, Long, NodeExistsError } from 'zookit';
import { replace } from '../../../recipes/values/conditional-write.js';
import { formats, inputOf, outputs } from '../../../recipes/values/counter-format.js';
import { memberName, membersIn } from '../../../recipes/barriers/rounds.js';
import { Wait } from '../../../recipes/common/waiting.js';
import { FakeClient } from './fake-client.js';

describe('the formats of counters', () => {
  it.each([
    ['int64', -(2n ** 63n), '8000000000000000'],
    ['int64', 2n ** 63n - 1n, '7fffffffffffffff'],
    ['int32', -(2n ** 31n), '80000000'],
    ['int32', 2n ** 31n - 1n, '7fffffff'],
    ['text', 0n, '30'],
  ] as const)('%s has %p as %s, and no more than fits', (name, value, data) => {
    const format = formats[name];
    expect([format.write(value).toString('hex'), format.read(Buffer.from(data, 'hex'))]).toEqual([data, value]);
    expect(format.fits(value)).toBe(true);
    if (name !== 'text') expect(format.fits(value < 0n ? value - 1n : value + 1n)).toBe(false);
  });

  test.each(['', ' ', '3.5', '0x10', '1e3', '- 1', 'Infinity', '٣'])('%p is no number in decimal digits', (text) => {
    expect(formats.text.read(Buffer.from(text))).toBeUndefined();
  });

  test.each([
    ['+7', 7n],
    ['-07\n', -7n],
  ])('%p is %p', (text, value) => {
    expect(formats.text.read(Buffer.from(text))).toBe(value);
  });

  it('are given in types that hold them exactly', () => {
    expect([outputs.number(2n ** 53n), outputs.long(2n ** 63n), outputs.bigint(2n ** 70n)]).toEqual([
      undefined,
      undefined,
      2n ** 70n,
    ]);
    expect(outputs.long(-(2n ** 63n))).toEqual(Long.MIN_VALUE);
    expect([inputOf(Long.MAX_VALUE), inputOf(5), inputOf(5n), inputOf(0.5), inputOf(2 ** 53)]).toEqual([
      2n ** 63n - 1n,
      5n,
      5n,
      undefined,
      undefined,
    ]);
  });
});

test('the members of rounds are told by their names, and others passed over', () => {
  const [a, b] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
  expect(membersIn([memberName(b, 12), 'ready', `${a}-`, `${a}-x`, memberName(a, 0)])).toEqual([
    { name: `${a}-0`, uuid: a, arrived: 0 },
    { name: `${b}-12`, uuid: b, arrived: 12 },
  ]);
});

describe('a write on a condition', () => {
  const data = Buffer.from('new');
  const rule = { repeatable: false, receipts: false };
  const czxid = Long.fromNumber(7);
  const lost = (): ConnectionLossError => new ConnectionLossError('lost', {}, true);

  function wait(): Wait {
    return new Wait({}, { operation: 'test', path: '/a' });
  }

  /** A client whose writes end like this, one after the other, and which then reads this. */
  function clientWith(
    outcomes: (Error | undefined)[],
    found: { version: number; czxid?: Long; data?: Buffer },
  ): FakeClient {
    const write = (): Promise<void> => {
      const outcome = outcomes.shift();
      return outcome === undefined ? Promise.resolve() : Promise.reject(outcome);
    };
    const node = { stat: { version: found.version, czxid: found.czxid ?? czxid }, data: found.data ?? data };
    return Object.assign(new FakeClient(), { setData: write, create: write, getData: () => Promise.resolve(node) });
  }

  it('is refused at the version that stands for any', async () => {
    const writing = replace(clientWith([], { version: 0 }).zk, '/a', { version: -1, czxid }, data, rule, wait());
    await expect(writing).rejects.toThrow(/stands for any/);
  });

  it.each([
    ['the next version is of other data', { version: 6, data: Buffer.from('other') }, false],
    ['the next version is of the same data', { version: 6 }, 'doubt'],
    ['there are later versions', { version: 7 }, 'doubt'],
    ['the znode is another one', { version: 6, czxid: Long.fromNumber(9), data: Buffer.from('other') }, 'doubt'],
  ] as const)('of which nothing is known, and then a refusal: where %s', async (_, found, outcome) => {
    const doubt = lost();
    const client = clientWith([doubt, new BadVersionError('no')], found);
    const writing = replace(client.zk, '/a', { version: 5, czxid }, data, rule, wait());
    if (outcome === 'doubt') await expect(writing).rejects.toBe(doubt);
    else expect(await writing).toBe(outcome);
  });

  it('that may be repeated takes the same data for its own, over the wrap of versions, too', async () => {
    const repeatable = { ...rule, repeatable: true };
    const client = clientWith([lost(), new BadVersionError('no')], { version: -(2 ** 31) });
    expect(await replace(client.zk, '/a', { version: 2 ** 31 - 1, czxid }, data, repeatable, wait())).toBe(true);
    const created = clientWith([lost(), new NodeExistsError('no')], { version: 0 });
    expect(await replace(created.zk, '/a', undefined, data, repeatable, wait())).toBe(true);
  });

  it('that succeeds at the second go was not made at the first', async () => {
    const client = clientWith([lost(), undefined], { version: 0 });
    expect(await replace(client.zk, '/a', { version: 5, czxid }, data, rule, wait())).toBe(true);
  });

  it('that certainly was not made the first time is no reason for doubt', async () => {
    const client = clientWith([new ConnectionLossError('lost', {}, false), new BadVersionError('no')], { version: 6 });
    expect(await replace(client.zk, '/a', { version: 5, czxid }, data, rule, wait())).toBe(false);
  });

  it('that fails for good after a doubt names the doubt', async () => {
    const doubt = lost();
    const client = clientWith([doubt, new TypeError('broken')], { version: 0 });
    await expect(replace(client.zk, '/a', { version: 5, czxid }, data, rule, wait())).rejects.toBe(doubt);
  });
});
