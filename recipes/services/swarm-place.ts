import type { ZooKeeper } from 'zookit';
import type { OptionSubject } from '../common/options.js';
import { after, defer, now, type Wait } from '../common/waiting.js';
import {
  type TaskAddressChoice,
  chooseTaskAddress,
  describeAddress,
  isRange,
  type TaskAddress,
} from './swarm-address.js';
import type { TaskEnvironment, TaskName } from './swarm-environment.js';
import { NotASwarmTaskError, TaskAddressError } from './swarm-errors.js';
import { addressOnTheWayTo, lookAround, type Surroundings } from './swarm-surroundings.js';

/** For how long a name service that does not know us yet is asked again, milliseconds, and the pause before it is. */
const PATIENCE = 5_000;
const PAUSE = 100;

/** Which task of a Docker Swarm a process is. */
export interface SwarmTask {
  /** The service, as `ZOOKIT_SERVICE` has it, else as the Swarm calls it: `shop_web`. */
  readonly service: string;
  /** Which of the replicas it is, from 1. Null in a global service. */
  readonly slot: number | null;
  /** As in `docker service ps --no-trunc`. A task that is started in the place of another one has another id. */
  readonly id: string;
  /** The host name of the node; null where the stack file does not tell it by `ZOOKIT_NODE`. */
  readonly node: string | null;
}

/** Where a task is. */
export interface TaskPlace {
  readonly task: SwarmTask;
  /** Undefined where the caller chooses it by other means. */
  readonly address: string | undefined;
}

/** What its address is to be: any of the addresses that are found, one on this network, or none of our business. */
export type WantedAddress =
  | { readonly by: 'looking'; readonly network: string | undefined }
  | { readonly by: 'choice'; readonly choose: (addresses: readonly TaskAddress[]) => string | Promise<string> }
  | { readonly by: 'others' };

/**
 * Finds out which task this process is, and its address. @throws NotASwarmTaskError, TaskAddressError; what ends the wait;
 * what the caller's choice throws.
 */
export async function findPlace(
  zk: ZooKeeper,
  environment: TaskEnvironment,
  wanted: WantedAddress,
  wait: Wait,
  subject: OptionSubject,
): Promise<TaskPlace> {
  const told = taskOf(environment, undefined);
  if (told !== undefined && wanted.by === 'others') return { task: told, address: undefined };
  const deadline = now() + PATIENCE;
  for (;;) {
    const surroundings = await wait.race(lookAround());
    const task = taskOf(environment, surroundings.task);
    const isLast = surroundings.names !== 'silent' || now() >= deadline;
    if (task !== undefined) {
      if (wanted.by === 'others') return { task, address: undefined };
      if (wanted.by === 'choice')
        return { task, address: await wait.race(Promise.resolve(wanted.choose(surroundings.addresses))) };
      const choice = await chooseByWay(zk, surroundings, wanted.network, wait);
      if (choice.address !== undefined) return { task, address: choice.address.address };
      if (isLast) throw addressError(choice.fitting, surroundings, wanted.network, subject);
    } else if (isLast) throw notATask(environment, surroundings, subject);
    await rest(wait);
  }
}

/** What is known of the task from its environment and its name; undefined where that is not enough. */
export function taskOf(environment: TaskEnvironment, name: TaskName | undefined): SwarmTask | undefined {
  const service = environment.service ?? name?.service;
  const id = environment.taskId ?? name?.taskId;
  if (service === undefined || id === undefined) return undefined;
  const slot = environment.slot === undefined ? (name?.slot ?? null) : environment.slot;
  return { service, slot, id, node: environment.node ?? null };
}

/** The way to ZooKeeper is only asked for where it matters. */
async function chooseByWay(
  zk: ZooKeeper,
  { addresses }: Surroundings,
  network: string | undefined,
  wait: Wait,
): Promise<TaskAddressChoice> {
  const choice = chooseTaskAddress(addresses, { network });
  if (choice.address !== undefined || choice.fitting.length === 0 || network !== undefined) return choice;
  if (zk.session.server === undefined) await wait.race(zk.ready());
  const { server } = zk.session;
  const way = server === undefined ? undefined : await wait.race(addressOnTheWayTo(server));
  return chooseTaskAddress(addresses, { way });
}

async function rest(wait: Wait): Promise<void> {
  const over = defer();
  const stop = after(PAUSE, () => over.resolve());
  try {
    await wait.race(over.promise);
  } finally {
    stop();
  }
}

function notATask(environment: TaskEnvironment, { names }: Surroundings, subject: OptionSubject): NotASwarmTaskError {
  const set = [
    environment.service !== undefined && 'ZOOKIT_SERVICE',
    environment.taskId !== undefined && 'ZOOKIT_TASK_ID',
  ];
  const given = set.filter((each) => each !== false).join(', ');
  const asked = {
    none: 'there is no name service of a Docker engine',
    other: 'the name service of the Docker engine knows this container as no task',
    silent:
      'the name service of the Docker engine does not know this container: a task with a health check only after that has passed',
    task: 'the name service of the Docker engine knows it',
  }[names];
  return new NotASwarmTaskError(
    `this process does not run as a task of a Docker Swarm, as far as it can see: the environment has ` +
      `${given === '' ? 'neither ZOOKIT_SERVICE nor ZOOKIT_TASK_ID' : `only ${given} of ZOOKIT_SERVICE and ZOOKIT_TASK_ID`}, and ${asked}. ` +
      `In a stack file, set ZOOKIT_SERVICE: '{{.Service.Name}}' and ZOOKIT_TASK_ID: '{{.Task.ID}}'; ` +
      `elsewhere, use register(), or the option outside: 'host'`,
    subject,
  );
}

function addressError(
  fitting: readonly TaskAddress[],
  { addresses, names }: Surroundings,
  network: string | undefined,
  subject: OptionSubject,
): TaskAddressError {
  const found = addresses.map(describeAddress).join(', ') || 'none';
  const unknown =
    names === 'silent' && network !== undefined && !isRange(network)
      ? '. The name service of the Docker engine does not know this task yet, as long as its health check has not passed: a range needs no names'
      : '';
  const problem =
    fitting.length > 1
      ? `callers could be meant to use any of ${fitting.map(describeAddress).join(', ')}`
      : network === undefined
        ? `no address of it is on a network that it shares with its callers; it has ${found}`
        : `no address of it is on the network ${JSON.stringify(network)}; it has ${found}`;
  return new TaskAddressError(
    `${problem}. Set the option network or ZOOKIT_NETWORK to the name or the range (10.0.1.0/24) of the network that ` +
      `callers share, or the option address or ZOOKIT_ADDRESS to the address${unknown}`,
    subject,
    addresses,
  );
}
