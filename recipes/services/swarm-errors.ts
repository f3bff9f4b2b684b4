import { type ErrorContext, ZooKeeperError } from 'zookit';
import type { TaskAddress } from './swarm-address.js';

/** Nothing says that this process runs as a task of a Docker Swarm: neither its environment nor the name service. */
export class NotASwarmTaskError extends ZooKeeperError {
  readonly code = 'NOT_A_SWARM_TASK';
}

/** No address of this task, or more than one, could be the one that its callers are to use. */
export class TaskAddressError extends ZooKeeperError {
  readonly code = 'TASK_ADDRESS';

  constructor(
    message: string,
    context: ErrorContext = {},
    /** The addresses that it has. */
    readonly found: readonly TaskAddress[] = [],
  ) {
    super(message, context);
  }
}
