/** Situations to plan for: what is usual is left out, what matters is said. */
import type { Claimed } from '../../src/deliver/claim.ts';
import type { Desired, Link, Loaded } from '../../src/deliver/load.ts';
import type { Context, Mapping } from '../../src/deliver/plan.ts';
import type { Attributes } from '../../src/targets/target.ts';
import { ScriptedTarget } from './scripted-target.ts';

export const secret = Buffer.from('the secret of an installation');

export function claimed(changes: Partial<Claimed> = {}): Claimed {
  const usual = {
    unsure: false,
    stray: [],
    attempts: 0,
    absentFor: null,
    suspended: false,
    reconcileOwed: false,
    approved: false,
  };
  return { entity: 'person', key: '1', ...usual, ...changes };
}

export const attributes: Attributes = { cn: ['Ada'] };

export function desired(changes: Partial<Desired> = {}): Desired {
  const usual = { released: false, disable: null, match: null, fingerprint: 'new' };
  return { remoteId: 'uid=ada,ou=people', attributes, ...usual, ...changes };
}

export function link(changes: Partial<Link> = {}): Link {
  const usual = {
    stableId: 'entry-1',
    state: 'active' as const,
    fingerprint: 'old',
    disable: null,
    absentFor: null,
    spared: false,
  };
  return { remoteId: 'uid=ada,ou=people', attributes, ...usual, ...changes };
}

export function loaded(changes: Partial<Loaded> = {}): Loaded {
  return { claimed: claimed(), desired: undefined, link: undefined, wantedBy: undefined, meant: undefined, ...changes };
}

export function mapping(changes: Partial<Mapping> = {}): Mapping {
  return {
    entity: 'person',
    attributes: new Set(['cn', 'mail', 'userPassword', 'objectClass']),
    secret: new Set(['userPassword']),
    policies: new Map([['objectClass', 'merge']]),
    unique: new Set(),
    references: new Map(),
    passwords: false,
    deprovision: [{ do: 'delete', after: 10 }],
    removeAfter: 10,
    ...changes,
  };
}

export function context(changes: Partial<Mapping> = {}): Context {
  return { mapping: mapping(changes), target: new ScriptedTarget(), secret };
}
