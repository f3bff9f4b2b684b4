import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { after, wallClock } from '../common/waiting.js';
import type { ConfigLayer } from './config-layers.js';
import type { SnapshotOptions } from './config-options.js';
import type { StoredLayer, StoredZNode } from './config-reader.js';
import type { ConfigShape } from './config-source.js';
import { ConfigSnapshotError } from './errors.js';

/** Which configuration a snapshot is of. */
export interface SnapshotSubject {
  /** The root of the client. */
  readonly root: string;
  readonly shape: ConfigShape;
  readonly layers: readonly ConfigLayer[];
}

/** What is in the file, besides the hash of it. */
interface SnapshotContent {
  readonly format: typeof FORMAT;
  /** When it was current, milliseconds since 1970. */
  readonly savedAt: number;
  readonly root: string;
  readonly shape: ConfigShape;
  readonly layers: readonly {
    readonly name: string;
    readonly path: string;
    /** Data in base64. */
    readonly znodes: readonly { readonly path: string; readonly data: string | null }[];
  }[];
}

const FORMAT = 'zookit-config-snapshot-1';

/**
 * The last good configuration in a file: the data of its znodes as they are stored, so that what is encrypted stays so, and
 * what is read back is decoded and validated as anything else.
 */
export class ConfigSnapshot {
  readonly #path: string | undefined;
  /** What is to be written next; what came before it need not be. */
  #next: readonly StoredLayer[] | undefined;
  #last: readonly StoredLayer[] | undefined;
  #writing: Promise<void> | undefined;
  #stopRefresh: (() => void) | undefined;
  #isClosed = false;

  constructor(
    private readonly options: SnapshotOptions,
    private readonly subject: SnapshotSubject,
    /** Whether what was kept last still is what counts. */
    private readonly isCurrent: () => boolean,
  ) {
    this.#path = subject.layers.at(-1)?.path;
  }

  /** What was kept; undefined where there is no file, and, once it was reported, where there is no good one. */
  async read(): Promise<readonly StoredLayer[] | undefined> {
    let text: string;
    try {
      text = await readFile(this.options.file, 'utf8');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') this.#report('cannot be read', cause);
      return undefined;
    }
    const content = contentOf(text);
    if (content === undefined) return this.#report('is not taken: it is torn, or none of zookit');
    const problem = this.#problemWith(content);
    if (problem !== undefined) return this.#report(`is not taken: ${problem}`);
    return content.layers.map(({ name, path, znodes }) => ({ name, path, znodes: znodes.map(revived) }));
  }

  /** Says that what the snapshot holds is not valid. */
  refuse(cause: unknown): void {
    this.#report('is not taken: the configuration in it is not valid', cause);
  }

  /** Keeps what is good and current now. Never throws; several calls at once are one write of the last one. */
  keep(layers: readonly StoredLayer[]): void {
    if (this.#isClosed) return;
    this.#next = this.#last = layers;
    this.#writing ??= this.#write();
    this.#refreshLater();
  }

  /** What was kept last has come out to be current again. */
  confirm(): void {
    if (this.#last !== undefined) this.keep(this.#last);
  }

  /** Resolves when what was kept is written. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopRefresh?.();
    await this.#writing;
  }

  /** Where age counts, a configuration that nobody changes must not grow old. */
  #refreshLater(): void {
    const { maxAge } = this.options;
    if (maxAge === undefined || maxAge === Infinity) return;
    this.#stopRefresh?.();
    const refresh = (): void => {
      if (this.isCurrent()) this.confirm();
      else this.#refreshLater();
    };
    this.#stopRefresh = after(maxAge / 4, refresh, true);
  }

  async #write(): Promise<void> {
    while (this.#next !== undefined) {
      const layers = this.#next;
      this.#next = undefined;
      try {
        await replaceFile(this.options.file, this.#textOf(layers));
      } catch (cause) {
        this.#report('cannot be written', cause);
      }
    }
    this.#writing = undefined;
  }

  #textOf(layers: readonly StoredLayer[]): string {
    const { root, shape } = this.subject;
    const stored = layers.map(({ name, path, znodes }) => ({ name, path, znodes: znodes.map(kept) }));
    const content: SnapshotContent = { format: FORMAT, savedAt: wallClock(), root, shape, layers: stored };
    return `${JSON.stringify({ sha256: hashOf(content), content })}\n`;
  }

  #problemWith({ savedAt, root, shape, layers }: SnapshotContent): string | undefined {
    const { maxAge = Infinity } = this.options;
    const names = layers.map(({ name, path }) => ({ name, path }));
    const own = this.subject.layers.map(({ name, path }) => ({ name, path }));
    const isOther =
      JSON.stringify([root, shape, names]) !== JSON.stringify([this.subject.root, this.subject.shape, own]);
    if (isOther) return 'it is of another configuration';
    const age = wallClock() - savedAt;
    if (age > maxAge) return `it is ${Math.round(age / 1_000)} s old, and may be ${Math.round(maxAge / 1_000)}`;
    return undefined;
  }

  #report(problem: string, cause?: unknown): undefined {
    const error = new ConfigSnapshotError(problem, this.options.file, { path: this.#path, cause });
    const { onError } = this.options;
    try {
      if (onError === undefined) process.emitWarning(`zookit: ${error.message}`);
      else onError(error);
    } catch (thrown) {
      process.emitWarning(`zookit: snapshot.onError threw ${String(thrown)}`);
    }
  }
}

/** Writes a file so that whoever reads it has the old one or the new one, also after a power failure. */
async function replaceFile(file: string, text: string): Promise<void> {
  const folder = dirname(file);
  const draft = `${file}.${process.pid}.${randomUUID()}.tmp`;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Lets the new name of the file last. Not every system can. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/** Undefined where the text is none of ours, or not as it was written. */
function contentOf(text: string): SnapshotContent | undefined {
  try {
    const { content, sha256 } = JSON.parse(text) as { readonly content: SnapshotContent; readonly sha256: unknown };
    return content.format === FORMAT && sha256 === hashOf(content) ? content : undefined;
  } catch {
    return undefined;
  }
}

function hashOf(content: SnapshotContent): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

function kept({ path, data, isNull }: StoredZNode): { path: string; data: string | null } {
  return { path, data: isNull ? null : data.toString('base64') };
}

function revived({ path, data }: { readonly path: string; readonly data: string | null }): StoredZNode {
  return { path, data: Buffer.from(data ?? '', 'base64'), isNull: data === null };
}
