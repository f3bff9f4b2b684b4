import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Long from 'long';
import { SessionExpiredError, UnansweredFailure } from '../../src/errors.js';
import { createProtected } from '../../src/protected-create.js';
import { type TestClock, useRealClock, useTestClock } from './support/clock.js';
import { FakeTree, refusal } from './support/fake-tree.js';

let clock: TestClock;
let tree: FakeTree;

beforeEach(() => {
  clock = useTestClock();
  tree = new FakeTree().plant('/locks');
});
afterEach(useRealClock);

const options = { mode: 'ephemeralSequential' } as const;

function lost(mayHaveBeenApplied = true): Error {
  return new UnansweredFailure('connectionLoss', 'the connection was lost', mayHaveBeenApplied).toError({});
}

/** The connection is lost at the first creation; the server has carried it out, or not. */
function loseFirstAnswer({ applied }: { readonly applied: boolean }): void {
  const createPlain = tree.createPlain.bind(tree);
  let isFirst = true;
  tree.createPlain = async (...args) => {
    const created = isFirst && !applied ? undefined : await createPlain(...args);
    if (!isFirst) return created;
    isFirst = false;
    throw lost();
  };
}

function children(): string[] {
  return tree.paths.filter((path) => path.startsWith('/locks/'));
}

function operations(): string[] {
  return tree.calls.map((call) => call.split(' ')[0]!);
}

describe('a protected create', () => {
  it('gives the znode a unique prefix in front of its name, as Curator does', async () => {
    const created = await createProtected(tree.asZooKeeper, '/locks/lock-', 'x', options);
    expect(created.path).toMatch(/^\/locks\/_c_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-lock-0000000000$/);
    expect(created.sequence).toBe(0);
    const other = await createProtected(tree.asZooKeeper, '/locks/lock-', 'x', options);
    expect(other.path.slice(0, 46)).not.toBe(created.path.slice(0, 46));
  });

  it('takes one request where nothing goes wrong', async () => {
    await createProtected(tree.asZooKeeper, '/locks/lock-', 'x', options);
    expect(operations()).toEqual(['create']);
  });

  it('finds the znode again that was created before the connection was lost', async () => {
    loseFirstAnswer({ applied: true });
    const created = await createProtected(tree.asZooKeeper, '/locks/lock-', 'x', options);
    expect(children()).toEqual([created.path]);
    expect(created).toMatchObject({ sequence: 0, zxid: Long.ONE });
  });

  it('creates it where it was not', async () => {
    loseFirstAnswer({ applied: false });
    const created = await createProtected(tree.asZooKeeper, '/locks/lock-', 'x', options);
    expect(children()).toEqual([created.path]);
  });

  it('has the server catch up before it looks: the one in use may be behind', async () => {
    loseFirstAnswer({ applied: true });
    await createProtected(tree.asZooKeeper, '/locks/lock-', 'x', options);
    expect(operations()).toEqual(['create', 'sync', 'getChildren', 'exists']);
  });

  it('is not fooled by the znodes of others', async () => {
    tree.plant('/locks/_c_00000000-0000-0000-0000-000000000000-lock-0000000009');
    loseFirstAnswer({ applied: false });
    const created = await createProtected(tree.asZooKeeper, '/locks/lock-', 'x', options);
    expect(created.sequence).toBe(0);
  });

  it('creates missing parents where it was told to', async () => {
    const created = await createProtected(tree.asZooKeeper, '/new/lock-', 'x', { ...options, parents: true });
    expect(tree.paths).toContain('/new');
    expect(tree.paths).toContain(created.path);
  });

  it('rejects at once where nothing can have been applied', async () => {
    tree.before = () => {
      throw lost(false);
    };
    await expect(createProtected(tree.asZooKeeper, '/locks/lock-', 'x', options)).rejects.toMatchObject({
      code: 'CONNECTION_LOSS',
    });
    expect(operations()).toEqual(['create']);
  });

  it('rejects with what the server refuses', async () => {
    tree.before = () => {
      throw refusal(-102);
    };
    await expect(createProtected(tree.asZooKeeper, '/locks/lock-', 'x', options)).rejects.toMatchObject({
      code: 'NO_AUTH',
    });
  });
});

describe('the search', () => {
  it('goes on over further losses, with a pause', async () => {
    loseFirstAnswer({ applied: true });
    let losses = 0;
    tree.before = (call) => {
      if (call.startsWith('getChildren') && losses < 3) {
        losses++;
        throw lost();
      }
    };
    const creating = createProtected(tree.asZooKeeper, '/locks/lock-', 'x', options);
    await clock.advance(5_000);
    expect(children()).toEqual([(await creating).path]);
    expect(losses).toBe(3);
  });

  it('ends with what does not pass', async () => {
    loseFirstAnswer({ applied: true });
    tree.before = (call) => {
      if (call.startsWith('getChildren')) throw refusal(-102);
    };
    await expect(createProtected(tree.asZooKeeper, '/locks/lock-', 'x', options)).rejects.toMatchObject({
      code: 'NO_AUTH',
    });
  });

  it('ends with the session: nothing is created under the next one', async () => {
    loseFirstAnswer({ applied: false });
    tree.before = (call) => {
      if (call.startsWith('getChildren')) tree.sessionId = Long.fromNumber(8);
    };
    await expect(createProtected(tree.asZooKeeper, '/locks/lock-', 'x', options)).rejects.toThrow(SessionExpiredError);
    expect(children()).toEqual([]);
  });

  it('does not take an ephemeral znode of another session for its own', async () => {
    loseFirstAnswer({ applied: true });
    tree.before = (call) => {
      if (call.startsWith('getChildren')) tree.sessionId = Long.fromNumber(8);
    };
    const outcome = await createProtected(tree.asZooKeeper, '/locks/lock-', 'x', options).catch(
      (error: unknown) => error,
    );
    expect(outcome).toBeInstanceOf(SessionExpiredError);
  });
});
