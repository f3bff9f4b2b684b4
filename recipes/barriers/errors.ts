import { ZooKeeperError } from 'zookit';

/** The data of a znode are not those of the barrier or latch that it is taken for. */
export class InvalidBarrierError extends ZooKeeperError {
  readonly code = 'INVALID_BARRIER';
}

/** The membership is over: it was left, its session has ended, or somebody has deleted its znode or the barrier. */
export class NotAMemberError extends ZooKeeperError {
  readonly code = 'NOT_A_MEMBER';
}
