import {
  type Acl,
  type CreateMode,
  InvalidArgumentError,
  type LeaseOptions,
  type ParentsOption,
  type TtlMode,
  type ZNode,
} from 'zookit';
import { checkLease, checkNames, leaseNames, type OptionSubject } from '../common/options.js';
import { isSequential, isTtl } from './node-place.js';

/** What to do about a znode that is not ours. */
export type ConflictRule = 'replace' | 'fail' | 'wait';

interface AnyNodeOptions extends LeaseOptions {
  /**
   * Whether the name gets a unique prefix (`_c_<uuid>-`, as in Curator), so that nobody else can have it. Default `false`;
   * always so in sequential modes: of a number that nobody was told, the connection being lost, only the prefix tells
   * whose it is.
   */
  readonly protected?: boolean | undefined;
  /**
   * What to do when there is a znode already that is not ours: take its place, because it is that of an earlier run of
   * ours; `'fail'` with OwnedByOtherError; or `'wait'` until it is gone. Or a function that says which of them, by what the
   * znode is; it costs a read, then. Default `'replace'`. A znode that is not ephemeral belongs to nobody: to replace it is
   * to write our data into it.
   */
  readonly onConflict?: ConflictRule | ((node: ZNode) => ConflictRule) | undefined;
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

const conflicts: readonly unknown[] = ['replace', 'fail', 'wait'] satisfies ConflictRule[];

const optionNames = [...leaseNames, 'mode', 'protected', 'onConflict', 'acl', 'parents', 'ttl', 'touchEvery'];

/** Refuses what is no rule, also where a function has said it. @throws InvalidArgumentError. */
export function checkConflictRule(rule: ConflictRule, subject: OptionSubject): ConflictRule {
  if (conflicts.includes(rule)) return rule;
  const problem = `onConflict is ${rule}; it must be one of ${conflicts.join(', ')}`;
  throw new InvalidArgumentError(problem, subject);
}

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
  if (onConflict !== undefined && typeof onConflict !== 'function') checkConflictRule(onConflict, subject);
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
