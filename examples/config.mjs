// A configuration of two layers that follows its znodes. A version that is not valid never takes the place of a good one.
import { ZooKeeper } from 'zookit';
import { LiveConfig } from 'zookit/recipes';

// Any library with the Standard Schema interface will do (zod, valibot, arktype, ...); this is one by hand.
const schema = {
  '~standard': {
    version: 1,
    vendor: 'by hand',
    validate: (value) =>
      Number.isInteger(value?.workers) && value.workers > 0
        ? { value }
        : { issues: [{ message: 'must be a whole number above 0', path: ['workers'] }] },
  },
};

const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181');
try {
  const global = '/zookit-examples/config/all';
  const service = '/zookit-examples/config/cart';
  await zk.upsert(global, JSON.stringify({ workers: 2, log: { level: 'info' } }));
  await zk.upsert(service, JSON.stringify({ workers: 4 }));

  const config = await LiveConfig.open(
    zk,
    { global, service },
    {
      schema,
      defaults: { url: 'http://cart/${log.level}' },
      placeholders: true,
      timeout: 10_000,
      onInvalid: (error) => console.log(`refused: ${error.message}`),
    },
  );
  console.log(`it begins with ${config.current.workers} workers, of ${config.origin('workers').path}`);
  config.onChange('log.level', (level, before) => console.log(`from ${before} to ${level}: ${config.get('url')}`));

  const changes = [{ workers: 'many' }, { workers: 8, log: { level: 'debug' } }];
  for await (const { workers } of config) {
    console.log(`apply: ${workers} workers`);
    if (workers === 8) break;
    for (const change of changes) await zk.setData(service, JSON.stringify(change));
  }
  await config.close();
} finally {
  await zk.close();
}
