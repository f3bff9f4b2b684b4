import { describe, expect, it } from '@jest/globals';
import { AtomicValue, Counter, type CounterOptions, IdGenerator, SharedValue } from 'zookit/recipes';
import type { ProxyRequest } from '../../support/proxy.js';
import { until, within } from '../../support/until.js';
import { failureOf, fence, op, startRig, SHORT } from '../rig.js';

const path = '/count';

const isWrite = ({ opCode }: ProxyRequest): boolean => [op.create, op.setData, op.multi].includes(opCode as never);

describe('O: a counter', () => {
  it.each([[{}], [{ receipts: true }]])(
    'counts each change once over lost requests and lost replies: %p',
    async (options: CounterOptions) => {
      await using rig = await startRig({ sessionTimeout: 30_000 });
      const counter = new Counter(rig.zk, path, options);
      for (let round = 0; round < 24; round++) {
        const lost = round % 2 === 0 ? 'swallowNextReply' : 'swallowNextRequest';
        void rig.proxy[lost](round % 3 === 2 ? ({ opCode }) => opCode === op.getData : isWrite);
        const change = await within(counter.increment(), { what: 'the count' }).catch((error: unknown) => error);
        // Without a receipt it cannot be told from the same change of somebody else.
        if (change instanceof Error)
          expect(change).toMatchObject({ code: 'CONNECTION_LOSS', mayHaveBeenApplied: true });
        else expect(change).toMatchObject({ before: expect.any(Number) as unknown });
        // The first one has lost the creation, which does no harm when it is done twice.
        if (round === 0) expect(change).toMatchObject({ before: 0, after: 1 });
        const value = await new Counter(rig.observer, path).get();
        if (options.receipts === true)
          expect([change, value]).toEqual([expect.objectContaining({ after: round + 1 }), round + 1]);
        else expect(value).toBe(round + 1);
      }
      await fence(rig.zk);
      await until(async () => (await rig.observer.getChildren(path)).length === 0, { what: 'no receipts' });
    },
  );

  /** Ours is lost, applied or not, and before it is tried again somebody else writes. */
  async function overtaken(
    applied: boolean,
    options: CounterOptions,
    others: number,
    zero = 10,
  ): Promise<{ outcome: unknown; value: number }> {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const other = new Counter(rig.observer, path);
    await other.set(zero);
    const counter = new Counter(rig.zk, path, options);
    const lost = applied ? rig.proxy.swallowNextReply(isWrite) : rig.proxy.swallowNextRequest(isWrite);
    const outcome = counter.increment().catch((error: unknown) => error);
    rig.proxy.refuse();
    await lost;
    for (let count = 0; count < others; count++) await other.increment();
    await rig.proxy.accept();
    const result = await within(outcome, { what: 'the outcome' });
    return { outcome: result, value: await other.get() };
  }

  it.each([
    [true, 1],
    [false, 1],
    [true, 2],
    [false, 2],
  ])(
    'does not count twice where others have counted before it is tried again: applied %p, others %p',
    async (applied, others) => {
      const { outcome, value } = await overtaken(applied, {}, others);
      expect(outcome).toMatchObject({ code: 'CONNECTION_LOSS', mayHaveBeenApplied: true });
      expect(value).toBe(10 + others + (applied ? 1 : 0));
    },
  );

  it.each([
    [true, 1],
    [false, 1],
    [true, 2],
    [false, 2],
  ])('knows by its receipt whether it has counted: applied %p, others %p', async (applied, others) => {
    const { outcome, value } = await overtaken(applied, { receipts: true }, others);
    const before = applied ? 10 : 10 + others;
    expect(outcome).toMatchObject({ before, after: before + 1 });
    expect(value).toBe(10 + others + 1);
  });

  it('knows that it has not counted where the next write was another one', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const other = new Counter(rig.observer, path);
    await other.set(10);
    const lost = rig.proxy.swallowNextRequest(isWrite);
    const counting = new Counter(rig.zk, path).increment();
    rig.proxy.refuse();
    await lost;
    await other.add(5);
    await rig.proxy.accept();
    expect(await within(counting, { what: 'the count' })).toMatchObject({ before: 15, after: 16 });
  });

  it('goes on in a new session, and names what may have been applied', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const counter = new Counter(rig.zk, path);
    await counter.set(1);
    await rig.outlive();
    const counting = counter.increment();
    await rig.relink();
    expect(await within(counting, { what: 'the count' })).toMatchObject({ after: 2 });
  });

  it('says that it may have counted when its wait is over before the answer', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const counter = new Counter(rig.zk, path);
    await counter.set(1);
    const stop = new AbortController();
    const ignore = rig.proxy.onRequest((request) => {
      if (isWrite(request)) rig.proxy.holdReplies();
    });
    const counting = failureOf(counter.increment({ signal: stop.signal }));
    await rig.proxy.seen(({ opCode, connection }) => opCode === op.setData && connection > 0);
    await until(async () => (await new Counter(rig.observer, path).get()) === 2, { what: 'the write' });
    stop.abort();
    expect(await counting).toMatchObject({ code: 'ABORTED', operation: 'Counter.increment', mayHaveBeenApplied: true });
    ignore();
    rig.proxy.releaseReplies();
  });

  it('does not write after its wait is over while there is no connection', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const counter = new Counter(rig.zk, path);
    await counter.set(1);
    await rig.unlink();
    const failure = await failureOf(counter.increment({ timeout: 50 }));
    expect(failure).toMatchObject({ code: 'OPERATION_TIMEOUT', mayHaveBeenApplied: false });
    await rig.relink();
    await fence(rig.zk);
    expect(await new Counter(rig.observer, path).get()).toBe(1);
  });
});

describe('an atomic value', () => {
  it('that is set takes the same data for its own, as both mean the same', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const value = new AtomicValue<string>(rig.zk, path);
    await value.set('a');
    void rig.proxy.swallowNextReply(isWrite);
    expect(await within(value.set('b'), { what: 'the value' })).toMatchObject({ before: 'a', after: 'b' });
    void rig.proxy.swallowNextReply(isWrite);
    const failure = await failureOf(value.update((before) => `${before}c`));
    expect(failure).toMatchObject({ code: 'CONNECTION_LOSS', mayHaveBeenApplied: true });
  });
});

describe('ids', () => {
  it('come once each, also where the answer of a block was lost', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const generators = [rig.zk, rig.observer].map((zk) => new IdGenerator(zk, path, { blockSize: 3 }));
    const ids: number[] = [];
    for (let round = 0; round < 24; round++) {
      if (round % 4 === 0) void rig.proxy.swallowNextReply(isWrite);
      if (round % 4 === 2) void rig.proxy.swallowNextRequest(isWrite);
      ids.push(...(await within(Promise.all(generators.map((each) => each.next())), { what: 'ids' })));
    }
    expect(new Set(ids).size).toBe(48);
  });

  it('are given out of the block without a connection, and then waited for', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const generator = new IdGenerator(rig.zk, path, { blockSize: 2 });
    expect(await generator.next()).toBe(1);
    await rig.unlink();
    expect(await generator.next()).toBe(2);
    expect(await failureOf(generator.next({ timeout: 50 }))).toMatchObject({ code: 'OPERATION_TIMEOUT' });
    const next = generator.next();
    await rig.relink();
    expect(await within(next, { what: 'an id' })).toBe(3);
  });
});

describe('a shared value', () => {
  it('keeps its value without a connection, says so, and learns of what changed meanwhile', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    await using shared = await SharedValue.open(rig.zk, path, { initial: 1 });
    expect([shared.current, shared.stale]).toEqual([1, false]);
    await rig.unlink();
    await new AtomicValue<number>(rig.observer, path).set(2);
    expect([shared.current, shared.stale]).toEqual([1, true]);
    await rig.relink();
    await until(() => !shared.stale, { what: 'it to be current' });
    expect(shared.current).toBe(2);
    await rig.outlive();
    await new AtomicValue<number>(rig.observer, path).set(3);
    expect([shared.current, shared.stale]).toEqual([2, true]);
    await rig.relink();
    await until(() => !shared.stale, { what: 'it to be current' });
    expect(shared.current).toBe(3);
  });

  it('is set at most once over lost requests and replies', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    await using shared = await SharedValue.open(rig.zk, path, { initial: 0 });
    for (let round = 1; round <= 12; round++) {
      void rig.proxy[round % 2 === 0 ? 'swallowNextReply' : 'swallowNextRequest'](isWrite);
      const previous = shared.versioned;
      if (round % 3 === 0) {
        const outcome = await shared.trySet(previous, round).catch((error: unknown) => error);
        if (outcome !== true) expect(outcome).toMatchObject({ code: 'CONNECTION_LOSS', mayHaveBeenApplied: true });
      } else {
        await within(shared.set(round), { what: 'the value' });
      }
      expect(await new AtomicValue<number>(rig.observer, path).get()).toBe(round);
      await until(() => shared.current === round, { what: 'the copy' });
    }
  });

  it('can be closed at once without a connection', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const shared = await SharedValue.open(rig.zk, path, { initial: 1 });
    await rig.unlink();
    const failure = await failureOf(SharedValue.open(rig.zk, '/other', { initial: 1, timeout: 50 }));
    expect(failure).toMatchObject({ code: 'OPERATION_TIMEOUT', operation: 'SharedValue.open' });
    await within(shared.close(), { what: 'the end', timeout: 5_000 });
  });
});
