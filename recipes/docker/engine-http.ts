import { Agent, type IncomingMessage, request } from 'node:http';
import { DockerEngineError } from './errors.js';
import type { EngineAddress } from './engine-host.js';

/** How long an engine may be silent in the middle of an answer, milliseconds. Streams have no such limit. */
const SILENCE = 30_000;
/** How many questions are asked at once: an engine inspects containers one by one. */
const AT_ONCE = 8;
/** The largest answer, characters. */
const LARGEST = 64 << 20;

/** How one question is asked. */
export interface AskOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Asks an engine by HTTP. It only ever reads: every request is a GET. */
export class EngineHttp {
  readonly #agent = new Agent({ maxSockets: AT_ONCE });

  constructor(private readonly address: EngineAddress) {}

  /** The headers of an answer. @throws DockerEngineError. */
  async head(path: string, options: AskOptions = {}): Promise<IncomingMessage['headers']> {
    const response = await this.#get(path, { ...options, agent: this.#agent, silence: SILENCE });
    await textOf(response, path);
    return response.headers;
  }

  /** The JSON of an answer. @throws DockerEngineError. */
  async json(path: string, options: AskOptions = {}): Promise<unknown> {
    const response = await this.#get(path, { ...options, agent: this.#agent, silence: SILENCE });
    const text = await textOf(response, path);
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new DockerEngineError('the engine has answered what is no JSON', { operation: `GET ${path}`, cause });
    }
  }

  /** An answer that does not end, as soon as it has begun. On a connection of its own. @throws DockerEngineError. */
  async stream(path: string, options: AskOptions = {}): Promise<IncomingMessage> {
    const response = await this.#get(path, { ...options, agent: false, silence: 0 });
    // Over TCP an engine may go without a word.
    response.socket.setKeepAlive(true, SILENCE);
    return response;
  }

  async #get(
    path: string,
    { signal, agent, silence }: AskOptions & { readonly agent: Agent | false; readonly silence: number },
  ): Promise<IncomingMessage> {
    const operation = `GET ${path}`;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const asked = request({ ...this.address, path, agent, signal, headers: { host: 'docker' } }, resolve);
      asked.on('error', (cause) =>
        reject(new DockerEngineError(`the engine cannot be asked: ${cause.message}`, { operation, cause })),
      );
      if (silence > 0) asked.setTimeout(silence, () => asked.destroy(new Error(`no word for ${silence} ms`)));
      asked.end();
    });
    const { statusCode = 0 } = response;
    if (statusCode === 200) return response;
    const why = messageIn(await textOf(response, path));
    throw new DockerEngineError(`the engine has refused with ${statusCode}: ${why}`, { operation }, statusCode);
  }
}

async function textOf(response: IncomingMessage, path: string): Promise<string> {
  const operation = `GET ${path}`;
  let text = '';
  response.setEncoding('utf8');
  try {
    for await (const chunk of response as AsyncIterable<string>) {
      text += chunk;
      if (text.length > LARGEST) throw new Error(`the answer has more than ${LARGEST} characters`);
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DockerEngineError(`the engine's answer has broken off: ${why}`, { operation, cause });
  }
  return text;
}

/** What the engine says of a refusal: `{"message": "..."}`, or a line of text. */
function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // It is the text itself.
  }
  return text.trim().slice(0, 200);
}
