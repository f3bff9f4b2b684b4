import { expect, test } from '@jest/globals';
import { runScript } from '../support/child.js';
import { until } from '../support/until.js';
import { startRig } from './rig.js';

/** A worker thread with a client of its own, which holds a lock and says so. It works on as long as it lives. */
const worker = (connectString: string): string => `
  const { parentPort } = require('node:worker_threads');
  const { ZooKeeper } = require('zookit');
  const { Mutex } = require('zookit/recipes');
  (async () => {
    const zk = await ZooKeeper.connect('${connectString}', { sessionTimeout: 3000 });
    const lock = await new Mutex(zk, '/lock').acquire();
    parentPort.on('message', async () => {
      await lock.release();
      await zk.close();
      parentPort.close();
    });
    parentPort.postMessage(lock.held);
    while (zk.state !== 'closed') await zk.setData('/node', String(performance.now())).catch(() => undefined);
  })();`;

test('a client lives in a worker thread, which may be terminated at any time or end by itself', async () => {
  await using rig = await startRig();
  const { observer } = rig;
  await observer.create('/node');
  const source = `
    import { once } from 'node:events';
    import { Worker } from 'node:worker_threads';
    const start = async () => {
      const worker = new Worker(${JSON.stringify(worker(rig.connectString))}, { eval: true, execArgv: [] });
      const [held] = await once(worker, 'message');
      console.log('held ' + held);
      return worker;
    };
    const first = await start();
    console.log('terminated ' + await first.terminate());
    // Nobody has told the server of the end: the lock is free when the session of the first one is over.
    const second = await start();
    second.postMessage('end');
    const [code] = await once(second, 'exit');
    console.log('ended ' + code);`;
  const env = { NODE_OPTIONS: '--unhandled-rejections=strict --throw-deprecation' };
  await using child = await runScript({ source }, { env });
  const { code, stdout, stderr } = await child.result;
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout.trim().split('\n')).toEqual(['held true', 'terminated 1', 'held true', 'ended 0']);
  // The second one has said goodbye.
  expect(await observer.getChildren('/lock')).toEqual([]);
  await until(() => rig.proxy.connections === 1, { what: 'the connections of the workers to end' });
});
