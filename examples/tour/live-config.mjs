import { LiveConfig } from 'zookit/recipes';

const PATH = '/config/cart';

const schema = {
  '~standard': {
    version: 1,
    vendor: 'tour',
    validate: (value) =>
      Number.isInteger(value?.workers)
        ? { value }
        : { issues: [{ message: 'must be a whole number', path: ['workers'] }] },
  },
};

export async function liveConfig(stage) {
  const refused = [];
  const config = await LiveConfig.open(await stage.connect(), PATH, {
    schema,
    defaultValue: { workers: 1 },
    onInvalid: (error) => refused.push(error.message),
  });
  stage.check('without a znode it has the default', config.current, { workers: 1 });
  const applied = [];
  const following = (async () => {
    for await (const { workers } of config) applied.push(workers);
  })();

  stage.say('an operator writes a value, then another one');
  await stage.observer.upsert(PATH, '{"workers":4}');
  await stage.checkSoon('it is applied', () => applied, [1, 4]);
  await stage.observer.setData(PATH, '{"workers":8}');
  await stage.checkSoon('and the next one', () => applied, [1, 4, 8]);
  await stage.show(PATH);

  stage.say('an operator makes a mistake');
  await stage.observer.setData(PATH, '{"workers":"many"}');
  await stage.checkSoon('it is refused', () => refused.length, 1);
  stage.say(`    ${refused[0]}`);
  await stage.show(PATH);
  stage.check('the last good value stays', config.current, { workers: 8 });
  stage.check('and what is wrong can be asked', config.invalid?.code, 'INVALID_CONFIG');

  stage.say('the mistake is mended');
  await stage.observer.setData(PATH, '{"workers":6}');
  await stage.checkSoon('the new value is applied', () => applied, [1, 4, 8, 6]);
  stage.check('and nothing is wrong', config.invalid, undefined);
  await config.close();
  await stage.soon('the iteration ends with the configuration', following);
}
