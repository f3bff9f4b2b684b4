import { InvalidArgumentError, type WaitOptions, type ZooKeeperError } from 'zookit';
import { checkDelay, checkNames, checkWait, type OptionSubject, waitNames } from '../common/options.js';
import type { ServiceInstance } from './service-instance.js';
import type { PickRequest, ServiceStrategy, StrategyName } from './service-strategy.js';
import { strategies } from './strategies.js';

/** When an instance that fails is set aside, and for how long. */
export interface SetAsideOptions {
  /** After how many failures within {@link time}, with no success in between. Default 2. */
  readonly failures?: number | undefined;
  /** For how long, milliseconds; then one call tries it. Default 30 000. */
  readonly time?: number | undefined;
}

/** The instances to be preferred. */
export interface ZoneOptions {
  readonly name: string;
  /** With fewer of them than this to call, those of all zones are called. Default 1. */
  readonly atLeast?: number | undefined;
}

/** The rules that options come to. */
export interface SetAsideRule {
  readonly failures: number;
  readonly time: number;
}

export interface ZoneRule {
  readonly name: string;
  readonly atLeast: number;
}

/** How a {@link ServiceProvider} behaves. */
export interface ServiceProviderOptions<Payload = unknown> {
  /** Whom to call: the name of a strategy, or one of your own. Default `'roundRobin'`. */
  readonly strategy?: StrategyName | ServiceStrategy<Payload> | undefined;
  /** Instances of this zone are called first, those of others when there are none, or too few. Default: no zone. */
  readonly zone?: string | ZoneOptions | undefined;
  /**
   * Which instances may be called at all, asked once for each version of each. The others stay in the list. One on which
   * it throws is not called, and `onInvalid` is told. Default: all that are enabled, and those alone in any case.
   */
  readonly filter?: ((instance: ServiceInstance<Payload>) => boolean) | undefined;
  /** When an instance that fails is set aside; `false`: never. */
  readonly setAside?: SetAsideOptions | false | undefined;
  /**
   * For how long an instance that was not there at the first look gets fewer calls than its due, milliseconds: a tenth at
   * first, then ever more. Default 0: none.
   */
  readonly slowStart?: number | undefined;
  /** How long a `pick()` waits for an instance unless told otherwise, milliseconds; `Infinity`: for ever. Default 30 000. */
  readonly timeout?: number | undefined;
  /** Told of a znode that cannot be read, or whose data are no instance: it is passed over. Once for each version of it. */
  readonly onInvalid?: ((error: ZooKeeperError) => void) | undefined;
  /** Told of an instance that was set aside, with its last failure as it was reported. */
  readonly onSetAside?: ((instance: ServiceInstance<Payload>, error: unknown) => void) | undefined;
}

/** Which instance is wanted, and how long to wait for one. */
export interface PickOptions extends WaitOptions, PickRequest {
  /** Ids of instances that are not wanted if there is any other, as those that were tried already. */
  readonly exclude?: ReadonlySet<string> | undefined;
}

/** How long a pick waits unless told otherwise, milliseconds. */
export const DEFAULT_TIMEOUT = 30_000;

/** What counts as the zone, with its default. */
export function zoneOf(zone: ServiceProviderOptions['zone']): ZoneRule | undefined {
  if (zone === undefined) return undefined;
  return typeof zone === 'string' ? { name: zone, atLeast: 1 } : { name: zone.name, atLeast: zone.atLeast ?? 1 };
}

/** When instances are set aside, with the defaults of Curator's DownInstancePolicy; undefined: never. */
export function setAsideOf(setAside: ServiceProviderOptions['setAside']): SetAsideRule | undefined {
  if (setAside === false) return undefined;
  return { failures: setAside?.failures ?? 2, time: setAside?.time ?? 30_000 };
}

const optionNames = [
  'strategy',
  'zone',
  'filter',
  'setAside',
  'slowStart',
  'timeout',
  'onInvalid',
  'onSetAside',
] as const satisfies readonly (keyof ServiceProviderOptions)[];
const pickNames: readonly string[] = [
  ...waitNames,
  ...(['key', 'exclude'] as const satisfies readonly (keyof PickOptions)[]),
];

/** Refuses what is no option of a provider. */
export function checkProviderOptions<Payload>(options: ServiceProviderOptions<Payload>, subject: OptionSubject): void {
  const fail = (problem: string): never => {
    throw new InvalidArgumentError(problem, subject);
  };
  checkNames(options, optionNames, subject);
  const { strategy, zone, filter, setAside, slowStart, timeout, onInvalid, onSetAside } = options;
  if (typeof strategy === 'string' ? !Object.hasOwn(strategies, strategy) : !isStrategy(strategy))
    fail(
      `there is no strategy ${JSON.stringify(strategy)}; known are ${Object.keys(strategies).join(', ')}, and objects with a method pick`,
    );
  for (const [name, hook] of Object.entries({ filter, onInvalid, onSetAside }))
    if (hook !== undefined && typeof hook !== 'function') fail(`${name} is no function`);
  if (typeof zone === 'object') {
    checkNames(zone, ['name', 'atLeast'], subject);
    checkCount('zone.atLeast', zone.atLeast, fail);
  }
  const zoneName: unknown = typeof zone === 'object' ? zone.name : (zone ?? 'any');
  if (typeof zoneName !== 'string' || zoneName === '') fail('the zone must be a text');
  if (setAside !== undefined && setAside !== false) {
    checkNames(setAside, ['failures', 'time'], subject);
    checkCount('setAside.failures', setAside.failures, fail);
    checkDelay('setAside.time', setAside.time, subject);
  }
  checkDelay('slowStart', slowStart, subject);
  if (timeout !== Infinity) checkWait({ timeout }, subject);
}

/** Refuses what is no option of a pick. Makes nothing: this is asked for each call. */
export function checkPickOptions(options: PickOptions, subject: OptionSubject): void {
  for (const name in options) if (!pickNames.includes(name)) checkNames(options, pickNames, subject);
  const { key, exclude } = options;
  if (key !== undefined && typeof key !== 'string')
    throw new InvalidArgumentError(`the key is of type ${typeof key}; it must be a text`, subject);
  if (exclude !== undefined && !(exclude instanceof Set))
    throw new InvalidArgumentError('exclude is no Set of ids', subject);
}

function isStrategy(strategy: unknown): boolean {
  if (strategy === undefined) return true;
  return typeof strategy === 'object' && strategy !== null && 'pick' in strategy && typeof strategy.pick === 'function';
}

function checkCount(name: string, value: number | undefined, fail: (problem: string) => never): void {
  if (value === undefined || (Number.isInteger(value) && value > 0)) return;
  fail(`${name} is ${String(value)}; it must be a whole number above 0`);
}
