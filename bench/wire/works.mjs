// The names that clients and stand-in share. The stand-in looks at a path's last byte only, so that byte says it all.

/** Where everything lies: all clients have this path as their chroot. */
export const CHROOT = '/bench/app';

/** Sizes of values; their index is the last byte of the path. */
export const SIZES = [0, 100, 10_000, 1_000_000];

export const CHILDREN = 1_000;

export const MULTI = 10;

/** Most watches that a client has at once. */
export const WATCHED = 256;

const sized = (letter, bytes) => `/${letter}${SIZES.indexOf(bytes)}`;

export const valuePath = (bytes) => sized('v', bytes);
export const writtenPath = (bytes) => sized('s', bytes);
export const childrenPath = '/kc';
export const childName = (index) => `member-${String(index).padStart(6, '0')}`;
export const multiPath = (index) => `/m-${index}`;

// All of one length: so are the requests, whoever has more of the turns.
const padded = (index) => String(index).padStart(4, '0');
export const createdPath = (client, index) => `/c-${client}-${padded(index)}`;
export const watchedPath = (client, index) => `/w-${client}-${padded(index)}w`;

/** A znode whose path ends in `A` has one child, in `B` ten, and so on. */
const COUNT_LETTERS = 'ABCDE';
export const CACHED_COUNTS = Array.from(COUNT_LETTERS, (_, index) => 10 ** index);
export const cachedRootPath = (count) => `/k${COUNT_LETTERS[CACHED_COUNTS.indexOf(count)]}`;
/** Those who write such a child have a watch on it. */
export const cachedName = (index) => `k-${padded(index)}w`;

/** The bytes that are written: not all alike, and the same in each run. */
export const valueOf = (bytes) => Buffer.from(Array.from({ length: bytes }, (_, index) => 32 + (index % 95)));
