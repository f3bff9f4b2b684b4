import { listOf } from './answer-fields.js';
import { type ContainerReport, readContainer } from './container-report.js';
import { type EngineEvent, eventFilters, readEvent, sinceText } from './engine-event.js';
import { readEngineHost } from './engine-host.js';
import { type AskOptions, EngineHttp } from './engine-http.js';
import {
  type EngineInfo,
  type ListedContainer,
  type NetworkReport,
  readInfo,
  readListedContainer,
  readNetwork,
} from './engine-report.js';
import { DockerEngineError } from './errors.js';
import { readSwarmNode, readSwarmService, type SwarmNode, type SwarmService } from './swarm-report.js';

/** The newest version of the Engine API that is known here. Engines speak it or, if they are older, their own. */
const NEWEST_API = 47;

/** The longest line of the stream of events, characters: what is longer is no event. */
const LONGEST_LINE = 1 << 20;

/** The connection to which events come, from now on. */
export interface EventStream extends AsyncIterable<EngineEvent> {
  /** Called with what could not be read. Default: nothing happens. */
  onMalformed: (error: DockerEngineError) => void;
}

/**
 * A Docker engine, asked by its Engine API (1.24 or later) over its Unix socket, or over TCP without TLS. It only reads.
 * What it answers is checked where it comes in: what is not as it should be is a DockerEngineError.
 */
export class DockerEngine {
  readonly #http: EngineHttp;
  #prefix: string | undefined;

  /** @throws InvalidArgumentError. Does not connect. */
  constructor(readonly host: string) {
    this.#http = new EngineHttp(readEngineHost(host));
  }

  /** Which version to speak. Asked for again after each loss of the engine: it may have been replaced by another one. */
  async negotiate(options: AskOptions = {}): Promise<void> {
    const { 'api-version': offered } = await this.#http.head('/_ping', options);
    const [, minor] = /^1\.(\d+)$/.exec(String(offered)) ?? [];
    if (minor === undefined)
      throw new DockerEngineError(`the engine offers the API version ${String(offered)}, which is not known here`, {
        operation: 'GET /_ping',
      });
    this.#prefix = `/v1.${Math.min(Number(minor), NEWEST_API)}`;
  }

  async info(options: AskOptions = {}): Promise<EngineInfo> {
    return readInfo(await this.#json('/info', options));
  }

  /** The containers that run, those that are paused among them. */
  async containers(options: AskOptions = {}): Promise<ListedContainer[]> {
    return (await this.#list('/containers/json', options)).map(readListedContainer);
  }

  /** Undefined where there is no such container. */
  async container(id: string, options: AskOptions = {}): Promise<ContainerReport | undefined> {
    try {
      return readContainer(await this.#json(`/containers/${encodeURIComponent(id)}/json`, options));
    } catch (error) {
      if (error instanceof DockerEngineError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** The networks that this engine knows: of those of the Swarm, a worker knows the ones that its tasks are on. */
  async networks(options: AskOptions = {}): Promise<NetworkReport[]> {
    return (await this.#list('/networks', options)).map(readNetwork);
  }

  /** The nodes of the Swarm. Only managers know them: others refuse with 503. */
  async nodes(options: AskOptions = {}): Promise<SwarmNode[]> {
    return (await this.#list('/nodes', options)).map(readSwarmNode);
  }

  /** The services of the Swarm. Only managers know them: others refuse with 503. */
  async services(options: AskOptions = {}): Promise<SwarmService[]> {
    return (await this.#list('/services', options)).map(readSwarmService);
  }

  /**
   * What happens from `since` on (microseconds since 1970, by the clock of the engine), as far as the engine remembers: the
   * last few hundred events, and none from before its start. Resolves when the engine has begun to answer. The iteration
   * ends with the engine, or throws DockerEngineError.
   */
  async events(since: number, options: AskOptions = {}): Promise<EventStream> {
    const query = new URLSearchParams({ since: sinceText(since), filters: JSON.stringify(eventFilters) });
    const path = `${await this.#versioned('/events', options)}?${query.toString()}`;
    const response = await this.#http.stream(path, options);
    response.setEncoding('utf8');
    const stream: EventStream = {
      onMalformed: () => undefined,
      [Symbol.asyncIterator]: () => eventsIn(response, (error) => stream.onMalformed(error)),
    };
    return stream;
  }

  async #json(path: string, options: AskOptions): Promise<unknown> {
    return this.#http.json(await this.#versioned(path, options), options);
  }

  async #list(path: string, options: AskOptions): Promise<readonly unknown[]> {
    return listOf({ answer: await this.#json(path, options) }, 'answer', path);
  }

  async #versioned(path: string, options: AskOptions): Promise<string> {
    if (this.#prefix === undefined) await this.negotiate(options);
    return `${this.#prefix ?? ''}${path}`;
  }
}

/** The events in a stream of lines. A line that is none is passed over, and told. */
async function* eventsIn(
  chunks: AsyncIterable<string>,
  malformed: (error: DockerEngineError) => void,
): AsyncGenerator<EngineEvent, void, undefined> {
  let rest = '';
  try {
    for await (const chunk of chunks) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > LONGEST_LINE) throw new Error(`a line has more than ${LONGEST_LINE} characters`);
      for (const line of lines) {
        const event = eventIn(line, malformed);
        if (event !== undefined) yield event;
      }
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DockerEngineError(`the events have broken off: ${why}`, { operation: 'GET /events', cause });
  }
}

function eventIn(line: string, malformed: (error: DockerEngineError) => void): EngineEvent | undefined {
  if (line.trim() === '') return undefined;
  try {
    return readEvent(line);
  } catch (error) {
    if (!(error instanceof DockerEngineError)) throw error;
    malformed(error);
    return undefined;
  }
}
