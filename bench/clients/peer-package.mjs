import { createRequire } from 'node:module';
import { join } from 'node:path';

/** A package of npm from where the bench has put it, which is not where ours are. */
export function peerPackage(name) {
  const folder = process.env.ZOOKIT_BENCH_PEERS;
  if (folder === undefined) throw new Error('ZOOKIT_BENCH_PEERS names no folder; the bench sets it');
  return createRequire(join(folder, 'package.json'))(name);
}
