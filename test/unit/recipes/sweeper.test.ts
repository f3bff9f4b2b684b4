import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  BadVersionError,
  ClosedError,
  ConnectionLossError,
  Long,
  NoAuthError,
  NoNodeError,
  OperationTimeoutError,
  QueueFullError,
  SessionExpiredError,
  type SessionInfo,
} from 'zookit';
import { sweep, sweepAfterWait, sweepOwned } from '../../../recipes/common/sweeper.js';
import { defer, Wait } from '../../../recipes/common/waiting.js';
import { FakeClient, settle } from './fake-client.js';

const passing = [
  new ConnectionLossError('lost', {}, true),
  new OperationTimeoutError('late', {}, false),
  new QueueFullError('full', {}, false),
];

/** Answers each delete with the next outcome. */
class Deleting extends FakeClient {
  override session = { id: new Long(7) };
  readonly deletes: unknown[][] = [];
  owner = new Long(7);
  missing = false;

  constructor(private readonly outcomes: readonly (Error | 'done')[]) {
    super();
  }

  async delete(...args: unknown[]): Promise<void> {
    const outcome = this.outcomes[this.deletes.push(args) - 1];
    if (outcome instanceof Error) throw outcome;
  }

  async sync(): Promise<void> {
    await settle();
  }

  async exists(): Promise<object | null> {
    return this.missing ? null : { ephemeralOwner: this.owner, version: 3 };
  }

  get current(): SessionInfo {
    return this.zk.session;
  }
}

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

async function inTime(sweeping: Promise<void>): Promise<void> {
  sweeping.catch(() => undefined);
  await jest.advanceTimersByTimeAsync(10_000);
  await sweeping;
}

describe('sweep', () => {
  it('does not rest before the znode is gone', async () => {
    const client = new Deleting([...passing, 'done']);
    await inTime(sweep(client.zk, '/a', client.current));
    expect(client.deletes).toEqual([['/a'], ['/a'], ['/a'], ['/a']]);
  });

  it.each([
    new NoNodeError('gone'),
    new SessionExpiredError('expired', {}, false),
    new ClosedError('closed', {}, false),
  ])('is done at %p', async (error) => {
    const client = new Deleting([passing[0]!, error]);
    await inTime(sweep(client.zk, '/a', client.current));
    expect(client.deletes).toHaveLength(2);
  });

  it('rests when the session is another one', async () => {
    const client = new Deleting([passing[0]!, 'done']);
    const sweeping = sweep(client.zk, '/a', client.current);
    await settle();
    client.session = { id: new Long(8) };
    await inTime(sweeping);
    expect(client.deletes).toHaveLength(1);
  });

  it('rejects where trying again cannot help', async () => {
    const client = new Deleting([new NoAuthError('no')]);
    await expect(inTime(sweep(client.zk, '/a', client.current))).rejects.toThrow(NoAuthError);
  });
});

describe('sweepOwned', () => {
  it('deletes the version that it saw to be ours, and looks again when that was overtaken', async () => {
    const client = new Deleting([new BadVersionError('changed'), 'done']);
    await inTime(sweepOwned(client.zk, '/a'));
    expect(client.deletes).toEqual([
      ['/a', 3],
      ['/a', 3],
    ]);
  });

  it('leaves alone what is of another session, or is not there', async () => {
    const client = new Deleting([]);
    client.owner = new Long(8);
    await inTime(sweepOwned(client.zk, '/a'));
    client.missing = true;
    await inTime(sweepOwned(client.zk, '/a'));
    expect(client.deletes).toEqual([]);
  });
});

describe('sweepAfterWait', () => {
  it('waits for the sweeping, but not long, and not at all without a connection', async () => {
    using wait = new Wait({}, { operation: 'test', path: '/a' });
    const client = new FakeClient();
    const [first, second] = [defer(), defer()];
    let over = 0;
    const count = (): number => ++over;
    void sweepAfterWait(client.zk, wait, '/a', first.promise).then(count);
    void sweepAfterWait(client.zk, wait, '/a', second.promise).then(count);
    await settle();
    expect(over).toBe(0);
    first.resolve();
    await settle();
    expect(over).toBe(1);
    await jest.advanceTimersByTimeAsync(250);
    expect(over).toBe(2);
    client.state = 'suspended';
    void sweepAfterWait(client.zk, wait, '/a', second.promise).then(count);
    await jest.advanceTimersByTimeAsync(1);
    expect(over).toBe(3);
    let tidied = false;
    const tidying = wait.tidied().then(() => (tidied = true));
    await settle();
    expect(tidied).toBe(false);
    second.resolve();
    await tidying;
  });

  it('warns of what cannot be swept', async () => {
    using wait = new Wait({}, { operation: 'test', path: '/a' });
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    await sweepAfterWait(new FakeClient().zk, wait, '/a', Promise.reject(new NoAuthError('no')));
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/^zookit: \/a stays until its session ends: NoAuthError/)],
    ]);
    warn.mockRestore();
  });
});
