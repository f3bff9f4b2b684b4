import type { ZooKeeper } from 'zookit';
import { createdPath, type LoadClient, sharedPaths } from './load-client.js';
import { type Entry, type History, nameOf } from './history.js';

/** What is there in the end. */
interface FinalState {
  readonly shared: ReadonlyMap<string, { readonly value: string; readonly version: number }>;
  readonly created: ReadonlySet<string>;
}

/** Reads what is there in the end, from the leader's latest state. */
async function finalState(zk: ZooKeeper): Promise<FinalState> {
  await zk.sync('/');
  const shared = await Promise.all(
    sharedPaths.map(async (path) => {
      const node = await zk.getData(path);
      return [path, { value: node.text(), version: node.stat.version }] as const;
    }),
  );
  const created = await zk.getChildren(createdPath);
  return { shared: new Map(shared), created: new Set(created.map((name) => `${createdPath}/${name}`)) };
}

/** All that is wrong with what the clients were told, in the light of what is there in the end. Empty: nothing. */
export async function findProblems(zk: ZooKeeper, clients: readonly LoadClient[]): Promise<string[]> {
  const state = await finalState(zk);
  const all = clients.flatMap(({ history }) => history.entries);
  // A long load has more entries than could be compared with each other.
  const deleted = new Set(all.filter(({ kind }) => kind === 'delete').map(({ path }) => path));
  return [
    ...clients.flatMap(({ history }) => [...unsettled(history), ...outOfOrder(history), ...backInTime(history)]),
    ...all.flatMap((entry) => [...wronglyTold(entry, state, deleted)]),
    ...sharedPaths.flatMap((path) => [...lostSets(path, all, state)]),
    ...clients.flatMap(({ followers }) => followers.flatMap(({ problems }) => problems)),
  ];
}

/** Whether all watches have led to what is there in the end. */
export async function areCurrent(zk: ZooKeeper, clients: readonly LoadClient[]): Promise<boolean> {
  const { shared } = await finalState(zk);
  const lasts = clients.flatMap(({ followers }) => followers.map(({ last }) => last));
  return lasts.every((last) => sharedPaths.every((path) => last.get(path)?.value === shared.get(path)?.value));
}

function* unsettled({ entries }: History): Generator<string> {
  for (const entry of entries) if (entry.outcome === undefined) yield `${nameOf(entry)} has never settled`;
}

/**
 * Answers come in the order of the calls, and so do the failures of writes, and those of reads. Between these there is
 * no order: a write whose connection was lost fails at once, a read that was called before it is sent again.
 */
function* outOfOrder({ settled }: History): Generator<string> {
  const last = new Map<string, Entry>();
  for (const entry of settled) {
    const line = entry.outcome?.kind === 'answered' ? 'answers' : entry.kind === 'read' ? 'reads' : 'writes';
    const before = last.get(line);
    if (before !== undefined && entry.call < before.call) yield `${nameOf(entry)} settled after ${nameOf(before)}`;
    last.set(line, entry);
  }
}

/** What was answered later shows what was answered before: a client's own writes, and all that it has read. */
function* backInTime({ settled }: History): Generator<string> {
  const highest = new Map<string, number>();
  for (const entry of settled) {
    if (entry.outcome?.kind !== 'answered' || !hasVersion(entry)) continue;
    const before = highest.get(entry.path) ?? -1;
    if (entry.outcome.version < before)
      yield `${nameOf(entry)} gave version ${entry.outcome.version}, after ${before} was seen`;
    highest.set(entry.path, Math.max(before, entry.outcome.version));
  }
}

function hasVersion({ kind }: Entry): boolean {
  return kind === 'set' || kind === 'multi' || kind === 'read';
}

/** An answered write that is not there, or one that is there and was refused. */
function* wronglyTold(entry: Entry, { created }: FinalState, deleted: ReadonlySet<string>): Generator<string> {
  const { kind, path, value, outcome } = entry;
  if (outcome === undefined || kind === 'read' || kind === 'set') return;
  const paths = kind === 'multi' ? [`${createdPath}/${value}-1`, `${createdPath}/${value}-2`] : [path];
  const there = paths.filter((each) => created.has(each)).length;
  if (there !== 0 && there !== paths.length) yield `${nameOf(entry)} was applied in part`;
  if (kind === 'create' && deleted.has(path)) return;
  const applied = there > 0 !== (kind === 'delete');
  if (outcome.kind === 'answered' && !applied) yield `${nameOf(entry)} was answered and is lost`;
  if (outcome.kind === 'refused' && applied)
    yield `${nameOf(entry)} was refused (${outcome.error.message}) and is applied all the same`;
}

/** Each version of a shared znode is one write: those answered have their own, and only unknown ones fill the gaps. */
function* lostSets(path: string, all: readonly Entry[], { shared }: FinalState): Generator<string> {
  const final = shared.get(path)!;
  const writes = all.filter((entry) => entry.path === path && (entry.kind === 'set' || entry.kind === 'multi'));
  const byVersion = new Map<number, Entry>();
  for (const entry of writes) {
    if (entry.outcome?.kind !== 'answered') continue;
    const other = byVersion.get(entry.outcome.version);
    if (other !== undefined) yield `${nameOf(entry)} and ${nameOf(other)} have the same version`;
    byVersion.set(entry.outcome.version, entry);
    if (entry.outcome.version > final.version) yield `${nameOf(entry)} was answered and is lost`;
  }
  const last = byVersion.get(final.version) ?? writes.find(({ value }) => value === final.value);
  if (last !== undefined && last.value !== final.value)
    yield `${path} holds ${final.value} in the version of ${nameOf(last)}`;
  if (last?.outcome?.kind === 'refused') yield `${nameOf(last)} was refused and is applied all the same`;
  const unaccounted = final.version - byVersion.size;
  const unknown = writes.filter(({ outcome }) => outcome?.kind === 'unknown').length;
  if (unaccounted > unknown)
    yield `${path} was written ${unaccounted} times that nobody was told of, and only ${unknown} outcomes are unknown`;
  if (unaccounted < 0) yield `${path} was written less often than was answered`;
}
