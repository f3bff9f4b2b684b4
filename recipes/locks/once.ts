import { checkPath, childPath, InvalidArgumentError, type ZooKeeper } from 'zookit';
import { checkLease, checkNames, checkWait, leaseNames, type OptionSubject, waitNames } from '../common/options.js';
import { Wait } from '../common/waiting.js';
import { Mutex } from './mutex.js';
import type { Lock } from './mutex-lock.js';
import { failurePathOf, OnceJob, type OnceOptions, resultPathOf } from './once-job.js';

/**
 * Runs a job once for a whole cluster, and shares its result or its failure with all who ask for it, now or later.
 *
 * Znodes: `PATH/result`, or `PATH/failure` (JSON: `name`, `message`, `code`), persistent or with a TTL; who runs the job
 * holds the {@link Mutex} `PATH/lock`.
 *
 * What holds: one result is stored, and all callers get that one. A job whose runner crashes or loses its session is run
 * again by the next caller; so it may be begun more than once, and what it writes elsewhere is to be guarded by
 * `lock.guard()` or `lock.fencingToken`. A runner that has lost the lock stores nothing.
 *
 * - While disconnected: callers wait; the runner works on as long as its lock is held.
 * - After an expiry: callers line up again; the runner has lost the lock, and does what the other callers do.
 *
 * Cost: one round trip where there is an outcome. The runner: five more and the job, the others three more when it is their
 * turn.
 *
 * @param work gets the lock: stop when its `signal` aborts.
 * @throws OnceFailedError when the job has failed, here or elsewhere. OperationTimeoutError, AbortedError when the wait is
 * ended: a job that fails after `signal` has fired counts as stopped, and is not stored. InvalidArgumentError,
 * InvalidPathError at once. UnimplementedError, before the job is run, where the servers know no TTLs. What
 * {@link Mutex.acquire} throws; what `deserialize` throws.
 */
export async function once<T>(
  zk: ZooKeeper,
  path: string,
  work: (lock: Lock) => T | Promise<T>,
  options: OnceOptions<T> = {},
): Promise<T> {
  const subject = { operation: 'once', path };
  checkPath(path, 'once');
  checkOnce(work, options, subject);
  const { timeout, signal, margin, loseOn } = options;
  using wait = new Wait({ timeout, signal }, subject);
  const job = new OnceJob(zk, path, work, options);
  const mutex = new Mutex(zk, childPath(path, 'lock'), { margin, loseOn });
  for (;;) {
    const known = await wait.race(job.outcome(wait));
    if (known !== undefined) return job.settle(known);
    await using lock = await acquire(mutex, wait);
    // Whoever was before us may have done it.
    const outcome = (await wait.race(job.outcome(wait))) ?? (await job.run(lock));
    if (outcome !== undefined) return job.settle(outcome);
  }
}

/** The lock, unless the wait ends before: then with an error of the caller's own call. */
async function acquire(mutex: Mutex, wait: Wait): Promise<Lock> {
  try {
    return await mutex.acquire({ signal: wait.signal });
  } catch (error) {
    wait.check();
    throw error;
  }
}

/** Forgets the result or the failure of a job: the next caller of {@link once} runs it again. Throws as deletes do. */
export async function forgetOnce(zk: ZooKeeper, path: string): Promise<void> {
  checkPath(path, 'forgetOnce');
  const forget = (each: string): Promise<void> => zk.delete(each, undefined, { missing: 'ignore', retry: true });
  await Promise.all([forget(resultPathOf(path)), forget(failurePathOf(path))]);
}

/** The longest TTL that servers keep. */
const LONGEST_TTL = 2 ** 40 - 1;

function checkOnce<T>(work: unknown, options: OnceOptions<T>, subject: OptionSubject): void {
  checkNames(options, [...waitNames, ...leaseNames, 'serialize', 'deserialize', 'ttl'], subject);
  checkWait(options, subject);
  checkLease(options, subject);
  const { serialize, deserialize, ttl } = options;
  for (const [name, value] of Object.entries({ work, serialize, deserialize }))
    if (value !== undefined && typeof value !== 'function')
      throw new InvalidArgumentError(`${name} is no function`, subject);
  if (work === undefined) throw new InvalidArgumentError('there is no work', subject);
  if (ttl === undefined || (Number.isInteger(ttl) && ttl > 0 && ttl <= LONGEST_TTL)) return;
  const problem = `the ttl is ${String(ttl)}; it must be whole milliseconds, from 1 to ${LONGEST_TTL}`;
  throw new InvalidArgumentError(problem, subject);
}
