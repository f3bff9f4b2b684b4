/** Writers in two processes, while the leader of the ensemble is killed. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ZooKeeper } from 'zookit';
import { ConfigEditor } from 'zookit/recipes';
import { type Child, runScript } from '../../support/child.js';
import { until, within } from '../../support/until.js';
import { type Ensemble, startEnsemble } from '../../support/zookeeper.js';

const WRITERS = 3;
const UPDATES = 15;

let ensemble: Ensemble;

beforeAll(async () => {
  ensemble = await startEnsemble(3);
}, 120_000);

afterAll(async () => {
  await ensemble.close();
}, 60_000);

const options = { history: 200, indent: 0 };

/** A process with several clients that all count in one configuration, at the same time. */
function counting(name: string): Promise<Child> {
  const source = `
    import { ZooKeeper } from 'zookit';
    import { ConfigEditor } from 'zookit/recipes';
    const work = async (writer) => {
      const zk = await ZooKeeper.connect('${ensemble.connectString}', { sessionTimeout: 60_000, connectTimeout: 60_000 });
      const editor = new ConfigEditor(zk, '/count', { ...${JSON.stringify(options)}, author: '${name}' + writer });
      for (let count = 0; count < ${UPDATES}; count++) {
        const { version, after } = await editor.update((before = 0) => before + 1);
        console.log('made', version, after);
      }
      await zk.close();
    };
    await Promise.all(Array.from({ length: ${WRITERS} }, (_, writer) => work(writer)));
    console.log('done');`;
  return runScript({ source });
}

it('no update is lost or made twice, and the history is complete and in order', async () => {
  await using zk = await ZooKeeper.connect(ensemble.connectString, { sessionTimeout: 60_000, connectTimeout: 60_000 });
  await using first = await counting('a');
  await using second = await counting('b');
  const made = async (): Promise<number> => (await zk.exists('/count', { sync: true }))?.version ?? 0;
  await until(async () => (await made()) > 10, { what: 'updates of both', timeout: 60_000 });
  const leader = await ensemble.leader();
  await leader.kill();
  await leader.start();
  const limit = { timeout: 120_000 };
  await within(Promise.all([first.line(/^done$/, limit), second.line(/^done$/, limit)]), {
    what: 'all to end',
    ...limit,
  });

  const total = 2 * WRITERS * UPDATES;
  const editor = new ConfigEditor<number>(zk, '/count', options);
  await zk.sync('/count');
  const versions = await editor.history();
  expect((await editor.update(() => undefined)).before).toBe(total);
  expect(versions.map(({ version, recorded, kept, missing }) => [version, recorded, kept, missing])).toEqual(
    Array.from({ length: total }, (_, index) => [total - 1 - index, true, true, 0]),
  );
  expect(new Set(versions.map(({ id }) => id)).size).toBe(total);
  expect(new Set(versions.map(({ author }) => author)).size).toBe(2 * WRITERS);
  // What each writer was told is what there is.
  const told = `${first.stdout}${second.stdout}`.match(/made \d+ \d+/g) ?? [];
  const numbers = told.map((line) => line.split(' ').slice(1).map(Number));
  expect(numbers.sort(([a = 0], [b = 0]) => a - b)).toEqual(
    Array.from({ length: total }, (_, index) => [index, index + 1]),
  );
}, 240_000);
