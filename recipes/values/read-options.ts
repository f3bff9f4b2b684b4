import { InvalidArgumentError, type WaitOptions } from 'zookit';
import { checkNames, type OptionSubject, waitNames } from '../common/options.js';
import { Wait } from '../common/waiting.js';

/** How a value is read. */
export interface ValueReadOptions extends WaitOptions {
  /** Whether the server first catches up with the leader: then every write that was done before is seen. Default `false`. */
  readonly sync?: boolean | undefined;
}

/** The options of a read, checked. Dispose of the wait. */
export function readOptions(
  { sync = false, ...limits }: ValueReadOptions,
  subject: OptionSubject,
): { readonly sync: boolean; readonly wait: Wait } {
  checkNames(limits, [...waitNames, 'sync'], subject);
  if (typeof sync !== 'boolean')
    throw new InvalidArgumentError(`sync is ${String(sync)}; it must be true or false`, subject);
  return { sync, wait: new Wait(limits, subject) };
}
