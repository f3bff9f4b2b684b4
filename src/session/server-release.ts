import * as operations from '../operations/index.js';

/** What no server before 3.5 knows. */
const newOperations: ReadonlySet<number> = new Set(
  Object.values(operations)
    .filter(({ since }) => !/^3\.[0-4]\./.test(since))
    .map(({ opCode }) => opCode),
);

/** What a session has learned about the release of its servers. They tell it in no other way than by their answers. */
export class ServerRelease {
  /** Op codes that a server has said it does not know. */
  readonly #unknown = new Set<number>();
  #isNew: boolean | undefined;

  /** Whether the server in use is of 3.5 or later; undefined until something tells. */
  get isNew(): boolean | undefined {
    return this.#isNew;
  }

  /** Whether it is pointless to send this operation: the server would close the connection for it. */
  lacks(opCode: number): boolean {
    return this.#unknown.has(opCode) || (this.#isNew === false && newOperations.has(opCode));
  }

  /** A server has said that it does not know the operation. */
  refused(opCode: number): void {
    this.#unknown.add(opCode);
  }

  /** The server in use has answered the operation. */
  answered(opCode: number): void {
    if (this.#isNew === undefined && newOperations.has(opCode)) this.#isNew = true;
  }

  /** The znode of the ensemble's configuration is looked for: every server has it from 3.5 on. */
  hasConfig(found: boolean): void {
    this.#isNew = found;
  }

  /** The next connection may be to a server of another release. */
  reconnected(): void {
    this.#isNew = undefined;
  }
}
