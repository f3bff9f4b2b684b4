import { createHash } from 'node:crypto';
import { childPath, type ErrorContext, NoNodeError, type ZNode, type ZooKeeper, ZooKeeperError } from 'zookit';

/**
 * How the bytes of a value stand in znodes: in the znode itself; or in parts beside it, which a manifest in the znode
 * names:
 *
 * - `PATH`: the manifest;
 * - `PATH-__parts__/GENERATION/0`, `/1`, ...: the bytes. A generation is written once and never changed.
 */

/** The znode beside `PATH` below which the parts of large values are. */
export const PARTS_SUFFIX = '-__parts__';
/** The znode beside `PATH` below which its former versions are. */
export const HISTORY_SUFFIX = '-__history__';
/** The znode beside `PATH` below which those report who do not take it. */
export const REFUSALS_SUFFIX = '-__refused__';

/** Whether a znode of that name holds what belongs to the one beside it: no part of a configuration. */
export function isBesideConfig(name: string): boolean {
  return [PARTS_SUFFIX, HISTORY_SUFFIX, REFUSALS_SUFFIX].some((suffix) => name.endsWith(suffix));
}

/** A value in parts has come to harm: a part is missing or is another one, or the manifest is none. */
export class DamagedValueError extends ZooKeeperError {
  readonly code = 'DAMAGED_VALUE';
}

/** What stands in the znode of a value that is in parts. */
export interface Manifest {
  /** Names the znode that the parts are below. */
  readonly generation: string;
  /** How many parts there are. */
  readonly parts: number;
  /** Length of the whole, bytes. */
  readonly bytes: number;
  /** Hash of the whole, hexadecimal. */
  readonly sha256: string;
}

/** No text begins with it: neither JSON nor YAML nor properties may hold a NUL. */
const MAGIC = Buffer.from('\0zookit-parts 1\n');

/** How many parts are asked for at a time: their bytes are all in memory in any case, their requests need not be. */
const PARTS_AT_A_TIME = 16;

/** Whether the data of a znode are a manifest, and not a value. */
export function isManifest(data: Buffer): boolean {
  return data.length >= MAGIC.length && data.subarray(0, MAGIC.length).equals(MAGIC);
}

/** The data of the znode of a value in parts. */
export function encodeManifest({ generation, parts, bytes, sha256 }: Manifest): Buffer {
  return Buffer.concat([MAGIC, Buffer.from(JSON.stringify({ generation, parts, bytes, sha256 }))]);
}

/** Undefined where the data are a value themselves. @throws DamagedValueError if they are a manifest that says nothing. */
export function decodeManifest(data: Buffer, context: ErrorContext): Manifest | undefined {
  if (!isManifest(data)) return undefined;
  let fields: unknown;
  try {
    fields = JSON.parse(data.toString('utf8', MAGIC.length));
  } catch (cause) {
    throw new DamagedValueError('the manifest of the value is no JSON', { ...context, cause });
  }
  const { generation, parts, bytes, sha256 } = (fields ?? {}) as Partial<Record<keyof Manifest, unknown>>;
  const isOne =
    typeof generation === 'string' &&
    /^[\w-]+$/.test(generation) &&
    isCount(parts) &&
    isCount(bytes) &&
    typeof sha256 === 'string';
  if (!isOne) throw new DamagedValueError('the manifest of the value lacks what it must say', context);
  return { generation, parts, bytes, sha256 };
}

/** The hash that a manifest has. */
export function sha256Of(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Where the parts of a generation are. */
export function generationPath(path: string, generation: string): string {
  return childPath(`${path}${PARTS_SUFFIX}`, generation);
}

/** How parts are read. */
export interface StoredReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** For the errors. Default: `getData`. */
  readonly operation?: string | undefined;
}

/**
 * The bytes of a value, out of the znode that was read at `path`: its data, or the parts that it names. Undefined if
 * the value was replaced meanwhile, so that its parts are gone: read the znode again.
 *
 * @throws DamagedValueError; what `getData` throws, such as ConnectionLossError, NoAuthError, AbortedError.
 */
export async function storedBytes(
  zk: ZooKeeper,
  path: string,
  node: ZNode,
  { signal, operation = 'getData' }: StoredReadOptions = {},
): Promise<Buffer | undefined> {
  const manifest = decodeManifest(node.data, { operation, path });
  if (manifest === undefined) return node.data;
  const whole = await wholeOf(zk, path, manifest, signal);
  if (typeof whole !== 'string') return whole;
  if (await isReplaced(zk, path, node, signal)) return undefined;
  throw new DamagedValueError(`the value is in ${manifest.parts} parts, and ${whole}`, { operation, path });
}

/** The bytes that a manifest stands for, or what is wrong with the parts. */
export async function wholeOf(
  zk: ZooKeeper,
  path: string,
  manifest: Manifest,
  signal?: AbortSignal,
): Promise<Buffer | string> {
  const whole = await readParts(zk, path, manifest, signal);
  if (whole === undefined) return 'one of them is missing';
  if (whole.length !== manifest.bytes || sha256Of(whole) !== manifest.sha256)
    return 'they are not those that were written';
  return whole;
}

/** The parts, joined; undefined if one is missing. They are not checked. */
async function readParts(
  zk: ZooKeeper,
  path: string,
  { generation, parts }: Manifest,
  signal?: AbortSignal,
): Promise<Buffer | undefined> {
  const folder = generationPath(path, generation);
  const read: Buffer[] = [];
  try {
    for (let first = 0; first < parts; first += PARTS_AT_A_TIME) {
      const indexes = Array.from({ length: Math.min(PARTS_AT_A_TIME, parts - first) }, (_, index) => first + index);
      const nodes = await Promise.all(indexes.map((index) => zk.getData(childPath(folder, String(index)), { signal })));
      read.push(...nodes.map(({ data }) => data));
    }
  } catch (error) {
    if (error instanceof NoNodeError) return undefined;
    throw error;
  }
  return Buffer.concat(read);
}

/** Whether another version stands there than the one that was read. */
async function isReplaced(zk: ZooKeeper, path: string, node: ZNode, signal?: AbortSignal): Promise<boolean> {
  // Without the sync, a server that is behind could show the old manifest where the parts are gone already.
  const [, stat] = await Promise.all([zk.sync(path, { signal }), zk.exists(path, { signal })]);
  return stat?.mzxid.equals(node.stat.mzxid) !== true;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
