import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { acceptsToken, Mutex } from 'zookit/recipes';

const PATH = '/locks/invoice-42';

export async function lock(stage) {
  const anna = new Mutex(await stage.connect(), PATH, { data: 'anna' });
  const ben = new Mutex(await stage.connect(), PATH, { data: 'ben' });

  stage.say('anna takes the lock; ben waits for it');
  const annas = await anna.acquire();
  stage.check('anna holds it', annas.held);
  stage.check('ben cannot have it at once', await ben.tryAcquire(), undefined);
  const waiting = ben.acquire();
  await stage.checkSoon('two stand in line', () => contenders(stage), 2);
  await stage.show(PATH);

  stage.say('anna gives it back');
  await annas.release();
  const bens = await stage.soon('ben has it', waiting);
  stage.check("ben's fencing token is higher", bens.fencingToken.greaterThan(annas.fencingToken));
  stage.check('anna holds nothing, and was told', [annas.held, annas.signal.aborted], [false, true]);
  await stage.show(PATH);
  await bens.release();

  stage.say('carl, in a process of his own, takes the lock; ben waits; then the process is killed (SIGKILL)');
  const carl = fork(fileURLToPath(new URL('holder.mjs', import.meta.url)), [stage.server.connectString, PATH]);
  try {
    const [token] = await stage.soon('carl holds it', new Promise((resolve) => carl.once('message', resolve)));
    const takeover = ben.acquire();
    await stage.checkSoon('two stand in line', () => contenders(stage), 2);
    await stage.show(PATH);
    carl.kill('SIGKILL');
    const taken = await stage.soon("ben has it once the server has ended carl's session", takeover);
    await stage.show(PATH);
    stage.check("ben's fencing token is higher", taken.fencingToken.greaterThan(token));
    stage.check(
      "a store that has seen ben refuses carl's token",
      acceptsToken(taken.fencingToken.sub(1), taken.fencingToken),
      false,
    );
    await taken.release();
  } finally {
    carl.kill('SIGKILL');
  }
  stage.check('nobody is left in line', await contenders(stage), 0);
}

async function contenders(stage) {
  return (await stage.observer.getChildren(PATH)).length;
}
