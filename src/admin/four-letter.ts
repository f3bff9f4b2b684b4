import { formatServer, parseConnectString, type ServerAddress } from '../connection/connect-string.js';
import { InvalidArgumentError } from '../errors.js';
import { rejectUnknown } from '../options.js';
import { ask, checkAnswer } from './ask.js';
import { ServerNotServingError, unexpectedAnswer, type UnexpectedAnswerError } from './errors.js';
import {
  adminOptionNames,
  type AdminOptions,
  type ResolvedAdminOptions,
  resolveAdminOptions,
  resolveLimits,
} from './options.js';
import * as report from './parse-report.js';
import * as server from './parse-server.js';
import type {
  AdminLimits,
  Answer,
  ConfigReport,
  DirectoryReport,
  DumpReport,
  EnvironmentReport,
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

/**
 * Asks one server by four-letter words. See {@link ServerAdmin} for the methods and their errors.
 *
 * From ZooKeeper 3.5 on, servers answer `srvr` only, unless `4lw.commands.whitelist` names others.
 */
export class FourLetterAdmin implements ServerAdmin {
  readonly #address: ServerAddress;
  /** Out of the sight of who prints the object: there may be a key in it. */
  readonly #options: ResolvedAdminOptions;

  /** Use {@link admin}. @internal */
  constructor(address: ServerAddress, options: ResolvedAdminOptions) {
    this.#address = address;
    this.#options = options;
  }

  /** `host:port`, as it was given. */
  get server(): string {
    return formatServer(this.#address);
  }

  async ruok(limits?: AdminLimits): Promise<void> {
    await this.#expect('ruok', 'imok', limits);
  }

  srvr(limits?: AdminLimits): Promise<ServerReport> {
    return this.#ask('srvr', server.parseServer, limits);
  }

  stat(limits?: AdminLimits): Promise<StatReport> {
    return this.#ask('stat', server.parseStat, limits);
  }

  mntr(limits?: AdminLimits): Promise<MonitorReport> {
    return this.#ask('mntr', report.parseMonitor, limits);
  }

  conf(limits?: AdminLimits): Promise<ConfigReport> {
    return this.#ask('conf', report.parseConfig, limits);
  }

  cons(limits?: AdminLimits): Promise<Answer & { readonly connections: readonly SessionConnection[] }> {
    return this.#ask('cons', (raw) => ({ connections: server.parseConnections(raw), raw }), limits);
  }

  dump(limits?: AdminLimits): Promise<DumpReport> {
    return this.#ask('dump', report.parseDump, limits);
  }

  envi(limits?: AdminLimits): Promise<EnvironmentReport> {
    return this.#ask('envi', report.parseEnvironment, limits);
  }

  wchs(limits?: AdminLimits): Promise<WatchSummary> {
    return this.#ask('wchs', report.parseWatchSummary, limits);
  }

  wchc(limits?: AdminLimits): Promise<WatchesBySession> {
    return this.#ask('wchc', report.parseWatchesBySession, limits);
  }

  wchp(limits?: AdminLimits): Promise<WatchesByPath> {
    return this.#ask('wchp', report.parseWatchesByPath, limits);
  }

  dirs(limits?: AdminLimits): Promise<DirectoryReport> {
    return this.#ask('dirs', report.parseDirectories, limits);
  }

  async isro(limits?: AdminLimits): Promise<boolean> {
    const answer = await this.command('isro', limits);
    if (answer === 'null')
      throw new ServerNotServingError('the server runs, but does not serve', { operation: 'isro' }, this.server);
    if (answer !== 'ro' && answer !== 'rw') throw this.#unexpected('isro', answer, 'it is neither ro nor rw');
    return answer === 'ro';
  }

  async crst(limits?: AdminLimits): Promise<void> {
    await this.#expect('crst', 'Connection stats reset.', limits);
  }

  async srst(limits?: AdminLimits): Promise<void> {
    await this.#expect('srst', 'Server stats reset.', limits);
  }

  /** Sends any four-letter word and resolves with the text of the answer. The errors are those of the other methods. */
  async command(word: string, limits: AdminLimits = {}): Promise<string> {
    if (!/^[a-z]{4}$/.test(word))
      throw new InvalidArgumentError(`${JSON.stringify(word)} is no word of four small letters`, {
        operation: 'command',
      });
    const answer = await ask(this.#address, word, this.#options, resolveLimits(limits, this.#options, word));
    return checkAnswer(answer, word, this.server);
  }

  async #ask<T>(word: string, parse: (raw: string) => T, limits?: AdminLimits): Promise<T> {
    const raw = await this.command(word, limits);
    try {
      return parse(raw);
    } catch (error) {
      throw error instanceof UnreadableText ? this.#unexpected(word, raw, error.message) : error;
    }
  }

  async #expect(word: string, expected: string, limits?: AdminLimits): Promise<void> {
    const answer = await this.command(word, limits);
    if (answer.trimEnd() !== expected) throw this.#unexpected(word, answer, `it is not ${JSON.stringify(expected)}`);
  }

  #unexpected(word: string, answer: string, problem: string): UnexpectedAnswerError {
    return unexpectedAnswer(word, answer, problem, this.server);
  }
}

/**
 * Asks a server by four-letter words: `admin('zk1:2181').srvr()`. Connects anew for each question, by TLS with `tls`.
 * For the server that a client uses: `admin(zk.session.server)`.
 *
 * @param server `host:port`, with `tcp://` or `tcp+tls://` before it where that differs from the option `tls`; the port is
 * 2181 unless given
 * @throws InvalidConnectStringError if that names no server, InvalidArgumentError if it names several or at options
 * that are none.
 */
export function admin(server: string, options: AdminOptions = {}): FourLetterAdmin {
  rejectUnknown(options, adminOptionNames, 'option');
  return new FourLetterAdmin(oneServer(server), resolveAdminOptions(options, 'admin'));
}

function oneServer(text: string): ServerAddress {
  const { servers, srvName, chroot } = parseConnectString(text);
  if (srvName !== undefined)
    throw new InvalidArgumentError('dns-srv:// names no server by itself; health() looks up those that it stands for', {
      operation: 'admin',
    });
  const [address, ...others] = servers;
  if (address === undefined || others.length > 0 || chroot.prefix !== '')
    throw new InvalidArgumentError(`${JSON.stringify(text)} must be one server: host:port`, { operation: 'admin' });
  return address;
}
