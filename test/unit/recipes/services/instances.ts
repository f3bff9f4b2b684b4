import type { ServiceInstance } from 'zookit/recipes';

/** An instance of a service, with what matters to a test. */
export function instanceOf(id: string, parts: Partial<ServiceInstance> = {}): ServiceInstance {
  return {
    name: 'cart',
    id,
    address: '10.0.0.1',
    port: 80,
    sslPort: null,
    payload: null,
    registrationTimeUTC: 1,
    serviceType: 'DYNAMIC',
    uriSpec: null,
    enabled: true,
    weight: null,
    zone: null,
    ...parts,
  };
}
