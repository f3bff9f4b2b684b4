import { EventEmitter } from 'node:events';
import type { SessionState, ZooKeeper } from 'zookit';

/** As much of a client as the vocabulary of the recipes asks for; each test gives it what else it needs. */
export class FakeClient {
  state: SessionState = 'connected';
  session: object = {};
  readonly events = new EventEmitter();
  readonly forgotten: string[] = [];

  /** The same object, as what a recipe takes. */
  get zk(): ZooKeeper {
    return this as unknown as ZooKeeper;
  }

  on(event: string, listener: () => void): void {
    this.events.on(event, listener);
  }

  off(event: string, listener: () => void): void {
    this.events.off(event, listener);
  }

  /** Moves to the state, and tells of it. */
  become(state: SessionState): void {
    this.state = state;
    for (const name of [state, 'session']) this.events.emit(name, { type: state });
  }

  /** How many listeners there are. */
  get listeners(): number {
    return this.events.eventNames().reduce((sum, name) => sum + this.events.listenerCount(name), 0);
  }
}

/** Lets everything run that is ready to. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}
