/** Time connected against time wanted, on the clock of `now()`. */
export class Availability {
  #connected = 0;
  #connectedSince: number | undefined;
  #endedAt: number | undefined;

  constructor(private readonly startedAt: number) {}

  up(time: number): void {
    this.#connectedSince ??= time;
  }

  down(time: number): void {
    if (this.#connectedSince === undefined) return;
    this.#connected += time - this.#connectedSince;
    this.#connectedSince = undefined;
  }

  /** No connection is wanted any more. */
  end(time: number): void {
    this.down(time);
    this.#endedAt ??= time;
  }

  snapshot(time: number): { wanted: number; connected: number; ratio: number } {
    const wanted = (this.#endedAt ?? time) - this.startedAt;
    const connected = this.#connected + (this.#connectedSince === undefined ? 0 : time - this.#connectedSince);
    return { wanted, connected, ratio: wanted === 0 ? 0 : connected / wanted };
  }
}
