import type { ServiceInstance } from './service-instance.js';

/** What a provider knows of a service. Never changed: after a change there is another one. */
export interface ServiceList<Payload = unknown> {
  /** By the names of their znodes; those that are not enabled, and those that the filter refuses, too. */
  readonly instances: readonly ServiceInstance<Payload>[];
  /** Whether the list may be out of date: there is no connection, or a change is known and not read yet. */
  readonly stale: boolean;
  /** Since when it may be out of date, milliseconds since 1970; undefined while it is not. */
  readonly staleSince?: number | undefined;
}

/** An instance that has changed in place: its payload, its address, whether it is enabled. */
export interface UpdatedInstance<Payload = unknown> {
  readonly instance: ServiceInstance<Payload>;
  readonly previous: ServiceInstance<Payload>;
}

/** A list, and what has changed since the list before, of one iteration: in the first one all are added. */
export interface ServiceListChange<Payload = unknown> extends ServiceList<Payload> {
  readonly added: readonly ServiceInstance<Payload>[];
  readonly removed: readonly ServiceInstance<Payload>[];
  readonly updated: readonly UpdatedInstance<Payload>[];
}

/** Instances by the paths of their znodes: ids need not be unique. */
export type KnownInstances<Payload> = ReadonlyMap<string, ServiceInstance<Payload>>;

/** A list with what has changed since the one before. */
export function changeOf<Payload>(
  before: KnownInstances<Payload>,
  after: KnownInstances<Payload>,
  list: ServiceList<Payload>,
): ServiceListChange<Payload> {
  const added: ServiceInstance<Payload>[] = [];
  const removed: ServiceInstance<Payload>[] = [];
  const updated: UpdatedInstance<Payload>[] = [];
  if (before !== after) {
    for (const [path, instance] of after) {
      const previous = before.get(path);
      if (previous === undefined) added.push(instance);
      else if (previous !== instance) updated.push({ instance, previous });
    }
    for (const [path, instance] of before) if (!after.has(path)) removed.push(instance);
  }
  return { ...list, added, removed, updated };
}
