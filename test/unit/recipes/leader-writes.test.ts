import { describe, expect, it } from '@jest/globals';
import { BadVersionError, Long, NoNodeError, type Transaction } from 'zookit';
import { Wait } from '../../../recipes/common/waiting.js';
import { CronLog } from '../../../recipes/leaders/cron-log.js';
import type { ElectionTerm } from '../../../recipes/leaders/election-term.js';
import { NotLeaderError } from '../../../recipes/leaders/errors.js';
import { prepareSuccessor } from '../../../recipes/leaders/hand-over.js';
import type { Leadership } from '../../../recipes/leaders/leadership.js';
import type { Participant } from '../../../recipes/leaders/participants.js';
import { FakeClient } from './fake-client.js';

const own = '/line/a-lock-0000000001';
const subject = { operation: 'test', path: '/line' };

/** A client whose transactions are recorded, and fail as each test wants. */
class Recording extends FakeClient {
  readonly committed: string[][] = [];
  /** How the next ones fail, in order; undefined: not at all. */
  failures: (Error | undefined)[] = [];
  syncs = 0;

  constructor(
    private readonly texts: ReadonlyMap<string, string>,
    private readonly versions = 7,
  ) {
    super();
  }

  getChildren(): Promise<string[]> {
    return Promise.resolve([...this.texts.keys()].map((path) => path.slice('/line/'.length)));
  }

  getData(path: string): Promise<object> {
    const text = this.texts.get(path);
    if (text === undefined) return Promise.reject(new NoNodeError('gone'));
    return Promise.resolve({ text: () => text, stat: { version: this.versions, czxid: Long.ONE, ctime: 0 } });
  }

  transaction(): object {
    const steps: string[] = [];
    const step =
      (name: string) =>
      (path: string, ...more: (string | number)[]): object => {
        steps.push([name, path, ...more].filter((each) => each !== undefined).join(' '));
        return transaction;
      };
    const commit = (): Promise<void> => {
      this.committed.push(steps);
      const failure = this.failures.shift();
      return failure === undefined ? Promise.resolve() : Promise.reject(failure);
    };
    const transaction = {
      check: step('check'),
      delete: step('delete'),
      create: step('create'),
      setData: step('setData'),
      commit,
    };
    return transaction;
  }

  sync(): Promise<void> {
    this.syncs++;
    return Promise.resolve();
  }

  unwatch(): void {
    this.forgotten.push('watch');
  }
}

function failed<E extends NoNodeError | BadVersionError>(error: E, index: number): E {
  return Object.assign(error, { transaction: { index, outcomes: [] } });
}

describe('the transaction of a hand-over', () => {
  const term = { held: true, path: own } as unknown as Leadership;
  const line = { path: '/line', markers: ['lock-'] };
  const texts = new Map([
    [own, 'anna'],
    ['/line/b-lock-0000000002', 'ben'],
    ['/line/c-lock-0000000003', 'carl\n{"ready":false}'],
    ['/line/d-lock-0000000004', 'dora'],
  ]);
  const move = async (client: Recording, to?: string): Promise<Participant> => {
    using wait = new Wait({ timeout: 10_000 }, subject);
    return await prepareSuccessor(client.zk, line, term, to, wait, subject);
  };
  const steps = [
    `check ${own}`,
    'check /line/d-lock-0000000004 7',
    'delete /line/b-lock-0000000002',
    'delete /line/c-lock-0000000003',
  ];

  it('checks the leader and the successor, and moves those between them', async () => {
    const client = new Recording(texts);
    expect(await move(client, 'dora')).toMatchObject({ id: 'dora' });
    expect(client.committed).toEqual([steps]);
    const toTheNext = new Recording(texts);
    await move(toTheNext);
    expect(toTheNext.committed).toEqual([[`check ${own}`, 'check /line/b-lock-0000000002 7']]);
  });

  it('that the server refuses because of the leader is the end', async () => {
    const client = new Recording(texts);
    client.failures = [failed(new NoNodeError('gone'), 0)];
    await expect(move(client, 'dora')).rejects.toBeInstanceOf(NotLeaderError);
    expect(client.committed).toHaveLength(1);
  });

  it('that the server refuses because of others is made anew, after a look at what is true', async () => {
    const client = new Recording(texts);
    client.failures = [failed(new BadVersionError('other'), 1), failed(new NoNodeError('gone'), 2)];
    expect(await move(client, 'dora')).toMatchObject({ id: 'dora' });
    expect([client.committed, client.syncs]).toEqual([[steps, steps, steps], 2]);
  });
});

describe('the transaction of a cron', () => {
  const guard = (transaction: Transaction): unknown => transaction.check(own);
  const term = { held: true, path: own, guard } as unknown as ElectionTerm;
  const first = { upTo: 5, history: [] };
  const text = '{"upTo":5,"history":[]}';

  it('checks the leader first, and creates or changes what was read', async () => {
    const empty = new Recording(new Map());
    const log = new CronLog(empty.zk, '/cron/state', term, 10);
    expect(await log.change((state) => ({ ...state, upTo: 6 }), first)).toEqual(first);
    const there = new Recording(new Map([['/cron/state', text]]));
    await new CronLog(there.zk, '/cron/state', term, 10).change((state) => state, { upTo: 9, history: [] });
    expect([empty.committed, there.committed]).toEqual([
      [[`check ${own}`, 'create /cron/state {"upTo":6,"history":[]}']],
      [[`check ${own}`, `setData /cron/state ${text} 7`]],
    ]);
  });

  it('that the server refuses because of the leader is the end; what was read too early is read again', async () => {
    const client = new Recording(new Map([['/cron/state', text]]));
    client.failures = [failed(new BadVersionError('other'), 1), failed(new NoNodeError('gone'), 0)];
    const log = new CronLog(client.zk, '/cron/state', term, 10);
    await expect(log.change((state) => state, first)).rejects.toBeInstanceOf(NotLeaderError);
    expect([client.committed.length, client.syncs]).toEqual([2, 1]);
  });

  it('is not even begun by who knows that it leads no more', async () => {
    const client = new Recording(new Map());
    const log = new CronLog(client.zk, '/cron/state', { held: false } as unknown as ElectionTerm, 10);
    await expect(log.change((state) => state, first)).rejects.toBeInstanceOf(NotLeaderError);
    expect(client.committed).toEqual([]);
  });
});
