import { describe, expect, test } from 'vitest';
import { planStepAside } from '../../src/deliver/aside.ts';
import type { Loaded } from '../../src/deliver/load.ts';
import type { Live, Mapping, Plan } from '../../src/deliver/plan.ts';
import { plan } from '../../src/deliver/planner.ts';
import type { Members } from '../../src/deliver/references.ts';
import type { RemoteState } from '../../src/targets/target.ts';
import { attributes, claimed, context, desired, link, loaded } from './situation.ts';

const id = 'uid=ada,ou=people';
const live = (changes: Partial<RemoteState> = {}): RemoteState => ({
  remoteId: id,
  attributes,
  stableId: 'entry-1',
  ...changes,
});
const unsure = claimed({ unsure: true });
const absentFor = (seconds: number) => claimed({ absentFor: seconds });
const disable = { remote_id: 'uid=ada,ou=former', attributes: { employeeType: ['former'] } };
const other = { entity: 'person', key: '43' };

/** A plan in a few words. */
function inShort(planned: Plan): string {
  switch (planned.do) {
    case 'write': {
      const { change, operation, link } = planned;
      const id =
        change.operation === 'update' && change.renameTo !== undefined
          ? `${change.remoteId} → ${change.renameTo}`
          : change.remoteId;
      const changes =
        change.operation === 'update'
          ? change.changes.map(({ action, attribute, values }) => `${action} ${attribute} ${values.join('|')}`.trim())
          : [];
      const after = link === 'leave' ? 'link left' : link ? `${link.state} link` : 'no link';
      return [`${operation} ${id}`, ...changes, after].join(', ');
    }
    case 'settle': {
      const { link } = planned;
      return `${planned.operation}, ${link === 'leave' ? 'link left' : link ? `${link.state} link to ${link.remoteId}` : 'no link'}`;
    }
    case 'defer':
      return `defer ${planned.seconds} s`;
    case 'hand over':
      return `hand over to ${planned.to.key}`;
    case 'park':
      return `park as ${planned.kind}`;
  }
}

interface Situation {
  readonly when: string;
  readonly so: string;
  readonly loaded: Partial<Loaded>;
  readonly live?: Live;
  readonly mapping?: Partial<Mapping>;
}

const situations: readonly Situation[] = [
  // In scope.
  { when: 'there is no link', loaded: { desired: desired() }, so: `create ${id}, active link` },
  {
    when: 'the fingerprint is the same',
    loaded: { desired: desired({ attributes: null, fingerprint: 'old' }), link: link() },
    so: 'none, link left',
  },
  {
    when: 'only the fingerprint differs',
    loaded: { desired: desired(), link: link() },
    so: `none, active link to ${id}`,
  },
  {
    when: 'an attribute differs',
    loaded: { desired: desired({ attributes: { cn: ['Eve'] } }), link: link() },
    so: `update ${id}, replace cn Eve, active link`,
  },
  {
    when: 'an attribute is no longer desired',
    loaded: { desired: desired({ attributes: {} }), link: link() },
    so: `update ${id}, replace cn, active link`,
  },
  {
    when: 'the remote id differs',
    loaded: { desired: desired({ remoteId: 'uid=eve,ou=people' }), link: link() },
    so: `rename ${id} → uid=eve,ou=people, active link`,
  },
  {
    when: 'the remote id and an attribute differ',
    loaded: { desired: desired({ remoteId: 'uid=eve', attributes: { cn: ['Eve'] } }), link: link() },
    so: `rename ${id} → uid=eve, replace cn Eve, active link`,
  },
  {
    when: 'the remote id differs in case only',
    loaded: { desired: desired({ remoteId: 'uid=Ada,ou=people' }), link: link() },
    so: `rename ${id} → uid=Ada,ou=people, active link`,
  },
  {
    when: 'a column of the remote id is NULL',
    loaded: { desired: desired({ remoteId: null }) },
    so: 'park as rejected',
  },
  {
    when: 'a column of the remote id became NULL',
    loaded: { desired: desired({ remoteId: null }), link: link() },
    so: 'park as rejected',
  },
  {
    when: 'a column of the remote id is NULL and it is not sure',
    loaded: { claimed: unsure, desired: desired({ remoteId: null }), link: link() },
    live: live(),
    so: 'park as rejected',
  },
  {
    when: 'an entry matches that is another’s no more',
    loaded: { desired: desired() },
    live: live({ attributes: { cn: ['Countess'] } }),
    so: `adopt ${id}, replace cn Ada, active link`,
  },
  {
    when: 'a matching entry is right already',
    loaded: { desired: desired() },
    live: live(),
    so: `adopt ${id}, active link`,
  },
  {
    when: 'a matching entry stands elsewhere',
    loaded: { desired: desired() },
    live: live({ remoteId: 'uid=lovelace' }),
    so: `adopt uid=lovelace → ${id}, active link`,
  },
  {
    when: 'a matching entry differs in the case of its id only',
    loaded: { desired: desired() },
    live: live({ remoteId: id.toUpperCase() }),
    so: `adopt ${id.toUpperCase()}, active link`,
  },

  // Not sure of its link: planned against the live entry.
  {
    when: 'it is not sure, and the entry is right',
    loaded: { claimed: unsure, desired: desired({ fingerprint: 'old' }), link: link() },
    live: live(),
    so: 'none, link left',
  },
  {
    when: 'it is not sure, and somebody changed the entry',
    loaded: { claimed: unsure, desired: desired({ fingerprint: 'old' }), link: link() },
    live: live({ attributes: { cn: ['Eve'] } }),
    so: `update ${id}, replace cn Ada, active link`,
  },
  {
    when: 'it is not sure, and somebody moved the entry',
    loaded: { claimed: unsure, desired: desired({ fingerprint: 'old' }), link: link() },
    live: live({ remoteId: 'uid=moved' }),
    so: `rename uid=moved → ${id}, active link`,
  },
  {
    when: 'it is not sure, and an interrupted attempt renamed the entry',
    loaded: { claimed: unsure, desired: desired(), link: link({ remoteId: 'uid=ad,ou=people' }) },
    live: live(),
    so: `none, active link to ${id}`,
  },
  {
    when: 'it is not sure, and the entry is gone',
    loaded: { claimed: unsure, desired: desired({ fingerprint: 'old' }), link: link() },
    live: 'absent',
    so: `create ${id}, active link`,
  },
  {
    when: 'it is not sure, and there was never a link nor an entry',
    loaded: { claimed: unsure, desired: desired() },
    live: 'absent',
    so: `create ${id}, active link`,
  },
  {
    when: 'it is not sure, and an interrupted attempt created the entry',
    loaded: { claimed: unsure, desired: desired() },
    live: live({ createdByUs: true }),
    so: `adopt ${id}, active link`,
  },
  {
    when: 'it is not sure, and an interrupted attempt created the entry in other letters',
    loaded: { claimed: unsure, desired: desired() },
    live: live({ remoteId: id.toUpperCase(), createdByUs: true }),
    so: `adopt ${id.toUpperCase()} → ${id}, active link`,
  },
  {
    when: 'it is not sure, and nobody can look',
    loaded: { claimed: unsure, desired: desired({ fingerprint: 'old' }), link: link() },
    mapping: { attributes: new Set(['cn', 'mail']) },
    so: `update ${id}, replace cn Ada, replace mail, active link`,
  },
  {
    when: 'it is not sure, nobody can look, and there is no link',
    loaded: { claimed: unsure, desired: desired() },
    so: `create ${id}, active link`,
  },

  // Once disabled or kept, wanted again.
  {
    when: 'it comes back after it was disabled',
    loaded: {
      desired: desired(),
      link: link({
        state: 'disabled',
        fingerprint: null,
        remoteId: 'uid=ada,ou=former',
        attributes: { cn: ['Ada'], employeeType: ['former'] },
        disable,
      }),
    },
    so: `rename uid=ada,ou=former → ${id}, replace employeeType, active link`,
  },
  {
    when: 'it comes back after it was kept',
    loaded: { desired: desired(), link: link({ state: 'kept', fingerprint: null }) },
    so: `none, active link to ${id}`,
  },

  // Released: in the view, but not meeting `only`.
  {
    when: 'it is released',
    loaded: { desired: desired({ released: true, remoteId: null, attributes: null, fingerprint: null }), link: link() },
    so: 'release, no link',
  },
  {
    when: 'it is released and not sure',
    loaded: { claimed: unsure, desired: desired({ released: true }), link: link() },
    live: live(),
    so: 'release, no link',
  },
  { when: 'it is released and was never there', loaded: { desired: desired({ released: true }) }, so: 'none, no link' },

  // Absent: proven by the read of this very replay.
  { when: 'it is absent and was never there', loaded: {}, so: 'none, no link' },
  { when: 'it is absent for the first time', loaded: { link: link() }, so: 'defer 10 s' },
  { when: 'it has been absent for a while', loaded: { claimed: absentFor(4), link: link() }, so: 'defer 6 s' },
  {
    when: 'it has been absent long enough',
    loaded: { claimed: absentFor(10), link: link() },
    so: `remove ${id}, no link`,
  },
  {
    when: 'it is absent and nothing is waited for',
    loaded: { link: link() },
    mapping: { removeAfter: 0 },
    so: `remove ${id}, no link`,
  },
  {
    when: 'it is absent, and so is its entry',
    loaded: { claimed: claimed({ unsure: true, absentFor: 10 }), link: link() },
    live: 'absent',
    so: 'none, no link',
  },
  {
    when: 'it is absent, and its entry has moved',
    loaded: { claimed: claimed({ unsure: true, absentFor: 10 }), link: link() },
    live: live({ remoteId: 'uid=moved' }),
    so: 'remove uid=moved, no link',
  },
  {
    when: 'it is absent, without a link, and we created the entry',
    loaded: { claimed: claimed({ unsure: true, absentFor: 10 }) },
    live: live({ createdByUs: true }),
    so: `remove ${id}, no link`,
  },
  {
    when: 'it is absent, without a link, and nobody knows who created the entry',
    loaded: { claimed: claimed({ unsure: true, absentFor: 10 }) },
    live: live(),
    so: 'park as unknown',
  },
  {
    when: 'it is absent, without a link, and somebody else created the entry',
    loaded: { claimed: claimed({ unsure: true, absentFor: 10 }) },
    live: live({ createdByUs: false }),
    so: 'park as unknown',
  },
  {
    when: 'it is absent, without a link or an entry',
    loaded: { claimed: unsure },
    live: 'absent',
    so: 'none, no link',
  },

  // Absent, to be kept.
  {
    when: 'it is absent and to be kept',
    loaded: { link: link() },
    mapping: { deprovision: 'keep' },
    so: `keep, kept link to ${id}`,
  },
  {
    when: 'it is absent and was kept before',
    loaded: { link: link({ state: 'kept' }) },
    mapping: { deprovision: 'keep' },
    so: `none, kept link to ${id}`,
  },

  // Absent, to be disabled.
  {
    when: 'it is absent and to be disabled, but not yet',
    loaded: { link: link({ disable }) },
    mapping: { deprovision: 'disable' },
    so: 'defer 10 s',
  },
  {
    when: 'it is absent and to be disabled',
    loaded: { claimed: absentFor(10), link: link({ disable }) },
    mapping: { deprovision: 'disable' },
    so: `disable ${id} → uid=ada,ou=former, replace employeeType former, disabled link`,
  },
  {
    when: 'it is to be disabled where it stands',
    loaded: { claimed: absentFor(10), link: link({ disable: { ...disable, remote_id: null } }) },
    mapping: { deprovision: 'disable' },
    so: `disable ${id}, replace employeeType former, disabled link`,
  },
  {
    when: 'it was disabled before',
    loaded: { link: link({ state: 'disabled', disable }) },
    mapping: { deprovision: 'disable' },
    so: 'none, link left',
  },
  {
    when: 'it is to be disabled, and somebody did so',
    loaded: { claimed: claimed({ unsure: true, absentFor: 10 }), link: link({ disable }) },
    mapping: { deprovision: 'disable' },
    live: live({ remoteId: 'uid=ada,ou=former', attributes: { employeeType: ['former'] } }),
    so: 'disable, disabled link to uid=ada,ou=former',
  },
  {
    when: 'it is to be disabled, and its entry is gone',
    loaded: { claimed: claimed({ unsure: true, absentFor: 10 }), link: link({ disable }) },
    mapping: { deprovision: 'disable' },
    live: 'absent',
    so: 'none, no link',
  },
  {
    when: 'nobody wrote down how to disable it',
    loaded: { claimed: absentFor(10), link: link() },
    mapping: { deprovision: 'disable' },
    so: 'park as rejected',
  },

  // Wanted by another key.
  {
    when: 'it is absent and another key waits for its entry',
    loaded: { link: link(), wantedBy: other },
    so: 'hand over to 43',
  },
  {
    when: 'it is absent, another key waits, and policy is to keep',
    loaded: { link: link(), wantedBy: other },
    mapping: { deprovision: 'keep' },
    so: 'hand over to 43',
  },
  {
    when: 'it is absent, another key waits, but the entry is gone',
    loaded: { claimed: claimed({ unsure: true, absentFor: 10 }), link: link(), wantedBy: other },
    live: 'absent',
    so: 'none, no link',
  },
  {
    when: 'it is there and another key waits for its entry',
    loaded: { desired: desired({ attributes: null, fingerprint: 'old' }), link: link(), wantedBy: other },
    so: 'none, link left',
  },
];

describe('what is planned when', () => {
  test.each(situations)('$when: $so', ({ loaded: changes, live, mapping, so }) => {
    expect(inShort(plan(loaded(changes), live, undefined, context(mapping)))).toBe(so);
  });
});

describe('a plan', () => {
  test('creates with every attribute and the members that have an entry', () => {
    const member = {
      attribute: 'member',
      refEntity: 'person',
      refKey: '7',
      desired: true,
      wanted: 'uid=b',
      applied: null,
    };
    const members: Members = { members: [member], counts: new Map([['member', { applied: 0, wanted: 1 }]]) };
    const references = new Map([['member', { refEntity: 'person', placeholder: 'cn=nobody' }]]);
    expect(plan(loaded({ desired: desired() }), undefined, members, context({ references }))).toMatchObject({
      change: { operation: 'create', attributes: { cn: ['Ada'], member: ['uid=b'] } },
      link: { attributes: { cn: ['Ada'] } },
      members: [member],
    });
  });

  test('writes changed members though the fingerprint is the same, and keeps what the link says', () => {
    const member = {
      attribute: 'member',
      refEntity: 'person',
      refKey: '7',
      desired: true,
      wanted: 'uid=b',
      applied: 'uid=a',
    };
    const members: Members = { members: [member], counts: new Map([['member', { applied: 1, wanted: 1 }]]) };
    const references = new Map([['member', { refEntity: 'person', placeholder: 'cn=nobody' }]]);
    const same = loaded({ desired: desired({ attributes: null, fingerprint: 'old' }), link: link() });
    expect(plan(same, undefined, members, context({ references }))).toMatchObject({
      operation: 'update',
      link: { attributes, fingerprint: 'old' },
      change: {
        changes: [
          { action: 'add', values: ['uid=b'] },
          { action: 'delete', values: ['uid=a'] },
        ],
      },
    });
  });

  test('addresses an entry by its stable id too, where it has one', () => {
    const changed = { desired: desired({ attributes: { cn: ['Eve'] } }) };
    expect(plan(loaded({ ...changed, link: link() }), undefined, undefined, context())).toMatchObject({
      change: { stableId: 'entry-1' },
    });
    const without = plan(loaded({ ...changed, link: link({ stableId: null }) }), undefined, undefined, context());
    expect(without.do === 'write' && 'stableId' in without.change).toBe(false);
  });

  test('keeps how to disable an entry with the link', () => {
    expect(plan(loaded({ desired: desired({ disable }) }), undefined, undefined, context())).toMatchObject({
      link: { disable },
    });
  });

  test('never has a secret in a link', () => {
    const secret = desired({ attributes: { cn: ['Ada'], userPassword: ['hunter2'] } });
    const planned = plan(loaded({ desired: secret }), undefined, undefined, context());
    expect(planned).toMatchObject({ change: { attributes: { userPassword: ['hunter2'] } } });
    expect(planned.do === 'write' && JSON.stringify(planned.link)).not.toContain('hunter2');
  });
});

describe('stepping aside in a swap', () => {
  const wait = { entity: 'person', key: '2', id: 'uid=eve,ou=people' };
  const aside = (own: Loaded['link'], entry?: RemoteState | 'absent') => {
    const intended = plan(
      loaded({ claimed: unsure, desired: desired({ remoteId: 'uid=eve,ou=people' }), link: own }),
      entry,
      undefined,
      context(),
    );
    if (intended.do !== 'write') throw new Error(`expected a write, not ${intended.do}`);
    return planStepAside(intended, own, '1', wait, context());
  };

  test('renames the entry to a name of its key and then waits for the id it wants', () => {
    const planned = aside(link());
    expect(planned && inShort(planned)).toBe(`step aside ${id} → uid=aside-1,ou=people, active link`);
    expect(planned).toMatchObject({ waitFor: wait, link: { fingerprint: null, attributes } });
  });

  test('starts from where the entry stands, whatever the link says', () => {
    const planned = aside(link({ remoteId: 'uid=aside-1,ou=people' }), live());
    expect(planned && inShort(planned)).toBe(`step aside ${id} → uid=aside-1,ou=people, active link`);
  });

  test('links an entry that an interrupted attempt created', () => {
    expect(aside(undefined, live({ createdByUs: true }))).toMatchObject({
      link: { remoteId: 'uid=aside-1,ou=people', state: 'active', attributes: {}, fingerprint: null },
    });
  });

  test('is done once, and not at all where there is no entry', () => {
    expect(aside(link({ remoteId: 'uid=aside-1,ou=people' }))).toBeUndefined();
    expect(aside(link(), 'absent')).toBeUndefined();
  });
});
