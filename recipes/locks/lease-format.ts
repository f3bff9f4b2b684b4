/** How a lease is written, as kazoo's NonBlockingLease does it. */
import { ZooKeeperError } from 'zookit';

/** A lease as it is written. */
export interface WrittenLease {
  readonly holder: string;
  /** Milliseconds since 1970; whole seconds. */
  readonly end: number;
}

/** What is written where a lease should be is none, or one of a version that is not known here. */
export class InvalidLeaseError extends ZooKeeperError {
  readonly code = 'INVALID_LEASE';
}

const VERSION = 1;
const SECOND = 1_000;

/** The first whole second at or after a time. */
export function wholeSecond(time: number): number {
  return Math.ceil(time / SECOND) * SECOND;
}

/** `{"version":1,"holder":"host-1","end":"2026-11-21T15:30:00"}`, in UTC. */
export function formatLease({ holder, end }: WrittenLease): string {
  return JSON.stringify({ version: VERSION, holder, end: new Date(end).toISOString().slice(0, 19) });
}

/** @throws InvalidLeaseError. */
export function parseLease(text: string, path: string): WrittenLease {
  const { version, holder, end } = fieldsOf(text);
  const time = typeof end === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(end) ? Date.parse(`${end}Z`) : NaN;
  if (version === VERSION && typeof holder === 'string' && !Number.isNaN(time)) return { holder, end: time };
  const problem =
    version === VERSION || version === undefined
      ? 'the data are no lease: JSON with version, holder and end'
      : `the lease is of version ${JSON.stringify(version)}; ${VERSION} is known`;
  throw new InvalidLeaseError(problem, { operation: 'Lease', path });
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
