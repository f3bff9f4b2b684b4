import { randomUUID } from 'node:crypto';
import { checkPath, childPath, type Data, InvalidArgumentError, type ZNode } from 'zookit';
import type { OptionSubject } from '../common/options.js';

/**
 * How members are written down: `curator`: `PATH/<id>`, with data of their own (GroupMember); `party` and `shallowParty`:
 * `PATH/<hex>__party__` with the id as data, and `PATH/<hex>-<id>` (kazoo's Party and ShallowParty).
 */
export type GroupLayout = 'curator' | 'party' | 'shallowParty';

/** What one layout says of its znodes. */
interface LayoutRules {
  /** Whether two members cannot have one id, because they would have one znode. */
  readonly hasUniqueIds: boolean;
  /** Whether members have data of their own. */
  readonly hasData: boolean;
  /** Whether what a member is stands in its data, which have to be read. */
  readonly isInData: boolean;
  readonly nameOf: (id: string) => string;
  /** Whether a child is a member. Others are passed over. */
  readonly counts: (name: string) => boolean;
  readonly idOf: (name: string, node: ZNode | undefined) => string;
}

const PARTY = '__party__';

export const layouts: Readonly<Record<GroupLayout, LayoutRules>> = {
  curator: {
    hasUniqueIds: true,
    hasData: true,
    isInData: true,
    nameOf: (id) => id,
    counts: () => true,
    idOf: (name) => name,
  },
  party: {
    hasUniqueIds: false,
    hasData: false,
    isInData: true,
    nameOf: () => hex() + PARTY,
    counts: (name) => name.includes(PARTY),
    idOf: (_, node) => node?.text() ?? '',
  },
  shallowParty: {
    hasUniqueIds: false,
    hasData: false,
    isInData: false,
    nameOf: shallowName,
    counts: () => true,
    // As kazoo has it, to which a name without a dash is an id as a whole.
    idOf: (name) => name.slice(name.indexOf('-') + 1),
  },
};

/** The name of a member in kazoo's ShallowParty. */
export function shallowName(id: string): string {
  return `${hex()}-${id}`;
}

/** What the znode of a member holds. */
export function dataOf(layout: GroupLayout, id: string, data: Data): Data {
  return layouts[layout].hasData ? data : id;
}

/** Refuses what can be no id in this layout. @throws InvalidArgumentError, InvalidPathError. */
export function checkId(layout: GroupLayout, id: string, { operation, path }: OptionSubject): void {
  if (typeof id !== 'string' || (id === '' && layout === 'curator'))
    throw new InvalidArgumentError('the id of a member must be a text that is not empty', { operation, path });
  if (layout === 'party') return;
  if (id.includes('/'))
    throw new InvalidArgumentError(`the id ${JSON.stringify(id)} is a part of a path, and must have no slash`, {
      operation,
      path,
    });
  checkPath(childPath(path, layouts[layout].nameOf(id)), operation);
}

/** 32 digits, as kazoo has them. */
function hex(): string {
  return randomUUID().replaceAll('-', '');
}
