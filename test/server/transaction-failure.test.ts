import { describe, expect, it } from '@jest/globals';
import {
  acl,
  BadVersionError,
  NoAuthError,
  NodeExistsError,
  NoNodeError,
  NotEmptyError,
  type Transaction,
  type ZooKeeperError,
} from 'zookit';
import { needs } from '../support/features.js';
import { expectFailure, failureOf, useClients } from './clients.js';

const clients = useClients();

describe('a transaction of which one operation fails', () => {
  it('H7: names the operation by its index, with its code and path, and says what became of the others', async () => {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/old`, 'old');
    const error = (await failureOf(
      clients.zk
        .transaction()
        .create(`${folder}/new`)
        .setData(`${folder}/old`, 'new')
        .delete(`${folder}/old`)
        .check(`${folder}/missing`)
        .create(`${folder}/never`)
        .commit(),
    )) as ZooKeeperError;
    expect(error).toBeInstanceOf(NoNodeError);
    expect(error).toMatchObject({
      code: 'NO_NODE',
      serverCode: -101,
      operation: 'check',
      path: `${folder}/missing`,
      transaction: { index: 3, outcomes: ['rolledBack', 'rolledBack', 'rolledBack', 'failed', 'notTried'] },
    });
    expect(error.stack).toContain('transaction-failure.test');
    expect(await clients.zk.getChildren(folder)).toEqual(['old']);
    expect(await clients.zk.getData(`${folder}/old`)).toMatchObject({ stat: { version: 0 } });
  });

  type Begin = (transaction: Transaction, folder: string) => Transaction<unknown[]>;
  type Row = [string, string, Begin, new (...args: never[]) => ZooKeeperError, string];

  async function expectRollBack(operation: string, begin: Begin, errorClass: Row[3], path: string): Promise<void> {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/n/child`, null, { parents: true });
    await clients.zk.create(`${folder}/forbidden`, null, { acl: [acl.world('admin')] });
    const before = await clients.zk.exists(folder);
    const transaction = clients.zk.transaction();
    transaction.create(`${folder}/first`);
    const error = await expectFailure(begin(transaction, folder).create(`${folder}/last`).commit(), errorClass);
    expect(error).toMatchObject({
      operation,
      path: folder + path,
      transaction: { index: 1, outcomes: ['rolledBack', 'failed', 'notTried'] },
    });
    expect(await clients.zk.exists(folder)).toEqual(before);
  }

  it.each<Row>([
    ['create', 'of what exists', (tx, at) => tx.create(`${at}/n`), NodeExistsError, '/n'],
    ['create', 'without a parent', (tx, at) => tx.create(`${at}/x/y`), NoNodeError, '/x/y'],
    ['setData', 'of another version', (tx, at) => tx.setData(`${at}/n`, 'x', 7), BadVersionError, '/n'],
    ['setData', 'of what is missing', (tx, at) => tx.setData(`${at}/x`, 'x'), NoNodeError, '/x'],
    ['setData', 'of what is forbidden', (tx, at) => tx.setData(`${at}/forbidden`, 'x'), NoAuthError, '/forbidden'],
    ['delete', 'of what is missing', (tx, at) => tx.delete(`${at}/x`), NoNodeError, '/x'],
    ['delete', 'of another version', (tx, at) => tx.delete(`${at}/n/child`, 7), BadVersionError, '/n/child'],
    ['delete', 'of what has children', (tx, at) => tx.delete(`${at}/n`), NotEmptyError, '/n'],
    ['check', 'of another version', (tx, at) => tx.check(`${at}/n`, 7), BadVersionError, '/n'],
    ['check', 'of what is forbidden', (tx, at) => tx.check(`${at}/forbidden`), NoAuthError, '/forbidden'],
  ])('%s %s', (operation, _, begin, errorClass, path) => expectRollBack(operation, begin, errorClass, path));

  needs('containersInTransaction')('create container, of what exists', () =>
    expectRollBack('create', (tx, at) => tx.create(`${at}/n`, null, { mode: 'container' }), NodeExistsError, '/n'),
  );

  needs('ttlInTransaction')('create ttl, of what exists', () =>
    expectRollBack('create', (tx, at) => tx.create(`${at}/n`, null, { mode: 'ttl', ttl: 9 }), NodeExistsError, '/n'),
  );

  it('of one operation, and at the very first and the very last of several', async () => {
    const folder = await clients.folder();
    const missing = `${folder}/x`;
    const { zk } = clients;
    await expect(zk.transaction().check(missing).commit()).rejects.toMatchObject({
      transaction: { index: 0, outcomes: ['failed'] },
    });
    await expect(zk.transaction().check(missing).check(folder).commit()).rejects.toMatchObject({
      transaction: { index: 0, outcomes: ['failed', 'notTried'] },
    });
    await expect(zk.transaction().check(folder).check(missing).commit()).rejects.toMatchObject({
      transaction: { index: 1, outcomes: ['rolledBack', 'failed'] },
    });
  });

  it('leaves the session as it was: the next operation succeeds', async () => {
    const folder = await clients.folder();
    const failing = clients.zk.transaction().check(`${folder}/x`).commit();
    const next = clients.zk.transaction().create(`${folder}/y`).commit();
    await expect(failing).rejects.toThrow(NoNodeError);
    expect(await next).toHaveLength(1);
  });
});
