import { describe, expect, it } from '@jest/globals';
import { acl } from 'zookit';
import { ConfigEditor, type ConfigSchema, LiveConfig, RefusalReport } from 'zookit/recipes';
import { until } from '../../support/until.js';
import { useClients } from '../clients.js';

const clients = useClients();

interface Limits {
  readonly max: number;
}

const upTo = (most: number): ConfigSchema<Limits> => ({
  '~standard': {
    version: 1,
    vendor: 'zookit-tests',
    validate: (value) =>
      (value as Limits).max <= most
        ? { value: value as Limits }
        : { issues: [{ message: `${(value as Limits).max} is too much`, path: ['max'] }] },
  },
});

/** A configuration, and readers of it that take so much. */
async function readersOf(
  ...most: number[]
): Promise<{ editor: ConfigEditor<Limits>; configs: LiveConfig<Limits | undefined>[] }> {
  const editor = new ConfigEditor<Limits>(clients.zk, `${await clients.folder()}/config`);
  await editor.set({ max: 1 });
  const configs = most.map(async (each) =>
    LiveConfig.open(await clients.another(), editor.path, { schema: upTo(each) }),
  );
  return { editor, configs: await Promise.all(configs) };
}

async function ids(editor: ConfigEditor<Limits>): Promise<string> {
  return (await editor.refusals()).map(({ id }) => id).join();
}

describe('refusals', () => {
  it('are there as long as a version is refused, and say nothing of the value', async () => {
    const { editor, configs } = await readersOf(5, 10);
    const [small, large] = configs as [LiveConfig<Limits>, LiveConfig<Limits>];
    expect(await editor.refusals()).toEqual([]);
    await using _small = new RefusalReport(await clients.another(), small, { id: 'small' });
    await using _large = new RefusalReport(await clients.another(), large, { id: 'large' });
    await editor.set({ max: 7 });
    await until(async () => (await ids(editor)) === 'small', { what: 'one refusal' });
    expect(await editor.refusals()).toEqual([
      { id: 'small', reason: 'schema', path: editor.path, keyPath: 'max', since: expect.any(Number) as unknown },
    ]);
    const folder = `${editor.path}-__refused__`;
    expect((await clients.zk.getData(`${folder}/small`)).text()).not.toContain('too much');
    expect((await clients.zk.exists(`${folder}/small`))?.ephemeralOwner.isZero()).toBe(false);
    await editor.set({ max: 20 });
    await until(async () => (await ids(editor)) === 'large,small', { what: 'two refusals' });
    await clients.zk.setData(editor.path, 'no JSON');
    await until(async () => (await editor.refusals()).every(({ reason }) => reason === 'undecodable'), {
      what: 'the reason to be another one',
    });
    await editor.set({ max: 20 });
    await until(async () => (await ids(editor)) === 'large,small', { what: 'two refusals' });
    await editor.rollback(1);
    await until(async () => (await ids(editor)) === 'small', { what: 'one refusal' });
    // The value is the one that it has all the time.
    await editor.rollback(0);
    await until(async () => (await ids(editor)) === '', { what: 'no refusal' });
  });

  it('are those of now when reporting begins, and go with the report and with the configuration', async () => {
    const { editor, configs } = await readersOf(5, 5);
    const [first, second] = configs as [LiveConfig<Limits>, LiveConfig<Limits>];
    await editor.set({ max: 7 });
    await until(() => first.invalid !== undefined && second.invalid !== undefined, { what: 'them to be refused' });
    const report = new RefusalReport(clients.zk, first, { id: 'first' });
    const other = new RefusalReport(clients.zk, second, { id: 'second' });
    await until(async () => (await ids(editor)) === 'first,second', { what: 'both refusals' });
    await report.close();
    expect(await ids(editor)).toBe('second');
    await report.close();
    await second.close();
    await until(async () => (await ids(editor)) === '', { what: 'no refusal' });
    await other.close();
  });

  it('tell their owner where they cannot be reported', async () => {
    const { editor, configs } = await readersOf(5);
    const [config] = configs as [LiveConfig<Limits>];
    await clients.zk.create(`${editor.path}-__refused__`, null, { acl: [acl.world('read')] });
    const errors: unknown[] = [];
    await using _ = new RefusalReport(clients.zk, config, { id: 'a', onError: (error) => errors.push(error) });
    await editor.set({ max: 7 });
    await until(() => errors.length > 0, { what: 'the error' });
    expect(errors[0]).toMatchObject({ code: 'NO_AUTH' });
  });

  it.each([[{ id: '' }], [{ id: 'a/b' }], [{ id: '..' }], [{}], [{ id: 'a', acls: [] }]])(
    'refuse %j',
    async (options) => {
      const { configs } = await readersOf(5);
      const [config] = configs as [LiveConfig<Limits>];
      expect(() => new RefusalReport(clients.zk, config, options as never)).toThrow();
    },
  );
});
