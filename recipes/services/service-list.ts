import type { ServiceInstance } from './service-instance.js';

/** What a provider knows of a service. Never changed: after a change there is another one. */
export interface ServiceList<Payload = unknown> {
  /** By id; those that are not enabled, and those that the filter refuses, too. */
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

/** What has changed between two lists. */
export function changeOf<Payload>(
  before: readonly ServiceInstance<Payload>[],
  list: ServiceList<Payload>,
): ServiceListChange<Payload> {
  const former = new Map(before.map((instance) => [instance.id, instance]));
  const added: ServiceInstance<Payload>[] = [];
  const updated: UpdatedInstance<Payload>[] = [];
  for (const instance of list.instances) {
    const previous = former.get(instance.id);
    former.delete(instance.id);
    if (previous === undefined) added.push(instance);
    else if (previous !== instance) updated.push({ instance, previous });
  }
  return { ...list, added, removed: [...former.values()], updated };
}
