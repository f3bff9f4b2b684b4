import {
  type Acl,
  type CreateMode,
  InvalidArgumentError,
  type LeaseOptions,
  type ParentsOption,
  type TtlMode,
} from 'zookit';
import { checkLease, checkNames, leaseNames } from '../common/options.js';
import { isSequential, isTtl } from './node-place.js';

interface AnyNodeOptions extends LeaseOptions {
  /**
   * Whether the name gets a unique prefix (`_c_<uuid>-`, as in Curator), so that nobody else can have it. Default `false`;
   * always so in sequential modes: of a number that nobody was told, the connection being lost, only the prefix tells
   * whose it is.
   */
  readonly protected?: boolean | undefined;
  /**
   * What to do when there is a znode already that is not ours: take its place, because it is that of an earlier run of
   * ours; `'fail'` with OwnedByOtherError; or `'wait'` until it is gone. Default `'replace'`. A znode that is not ephemeral
   * belongs to nobody: to replace it is to write our data into it.
   */
  readonly onConflict?: 'replace' | 'fail' | 'wait' | undefined;
  /** Default: the option `defaultAcl` of the client. */
  readonly acl?: readonly Acl[] | undefined;
  /** How missing parents are made, or `false`: then they have to be there. Default `'container'`. */
  readonly parents?: ParentsOption | undefined;
}

/** How a {@link PersistentNode} behaves. */
export type PersistentNodeOptions = AnyNodeOptions &
  (
    | {
        /** Default `ephemeral`. */
        readonly mode?: Exclude<CreateMode, TtlMode> | undefined;
        readonly ttl?: undefined;
        readonly touchEvery?: undefined;
      }
    | {
        readonly mode: TtlMode;
        /** For how long the znode outlives its last touch, milliseconds. By default, servers look for such znodes once a minute. */
        readonly ttl: number;
        /** How often it is touched, milliseconds. Default: half of `ttl`. */
        readonly touchEvery?: number | undefined;
      }
  );

const modes: readonly CreateMode[] = [
  'ephemeral',
  'ephemeralSequential',
  'persistent',
  'persistentSequential',
  'container',
  'ttl',
  'ttlSequential',
];

const conflicts: readonly string[] = ['replace', 'fail', 'wait'];

const optionNames = [...leaseNames, 'mode', 'protected', 'onConflict', 'acl', 'parents', 'ttl', 'touchEvery'];

/** Refuses what is no way to keep a znode. @throws InvalidArgumentError. */
export function checkNodeOptions(options: PersistentNodeOptions, path: string): void {
  const subject = { operation: 'PersistentNode', path };
  const refuse = (problem: string): never => {
    throw new InvalidArgumentError(problem, subject);
  };
  checkNames(options, optionNames, subject);
  checkLease(options, subject);
  const { mode = 'ephemeral', ttl, touchEvery, onConflict } = options;
  if (!modes.includes(mode)) refuse(`there is no mode ${JSON.stringify(mode)}; known are ${modes.join(', ')}`);
  if (onConflict !== undefined && !conflicts.includes(onConflict))
    refuse(`onConflict is ${onConflict}; it must be one of ${conflicts.join(', ')}`);
  if (isSequential(mode) && options.protected === false)
    refuse(`protected is false; in the mode ${mode} the name always has a unique prefix`);
  if (isTtl(mode) !== (ttl !== undefined))
    refuse('a ttl belongs to the modes ttl and ttlSequential, and these need one');
  if (ttl !== undefined && !(Number.isInteger(ttl) && ttl > 0))
    refuse(`the ttl is ${String(ttl)}; it must be milliseconds, 1 or more`);
  if (touchEvery === undefined) return;
  if (!(touchEvery > 0 && touchEvery < (ttl ?? 0)))
    refuse(`touchEvery is ${String(touchEvery)}; it must be milliseconds, more than 0 and less than the ttl`);
}
