import type { ServiceInstance } from './service-instance.js';

/** A response, and which instance it came from. */
export interface ServiceResponse extends Response, ResponseOrigin {
  clone(): ServiceResponse;
}

/** Where a response has come from. */
export interface ResponseOrigin {
  /** Who has answered. */
  readonly instance: ServiceInstance;
  /** How often the request was sent, or was to be, until this answer came: 1, unless it was tried again. */
  readonly attempts: number;
}

/**
 * How the body of a response has come to its end: it was read to the end, the reader has cancelled it, nobody can read it
 * any more, or it broke.
 */
export type BodyEnd =
  { readonly type: 'read' | 'cancelled' | 'dropped' } | { readonly type: 'broken'; readonly error: unknown };

/** Responses whose bodies nobody has read to the end: what is to be done when they are collected. */
const dropped = new FinalizationRegistry<() => void>((release) => release());

/**
 * The same response, which tells how its body ends, once. A body that nobody reads or cancels is cancelled when the
 * response was collected, so that it keeps neither its connection nor its place among the outstanding calls.
 */
export function followed(response: Response, origin: ResponseOrigin, ended: (end: BodyEnd) => void): ServiceResponse {
  const { status, statusText, headers, url, redirected } = response;
  if (response.body === null) ended({ type: 'read' });
  const body = response.body === null ? null : followedBody(response.body, once(ended));
  return marked(new Response(body, { status, statusText, headers }), { url, redirected, ...origin });
}

/** What a response that is made cannot be told. */
interface Marks extends ResponseOrigin {
  readonly url: string;
  readonly redirected: boolean;
}

function marked(response: Response, marks: Marks): ServiceResponse {
  const { url, redirected, instance, attempts } = marks;
  return Object.defineProperties(response, {
    url: { value: url, enumerable: true },
    redirected: { value: redirected, enumerable: true },
    instance: { value: instance, enumerable: true },
    attempts: { value: attempts, enumerable: true },
    clone: { value: () => marked(Response.prototype.clone.call(response), marks) },
  }) as ServiceResponse;
}

/** The same bytes, read as they are asked for. Whoever holds the body holds this: nothing else does. */
function followedBody(source: ReadableStream<Uint8Array>, ended: (end: BodyEnd) => void): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  const body = new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      const chunk = await nextChunk(reader);
      if (chunk !== undefined) return controller.enqueue(chunk);
      controller.close();
      controller.byobRequest?.respond(0);
    },
    async cancel(reason) {
      ended({ type: 'cancelled' });
      await reader.cancel(reason);
    },
  });
  const followUntilEnd = async (): Promise<void> => {
    try {
      await reader.closed;
      ended({ type: 'read' });
    } catch (error) {
      ended({ type: 'broken', error });
    } finally {
      dropped.unregister(reader);
    }
  };
  void followUntilEnd();
  dropped.register(
    body,
    () => {
      ended({ type: 'dropped' });
      reader.cancel().catch(() => undefined);
    },
    reader,
  );
  return body;
}

/** The next bytes; undefined at the end. They are handed on for good, so they are no part of a larger buffer. */
async function nextChunk(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | undefined> {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return undefined;
    if (value.byteLength > 0) return value.byteLength === value.buffer.byteLength ? value : value.slice();
  }
}

function once(tell: (end: BodyEnd) => void): (end: BodyEnd) => void {
  let told = false;
  return (end) => {
    if (told) return;
    told = true;
    tell(end);
  };
}
