import { describe, expect, it, jest } from '@jest/globals';
import {
  AbortedError,
  acl,
  ClosedError,
  InvalidArgumentError,
  InvalidPathError,
  LeaseLostError,
  NoAuthError,
  OperationTimeoutError,
  type ZooKeeperError,
} from 'zookit';
import { type ElectionTerm, LeaderElection, LeaderWorkError, Mutex, NotLeaderError } from 'zookit/recipes';
import { sharedServer } from '../../support/shared.js';
import { gate, until, within } from '../../support/until.js';
import { watchedPaths } from '../../support/watches.js';
import { expectFailure, failureOf, useClients } from '../clients.js';

const clients = useClients();

const signalled = ({ signal }: ElectionTerm): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

const standing = (path: string, count: number) =>
  until(async () => (await clients.zk.getChildren(path)).length === count, { what: `${count} candidates` });

describe('run()', () => {
  it('gives what the function returns, and leads no longer', async () => {
    const path = await clients.folder();
    const election = new LeaderElection(
      clients.zk,
      path,
      async (term) => {
        const { signal, fencingToken } = term;
        const node = await clients.zk.getData(term.path);
        expect([node.text(), node.stat.czxid]).toEqual(['anna', fencingToken]);
        expect(term.path.slice(path.length)).toMatch(/^\/_c_[0-9a-f-]{36}-lock-\d{10}$/);
        expect([term.held, signal.aborted, election.isLeader, election.state]).toEqual([true, false, true, 'leading']);
        return { signal, term };
      },
      { id: 'anna' },
    );
    expect(election.state).toBe('idle');
    const { signal, term } = await election.run();
    expect([signal.aborted, term.held, election.isLeader, election.state]).toEqual([true, false, false, 'idle']);
    expect(await clients.zk.getChildren(path)).toEqual([]);
    expect(await watchedPaths(sharedServer(), clients.chroot + path)).toEqual([]);
    await election.run();
    await election.close();
  });

  it('passes on what the function throws', async () => {
    const path = await clients.folder();
    const error = new Error('no');
    const told: unknown[] = [];
    await using election = new LeaderElection(clients.zk, path, () => Promise.reject(error), {
      onError: (each) => told.push(each),
    });
    expect(await failureOf(election.run())).toBe(error);
    expect([await clients.zk.getChildren(path), told]).toEqual([[], []]);
  });

  it('ends its wait by a limit, and leaves no znode', async () => {
    const path = await clients.folder();
    await using holder = await new Mutex(clients.zk, path).acquire();
    const election = new LeaderElection(await clients.another(), path, () => 1);
    await expectFailure(election.run({ timeout: 20 }), OperationTimeoutError);
    await expectFailure(election.run({ signal: AbortSignal.abort() }), AbortedError);
    const stop = new AbortController();
    const stopped = expectFailure(election.run({ signal: stop.signal }), AbortedError);
    await standing(path, 2);
    stop.abort();
    await stopped;
    const closed = expectFailure(election.run(), ClosedError);
    await standing(path, 2);
    await expectFailure(election.run(), InvalidArgumentError);
    await election.close();
    await closed;
    expect(await clients.zk.getChildren(path)).toEqual([holder.path.slice(path.length + 1)]);
    await expectFailure(election.run(), ClosedError);
    expect(() => election.start()).toThrow(ClosedError);
  });

  it('interrupts the function by the signal of the caller, but not by the limit of the wait', async () => {
    const path = await clients.folder();
    const begun = gate<ElectionTerm>();
    await using election = new LeaderElection(clients.zk, path, async (term) => {
      begun.open(term);
      await signalled(term);
      return 'interrupted';
    });
    const stop = new AbortController();
    const running = election.run({ timeout: 5_000, signal: stop.signal });
    const term = await begun.promise;
    expect(term.signal.aborted).toBe(false);
    stop.abort();
    expect(await within(running, { what: 'the function' })).toBe('interrupted');
  });
});

describe('start()', () => {
  it('stands for one term, and for another one when it is told to', async () => {
    const path = await clients.folder();
    const tokens: bigint[] = [];
    const election = new LeaderElection(clients.zk, path, ({ fencingToken }) => {
      tokens.push(BigInt(fencingToken.toString()));
      if (tokens.length === 2) expect([election.requeue(), election.requeue()]).toEqual([true, false]);
    });
    expect(election.start()).toBe(election);
    expect(election.requeue()).toBe(false);
    await election.finished();
    expect(tokens).toHaveLength(1);
    expect(election.requeue()).toBe(true);
    await within(election.finished(), { what: 'two more terms' });
    expect(tokens).toHaveLength(3);
    expect(tokens).toEqual([...tokens].sort((a, b) => (a < b ? -1 : 1)));
    await election.close();
    await election.finished();
    expect(await clients.zk.getChildren(path)).toEqual([]);
  });

  it('stands for term after term with requeue, in turn with others, and never two lead', async () => {
    const path = await clients.folder();
    let leading = 0;
    const order: string[] = [];
    const done = gate();
    const elections: LeaderElection[] = [];
    for (const id of ['anna', 'ben', 'carl']) {
      const zk = await clients.another();
      const work = async (): Promise<void> => {
        expect(++leading).toBe(1);
        // The others have lined up again by then.
        await standing(path, 3);
        order.push(id);
        leading--;
        if (order.length === 9) done.open();
        if (order.length >= 9) await done.promise;
      };
      elections.push(new LeaderElection(zk, path, work, { id, requeue: true }).start());
      await standing(path, elections.length);
    }
    await within(done.promise, { what: 'nine terms' });
    const closing = elections.map((election) => election.close());
    await Promise.all(closing);
    const nine = order.slice(0, 9);
    for (const id of ['anna', 'ben', 'carl']) expect(nine.filter((each) => each === id)).toHaveLength(3);
    expect(nine.slice(3)).toEqual(nine.slice(0, -3));
    expect(await clients.zk.getChildren(path)).toEqual([]);
  });

  it('J6: tells once of a function that throws, gives the leadership back, and stands again', async () => {
    const path = await clients.folder();
    const told: ZooKeeperError[] = [];
    let terms = 0;
    const fifth = gate();
    const work = (): Promise<void> => {
      if (++terms === 5) fifth.open();
      return terms < 5 ? Promise.reject(new Error(`term ${terms}`)) : fifth.promise;
    };
    await using election = new LeaderElection(clients.zk, path, work, {
      requeue: true,
      onError: (error) => told.push(error),
    }).start();
    await within(fifth.promise, { what: 'the fifth term' });
    await election.close();
    expect(told.map(({ code, cause }) => [code, (cause as Error).message])).toEqual(
      [1, 2, 3, 4].map((term) => ['LEADER_WORK_FAILED', `term ${term}`]),
    );
    expect(told[0]).toBeInstanceOf(LeaderWorkError);
  });

  it('warns of a function that throws where nobody listens', async () => {
    const warned = gate<string>();
    const warn = jest.spyOn(process, 'emitWarning').mockImplementationOnce((text) => warned.open(text as string));
    const election = new LeaderElection(clients.zk, await clients.folder(), () =>
      Promise.reject(new Error('no')),
    ).start();
    expect(await within(warned.promise, { what: 'the warning' })).toContain('the function has failed');
    warn.mockRestore();
    await election.close();
  });

  it('has lost its term when somebody deletes its znode; the next one waits for the function', async () => {
    const path = await clients.folder();
    const terms: ElectionTerm[] = [];
    const settle = gate();
    const lost = gate();
    const work = async (term: ElectionTerm): Promise<void> => {
      terms.push(term);
      await signalled(term);
      lost.open();
      await settle.promise;
    };
    await using election = new LeaderElection(clients.zk, path, work, { requeue: true }).start();
    await until(() => terms.length === 1, { what: 'the first term' });
    await clients.zk.delete(terms[0]!.path);
    await within(lost.promise, { what: 'the signal' });
    expect([terms[0]!.held, election.isLeader]).toEqual([false, false]);
    expect(terms[0]!.signal.reason).toBeInstanceOf(LeaseLostError);
    // It does not stand while its function goes on.
    expect([await clients.zk.getChildren(path), terms.length]).toEqual([[], 1]);
    settle.open();
    await until(() => terms.length === 2, { what: 'the second term' });
    expect(terms[1]!.fencingToken.greaterThan(terms[0]!.fencingToken)).toBe(true);
  });

  it('leaves its place after the grace, and says so', async () => {
    const path = await clients.folder();
    const told = gate<ZooKeeperError>();
    const never = gate();
    const election = new LeaderElection(clients.zk, path, () => never.promise, {
      grace: 20,
      onError: told.open,
    }).start();
    await until(() => election.isLeader, { what: 'the term' });
    await within(election.close(), { what: 'the end' });
    expect((await told.promise).message).toContain('goes on 20 ms after');
    expect(await clients.zk.getChildren(path)).toEqual([]);
    never.open();
  });
});

describe('interrupt() and close()', () => {
  it('J9: at any moment leave somebody who leads, and no znode in the end', async () => {
    const path = await clients.folder();
    let leading = 0;
    let terms = 0;
    const work = async (term: ElectionTerm): Promise<void> => {
      expect(++leading).toBe(1);
      terms++;
      await signalled(term);
      leading--;
    };
    const elections = [];
    for (const zk of [clients.zk, await clients.another(), await clients.another()])
      elections.push(new LeaderElection(zk, path, work, { requeue: true }).start());
    for (let round = 0; round < 60; round++) {
      const before = terms;
      await until(() => leading === 1, { what: 'a leader' });
      for (const election of elections) if (election.isLeader || round % 3 === 0) election.interrupt();
      await until(() => terms > before, { what: 'another leader' });
    }
    await Promise.all(elections.map((election) => election.close()));
    expect([leading, await clients.zk.getChildren(path)]).toEqual([0, []]);
  });

  it('close() waits for the function, whose signal has aborted', async () => {
    const path = await clients.folder();
    const settle = gate();
    const begun = gate<ElectionTerm>();
    const election = new LeaderElection(clients.zk, path, async (term) => {
      begun.open(term);
      await settle.promise;
      expect(term.held).toBe(true);
    }).start();
    const term = await begun.promise;
    let isClosed = false;
    const closing = election.close().then(() => (isClosed = true));
    expect([term.signal.aborted, term.held, election.state]).toEqual([true, true, 'closed']);
    expect(await clients.zk.getChildren(path)).toHaveLength(1);
    expect(isClosed).toBe(false);
    settle.open();
    await within(closing, { what: 'the end' });
    expect(await clients.zk.getChildren(path)).toEqual([]);
  });

  it('close() at any moment calls no function that nobody can end', async () => {
    const path = await clients.folder();
    const zk = await clients.another();
    for (let round = 0; round < 40; round++) {
      const election = new LeaderElection(zk, path, signalled, { requeue: true }).start();
      const last = zk.exists('/');
      if (round % 2 === 0) await last;
      for (let turn = 0; turn < round; turn++) await Promise.resolve();
      await within(election.close(), { what: `the end of round ${round}` });
      expect(await zk.getChildren(path).catch(() => [])).toEqual([]);
    }
  });

  it('close() right when the term begins calls no function that nobody can end', async () => {
    const path = await clients.folder();
    const zk = await clients.another();
    for (let depth = 0; depth < 30; depth++) {
      const election = new LeaderElection(zk, path, signalled);
      const closed = gate();
      const lease = jest.spyOn(zk, 'lease').mockImplementationOnce((options) => {
        lease.mockRestore();
        void (async () => {
          for (let turn = 0; turn < depth; turn++) await Promise.resolve();
          await election.close();
          closed.open();
        })();
        return zk.lease(options);
      });
      election.start();
      await within(closed.promise, { what: `the end of depth ${depth}` });
      expect(await zk.getChildren(path)).toEqual([]);
    }
  });
});

describe('handOver()', () => {
  it('of the function itself leads to the one that is named, as soon as it returns', async () => {
    const path = await clients.folder();
    const settled = gate();
    const all = gate();
    const anna = new LeaderElection(
      clients.zk,
      path,
      async (term) => {
        await all.promise;
        const successor = await anna.handOver({ to: 'carl' });
        expect([successor.id, term.signal.aborted, term.held, carl.isLeader]).toEqual(['carl', true, true, false]);
        settled.open();
        return 'handed over';
      },
      { id: 'anna' },
    );
    const ran = anna.run();
    await standing(path, 1);
    const others = [];
    for (const id of ['ben', 'carl']) {
      others.push(new LeaderElection(await clients.another(), path, signalled, { id, requeue: true }).start());
      await standing(path, others.length + 1);
    }
    const [ben, carl] = others as [LeaderElection, LeaderElection];
    all.open();
    expect(await within(ran, { what: 'the function' })).toBe('handed over');
    await settled.promise;
    await until(() => carl.isLeader, { what: 'carl' });
    expect(ben.isLeader).toBe(false);
    await expectFailure(ben.handOver(), NotLeaderError);
    await expectFailure(anna.handOver(), NotLeaderError);
    // Ben was passed over, and lines up again.
    await standing(path, 2);
    expect((await anna.participants()).map(({ id }) => id)).toEqual(['carl', 'ben']);
    expect((await anna.leader())?.id).toBe('carl');
    await Promise.all([anna, ben, carl].map((election) => election.close()));
  });

  it('waits for one that is ready', async () => {
    const path = await clients.folder();
    const anna = new LeaderElection(clients.zk, path, signalled, { id: 'anna', requeue: true }).start();
    await until(() => anna.isLeader, { what: 'anna' });
    const ben = new LeaderElection(await clients.another(), path, signalled, { id: 'ben', ready: false }).start();
    await expectFailure(anna.handOver({ timeout: 50 }), OperationTimeoutError);
    expect(anna.isLeader).toBe(true);
    await ben.setReady();
    await anna.handOver();
    await until(() => ben.isLeader, { what: 'ben' });
    await Promise.all([anna.close(), ben.close()]);
  });
});

it('tells others what the function proclaims', async () => {
  const path = await clients.folder();
  const election = new LeaderElection<void, { port: number }>(
    clients.zk,
    path,
    async (term) => {
      await term.proclaim({ port: 80 });
      await signalled(term);
    },
    { id: 'anna' },
  ).start();
  await using observer = election.observe();
  await until(() => observer.current.leader?.payload?.port === 80, { what: 'the payload' });
  await election.close();
});

it('fails where it may not stand, says so, and can be started again', async () => {
  const path = await clients.folder();
  const superUser = await clients.superUser();
  const told: ZooKeeperError[] = [];
  const onError = (error: ZooKeeperError): void => void told.push(error);
  await clients.zk.setAcl(path, acl.readOnly);
  await using election = new LeaderElection(clients.zk, path, signalled, { requeue: true, onError }).start();
  await election.finished();
  expect(election.state).toBe('failed');
  await until(() => told.length === 1, { what: 'the error' });
  expect(told[0]).toBeInstanceOf(NoAuthError);
  await expectFailure(election.run(), NoAuthError);
  await superUser.setAcl(clients.chroot + path, acl.open);
  expect(election.start().state).toBe('standing');
  await until(() => election.isLeader, { what: 'the term' });
  expect(told).toHaveLength(1);
});

it.each([{ requeue: 1 }, { grace: -1 }, { grace: '5' }, { onError: 'log' }, { autoRequeue: true }, { id: 1 }])(
  'refuses the options %j',
  (options) => {
    expect(() => new LeaderElection(clients.zk, '/election', signalled, options as never)).toThrow(
      InvalidArgumentError,
    );
  },
);

it('refuses a function that is none, and a path', () => {
  expect(() => new LeaderElection(clients.zk, '/election', 5 as never)).toThrow(InvalidArgumentError);
  expect(() => new LeaderElection(clients.zk, 'election', signalled)).toThrow(InvalidPathError);
});
