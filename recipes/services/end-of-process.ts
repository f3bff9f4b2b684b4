import { constants } from 'node:os';
import { after } from '../common/waiting.js';

/** How long a process that has nothing left to do for us may take to end by itself, milliseconds. */
const LINGER = 1_000;

/** What is to be done before this process ends. */
export type LastWork = (signal: NodeJS.Signals) => Promise<void>;

const works = new Map<NodeJS.Signals, Set<LastWork>>();
/** Whether the first signal has come. */
let ending = false;

/**
 * Does `work` when one of the signals comes, before it ends this process as it would have without us. Returns what takes
 * that back.
 *
 * A process with nothing left to do ends by itself, with its own exit code. One that has not after a second is ended by the
 * signal. Process 1 of a container is not, because the kernel keeps signals from it that it has no listener for: that one
 * exits, with the code that a shell gives for the signal. Where others listen for the signal, too, the end is theirs. A
 * second signal ends the process at once.
 */
export function beforeEnd(signals: readonly NodeJS.Signals[], work: LastWork): () => void {
  for (const signal of signals) {
    const known = works.get(signal);
    known?.add(work);
    if (known !== undefined) continue;
    works.set(signal, new Set([work]));
    process.on(signal, onSignal);
  }
  return () => {
    for (const works of worksOf(signals)) works.delete(work);
    // A second signal is still to be heard.
    if (!ending) forget((left) => left.size === 0);
  };
}

/** Whether the process was told to end. */
export function isEnding(): boolean {
  return ending;
}

function worksOf(signals: readonly NodeJS.Signals[]): Set<LastWork>[] {
  return signals.map((signal) => works.get(signal)).filter((each) => each !== undefined);
}

function forget(which: (works: ReadonlySet<LastWork>) => boolean): void {
  for (const [signal, left] of works) {
    if (!which(left)) continue;
    works.delete(signal);
    process.off(signal, onSignal);
  }
}

function onSignal(signal: NodeJS.Signals): void {
  if (ending) {
    end(signal);
    return;
  }
  ending = true;
  const all = [...worksOf([signal])].flatMap((each) => [...each]);
  const done = all.map((work) => work(signal).catch((error: unknown) => process.emitWarning(asError(error))));
  void Promise.all(done).then(() => after(LINGER, () => end(signal), true));
}

function end(signal: NodeJS.Signals): void {
  forget(() => true);
  ending = false;
  if (process.listenerCount(signal) > 0) return;
  if (process.pid === 1) process.exit(128 + constants.signals[signal]);
  process.kill(process.pid, signal);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
