import { Barrier, DoubleBarrier } from 'zookit/recipes';

const GATE = '/gates/migration';
const ROUND = '/rounds/nightly';

export async function barriers(stage) {
  stage.say('one client closes a gate, another one waits at it');
  const keeper = new Barrier(await stage.connect(), GATE);
  const worker = new Barrier(await stage.connect(), GATE);
  stage.check('the gate was open', await keeper.set());
  let through = false;
  const waiting = worker.wait().then(() => (through = true));
  await stage.show(GATE);
  const refused = await worker.wait({ timeout: 100 }).catch((error) => error.code);
  stage.check('a wait that may take 100 ms ends', refused, 'OPERATION_TIMEOUT');
  stage.check('nobody is through', through, false);
  await keeper.remove();
  await stage.soon('the gate is opened and the worker is through', waiting);
  await stage.show(GATE);

  stage.say('three participants begin together, and go together');
  const names = ['anna', 'ben', 'carl'];
  const participants = [];
  for (const name of names) participants.push({ name, barrier: new DoubleBarrier(await stage.connect(), ROUND, 3) });
  const begun = [];
  const entering = participants.slice(0, 2).map((each) => enter(each, begun));
  await stage.checkSoon('two have entered', async () => (await members(stage)).length, 2);
  stage.check('and wait for the third', begun, []);
  entering.push(enter(participants[2], begun));
  await stage.soon('the third enters and all begin', Promise.all(entering));
  await stage.show(ROUND);

  const gone = [];
  const leaving = participants.slice(0, 2).map((each) => leave(each, gone));
  await stage.checkSoon('two want to leave', async () => (await members(stage)).length < 4);
  stage.check('and wait for the third', gone, []);
  leaving.push(leave(participants[2], gone));
  await stage.soon('the last one leaves and all go', Promise.all(leaving));
  stage.check('nothing is left behind', await stage.observer.getChildren(ROUND), []);
}

async function enter({ name, barrier }, begun) {
  await barrier.enter();
  begun.push(name);
}

async function leave({ name, barrier }, gone) {
  await barrier.leave();
  gone.push(name);
}

function members(stage) {
  return stage.observer.has(ROUND).then((isThere) => (isThere ? stage.observer.getChildren(ROUND) : []));
}
