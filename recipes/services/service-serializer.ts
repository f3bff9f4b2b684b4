import type { ZNode } from 'zookit';
import { decodeInstance, encodeInstance, type ServiceInstance } from './service-instance.js';

/** How instances stand in their znodes. What it throws while reading makes the data no instance: it is passed over. */
export interface ServiceSerializer {
  readonly serialize: (instance: ServiceInstance) => Uint8Array | string;
  /** `path` is that of the znode, whose last part is the id of the instance. */
  readonly deserialize: (data: Buffer, path: string) => ServiceInstance;
}

/** The JSON of Curator's discovery. */
export const curatorSerializer: ServiceSerializer = {
  serialize: encodeInstance,
  deserialize: (data, path) => decodeInstance(data.toString('utf8'), path),
};

/** The instance in a znode; undefined where there is none that can be read. */
export function readInstance<Payload>(
  serializer: ServiceSerializer,
  node: ZNode,
  path: string,
): ServiceInstance<Payload> | undefined {
  try {
    return serializer.deserialize(node.data, path) as ServiceInstance<Payload>;
  } catch {
    return undefined;
  }
}
