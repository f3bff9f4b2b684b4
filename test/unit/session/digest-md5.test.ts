import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { DigestMd5, parseDirectives } from '../../../src/session/digest-md5.js';

const nonce = 'PodvCPEUPKEAVvWcPUojOmdIpRtdlO8IafVK0Eu/';
const challenge = Buffer.from(`realm="zk-sasl-md5",nonce="${nonce}",charset=utf-8,algorithm=md5-sess`);
const proof = Buffer.from('rspauth=31c317f687734e78d315a45e032706ad');

/** The exchange of the test vector that was captured from a real server. */
function bob(): DigestMd5 {
  return new DigestMd5({ username: 'bob', password: 'bobsecret' }, 'OA6MHXh6VqTrRk');
}

describe('the exchange', () => {
  it('answers as the Java client does', () => {
    const exchange = bob();
    expect(exchange.start()).toHaveLength(0);
    expect(Buffer.from(exchange.step(challenge)!).toString()).toBe(
      `charset=utf-8,username="bob",realm="zk-sasl-md5",nonce="${nonce}",nc=00000001,cnonce="OA6MHXh6VqTrRk",` +
        'digest-uri="zookeeper/zk-sasl-md5",maxbuf=65536,response=0d6e7865a9f5990e024c6373706eef8f,qop=auth',
    );
    expect(exchange.step(proof)).toBeUndefined();
  });

  it.each(['rspauth=31c317f687734e78d315a45e032706ae', 'rspauth=""', 'other=1'])(
    'takes no server for the right one by %s',
    (answer) => {
      const exchange = bob();
      exchange.step(challenge);
      expect(() => exchange.step(Buffer.from(answer))).toThrow(expect.objectContaining({ problem: 'serverNotProven' }));
    },
  );

  it('that the server ends too early has proved nothing', () => {
    expect(() => bob().step(null)).toThrow(expect.objectContaining({ problem: 'notDone' }));
    const exchange = bob();
    exchange.step(challenge);
    expect(() => exchange.step(null)).toThrow(expect.objectContaining({ problem: 'notDone' }));
  });

  it.each([
    ['has no nonce', 'realm="r",algorithm=md5-sess'],
    ['has another algorithm', 'nonce="n",algorithm=md5'],
    ['demands a security layer', 'nonce="n",algorithm=md5-sess,qop="auth-conf"'],
    ['is no list', 'nonce="n",algorithm'],
  ])('refuses a challenge that %s', (_, text) => {
    expect(() => bob().step(Buffer.from(text))).toThrow(expect.objectContaining({ problem: 'badChallenge' }));
  });

  it('shows neither password nor key', () => {
    expect(inspect(bob(), { showHidden: true, depth: Infinity })).not.toContain('bobsecret');
  });
});

describe('directives', () => {
  it('are read with quotes, blanks and empty elements', () => {
    const text = ' a="x, \\"y\\" \\\\" , B=token,, c = "" ';
    expect([...parseDirectives(text)]).toEqual([
      ['a', 'x, "y" \\'],
      ['b', 'token'],
      ['c', ''],
    ]);
  });

  it('that come twice count once', () => {
    expect(parseDirectives('a=1,a=2').get('a')).toBe('1');
  });
});
