import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import type { OneShotEvent } from 'zookit';
import { until } from '../support/until.js';
import { notification, reply, startWireServer } from '../support/wire-server.js';
import { connectTo } from './rig.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** MiB of the heap that somebody needs. */
function heap(): number {
  gc();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

test('P6: 100,000 watches that were set and have fired, each on a path of its own, leave no memory behind', async () => {
  await using server = await startWireServer();
  await using zk = await connectTo(server.connectString, { sessionTimeout: 60_000 });
  let told = 0;
  const watch = (event: OneShotEvent): void => void (told += event.type === 'created' ? 1 : 0);
  const round = async (number: number): Promise<void> => {
    const paths = Array.from({ length: 1_000 }, (_, index) => `/${number}/${index}`);
    const answered = Promise.all(paths.map((path) => zk.exists(path, { watch })));
    for (const path of paths) {
      const request = await server.frame();
      request.connection.send(reply(request, { err: -101 }), notification(path, 1));
    }
    await answered;
  };
  for (let number = 1; number <= 10; number++) await round(number);
  const before = heap();
  for (let number = 11; number <= 100; number++) await round(number);
  await until(() => told === 100_000, { what: 'the last event' });
  expect(heap() - before).toBeLessThan(5);
}, 120_000);
