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

/** A list, with the names of the znodes of its instances: ids need not be unique. Both are sorted by these names. */
export interface KeyedList<Payload> {
  readonly list: ServiceList<Payload>;
  readonly keys: readonly string[];
}

/** A list with what has changed since the one before. */
export function changeOf<Payload>(
  before: KeyedList<Payload> | undefined,
  after: KeyedList<Payload>,
): ServiceListChange<Payload> {
  const added: ServiceInstance<Payload>[] = [];
  const removed: ServiceInstance<Payload>[] = [];
  const updated: UpdatedInstance<Payload>[] = [];
  const former = before?.list.instances ?? [];
  const { instances } = after.list;
  for (let old = 0, young = 0; former !== instances && (old < former.length || young < instances.length);) {
    const [previous, instance] = [former[old], instances[young]];
    const order = orderOf(before?.keys[old], after.keys[young]);
    if (order <= 0) old++;
    if (order >= 0) young++;
    if (order < 0 && previous !== undefined) removed.push(previous);
    else if (order > 0 && instance !== undefined) added.push(instance);
    else if (previous !== undefined && instance !== undefined && previous !== instance)
      updated.push({ instance, previous });
  }
  return { ...after.list, added, removed, updated };
}

/** Which of two names comes first; one that is missing is behind all others. */
export function orderOf(one: string | undefined, other: string | undefined): number {
  if (one === other) return 0;
  if (one === undefined) return 1;
  return other === undefined || one < other ? -1 : 1;
}
