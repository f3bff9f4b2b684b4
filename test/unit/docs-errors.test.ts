/** The tables of docs/errors.md name every error class, with its codes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import * as zookit from 'zookit';
import * as recipes from 'zookit/recipes';

const page = readFileSync(join(__dirname, '..', '..', 'docs', 'errors.md'), 'utf8');

/** `| Class | CODE | number | when |` */
const rows = [...page.matchAll(/^\| `(\w+Error)` \| `(\w+)` \| ([^|]+) \|/gm)].map(
  ([, name, code, serverCode = '']) => ({
    name,
    code,
    serverCode: serverCode.trim(),
  }),
);

const abstractClasses = ['ZooKeeperError', 'ServerError', 'UnansweredError', 'AdminError'];

type ErrorClass = new (...args: unknown[]) => zookit.ZooKeeperError & { readonly serverCode?: number };

const exported = Object.entries({ ...zookit, ...recipes })
  .filter(([name]) => name.endsWith('Error') && !abstractClasses.includes(name))
  .map(([name, errorClass]) => {
    // None of them checks its arguments.
    const { code, serverCode } = new (errorClass as unknown as ErrorClass)('reason', [], 0);
    return { name, code, serverCode: name === 'UnknownServerError' ? 'any other' : String(serverCode ?? '–') };
  });

const byName = (a: { name?: string | undefined }, b: { name?: string | undefined }): number =>
  (a.name ?? '') < (b.name ?? '') ? -1 : 1;

test('every error class has its row, with its code and the number of the server', () => {
  expect([...rows].sort(byName)).toEqual([...exported].sort(byName));
});

test('the abstract classes are explained', () => {
  for (const name of abstractClasses) expect(page).toContain(`\`${name}\``);
});
