import { InvalidArgumentError } from 'zookit';

/** What a stack file can tell a task by environment variables; undefined where it does not. */
export interface TaskEnvironment {
  /** `ZOOKIT_SERVICE`: `{{.Service.Name}}`, or any other name to register by. */
  readonly service: string | undefined;
  /** `ZOOKIT_TASK_ID`: `{{.Task.ID}}`. */
  readonly taskId: string | undefined;
  /** `ZOOKIT_SLOT`: `{{.Task.Slot}}`. Null in a global service, where Swarm puts the id of the node there. */
  readonly slot: number | null | undefined;
  /** `ZOOKIT_NODE`: `{{.Node.Hostname}}`. */
  readonly node: string | undefined;
  /** `ZOOKIT_ADDRESS`. */
  readonly address: string | undefined;
  /** `ZOOKIT_NETWORK`: the name of a network, or its range (`10.0.1.0/24`). */
  readonly network: string | undefined;
  /** `ZOOKIT_PORT`. */
  readonly port: number | undefined;
  /** `ZOOKIT_SSL_PORT`. */
  readonly sslPort: number | undefined;
  /** `ZOOKIT_WEIGHT`. */
  readonly weight: number | undefined;
  /** `ZOOKIT_ZONE`. */
  readonly zone: string | undefined;
}

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads the variables. One that is empty is not set, and so is one with a template that nobody has filled in, as where the
 * same file is used by Compose. @throws InvalidArgumentError.
 */
export function readTaskEnvironment(variables: Variables): TaskEnvironment {
  const text = (name: string): string | undefined => {
    const value = variables[name]?.trim();
    return value === undefined || value === '' || value.includes('{{') ? undefined : value;
  };
  const number = (name: string): number | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    if (/^\d+(\.\d+)?$/.test(value)) return Number(value);
    throw new InvalidArgumentError(`${name} is ${JSON.stringify(value)}; it must be a number`, {
      operation: 'registerTask',
    });
  };
  const slot = text('ZOOKIT_SLOT');
  return {
    service: text('ZOOKIT_SERVICE'),
    taskId: text('ZOOKIT_TASK_ID'),
    slot: slot === undefined ? undefined : slotOf(slot),
    node: text('ZOOKIT_NODE'),
    address: text('ZOOKIT_ADDRESS'),
    network: text('ZOOKIT_NETWORK'),
    port: number('ZOOKIT_PORT'),
    sslPort: number('ZOOKIT_SSL_PORT'),
    weight: number('ZOOKIT_WEIGHT'),
    zone: text('ZOOKIT_ZONE'),
  };
}

/** What the name service of the engine calls a task. */
export interface TaskName {
  readonly service: string;
  readonly slot: number | null;
  readonly taskId: string;
  readonly network: string;
}

/**
 * Reads `shop_web.2.q3g9x0n8ykv2t1m4c5b6a7z8d.shop_default`: service, slot, task, network. In a global service the id of the
 * node stands for the slot. Undefined for names of other containers. Swarm allows no dots in the names of services.
 */
export function readTaskName(name: string): TaskName | undefined {
  const [, service, slot, taskId, network] = /^([^.]+)\.([^.]+)\.([a-z0-9]{25})\.(.+)$/.exec(name) ?? [];
  if (service === undefined || slot === undefined || taskId === undefined || network === undefined) return undefined;
  return { service, slot: slotOf(slot), taskId, network };
}

function slotOf(text: string): number | null {
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null;
}
