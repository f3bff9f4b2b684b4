/** An abort of our own that comes with the caller's, until it is released: a signal of the caller may live for ever. */
export class AbortLink implements Disposable {
  readonly #controller = new AbortController();

  constructor(private readonly callers: AbortSignal | undefined) {
    if (callers?.aborted === true) this.#follow();
    else callers?.addEventListener('abort', this.#follow);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  [Symbol.dispose](): void {
    this.callers?.removeEventListener('abort', this.#follow);
  }

  readonly #follow = (): void => this.abort(this.callers?.reason);
}
