import { BlockList, isIP } from 'node:net';
import type { OwnAddress } from './own-address.js';

/** An address of this task, and what is known of the network that it belongs to. */
export interface TaskAddress extends OwnAddress {
  /** With the length of the network's prefix: `10.0.1.7/24`. */
  readonly cidr: string;
  /** The network, as the name service of the Docker engine calls it; null where it does not know the address. */
  readonly network: string | null;
  /** Whether the way to the rest of the world goes by this interface: in a Swarm that is the bridge of the node. */
  readonly gateway: boolean;
}

/** The address, or why there is none: nothing fits, or too much does. */
export type TaskAddressChoice =
  | { readonly address: TaskAddress; readonly fitting?: undefined }
  | { readonly address?: undefined; readonly fitting: readonly TaskAddress[] };

/**
 * Networks that Swarm gives the ingress network unless told otherwise: since 18.09 the first one of its pool, and before.
 * Only asked where the name service has not told anything.
 */
const INGRESS = ['10.0.0.0/24', '10.255.0.0/16'];

/**
 * Which of its addresses a task is to be called at. The name service of the engine names an address by its task and its
 * network, on overlay networks alone: neither on the bridge of the node nor on the ingress network, at which tasks do not
 * call each other. Where it names none, as for a task that is not healthy yet, what is known to be a bridge or the ingress
 * network is left out.
 *
 * @param found all addresses that are not of the loopback interface
 * @param network the name of the network, with or without the prefix of the stack, or its range
 * @param way our address on the way to ZooKeeper: on a network with the servers all callers are, because they find us there
 */
export function chooseTaskAddress(
  found: readonly TaskAddress[],
  { network, way }: { readonly network?: string | undefined; readonly way?: string | undefined } = {},
): TaskAddressChoice {
  if (network !== undefined) return theOneOf(found.filter(isIn(network)));
  const named = found.filter((each) => each.network !== null);
  const fitting =
    named.length > 0 ? named : found.filter((each) => !each.gateway && !isVirtual(each) && !isIngress(each));
  const choice = theOneOf(fitting);
  if (choice.address !== undefined) return choice;
  const used = found.find(({ address }) => address === way)?.interface;
  return used === undefined ? choice : theOneOf(fitting, (each) => each.interface === used);
}

/** The only one, or the only one of IPv4. */
function theOneOf(
  fitting: readonly TaskAddress[],
  accepts: (each: TaskAddress) => boolean = () => true,
): TaskAddressChoice {
  const accepted = fitting.filter(accepts);
  const ipv4 = accepted.filter(({ family }) => family === 4);
  const [first, ...others] = ipv4.length > 0 ? ipv4 : accepted;
  return first !== undefined && others.length === 0 ? { address: first } : { fitting };
}

/** Whether a text is a range of addresses, and not the name of a network. */
export function isRange(text: string): boolean {
  const [base = '', length = '', ...rest] = text.split('/');
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(base)] ?? -1;
  return rest.length === 0 && /^\d{1,3}$/.test(length) && Number(length) <= bits;
}

function isIn(network: string): (each: TaskAddress) => boolean {
  if (isRange(network)) return (each) => isInRange(each.address, network);
  // A stack puts its name before those of its networks.
  return (each) => each.network === network || each.network?.endsWith(`_${network}`) === true;
}

function isInRange(address: string, range: string): boolean {
  const [base = '', length] = range.split('/');
  if (isIP(address) !== isIP(base)) return false;
  const family = isIP(base) === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(base, Number(length), family);
  return list.check(address, family);
}

/** Old engines give tasks the virtual address of their service, too, alone in its network. */
function isVirtual({ cidr }: TaskAddress): boolean {
  return cidr.endsWith('/32') || cidr.endsWith('/128');
}

function isIngress({ address }: TaskAddress): boolean {
  return INGRESS.some((range) => isInRange(address, range));
}

/** `10.0.1.7 (eth0, network shop_backend)`, for errors. */
export function describeAddress({ address, interface: name, network, gateway }: TaskAddress): string {
  const place = network === null ? (gateway ? 'the way out' : 'network unknown') : `network ${network}`;
  return `${address} (${name}, ${place})`;
}
