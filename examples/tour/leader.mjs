import { LeaderLatch } from 'zookit/recipes';

const PATH = '/leaders/billing';

export async function leader(stage) {
  stage.say('three candidates stand');
  const latches = new Map();
  for (const id of ['anna', 'ben', 'carl']) {
    latches.set(id, new LeaderLatch(await stage.connect(), PATH, { id }).start());
    await stage.checkSoon(`${id} stands`, async () => (await participants(stage)).length, latches.size);
  }
  await stage.show(PATH);
  const annas = await stage.soon('anna leads, who came first', latches.get('anna').lead());
  stage.check(
    'nobody else does',
    ['ben', 'carl'].map((id) => latches.get(id).isLeader),
    [false, false],
  );
  stage.check('everybody can see who leads', (await latches.get('carl').leader())?.id, 'anna');

  stage.say('anna steps down');
  await latches.get('anna').close();
  const bens = await stage.soon('ben leads', latches.get('ben').lead());
  stage.check("anna's term is over, and she was told", [annas.held, annas.signal.aborted], [false, true]);
  stage.check("ben's fencing token is higher", bens.fencingToken.greaterThan(annas.fencingToken));
  await stage.show(PATH);

  stage.say("somebody deletes ben's znode");
  await stage.observer.delete(bens.path);
  const carls = await stage.soon('carl leads', latches.get('carl').lead());
  await stage.checkSoon("ben's term is over, and he was told", () => [bens.held, bens.signal.aborted], [false, true]);
  stage.check("carl's fencing token is higher", carls.fencingToken.greaterThan(bens.fencingToken));
  await stage.checkSoon('ben stands again, behind carl', async () => (await participants(stage)).length, 2);
  await stage.show(PATH);

  for (const latch of latches.values()) await latch.close();
  stage.check('nobody stands any more', (await participants(stage)).length, 0);
}

function participants(stage) {
  return new LeaderLatch(stage.observer, PATH).participants();
}
