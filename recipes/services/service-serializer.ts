import type { ZNode } from 'zookit';
import { decodeInstance, encodeInstance, type ServiceInstance } from './service-instance.js';

/** How instances stand in their znodes. What it throws while reading makes the data no instance: it is passed over. */
export interface ServiceSerializer {
  readonly serialize: (instance: ServiceInstance) => Uint8Array | string;
  /** `path` is that of the znode. */
  readonly deserialize: (data: Buffer, path: string) => ServiceInstance;
}

/** How payloads stand in the JSON of an instance. A payload that is null stays null. */
export interface PayloadCodec<Payload> {
  /** What JSON can hold. */
  readonly encode: (payload: Payload) => unknown;
  /** What it throws makes the instance unreadable: it is passed over. */
  readonly decode: (json: unknown) => Payload;
}

/** The JSON of Curator's discovery, payloads as they are or through a codec. */
export function curatorSerializer<Payload>(codec?: PayloadCodec<Payload>): ServiceSerializer {
  const encoded = (instance: ServiceInstance): ServiceInstance => {
    if (codec === undefined || instance.payload === null) return instance;
    return { ...instance, payload: codec.encode(instance.payload as Payload) };
  };
  const decoded = (instance: ServiceInstance): ServiceInstance => {
    if (codec === undefined || instance.payload === null) return instance;
    return { ...instance, payload: codec.decode(instance.payload) };
  };
  return {
    serialize: (instance) => encodeInstance(encoded(instance)),
    deserialize: (data, path) => decoded(decodeInstance(data.toString('utf8'), path)),
  };
}

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
