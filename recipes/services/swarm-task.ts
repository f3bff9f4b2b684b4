import { constants } from 'node:os';
import { AbortedError, InvalidArgumentError, type WaitOptions, type ZooKeeper } from 'zookit';
import { checkDelay, checkNames, checkWait, type OptionSubject, waitNames } from '../common/options.js';
import { now, Wait } from '../common/waiting.js';
import { beforeEnd, isEnding } from './end-of-process.js';
import type { AddressFilter } from './own-address.js';
import type { RegisteredService } from './registered-service.js';
import { RegisteredTask, type TaskEnd, type TaskEndOptions } from './registered-task.js';
import { registrationNames, type ServiceRegistration } from './service-registration.js';
import type { TaskAddress } from './swarm-address.js';
import { readTaskEnvironment, type TaskEnvironment } from './swarm-environment.js';
import { NotASwarmTaskError } from './swarm-errors.js';
import { findPlace, type SwarmTask, type TaskPlace, type WantedAddress } from './swarm-place.js';
import { lookAround } from './swarm-surroundings.js';

/** How long callers have by default, and what the rest of the end may take beside that, milliseconds. */
const DRAIN = 3_000;
const STOP = 5_000;

const TOLD_TO_END = 'this process was told to end';

/** What no process is told. */
const untakeable: readonly string[] = ['SIGKILL', 'SIGSTOP'];

/**
 * What is registered of a task. What is not given comes from the environment that the stack file gives, and else from
 * what the process finds out by itself.
 */
export interface TaskRegistration<Payload = unknown>
  extends Omit<ServiceRegistration<Payload>, 'name' | 'address'>, TaskEndOptions {
  /** Default: `ZOOKIT_SERVICE`, else the name that the service has in the Swarm. */
  readonly name?: string | undefined;
  /** Default: the id of the task. */
  readonly id?: string | undefined;
  /**
   * Where callers reach it: a text, a filter as in `register()`, or a function that chooses among the addresses of the task.
   * Default: `ZOOKIT_ADDRESS`, else the address on `network`, else the one on the overlay network that callers share.
   */
  readonly address?:
    string | AddressFilter | ((addresses: readonly TaskAddress[]) => string | Promise<string>) | undefined;
  /**
   * The network that callers share: its name, with or without that of the stack before it, or its range (`10.0.1.0/24`).
   * Default: `ZOOKIT_NETWORK`. Needed only where the task is on several overlay networks and reaches ZooKeeper by none of them.
   */
  readonly network?: string | undefined;
  /**
   * What to do in a process that is no task of a Swarm: `'fail'` with NotASwarmTaskError, or register as `register()` would,
   * which takes a `name`. Default `'fail'`.
   */
  readonly outside?: 'fail' | 'host' | undefined;
  /** The signals at which it ends in order, and then the process does. Default: SIGTERM. None: `[]`. */
  readonly signals?: readonly NodeJS.Signals[] | undefined;
}

/** What can be given beside what a registration takes. */
const taskNames = [
  'network',
  'outside',
  'signals',
  'drain',
  'onDrain',
  'closeClient',
  'stopTimeout',
] as const satisfies readonly (keyof TaskRegistration)[];

/** Registers an instance, as `registry.register()` does. */
type Register<Payload> = (
  service: ServiceRegistration<Payload>,
  wait: WaitOptions,
) => Promise<RegisteredService<Payload>>;

/** The body of `registry.registerTask()`. */
export async function registerTask<Payload>(
  zk: ZooKeeper,
  register: Register<Payload>,
  registration: TaskRegistration<Payload>,
  options: WaitOptions,
  subject: OptionSubject,
): Promise<RegisteredTask<Payload>> {
  checkTask(registration, subject);
  checkNames(options, waitNames, subject);
  const { timeout, signal } = options;
  const end = endOf(registration);
  const environment = readTaskEnvironment(process.env);
  const begun = now();
  // Ended by the caller's signal, or by that which ends the process.
  const registering = new AbortController();
  using wait = new Wait({ timeout, signal: registering.signal }, subject);
  checkWait({ signal }, subject);
  if (isEnding()) throw new AbortedError(TOLD_TO_END, subject, false);
  let registered: RegisteredTask<Payload> | undefined;
  const forget = beforeEnd(registration.signals ?? ['SIGTERM'], async () => {
    registering.abort(new Error(TOLD_TO_END));
    await registered?.stop();
  });
  const onAbort = (): void => registering.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted === true) onAbort();
  try {
    wait.check();
    const place = await placeOf(zk, environment, registration, wait, subject);
    const service = await serviceOf(registration, environment, place, subject);
    const left = timeout === undefined ? undefined : Math.max(0, timeout - (now() - begun));
    const kept = await register(service, { timeout: left, signal: registering.signal });
    registered = new RegisteredTask(zk, kept, place?.task ?? null, end, forget);
    return registered;
  } catch (error) {
    forget();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Undefined for a process that is no task and need not be. */
async function placeOf<Payload>(
  zk: ZooKeeper,
  environment: TaskEnvironment,
  registration: TaskRegistration<Payload>,
  wait: Wait,
  subject: OptionSubject,
): Promise<TaskPlace | undefined> {
  try {
    return await findPlace(zk, environment, wantedBy(registration, environment), wait, subject);
  } catch (error) {
    if (registration.outside === 'host' && error instanceof NotASwarmTaskError) return undefined;
    throw error;
  }
}

function wantedBy<Payload>(
  { address, network }: TaskRegistration<Payload>,
  environment: TaskEnvironment,
): WantedAddress {
  if (typeof address === 'function') return { by: 'choice', choose: address };
  const isGiven = address !== undefined || (network === undefined && environment.address !== undefined);
  return isGiven ? { by: 'others' } : { by: 'looking', network: network ?? environment.network };
}

async function serviceOf<Payload>(
  registration: TaskRegistration<Payload>,
  environment: TaskEnvironment,
  place: TaskPlace | undefined,
  subject: OptionSubject,
): Promise<ServiceRegistration<Payload>> {
  const { address, port, sslPort, weight, zone, payload } = registration;
  const name = registration.name ?? place?.task.service ?? environment.service;
  if (name === undefined)
    throw new InvalidArgumentError('outside of a Swarm it takes a name: the option name, or ZOOKIT_SERVICE', subject);
  const own: readonly string[] = taskNames;
  const rest = Object.fromEntries(Object.entries(registration).filter(([key]) => !own.includes(key)));
  return {
    ...(rest as Omit<ServiceRegistration<Payload>, 'name' | 'address'>),
    name,
    id: registration.id ?? place?.task.id,
    address:
      place?.address ?? (typeof address === 'function' ? await chosen(address) : (address ?? environment.address)),
    port: port ?? environment.port,
    sslPort: sslPort ?? environment.sslPort,
    weight: weight ?? environment.weight,
    zone: zone ?? environment.zone,
    payload: place === undefined ? payload : describe(payload, place.task),
  };
}

/** What a function chooses in a process that is no task. */
async function chosen(choose: (addresses: readonly TaskAddress[]) => string | Promise<string>): Promise<string> {
  return choose((await lookAround()).addresses);
}

/**
 * Adds `swarm` to a payload that is an object: so whoever lists the instances sees slot and node. Not where a Java class is to
 * read it, which need not know the field; nor is a payload made up, because a Java reader that expects another class could then
 * read no instance of the service at all.
 */
export function describe<Payload>(payload: Payload | null | undefined, task: SwarmTask): Payload | null | undefined {
  const isPlain =
    typeof payload === 'object' && payload !== null && Object.getPrototypeOf(payload) === Object.prototype;
  return isPlain && !('@class' in payload) && !('swarm' in payload) ? { ...payload, swarm: task } : payload;
}

function endOf({ drain = DRAIN, onDrain, closeClient, stopTimeout }: TaskEndOptions): TaskEnd {
  return {
    drain,
    onDrain: onDrain ?? ((): void => undefined),
    closeClient: closeClient ?? false,
    stopTimeout: stopTimeout ?? drain + STOP,
  };
}

/** @throws InvalidArgumentError. */
function checkTask<Payload>(registration: TaskRegistration<Payload>, subject: OptionSubject): void {
  const refuse = (problem: string): never => {
    throw new InvalidArgumentError(problem, subject);
  };
  checkNames(registration, [...registrationNames, ...taskNames], subject);
  const { address, network, outside, signals = [], drain = DRAIN, stopTimeout, onDrain, closeClient } = registration;
  checkDelay('drain', drain, subject);
  checkDelay('stopTimeout', stopTimeout, subject);
  if (stopTimeout !== undefined && stopTimeout <= drain)
    refuse(`stopTimeout is ${stopTimeout}; it must be more than the drain time, which is ${drain}`);
  if (outside !== undefined && outside !== 'fail' && outside !== 'host')
    refuse(`outside is ${JSON.stringify(outside)}; it must be "fail" or "host"`);
  if (network !== undefined && (typeof network !== 'string' || network === ''))
    refuse(`the network is ${JSON.stringify(network)}; it must be the name of a network, or a range as 10.0.1.0/24`);
  if (network !== undefined && address !== undefined)
    refuse('an address and a network are given; it takes one of them');
  checkSignals(signals, refuse);
  if (onDrain !== undefined && typeof onDrain !== 'function') refuse('onDrain must be a function');
  if (closeClient !== undefined && typeof closeClient !== 'boolean') refuse('closeClient must be true or false');
}

function checkSignals(signals: unknown, refuse: (problem: string) => never): void {
  const list: readonly unknown[] = Array.isArray(signals)
    ? signals
    : refuse('the signals must be a list as ["SIGTERM"]');
  const known = Object.keys(constants.signals).filter((signal) => !untakeable.includes(signal));
  const wrong = list.find((signal) => !known.some((each) => each === signal));
  if (wrong !== undefined) refuse(`there is no signal ${JSON.stringify(wrong)} that a process can listen for`);
}
