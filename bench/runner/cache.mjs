import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where the peers are installed and compiled: outside the repository, so that nothing of it depends on them. */
export const cacheFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'zookit-bench');

/** What `npm run bench` came to, unless it is told another file. */
export const resultsFile = join(cacheFolder, 'results.json');
