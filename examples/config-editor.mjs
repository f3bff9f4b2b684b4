// A configuration that several write: nothing is lost, and each version can be brought back.
import { ZooKeeper } from 'zookit';
import { ConfigEditor, encrypt } from 'zookit/recipes';

const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181');
try {
  // 32 bytes. Take them from a secret store.
  const encryption = { key: process.env.CONFIG_KEY ?? '8f'.repeat(32) };
  const editors = ['anna', 'ben'].map(
    (author) => new ConfigEditor(zk, '/zookit-examples/edited', { encryption, author }),
  );
  const [anna, ben] = editors;

  await anna.set({ workers: 1, password: encrypt('s3cret') }, { comment: 'to begin with' });
  const { data } = await zk.getData(anna.path);
  console.log(`in the znode: ${data.includes('s3cret') ? 'the password' : 'no password'}`);

  const more = (before) => ({ ...before, workers: before.workers + 1 });
  await Promise.all(editors.flatMap((editor) => [editor.update(more), editor.update(more)]));

  const dry = await ben.update((before) => ({ ...before, workers: 100 }), { dryRun: true });
  for (const { path, before, after } of dry.diff) console.log(`would be changed: ${path} from ${before} to ${after}`);

  const { after } = await ben.rollback(0, { comment: 'too many' });
  console.log(`back to ${after.workers} worker`);
  const [now, ...former] = await ben.history();
  console.log(`version ${now.version} by ${now.author}: ${now.comment}; ${former.length} before it`);
} finally {
  await zk.close();
}
