import {
  BadVersionError,
  childPath,
  InvalidArgumentError,
  nameOf,
  NoNodeError,
  type WaitOptions,
  type ZooKeeper,
} from 'zookit';
import { checkNames, type OptionSubject, waitNames } from '../common/options.js';
import { lookUntil, Wait } from '../common/waiting.js';
import { NotLeaderError } from './errors.js';
import type { Leadership } from './leadership.js';
import { namesInLine, type Participant, participantOf, readZNode } from './participants.js';

/** To whom a leader hands over, and how long it waits for that one. */
export interface HandOverOptions extends WaitOptions {
  /** The id of the successor. Default: the first in line that is ready. */
  readonly to?: string | undefined;
}

/** One who may succeed, and the version in which its znode said so. */
interface Successor<Payload> {
  readonly participant: Participant<Payload>;
  readonly version: number;
  /** The znodes of those who stand before it. */
  readonly passedOver: readonly string[];
}

/** The wait of a leader for its successor. @throws InvalidArgumentError. */
export function handOverWait({ to, ...options }: HandOverOptions, subject: OptionSubject): Wait {
  if (to !== undefined && typeof to !== 'string')
    throw new InvalidArgumentError(`to is ${String(to)}; it must be the id of a candidate`, subject);
  checkNames(options, [...waitNames, 'to'], subject);
  return new Wait(options, subject);
}

/**
 * Waits for a successor that is ready, and moves it to the place right behind the leader: those between them lose their
 * znodes and line up again at the end, which they do by themselves, as nothing was theirs yet.
 *
 * That is one transaction, with checks that the leader and the successor still stand. So it is the server that refuses a
 * leader who leads no more, and a successor who has gone meanwhile.
 */
export async function prepareSuccessor<Payload>(
  zk: ZooKeeper,
  line: { readonly path: string; readonly markers: readonly string[] },
  term: Leadership<Payload>,
  to: string | undefined,
  wait: Wait,
  subject: OptionSubject,
): Promise<Participant<Payload>> {
  let watched: readonly string[] = [];
  return await lookUntil(
    zk,
    wait,
    async (changed) => {
      if (!term.held) throw new NotLeaderError('the term is over', subject);
      const limits = { watch: changed, signal: wait.signal };
      const names = await namesInLine(zk, line.path, line.markers, limits);
      const behind = names.slice(names.indexOf(nameOf(term.path)) + 1).map((name) => childPath(line.path, name));
      watched = behind;
      const nodes = await Promise.all(behind.map((path) => readZNode(zk, path, limits)));
      const successor = successorAmong<Payload>(behind, nodes, to);
      if (successor === undefined) return undefined;
      if (await place(zk, term, successor, subject)) return successor.participant;
      // What was read was out of date.
      await zk.sync(line.path);
      changed();
      return undefined;
    },
    (changed) => {
      for (const path of [line.path, ...watched]) zk.unwatch(path, changed);
    },
  );
}

function successorAmong<Payload>(
  paths: readonly string[],
  nodes: readonly Awaited<ReturnType<typeof readZNode>>[],
  to: string | undefined,
): Successor<Payload> | undefined {
  const passedOver: string[] = [];
  for (const [index, path] of paths.entries()) {
    const node = nodes[index];
    if (node === undefined) continue;
    const participant = participantOf<Payload>(path, node, false);
    if (participant.ready && (to === undefined || participant.id === to))
      return { participant, version: node.stat.version, passedOver };
    passedOver.push(path);
  }
  return undefined;
}

/** False if somebody is not there any more, or not ready. */
async function place<Payload>(
  zk: ZooKeeper,
  term: Leadership<Payload>,
  { participant, version, passedOver }: Successor<Payload>,
  subject: OptionSubject,
): Promise<boolean> {
  const moving = zk.transaction();
  moving.check(term.path).check(participant.path, version);
  for (const path of passedOver) moving.delete(path);
  try {
    await moving.commit();
    return true;
  } catch (cause) {
    if (!(cause instanceof NoNodeError || cause instanceof BadVersionError)) throw cause;
    if (cause.transaction?.index === 0) throw new NotLeaderError('the term is over', { ...subject, cause });
    return false;
  }
}
