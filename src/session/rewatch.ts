import type Long from 'long';
import type { SetWatchesRequest } from '../operations/watching.js';
import type { WatchedPaths } from './watch-registry.js';

/**
 * The bytes of paths that go into one packet, as in the Java client: far below the 1 MiB at which a server drops the
 * connection, which it would do again after every reconnect.
 */
const BATCH_BYTES = 128 * 1024;
/** The header, the zxid and the lengths of five lists: what a packet has beside its paths. */
const OTHER_BYTES = 36;
/**
 * How much longer the packet that watches a single path again is than the request that watched it first. Beside the
 * path that has a header of 8 bytes, and 1 byte for a one-shot watch or 4 for one that stays.
 */
export const longerBy = { oneShot: OTHER_BYTES - 9, persistent: OTHER_BYTES - 12 } as const;

const kinds = ['data', 'exists', 'children', 'persistent', 'recursive'] as const;

type Batch = Record<(typeof kinds)[number], string[]>;

/** The packets that watch these paths again. The server reports at once what changed since the zxid. */
export function rewatchRequests(
  paths: WatchedPaths,
  relativeZxid: Long,
  maxRequestBytes = Infinity,
): SetWatchesRequest[] {
  const batchBytes = Math.min(BATCH_BYTES, maxRequestBytes - OTHER_BYTES);
  const batches: Batch[] = [];
  let bytes = Infinity;
  for (const kind of kinds) {
    for (const path of paths[kind]) {
      const size = 4 + Buffer.byteLength(path);
      if (bytes + size > batchBytes) {
        batches.push({ data: [], exists: [], children: [], persistent: [], recursive: [] });
        bytes = 0;
      }
      batches[batches.length - 1]?.[kind].push(path);
      bytes += size;
    }
  }
  return batches.map((batch) => ({ ...batch, relativeZxid }));
}
