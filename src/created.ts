import type Long from 'long';
import type { Acl } from './acl.js';
import type { CreateMode, CreateResponse } from './operations/create.js';
import { nameOf, parseSequence } from './paths.js';
import type { RetryPolicy } from './retry-policy.js';
import type { RequestLimits } from './session/pending-request.js';
import type { Stat } from './stat.js';

/** The modes whose znodes get a number from the server. */
export type SequentialMode = 'persistentSequential' | 'ephemeralSequential' | 'ttlSequential';

/** The modes whose znodes the server deletes when they were not changed for a time. */
export type TtlMode = 'ttl' | 'ttlSequential';

interface AnyCreateOptions<Mode extends CreateMode, WithStat extends boolean> {
  /** Default `persistent`. */
  readonly mode?: Mode | undefined;
  /** Default: the option `defaultAcl` of the client; without it, anybody may do anything. */
  readonly acl?: readonly Acl[] | undefined;
  /** Whether the stat is wanted in the result; needs ZooKeeper 3.5. Container and TTL znodes bring it anyway. */
  readonly stat?: WithStat | undefined;
}

type TtlOption<Mode extends CreateMode> = Mode extends TtlMode
  ? {
      /** How long the znode lives without children and without a change, milliseconds. */
      readonly ttl: number;
    }
  : { readonly ttl?: undefined };

/** What is to be created, inside a transaction or outside. */
export type CreateSpec<Mode extends CreateMode = 'persistent', WithStat extends boolean = false> = AnyCreateOptions<
  Mode,
  WithStat
> &
  TtlOption<Mode>;

/** How missing parents are created: as plain znodes, or as containers that the server tidies away when they are empty. */
export type ParentsOption = boolean | 'persistent' | 'container';

/** The options of `create`. */
export type CreateOptions<Mode extends CreateMode = 'persistent', WithStat extends boolean = false> = CreateSpec<
  Mode,
  WithStat
> &
  RequestLimits & {
    /** Whether missing parents are created, empty and with the default ACL. `true` means `'persistent'`. Default `false`. */
    readonly parents?: ParentsOption | undefined;
    /**
     * Whether the name gets a unique prefix (`_c_<uuid>-`, as in Curator), by which the znode is found again when the
     * connection is lost before the answer came. Default `false`.
     */
    readonly protected?: boolean | undefined;
    /**
     * Whether the create is tried again when its outcome is not known, by the client's policy or by one of its own: a
     * znode found then counts as created if it was never changed, holds this data and, where it is ephemeral, is of this
     * session. Not for sequential modes; `protected` needs it not. Default `false`.
     */
    readonly retry?: boolean | RetryPolicy | undefined;
  };

interface AnyCreated {
  /** The path, with the number that the server appended to it. */
  readonly path: string;
  /** The last part of the path. */
  readonly name: string;
  /** The zxid of the creation: the `czxid` of the znode. */
  readonly zxid: Long;
}

/** A znode that was created. */
export type Created<Mode extends CreateMode = 'persistent', WithStat extends boolean = false> = AnyCreated &
  (Mode extends SequentialMode
    ? {
        /** The number that the server appended: signed, 32 bits, wraps. Order by `compareSequences`. */
        readonly sequence: number;
      }
    : object) &
  (WithStat extends true
    ? { readonly stat: Stat }
    : Mode extends TtlMode | 'container'
      ? { readonly stat: Stat }
      : object);

/**
 * A znode that was created in a transaction. ZooKeeper before 3.7.2, and 3.8.0 and 3.8.1, leave out the stat that was
 * asked for there, except that of container and TTL znodes.
 */
export type CreatedInTransaction<
  Mode extends CreateMode = 'persistent',
  WithStat extends boolean = false,
> = Created<Mode> & (WithStat extends true ? { readonly stat?: Stat } : object);

/** What a server's answer means for the caller who asked for a znode at `requested`; both paths in the client's form. */
export function describeCreated<Mode extends CreateMode, WithStat extends boolean>(
  response: Pick<CreateResponse, 'zxid' | 'stat'>,
  path: string,
  requested: string,
): Created<Mode, WithStat> {
  const created = { path, name: nameOf(path), zxid: response.zxid };
  const sequence = parseSequence(path.slice(requested.length));
  return {
    ...created,
    ...(sequence === undefined ? {} : { sequence }),
    ...(response.stat === undefined ? {} : { stat: response.stat }),
  } as Created<Mode, WithStat>;
}
