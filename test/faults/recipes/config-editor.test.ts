import { describe, expect, it } from '@jest/globals';
import { acl, ZooKeeper } from 'zookit';
import { ConfigEditor, type ConfigEditorOptions, LiveConfig } from 'zookit/recipes';
import { type Child, runScript } from '../../support/child.js';
import { expireSession } from '../../support/expire-session.js';
import { type ProxyRequest, startProxy } from '../../support/proxy.js';
import { sharedServer } from '../../support/shared.js';
import { until, within } from '../../support/until.js';
import { failureOf, fence, op, type Rig, SHORT, startRig } from '../rig.js';

const path = '/config';

/** The transaction of an update: it is the one that writes the ids. */
const isUpdate = ({ opCode, body }: ProxyRequest): boolean => opCode === op.multi && body.includes('-__history__');

const isPart = ({ opCode, body }: ProxyRequest): boolean => opCode === op.create && body.includes('-__parts__/');

const add =
  (count: number) =>
  (before = 0) =>
    before + count;

async function valueOf<T>({ observer }: Rig): Promise<T | undefined> {
  return (await new ConfigEditor<T>(observer, path).update(() => undefined)).before;
}

async function generations({ observer }: Rig): Promise<string[]> {
  return (await observer.has(`${path}-__parts__`)) ? await observer.getChildren(`${path}-__parts__`) : [];
}

function text(seed: number, bytes = 4_000): string {
  return String(seed).repeat(bytes);
}

describe('an update', () => {
  it.each<[ConfigEditorOptions<number>]>([[{}], [{ history: 0 }], [{ history: 1 }]])(
    'is made once over lost requests and lost replies: %p',
    async (options) => {
      await using rig = await startRig({ sessionTimeout: 30_000 });
      const editor = new ConfigEditor<number>(rig.zk, path, options);
      for (let round = 0; round < 12; round++) {
        const lost = round % 2 === 0 ? 'swallowNextReply' : 'swallowNextRequest';
        void rig.proxy[lost](round % 3 === 2 ? ({ opCode }) => opCode === op.getData : isUpdate);
        const result = await within(editor.update(add(1)), { what: 'the update' });
        expect(result).toMatchObject({ written: true, after: round + 1, version: round });
        expect(await valueOf(rig)).toBe(round + 1);
      }
      const versions = await editor.history();
      expect(versions.map(({ version }) => version)).toEqual(
        Array.from({ length: 1 + Math.min(options.history ?? 10, 11) }, (_, index) => 11 - index),
      );
    },
  );

  /** Ours is lost, applied or not, and before it is tried again others write. */
  async function overtaken(
    applied: boolean,
    others: number,
  ): Promise<{ outcome: unknown; value: unknown; ids: unknown[] }> {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const other = new ConfigEditor<number>(rig.observer, path, { history: 2 });
    await other.set(10);
    const editor = new ConfigEditor<number>(rig.zk, path, { history: 2 });
    const lost = applied ? rig.proxy.swallowNextReply(isUpdate) : rig.proxy.swallowNextRequest(isUpdate);
    const outcome = editor.update(add(100)).catch((error: unknown) => error);
    rig.proxy.refuse();
    await lost;
    for (let count = 0; count < others; count++) await other.update(add(1));
    await rig.proxy.accept();
    const result = await within(outcome, { what: 'the outcome' });
    const ids = (await other.history()).map(({ id }) => id);
    return { outcome: result, value: await valueOf(rig), ids };
  }

  it.each([
    [true, 1],
    [false, 1],
    [true, 5],
    [false, 5],
  ])(
    'is told from those of others, also when the history keeps it no more: applied %p, others %p',
    async (applied, others) => {
      const { outcome, value } = await overtaken(applied, others);
      const before = applied ? 10 : 10 + others;
      expect(outcome).toMatchObject({ written: true, before, after: before + 100, tries: applied ? 1 : 2 });
      expect(value).toBe(110 + others);
    },
  );

  it.each([[true], [false]])(
    'says that it may have been made when too many others were since: applied %p',
    async (applied) => {
      const { outcome, value } = await overtaken(applied, 70);
      expect(outcome).toMatchObject({ code: 'CONNECTION_LOSS', mayHaveBeenApplied: true });
      expect(value).toBe(applied ? 180 : 80);
    },
  );

  it.each([[true], [false]])(
    'that is refused when it is tried again says what became of it: applied %p',
    async (applied) => {
      await using rig = await startRig({ sessionTimeout: 30_000 });
      await new ConfigEditor<number>(rig.observer, path).set(10);
      const lost = applied ? rig.proxy.swallowNextReply(isUpdate) : rig.proxy.swallowNextRequest(isUpdate);
      const outcome = new ConfigEditor<number>(rig.zk, path).update(add(1)).catch((error: unknown) => error);
      rig.proxy.refuse();
      await lost;
      // From now on, nobody may write but the observer, who passes every ACL.
      await rig.observer.setAcl(path, acl.readOnly);
      await rig.proxy.accept();
      const expected = applied ? { written: true, after: 11 } : { code: 'NO_AUTH', path };
      expect(await within(outcome, { what: 'the outcome' })).toMatchObject(expected);
      expect(await valueOf(rig)).toBe(applied ? 11 : 10);
    },
  );

  it('finds its way in a new session', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const editor = new ConfigEditor<number>(rig.zk, path);
    await editor.set(1);
    const lost = rig.proxy.swallowNextReply(isUpdate);
    const session = rig.zk.session.export();
    const updating = editor.update(add(1));
    rig.proxy.refuse();
    await lost;
    await expireSession(sharedServer(), session);
    await rig.proxy.accept();
    expect(await within(updating, { what: 'the update' })).toMatchObject({ after: 2, tries: 1 });
    expect(await valueOf(rig)).toBe(2);
  });

  it('that is given up before its answer says that it may have been made, and its parts stay', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const editor = new ConfigEditor<string>(rig.zk, path, { split: true, limit: 1_024 });
    await editor.set(text(1));
    const stop = new AbortController();
    const ignore = rig.proxy.onRequest((request) => {
      if (isUpdate(request)) rig.proxy.holdReplies();
    });
    const updating = failureOf(editor.set(text(2), { signal: stop.signal }));
    await until(async () => (await valueOf(rig)) === text(2), { what: 'the write' });
    stop.abort();
    expect(await updating).toMatchObject({ code: 'ABORTED', operation: 'ConfigEditor.set', mayHaveBeenApplied: true });
    ignore();
    rig.proxy.releaseReplies();
    await fence(rig.zk);
    expect([await valueOf(rig), (await generations(rig)).length]).toEqual([text(2), 2]);
  });

  it('that is given up without a connection has written nothing', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const editor = new ConfigEditor<number>(rig.zk, path);
    await editor.set(1);
    await rig.unlink();
    const failure = await failureOf(editor.update(add(1), { timeout: 50 }));
    expect(failure).toMatchObject({ code: 'OPERATION_TIMEOUT', mayHaveBeenApplied: false });
    await rig.relink();
    await fence(rig.zk);
    expect(await valueOf(rig)).toBe(1);
  });

  it('that is a dry run sends no write', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    await new ConfigEditor(rig.observer, path, { split: true, limit: 1_024 }).set(text(1));
    const editor = new ConfigEditor<string>(rig.zk, path, { split: true, limit: 1_024 });
    await editor.set(text(2), { dryRun: true });
    await editor.rollback(0, { dryRun: true });
    await editor.reencrypt({ dryRun: true });
    const reads: readonly number[] = [op.connect, op.exists, op.getData, op.getChildren, op.sync, op.ping];
    const writes = rig.proxy.requests.filter(({ opCode }) => !reads.includes(opCode));
    expect(writes.map(({ opCode }) => opCode)).toEqual([]);
  });
});

describe('parts', () => {
  const options: ConfigEditorOptions<string> = { split: true, limit: 1_024 };

  it('are written over lost requests and replies, and readers see the old value or the new one', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const editor = new ConfigEditor<string>(rig.zk, path, { ...options, history: 0 });
    await editor.set(text(0));
    const seen: (string | undefined)[] = [];
    await using config = await LiveConfig.open<string>(rig.observer, path, {
      onInvalid: (error) => seen.push(error.message),
    });
    const reading = (async () => {
      for await (const value of config) {
        seen.push(value?.slice(0, 1));
        expect(value).toHaveLength(4_000);
        if (value === text(9)) return;
      }
    })();
    for (let round = 1; round < 10; round++) {
      const lost = round % 2 === 0 ? 'swallowNextReply' : 'swallowNextRequest';
      void rig.proxy[lost](round % 3 === 0 ? isUpdate : isPart);
      await within(editor.set(text(round)), { what: 'the value' });
    }
    await within(reading, { what: 'the last value' });
    expect(seen.join('')).toMatch(/^0?1?2?3?4?5?6?7?8?9$/);
    await until(async () => (await generations(rig)).length === 1, { what: 'one generation' });
  });

  it('of a session that has ended are swept by others, and begun anew', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const other = new ConfigEditor<string>(rig.observer, path, options);
    await other.set(text(0));
    // All of the parts are there when the connection is lost, and the transaction has not come.
    const lost = rig.proxy.swallowNextRequest(isUpdate);
    const session = rig.zk.session.export();
    const updating = new ConfigEditor<string>(rig.zk, path, options).set(text(1));
    rig.proxy.refuse();
    await lost;
    expect(await generations(rig)).toHaveLength(2);
    // As long as the session lives, nobody sweeps.
    await other.set(text(2));
    expect(await generations(rig)).toHaveLength(3);
    await expireSession(sharedServer(), session);
    await other.set(text(3));
    expect(await generations(rig)).toHaveLength(3);
    await rig.proxy.accept();
    expect(await within(updating, { what: 'the update' })).toMatchObject({ before: text(3), version: 3 });
    expect(await valueOf(rig)).toBe(text(1));
    await until(async () => (await generations(rig)).length === 4, { what: 'no more than what is kept' });
  });

  it('of a session that has ended, not swept yet, are begun anew, too', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const editor = new ConfigEditor<string>(rig.zk, path, options);
    await editor.set(text(0));
    const lost = rig.proxy.swallowNextRequest(isUpdate);
    const session = rig.zk.session.export();
    const updating = editor.set(text(1));
    rig.proxy.refuse();
    await lost;
    await expireSession(sharedServer(), session);
    await rig.proxy.accept();
    expect(await within(updating, { what: 'the update' })).toMatchObject({ before: text(0), version: 1, tries: 2 });
    expect([await valueOf(rig), (await generations(rig)).length]).toEqual([text(1), 2]);
  });

  it('that are swept while somebody reads them make it read the newer value', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const other = new ConfigEditor<string>(rig.observer, path, { ...options, history: 0 });
    await other.set(text(0));
    const lost = rig.proxy.swallowNextRequest(
      ({ opCode, body }) => opCode === op.getData && body.includes('-__parts__/'),
    );
    const reading = new ConfigEditor<string>(rig.zk, path, options).update(() => undefined);
    rig.proxy.refuse();
    await lost;
    await other.set(text(1));
    expect(await generations(rig)).toHaveLength(1);
    await rig.proxy.accept();
    expect((await within(reading, { what: 'the value' })).before).toBe(text(1));
  });

  it('of a writer who is faster than a sweep are not swept', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    await using link = await startProxy(sharedServer());
    const zk = rig.add(await ZooKeeper.connect(link.connectString + rig.chroot, { sessionTimeout: 30_000 }));
    await new ConfigEditor<string>(rig.observer, path, options).set(text(0));
    const folder = `${path}-__parts__`;

    // One has made its update, and is about to sweep.
    const swept = new ConfigEditor<string>(rig.zk, path, options);
    const ignore = rig.proxy.onRequest((request) => {
      if (isUpdate(request)) rig.proxy.holdReplies();
    });
    const sweeping = swept.set(text(1));
    await until(async () => (await rig.observer.exists(path))?.version === 1, { what: 'the first update' });
    // Another one has written its parts, and not its transaction.
    const lost = link.swallowNextRequest(isUpdate);
    const writing = new ConfigEditor<string>(zk, path, options).set(text(2));
    await link.seen(isPart);
    link.refuse();
    await lost;
    // The sweep has seen the parts; then they are named, and their mark goes.
    ignore();
    const listed = rig.proxy.seen(({ opCode, body }) => opCode === op.getChildren && body.includes(folder));
    const holding = rig.proxy.onRequest(({ opCode, body }) => {
      if (opCode === op.getChildren && body.includes(folder)) rig.proxy.holdReplies();
    });
    rig.proxy.releaseReplies();
    await listed;
    holding();
    await fence(rig.observer);
    await link.accept();
    await within(writing, { what: 'the second update' });
    rig.proxy.releaseReplies();
    await within(sweeping, { what: 'the sweep' });
    expect([await valueOf(rig), (await generations(rig)).length]).toEqual([text(2), 3]);
  });

  /** A process that writes a large value. */
  function writer(rig: Rig): Promise<Child> {
    const source = `
      import { ZooKeeper } from 'zookit';
      import { ConfigEditor } from 'zookit/recipes';
      const zk = await ZooKeeper.connect('${rig.connectString}', { sessionTimeout: ${SHORT} });
      await new ConfigEditor(zk, '${path}', ${JSON.stringify(options)}).set('1'.repeat(4000));
      console.log('written');`;
    return runScript({ source });
  }

  it('of a writer that was killed before its transaction are swept by the next one; the old value stays', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const other = new ConfigEditor<string>(rig.observer, path, options);
    await other.set(text(0));
    const lost = rig.proxy.swallowNextRequest(isUpdate);
    await using child = await writer(rig);
    await rig.proxy.seen(isPart, { timeout: 30_000 });
    rig.proxy.refuse();
    await lost;
    const { stdout, signal } = await child.kill();
    expect([stdout, signal, await valueOf(rig)]).toEqual(['', 'SIGKILL', text(0)]);
    const ghosts = await generations(rig);
    expect(ghosts).toHaveLength(2);
    // Its session ends by itself.
    const marks = ghosts.map((generation) => `${path}-__parts__/${generation}/writer`);
    const marked = async (): Promise<boolean> =>
      (await Promise.all(marks.map((mark) => rig.observer.has(mark)))).includes(true);
    await until(async () => !(await marked()), { what: 'the mark of the writer to go', timeout: 30_000 });
    await other.set(text(2));
    expect(await generations(rig)).toHaveLength(2);
    expect((await other.at(0)).value).toBe(text(0));
  }, 60_000);
});
