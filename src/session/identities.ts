import type { AuthInfo } from '../options.js';
import type { AuthRequest } from '../operations/auth.js';

/** The credentials of a client, which are sent first on every connection. They appear in no log and no error. */
export class Identities {
  readonly #requests: AuthRequest[] = [];

  constructor(infos: readonly AuthInfo[]) {
    for (const info of infos) this.add(info);
  }

  /** Adds credentials, once. Returns the packet to send now, if there is a connection. */
  add(info: AuthInfo): AuthRequest {
    const request: AuthRequest = {
      scheme: info.scheme,
      auth: typeof info.auth === 'string' ? Buffer.from(info.auth) : Buffer.from(info.auth),
    };
    const known = this.#requests.find(
      (each) => each.scheme === request.scheme && Buffer.compare(each.auth, request.auth) === 0,
    );
    if (known === undefined) this.#requests.push(request);
    return known ?? request;
  }

  get all(): readonly AuthRequest[] {
    return this.#requests;
  }
}
