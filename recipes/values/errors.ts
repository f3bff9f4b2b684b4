import { ZooKeeperError } from 'zookit';

/** The data of a znode is not that of the value or counter that it is taken for. */
export class InvalidValueError extends ZooKeeperError {
  readonly code = 'INVALID_VALUE';
}

/** A number would leave the range of its counter, or does not fit into the type that it is asked for in. Nothing was written. */
export class CounterOverflowError extends ZooKeeperError {
  readonly code = 'COUNTER_OVERFLOW';
}

/** Others were faster as often as the policy allows. Nothing was written. */
export class ContentionError extends ZooKeeperError {
  readonly code = 'CONTENTION';
}
