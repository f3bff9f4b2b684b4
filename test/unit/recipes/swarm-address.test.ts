import { describe, expect, it, test } from '@jest/globals';
import { chooseTaskAddress, isRange, type TaskAddress } from '../../../recipes/services/swarm-address.js';
import { gatewaysIn, reverseName } from '../../../recipes/services/swarm-surroundings.js';

function at(cidr: string, name: string, more: Partial<TaskAddress> = {}): TaskAddress {
  const [address = ''] = cidr.split('/');
  const family = address.includes(':') ? 6 : 4;
  return { address, cidr, family, interface: name, internal: false, network: null, gateway: false, ...more };
}

const shop = at('10.0.1.7/24', 'eth0', { network: 'demo_shop' });
const zookeeper = at('10.0.2.9/24', 'eth2', { network: 'zk_zookeeper' });
const ingress = at('10.0.0.12/24', 'eth1');
const bridge = at('172.18.0.5/16', 'eth3', { gateway: true });

/** The same where the name service knows nothing yet. */
function unnamed(address: TaskAddress): TaskAddress {
  return { ...address, network: null };
}

function chosen(found: readonly TaskAddress[], how: Parameters<typeof chooseTaskAddress>[1] = {}): string | string[] {
  const choice = chooseTaskAddress(found, how);
  return choice.address === undefined ? choice.fitting.map(({ address }) => address) : choice.address.address;
}

describe('the address of a task', () => {
  it('is the one that the name service knows: neither that of the bridge nor that of the ingress network', () => {
    expect(chosen([ingress, shop, bridge])).toBe('10.0.1.7');
    // An ingress network of other addresses than usual, and a bridge that the routes do not show.
    expect(chosen([at('10.77.0.3/24', 'eth1'), shop, { ...bridge, gateway: false }])).toBe('10.0.1.7');
  });

  it('is known by its name also where the way out goes by its network, as with macvlan', () => {
    expect(chosen([at('192.168.7.20/24', 'eth0', { network: 'lan', gateway: true })])).toBe('192.168.7.20');
  });

  it('is, among several networks, the one on the way to ZooKeeper, which callers share', () => {
    expect(chosen([shop, zookeeper, bridge])).toEqual(['10.0.1.7', '10.0.2.9']);
    expect(chosen([shop, zookeeper, bridge], { way: '10.0.2.9' })).toBe('10.0.2.9');
    // Where ZooKeeper is outside of the Swarm, that way tells nothing.
    expect(chosen([shop, zookeeper, bridge], { way: '172.18.0.5' })).toEqual(['10.0.1.7', '10.0.2.9']);
    expect(chosen([shop, zookeeper, bridge], { way: '203.0.113.5' })).toEqual(['10.0.1.7', '10.0.2.9']);
  });

  it.each([
    ['demo_shop', '10.0.1.7'],
    ['shop', '10.0.1.7'],
    ['zk_zookeeper', '10.0.2.9'],
    ['10.0.2.0/24', '10.0.2.9'],
    ['172.16.0.0/12', '172.18.0.5'],
  ])('is on the network %s where that is asked for', (network, address) => {
    expect(chosen([shop, zookeeper, ingress, bridge], { network })).toBe(address);
  });

  it('is none where no network is meant, or several are', () => {
    expect(chosen([shop, zookeeper, bridge], { network: 'hop' })).toEqual([]);
    expect(chosen([shop, zookeeper, bridge], { network: '192.168.0.0/16' })).toEqual([]);
    expect(chosen([shop, zookeeper, bridge], { network: '10.0.0.0/8' })).toEqual(['10.0.1.7', '10.0.2.9']);
    const other = at('10.0.3.3/24', 'eth4', { network: 'other_shop' });
    expect(chosen([shop, other], { network: 'shop' })).toEqual(['10.0.1.7', '10.0.3.3']);
  });

  it('is of IPv4 where the network has both', () => {
    const both = at('fd00:1::7/64', 'eth0', { network: 'demo_shop' });
    expect(chosen([both, shop, bridge])).toBe('10.0.1.7');
    expect(chosen([both, bridge])).toBe('fd00:1::7');
    expect(chosen([both, shop, bridge], { network: 'fd00:1::/64' })).toBe('fd00:1::7');
    expect(chosen([both, shop, zookeeper, bridge], { way: 'fd00:1::7' })).toBe('10.0.1.7');
  });

  describe('that the name service does not know yet', () => {
    it('is neither the way out, nor in what is the ingress network by custom, nor that of the service', () => {
      const virtual = at('10.0.1.2/32', 'eth0');
      expect(chosen([ingress, unnamed(shop), virtual, bridge])).toBe('10.0.1.7');
      expect(chosen([at('10.255.0.9/16', 'eth1'), unnamed(shop), bridge])).toBe('10.0.1.7');
    });

    it('is the one on the way to ZooKeeper where there are several', () => {
      expect(chosen([unnamed(shop), unnamed(zookeeper), bridge])).toEqual(['10.0.1.7', '10.0.2.9']);
      expect(chosen([unnamed(shop), unnamed(zookeeper), bridge], { way: '10.0.1.7' })).toBe('10.0.1.7');
    });

    it('is none where nothing is left', () => {
      expect(chosen([bridge])).toEqual([]);
      expect(chosen([ingress, bridge], { way: '172.18.0.5' })).toEqual([]);
      expect(chosen([])).toEqual([]);
    });
  });
});

test.each([
  ['10.0.0.0/8', true],
  ['10.0.1.7/32', true],
  ['fd00::/8', true],
  ['10.0.0.0/33', false],
  ['10.0.0.0', false],
  ['shop', false],
  ['shop/8', false],
  ['10.0.0.0/8/8', false],
  ['10.0.0.0/', false],
])('%s is a range: %s', (text, answer) => {
  expect(isRange(text)).toBe(answer);
});

describe('the way out', () => {
  const header = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';

  it('goes by the interfaces that have a default route', () => {
    const ipv4 =
      `${header}eth3\t00000000\t010012AC\t0003\t0\t0\t0\t00000000\t0\t0\t0   \n` +
      'eth0\t0001000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0   \n';
    const zeros = '0'.repeat(32);
    const ipv6 =
      `fd000001000000000000000000000000 40 ${zeros} 00 ${zeros} 00000100 00000001 00000000 00000001     eth0\n` +
      `${zeros} 00 ${zeros} 00 fd000002000000000000000000000001 00000400 00000001 00000000 00000003     eth4\n` +
      `${zeros} 00 ${zeros} 00 ${zeros} ffffffff 00000001 00000000 00200200       lo\n`;
    expect([...gatewaysIn(ipv4, ipv6)]).toEqual(['eth3', 'eth4']);
  });

  it('is unknown where there are no tables', () => {
    expect([...gatewaysIn('', '')]).toEqual([]);
  });
});

test.each([
  ['10.0.1.7', '7.1.0.10.in-addr.arpa'],
  ['2001:db8::567:89ab', 'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa'],
  ['::1', `1.${'0.'.repeat(31)}ip6.arpa`],
  ['fd00:1:2:3:4:5:6:7', '7.0.0.0.6.0.0.0.5.0.0.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa'],
])('the name of %s is asked for by %s', (address, name) => {
  expect(reverseName(address)).toBe(name);
});
