import { checkPath, childPath, InvalidArgumentError, type LeaseOptions } from 'zookit';
import { checkLease, checkNames, leaseNames } from '../common/options.js';
import { checkId } from './group-layout.js';
import type { PartitionStrategy } from './partitioning.js';

/** How a `Partitioner` behaves. */
export interface PartitionerOptions extends LeaseOptions {
  /** What is divided: the same names at all members. Each is a part of a path. */
  readonly partitions: Iterable<string>;
  /** Who this member is, for others to read. Default: host, process, and something random. */
  readonly id?: string | undefined;
  /** How much it takes beside the others, where the strategy asks for that. Default 1. */
  readonly weight?: number | undefined;
  /** How the partitions are divided; the same at all members. Default: `partitioning.roundRobin()`. */
  readonly strategy?: PartitionStrategy | undefined;
  /** For how long nobody may have come or gone before the partitions are divided anew, milliseconds. Default 1,000. */
  readonly settle?: number | undefined;
}

/** The partitions, sorted. @throws InvalidArgumentError, InvalidPathError where something is none. */
export function checkPartitioner(options: PartitionerOptions, id: string, path: string): string[] {
  const subject = { operation: 'Partitioner', path };
  const refuse = (problem: string): never => {
    throw new InvalidArgumentError(problem, subject);
  };
  checkNames(options, [...leaseNames, 'partitions', 'id', 'weight', 'strategy', 'settle'], subject);
  checkLease(options, subject);
  checkId('shallowParty', id, subject);
  const { partitions: given, weight = 1, strategy, settle = 0 } = options;
  if (typeof given !== 'object' || !(Symbol.iterator in given))
    refuse('partitions must be a list, or another iterable, of names');
  if (!(Number.isFinite(weight) && weight >= 0)) refuse(`the weight is ${String(weight)}; it must be 0 or more`);
  if (!(Number.isFinite(settle) && settle >= 0))
    refuse(`settle is ${String(settle)}; it must be milliseconds, 0 or more`);
  if (strategy !== undefined && typeof strategy.divide !== 'function')
    refuse('the strategy has no divide(); take one of `partitioning`, such as partitioning.sticky()');
  const partitions = [...given].sort();
  partitions.forEach((name, index) => {
    if (name === partitions[index - 1]) refuse(`the partition ${JSON.stringify(name)} comes twice`);
    if (typeof name !== 'string' || name === '' || name.includes('/'))
      refuse(`the partition ${JSON.stringify(name)} is no part of a path: it must be a text without slashes`);
    checkPath(childPath(path, name), 'Partitioner');
  });
  return partitions;
}
