import { type NodeExistsError, type NoNodeError, UnansweredError, type ZooKeeper } from 'zookit';
import { lookUntil, type Wait } from '../common/waiting.js';

/**
 * Does what does no harm when it is done twice. Resolves with whether there was anything to do: not where the error says
 * that it was so already; after a try of which nothing is known, that counts as done by this one.
 */
export async function doOnce(
  zk: ZooKeeper,
  wait: Wait,
  needless: typeof NodeExistsError | typeof NoNodeError,
  write: () => Promise<unknown>,
): Promise<boolean> {
  let isInDoubt = false;
  const { isDone } = await lookUntil(
    zk,
    wait,
    async () => {
      try {
        await write();
        return { isDone: true };
      } catch (error) {
        if (error instanceof needless) return { isDone: isInDoubt };
        isInDoubt ||= error instanceof UnansweredError && error.mayHaveBeenApplied;
        throw error;
      }
    },
    () => undefined,
  );
  return isDone;
}
