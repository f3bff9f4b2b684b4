import { type ErrorContext, ZooKeeperError } from 'zookit';

/**
 * A Docker engine could not be asked, has refused, or has answered something else than it should. `status`: the HTTP status
 * of a refusal; undefined where there was none.
 */
export class DockerEngineError extends ZooKeeperError {
  readonly code = 'DOCKER_ENGINE';

  constructor(
    message: string,
    context: ErrorContext = {},
    readonly status?: number,
  ) {
    super(message, context);
  }
}
