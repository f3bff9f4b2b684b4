/** docs/operations.md has a row for every method, with the releases that its operations need. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ZooKeeper, type ZooKeeperOperations } from 'zookit';
import * as operations from '../../src/operations/index.js';

const root = join(__dirname, '..', '..');
const page = readFileSync(join(root, 'docs', 'operations.md'), 'utf8');
const source = readFileSync(join(root, 'src', 'zookeeper-operations.ts'), 'utf8');

/** `| method(args) | since | ... |` */
const rows = [...page.matchAll(/^\| `(\w+)\([^`]*\)` \| ([^|]+) \|/gm)].map(([, name = '', since = '']) => ({
  name,
  since: since.trim(),
}));

/** Methods that concern the client and not znodes. */
const elsewhere = [
  ...['constructor', 'ready', 'lease', 'on', 'once', 'off', 'close', 'unrooted', 'chroot'],
  ...['metrics', 'watches', 'toString', 'toJSON'],
];

const internal = [...source.matchAll(/@internal\s*\*\/\s+(?:async |get )?(\w+)/g)].map(([, name = '']) => name);

function methodsOf(prototype: object): string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([, { value }]) => typeof value === 'function')
    .map(([name]) => name)
    .filter((name) => !elsewhere.includes(name) && !internal.includes(name));
}

test('has a row for every method', () => {
  const base = Object.getPrototypeOf(ZooKeeper.prototype) as ZooKeeperOperations;
  const methods = new Set([...methodsOf(ZooKeeper.prototype), ...methodsOf(base)]);
  expect(rows.map(({ name }) => name).sort()).toEqual([...methods].sort());
});

test('says the release that each operation needs', () => {
  const said = new Map(rows.map(({ name, since }) => [name, since]));
  const since = Object.values(operations).map((operation) => [operation.name, operation.since] as const);
  const wrong = since.filter(([name, version]) => {
    const text = said.get(name === 'multi' ? 'transaction' : name);
    return text !== undefined && !text.includes(version.replace(/\.0$/, ''));
  });
  expect(wrong).toEqual([]);
});
