import { inspect } from 'node:util';
import { ZooKeeperError } from 'zookit';

/** What only the leader may do was asked of a candidate that does not lead, or leads no more. */
export class NotLeaderError extends ZooKeeperError {
  readonly code = 'NOT_LEADER';
}

/** The function of an election has thrown (the `cause`), or goes on although its term is over. */
export class LeaderWorkError extends ZooKeeperError {
  readonly code = 'LEADER_WORK_FAILED';
}

/** A job of a cluster cron has thrown: the `cause`. */
export class CronJobError extends ZooKeeperError {
  readonly code = 'CRON_JOB_FAILED';
}

/** Tells `listener` of an error on a turn of its own, because what that throws is its own affair; without one, warns. */
export function report(error: ZooKeeperError, listener: ((error: ZooKeeperError) => void) | undefined): void {
  if (listener === undefined)
    process.emitWarning(`zookit: ${error.message}`, { code: error.code, detail: inspect(error) });
  else queueMicrotask(() => listener(error));
}
