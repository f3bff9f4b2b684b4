/** The table of docs/options.md says what src/options.ts does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { resolveOptions } from '../../src/options.js';

const page = readFileSync(join(__dirname, '..', '..', 'docs', 'options.md'), 'utf8');

/** `| name | unit or type | default | range | meaning |` */
const rows = [...page.matchAll(/^\| `([\w.]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|/gm)].map(
  ([, name = '', unit = '', standard = '', range = '']) => ({ name, unit, standard, range: range.trim() }),
);
const numbers = rows.filter(({ unit }) => /^(milliseconds|bytes|operations)/.test(unit));

/** What the client makes of the option `name`, a path such as `offlineQueue.maxWait`, when it is given. */
function resolved(name: string, value?: unknown): unknown {
  const [first = '', second] = name.split('.');
  const given = value === undefined ? {} : { [first]: second === undefined ? value : { [second]: value } };
  const all = resolveOptions(given) as unknown as Record<string, unknown>;
  return second === undefined ? all[first] : (all[first] as Record<string, unknown>)[second];
}

function toNumber(text: string): number {
  return Number(text.replace(/,/g, ''));
}

test('names every option, and no other', () => {
  const known = Object.entries(resolveOptions()).flatMap(([name, value]) =>
    name === 'offlineQueue' || name === 'inFlight'
      ? [name, ...Object.keys(value as object).map((each) => `${name}.${each}`)]
      : [name],
  );
  expect(rows.map(({ name }) => name).sort()).toEqual(known.sort());
});

describe.each(numbers.map((row): [string, typeof row] => [row.name, row]))('%s', (name, row) => {
  const [least = '', most = ''] = row.range.split(' to ');

  test('has the default that the page says', () => {
    expect(resolved(name)).toBe(toNumber(row.standard));
  });

  test('takes the range that the page says', () => {
    expect(resolved(name, toNumber(least))).toBe(toNumber(least));
    expect(resolved(name, toNumber(most))).toBe(toNumber(most));
  });

  test('takes nothing outside of it', () => {
    expect(() => resolved(name, toNumber(least) - 1)).toThrow(`the option ${name} `);
    expect(() => resolved(name, toNumber(most) + 1)).toThrow(`the option ${name} `);
    expect(() => resolved(name, toNumber(least) + 0.5)).toThrow(`the option ${name} `);
  });

  test('has its unit on the page', () => {
    expect(() => resolved(name, -1)).toThrow(`a whole number of ${row.unit.trim()} from`);
  });
});

test('the other defaults are those that the page says', () => {
  const { auth, session, renewSession, whenAhead, lookup, inFlight, readOnly, keepSession, unref, logger } =
    resolveOptions();
  const { resolveSrv, followReconfig } = resolveOptions();
  const said = Object.fromEntries(rows.map(({ name, standard }) => [name, standard.trim()]));
  expect([auth, said.auth]).toEqual([[], 'none']);
  expect([session, said.session]).toEqual([undefined, 'none']);
  expect([lookup, said.lookup]).toEqual([undefined, '`dns.lookup`']);
  expect([logger, said.logger]).toEqual([undefined, 'none']);
  expect([resolveSrv, said.resolveSrv]).toEqual([undefined, "the system's name servers"]);
  expect(said.followReconfig).toBe(`\`${String(followReconfig)}\``);
  expect(said.renewSession).toBe(`\`${String(renewSession)}\``);
  expect([said.readOnly, said.keepSession, said.unref]).toEqual(
    [readOnly, keepSession, unref].map((value) => `\`${String(value)}\``),
  );
  expect(said['inFlight.whenFull']).toBe(`\`'${inFlight.whenFull}'\``);
  expect(said.whenAhead).toBe(`\`'${whenAhead}'\``);
});
