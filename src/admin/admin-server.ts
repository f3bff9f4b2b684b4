import { InvalidArgumentError } from '../errors.js';
import { rejectUnknown } from '../options.js';
import { CommandRefusedError, ServerNotServingError, unexpectedAnswer, type UnexpectedAnswerError } from './errors.js';
import * as json from './from-json.js';
import { askHttp, type HttpAnswer } from './http-request.js';
import { type AdminJson, parseJson } from './json.js';
import {
  adminOptionNames,
  type AdminOptions,
  type ResolvedAdminOptions,
  resolveAdminOptions,
  resolveLimits,
} from './options.js';
import type {
  AdminLimits,
  Answer,
  ConfigReport,
  DirectoryReport,
  DumpReport,
  EnvironmentReport,
  LeaderReport,
  MonitorReport,
  ServerAdmin,
  ServerReport,
  SessionConnection,
  StatReport,
  WatchesByPath,
  WatchesBySession,
  WatchSummary,
} from './reports.js';
import { UnreadableText } from './text.js';

/** Options of {@link adminServer}. */
export interface AdminServerOptions extends AdminOptions {
  /**
   * Credentials for the commands that ask for some (`snapshot`, `restore`): what follows `Authorization:`, scheme and
   * credentials of ZooKeeper, such as `digest super:secret`. Sent with every request; use https.
   */
  readonly authorization?: string | undefined;
}

/** What the AdminServer answered to a command. */
export interface CommandAnswer extends Answer {
  /** All fields of the answer; 64-bit integers are `Long`. Empty if it was no JSON: see `data`. */
  readonly fields: Readonly<Record<string, AdminJson>>;
  /** The body in bytes: a snapshot, for example. */
  readonly data: Buffer;
  /** The headers, in small letters: `last_zxid` of a snapshot. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Asks the AdminServer of one ZooKeeper server, over HTTP or HTTPS. See {@link ServerAdmin} for the methods and their
 * errors. Needs ZooKeeper 3.5, and `admin.enableServer` there.
 */
export class HttpAdmin implements ServerAdmin {
  readonly #base: URL;
  /** Out of the sight of who prints the object. */
  readonly #authorization: string | undefined;
  readonly #options: ResolvedAdminOptions;

  /** Use {@link adminServer}. @internal */
  constructor(base: URL, authorization: string | undefined, options: ResolvedAdminOptions) {
    this.#base = base;
    this.#authorization = authorization;
    this.#options = options;
  }

  /** The address of the commands: `http://zk1:8080/commands`. */
  get server(): string {
    return this.#base.href.replace(/\/$/, '');
  }

  async ruok(limits?: AdminLimits): Promise<void> {
    await this.command('ruok', {}, limits);
  }

  srvr(limits?: AdminLimits): Promise<ServerReport> {
    return this.#ask('srvr', json.serverFrom, limits);
  }

  stat(limits?: AdminLimits): Promise<StatReport> {
    return this.#ask('stat', json.statFrom, limits);
  }

  mntr(limits?: AdminLimits): Promise<MonitorReport> {
    return this.#ask('mntr', json.monitorFrom, limits);
  }

  conf(limits?: AdminLimits): Promise<ConfigReport> {
    return this.#ask('conf', json.configFrom, limits);
  }

  cons(limits?: AdminLimits): Promise<Answer & { readonly connections: readonly SessionConnection[] }> {
    return this.#ask('cons', (fields, raw) => ({ connections: json.connectionsFrom(fields), raw }), limits);
  }

  dump(limits?: AdminLimits): Promise<DumpReport> {
    return this.#ask('dump', json.dumpFrom, limits);
  }

  envi(limits?: AdminLimits): Promise<EnvironmentReport> {
    return this.#ask('envi', json.environmentFrom, limits);
  }

  wchs(limits?: AdminLimits): Promise<WatchSummary> {
    return this.#ask('wchs', json.watchSummaryFrom, limits);
  }

  wchc(limits?: AdminLimits): Promise<WatchesBySession> {
    return this.#ask('wchc', json.watchesBySessionFrom, limits);
  }

  wchp(limits?: AdminLimits): Promise<WatchesByPath> {
    return this.#ask('wchp', json.watchesByPathFrom, limits);
  }

  dirs(limits?: AdminLimits): Promise<DirectoryReport> {
    return this.#ask('dirs', json.directoriesFrom, limits);
  }

  isro(limits?: AdminLimits): Promise<boolean> {
    return this.#ask('isro', (fields) => fields.read_only === true, limits);
  }

  async crst(limits?: AdminLimits): Promise<void> {
    await this.command('crst', {}, limits);
  }

  async srst(limits?: AdminLimits): Promise<void> {
    await this.command('srst', {}, limits);
  }

  /** Who leads. Rejects with `CommandRefusedError` at a standalone server. Needs ZooKeeper 3.6. */
  leader(limits?: AdminLimits): Promise<LeaderReport> {
    return this.#ask('leader', json.leaderFrom, limits);
  }

  /**
   * Runs any command by GET, such as `voting_view`, `zabstate`, `observers`, `last_snapshot`, `system_properties`.
   * The other methods' errors, and `CommandRefusedError` with the server's word at one that it does not know or run.
   */
  async command(
    name: string,
    parameters: Readonly<Record<string, string | number | boolean>> = {},
    limits: AdminLimits = {},
  ): Promise<CommandAnswer> {
    return this.#run('GET', name, parameters, undefined, limits);
  }

  /** Runs a command by POST, such as `restore` with the bytes of a snapshot, or `shed_connections` with JSON. */
  async post(name: string, body: string | Uint8Array, limits: AdminLimits = {}): Promise<CommandAnswer> {
    return this.#run('POST', name, {}, typeof body === 'string' ? Buffer.from(body) : body, limits);
  }

  async #ask<T>(
    name: string,
    read: (fields: CommandAnswer['fields'], raw: string) => T,
    limits?: AdminLimits,
  ): Promise<T> {
    const { fields, raw } = await this.command(name, {}, limits);
    try {
      return read(fields, raw);
    } catch (error) {
      throw error instanceof UnreadableText ? this.#unexpected(name, raw, error.message) : error;
    }
  }

  async #run(
    method: 'GET' | 'POST',
    name: string,
    parameters: Readonly<Record<string, string | number | boolean>>,
    body: Uint8Array | undefined,
    limits: AdminLimits,
  ): Promise<CommandAnswer> {
    if (!/^\w+$/.test(name))
      throw new InvalidArgumentError(`${JSON.stringify(name)} is no name of a command`, { operation: 'command' });
    const url = new URL(`${this.server}/${name}`);
    for (const [key, value] of Object.entries(parameters)) url.searchParams.set(key, String(value));
    const headers: Record<string, string> = {
      ...(this.#authorization === undefined ? {} : { authorization: this.#authorization }),
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/octet-stream', 'content-length': String(body.length) }),
    };
    const question = { method, url, command: name, headers, body };
    const answer = await askHttp(question, this.server, this.#options, resolveLimits(limits, this.#options, name));
    return this.#read(name, answer);
  }

  #read(name: string, { status, headers, body }: HttpAnswer): CommandAnswer {
    const isJson = headers['content-type']?.includes('json') === true;
    const raw = isJson || status !== 200 ? body.toString('utf8') : '';
    const context = { operation: name };
    let fields: CommandAnswer['fields'] = {};
    if (isJson) {
      try {
        fields = json.toObject(parseJson(raw), 'the answer');
      } catch (error) {
        throw this.#unexpected(name, raw, (error as Error).message);
      }
    }
    const problem = typeof fields.error === 'string' ? fields.error : undefined;
    if (problem?.includes('not currently serving requests') === true)
      throw new ServerNotServingError(
        'the server runs, but does not serve: it has no quorum, or is starting',
        context,
        this.server,
      );
    // Servers of 3.9 stumble over a POST of what takes none, with 500.
    if (problem !== undefined || (isJson && status !== 200) || status === 405 || status === 500)
      throw new CommandRefusedError(`${problem ?? 'the command was refused'} (HTTP ${status})`, context, this.server);
    if (status !== 200) throw this.#unexpected(name, raw, `HTTP ${status}`);
    if (!isJson && headers['content-type'] !== 'application/octet-stream')
      throw this.#unexpected(name, body.toString('utf8'), 'it is no JSON');
    return { fields, data: body, headers, raw };
  }

  #unexpected(name: string, answer: string, problem: string): UnexpectedAnswerError {
    return unexpectedAnswer(name, answer, problem, this.server);
  }
}

/**
 * Asks the AdminServer of a ZooKeeper server: `adminServer('http://zk1:8080').srvr()`. `tls` has the certificates for
 * `https://`. The path of the commands is `/commands` unless the address has one.
 *
 * @throws InvalidArgumentError if the address is none, or has credentials in it, or at options that are none.
 */
export function adminServer(address: string, options: AdminServerOptions = {}): HttpAdmin {
  rejectUnknown(options, [...adminOptionNames, 'authorization'], 'option');
  const { authorization, ...common } = options;
  if (authorization !== undefined && (typeof authorization !== 'string' || !/^[\x20-\x7e]+$/.test(authorization)))
    throw new InvalidArgumentError('authorization must be a line of text: "digest user:password"', {
      operation: 'adminServer',
    });
  return new HttpAdmin(baseOf(address), authorization, resolveAdminOptions(common, 'adminServer'));
}

function baseOf(address: string): URL {
  const fail = (): never => {
    throw new InvalidArgumentError(
      'this is no address of an AdminServer; expected something like "http://zk1:8080", without user, query and fragment',
      { operation: 'adminServer' },
    );
  };
  if (typeof address !== 'string' || !URL.canParse(address)) return fail();
  const url = new URL(address);
  const isHttp = url.protocol === 'http:' || url.protocol === 'https:';
  if (!isHttp || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') fail();
  if (url.pathname === '/') url.pathname = '/commands';
  return url;
}
