import type { ServiceInstance } from './service-instance.js';

/** Who keeps count of the calls of an instance. */
export interface CallCounter {
  /** A call is over. `succeeded` is undefined where nobody knows what has become of it. */
  ended(succeeded: boolean | undefined, error: unknown): void;
}

/**
 * A call of an instance that was taken from a provider. It counts as outstanding until it is ended: by {@link succeeded},
 * by {@link failed}, or by disposing of it, which says neither. What comes after the first of them does nothing.
 */
export class ServiceCall<Payload = unknown> implements Disposable {
  #counter: CallCounter | undefined;

  /** Made by `provider.take()` and `provider.use()`. */
  constructor(
    /** Whom to call. */
    readonly instance: ServiceInstance<Payload>,
    counter: CallCounter,
  ) {
    this.#counter = counter;
  }

  /** Whether it still counts as outstanding. */
  get outstanding(): boolean {
    return this.#counter !== undefined;
  }

  /** It went well: the failures of the instance are forgotten. */
  succeeded(): void {
    this.#end(true, undefined);
  }

  /** The instance is to blame for a failure: after some of them it is set aside for a while. */
  failed(error?: unknown): void {
    this.#end(false, error);
  }

  [Symbol.dispose](): void {
    this.#end(undefined, undefined);
  }

  #end(succeeded: boolean | undefined, error: unknown): void {
    const counter = this.#counter;
    this.#counter = undefined;
    counter?.ended(succeeded, error);
  }
}
