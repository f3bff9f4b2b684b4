import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where the peers are installed and compiled: outside the repository, so that nothing of it depends on them. */
export const cacheFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'zookit-bench');
