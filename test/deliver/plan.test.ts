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
    mapping: { removeAfter: 0, deprovision: [{ do: 'delete', after: 0 }] },
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
    when: 'it is absent, without a link, we created the entry, and it is to be disabled as was meant then',
    loaded: { claimed: claimed({ unsure: true, absentFor: 10 }), meant: disable },
    mapping: { deprovision: [{ do: 'disable', after: 10 }] },
    live: live({ createdByUs: true }),
    so: `disable ${id} → uid=ada,ou=former, replace employeeType former, disabled link`,
  },
  {
    when: 'it is absent, without a link, we created the entry, and nothing was meant',
    loaded: { claimed: claimed({ unsure: true, absentFor: 10 }) },
    mapping: { deprovision: [{ do: 'disable', after: 10 }] },
    live: live({ createdByUs: true }),
    so: 'park as rejected',
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
    mapping: { deprovision: [] },
    so: `keep, kept link to ${id}`,
  },
  {
    when: 'it is absent and was kept before',
    loaded: { link: link({ state: 'kept' }) },
    mapping: { deprovision: [] },
    so: `none, kept link to ${id}`,
  },

  // Absent, to be disabled.
  {
    when: 'it is absent and to be disabled, but not yet',
    loaded: { link: link({ disable }) },
    mapping: { deprovision: [{ do: 'disable', after: 10 }] },
    so: 'defer 10 s',
  },
  {
    when: 'it is absent and to be disabled',
    loaded: { claimed: absentFor(10), link: link({ disable }) },
    mapping: { deprovision: [{ do: 'disable', after: 10 }] },
    so: `disable ${id} → uid=ada,ou=former, replace employeeType former, disabled link`,
  },
  {
    when: 'it is to be disabled where it stands',
    loaded: { claimed: absentFor(10), link: link({ disable: { ...disable, remote_id: null } }) },
    mapping: { deprovision: [{ do: 'disable', after: 10 }] },
    so: `disable ${id}, replace employeeType former, disabled link`,
  },
  {
    when: 'it was disabled before',
    loaded: { link: link({ state: 'disabled', disable, absentFor: 20 }) },
    mapping: { deprovision: [{ do: 'disable', after: 10 }] },
    so: 'none, link left',
  },
  {
    when: 'it is to be disabled, and somebody did so',
    loaded: { claimed: claimed({ unsure: true, absentFor: 10 }), link: link({ disable }) },
    mapping: { deprovision: [{ do: 'disable', after: 10 }] },
    live: live({ remoteId: 'uid=ada,ou=former', attributes: { employeeType: ['former'] } }),
    so: 'disable, disabled link to uid=ada,ou=former',
  },
  {
    when: 'it is to be disabled, and its entry is gone',
    loaded: { claimed: claimed({ unsure: true, absentFor: 10 }), link: link({ disable }) },
    mapping: { deprovision: [{ do: 'disable', after: 10 }] },
    live: 'absent',
    so: 'none, no link',
  },
  {
    when: 'nobody wrote down how to disable it',
    loaded: { claimed: absentFor(10), link: link() },
    mapping: { deprovision: [{ do: 'disable', after: 10 }] },
    so: 'park as rejected',
  },

  // Absent, in steps.
  ...steps(),

  // Wanted by another key.
  {
    when: 'it is absent and another key waits for its entry',
    loaded: { link: link(), wantedBy: other },
    so: 'hand over to 43',
  },
  {
    when: 'it is absent, another key waits, and policy is to keep',
    loaded: { link: link(), wantedBy: other },
    mapping: { deprovision: [] },
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

/** `deprovision: [disable, { after: 90d, do: delete }]` and what is like it. */
function steps(): Situation[] {
  const day = 86_400;
  const disableThenDelete: Partial<Mapping> = {
    deprovision: [
      { do: 'disable', after: 10 },
      { do: 'delete', after: 90 * day },
    ],
  };
  const deleteLater: Partial<Mapping> = { deprovision: [{ do: 'delete', after: 90 * day }] };
  const disabled = (absentFor: number | null) =>
    link({ state: 'disabled', remoteId: 'uid=ada,ou=former', fingerprint: null, disable, absentFor });
  const disabling = `disable ${id} → uid=ada,ou=former, replace employeeType former, disabled link`;
  return [
    {
      when: 'the first of two steps waits for a return',
      loaded: { link: link({ disable, absentFor: 4 }) },
      mapping: disableThenDelete,
      so: 'defer 6 s',
    },
    {
      when: 'the first of two steps is due',
      loaded: { link: link({ disable, absentFor: 10 }) },
      mapping: disableThenDelete,
      so: disabling,
    },
    {
      when: 'the second step is days away',
      loaded: { claimed: absentFor(0), link: disabled(89 * day) },
      mapping: disableThenDelete,
      so: 'none, link left',
    },
    {
      when: 'the second step is due, though its delivery is new',
      loaded: { claimed: absentFor(0), link: disabled(90 * day) },
      mapping: disableThenDelete,
      so: 'remove uid=ada,ou=former, no link',
    },
    {
      when: 'both steps are due',
      loaded: { link: link({ disable, absentFor: 90 * day }) },
      mapping: disableThenDelete,
      so: `remove ${id}, no link`,
    },
    {
      when: 'the only step is days away, and it is absent for the first time',
      loaded: { link: link() },
      mapping: deleteLater,
      so: 'defer 10 s',
    },
    {
      when: 'the only step is days away, and nobody came back at once',
      loaded: { link: link({ absentFor: 10 }) },
      mapping: deleteLater,
      so: 'none, link left',
    },
    {
      when: 'the only step is days away, and there is nothing to wait for',
      loaded: { link: link() },
      mapping: { ...deleteLater, removeAfter: 0 },
      so: `none, active link to ${id}`,
    },
    {
      when: 'it was disabled before anybody counted the days',
      loaded: { claimed: absentFor(20), link: disabled(null) },
      mapping: disableThenDelete,
      so: 'none, disabled link to uid=ada,ou=former',
    },
    {
      when: 'it was disabled, and is to be kept by now',
      loaded: { link: disabled(90 * day) },
      mapping: { deprovision: [] },
      so: 'none, link left',
    },
    {
      when: 'it is disabled until a later step, and somebody changed its entry',
      loaded: { claimed: unsure, link: disabled(20 * day) },
      mapping: disableThenDelete,
      live: live({ remoteId: 'uid=ada,ou=former', attributes: { employeeType: ['student'] } }),
      so: 'disable uid=ada,ou=former, replace employeeType former, disabled link',
    },
    {
      when: 'it is disabled until a later step, and somebody removed its entry',
      loaded: { claimed: unsure, link: disabled(20 * day) },
      mapping: disableThenDelete,
      live: 'absent',
      so: 'none, no link',
    },
    {
      when: 'a later step is due, but the links may have lost what happened last',
      loaded: { claimed: claimed({ reconcileOwed: true }), link: disabled(90 * day) },
      mapping: disableThenDelete,
      so: 'defer 10 s',
    },
    {
      when: 'it is back before anything was done, and nothing differs',
      loaded: { desired: desired({ attributes: null, fingerprint: 'old' }), link: link({ absentFor: 20 * day }) },
      mapping: deleteLater,
      so: `none, active link to ${id}`,
    },
  ];
}

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
    const references = new Map([
      ['member', { refEntity: 'person', empty: 'placeholder' as const, placeholder: 'cn=nobody' }],
    ]);
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
    const references = new Map([
      ['member', { refEntity: 'person', empty: 'placeholder' as const, placeholder: 'cn=nobody' }],
    ]);
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

describe('the policies of attributes', () => {
  const policies = new Map([
    ['mail', 'initial' as const],
    ['telephoneNumber', 'add' as const],
  ]);
  const attributes = new Set(['cn', 'mail', 'telephoneNumber']);
  const mapping = { attributes, policies };
  const own = { cn: ['Ada'], mail: ['ada@x'], telephoneNumber: ['1'] };
  const changesOf = (planned: Plan) =>
    planned.do === 'write' && planned.change.operation === 'update' ? planned.change.changes : [];

  test('a new entry has all of its attributes; one that was there keeps what is its own', () => {
    const fresh = loaded({ desired: desired({ attributes: own }) });
    expect(plan(fresh, undefined, undefined, context(mapping))).toMatchObject({
      operation: 'create',
      change: { attributes: own },
      link: { attributes: own },
    });
    const adopted = plan(fresh, live({ attributes: { cn: ['Ada'] } }), undefined, context(mapping));
    expect(changesOf(adopted)).toEqual([{ attribute: 'telephoneNumber', action: 'add', values: ['1'] }]);
    expect(adopted).toMatchObject({ link: { attributes: { cn: ['Ada'], telephoneNumber: ['1'] } } });
  });

  test('a change of an attribute that is the target’s own is settled without a write, and the link says what was given', () => {
    const changed = loaded({
      desired: desired({ attributes: { ...own, mail: ['new@x'] } }),
      link: link({ attributes: own }),
    });
    expect(plan(changed, undefined, undefined, context(mapping))).toMatchObject({
      do: 'settle',
      operation: 'none',
      link: { fingerprint: 'new', attributes: own },
    });
  });

  test('disabling writes what it names all the same, and coming back undoes it', () => {
    const disable = { remote_id: null, attributes: { mail: [], telephoneNumber: ['0'] } };
    const gone = plan(
      loaded({ link: link({ attributes: own, disable, absentFor: 10 }) }),
      undefined,
      undefined,
      context({ ...mapping, deprovision: [{ do: 'disable', after: 10 }] }),
    );
    expect(changesOf(gone)).toEqual([
      { attribute: 'mail', action: 'replace', values: [] },
      { attribute: 'telephoneNumber', action: 'add', values: ['0'] },
      { attribute: 'telephoneNumber', action: 'delete', values: ['1'] },
    ]);
    if (gone.do !== 'write' || !gone.link || gone.link === 'leave') throw new Error(`not ${gone.do}`);
    const back = loaded({
      desired: desired({ attributes: own }),
      link: link({ ...gone.link, disable, absentFor: 20 }),
    });
    expect(changesOf(plan(back, undefined, undefined, context(mapping)))).toEqual([
      { attribute: 'mail', action: 'replace', values: ['ada@x'] },
      { attribute: 'telephoneNumber', action: 'add', values: ['1'] },
      { attribute: 'telephoneNumber', action: 'delete', values: ['0'] },
    ]);
  });
});

describe('a group that is not there without a member', () => {
  const references = new Map([['member', { refEntity: 'person', empty: 'delete' as const, placeholder: 'cn=nobody' }]]);
  const member = (applied: string | null, wanted: string | null) => ({
    attribute: 'member',
    refEntity: 'person',
    refKey: '7',
    desired: true,
    wanted,
    applied,
  });
  const group = (applied: string | null, wanted: string | null): Members => ({
    members: [member(applied, wanted)],
    counts: new Map([['member', { applied: Number(applied !== null), wanted: Number(wanted !== null) }]]),
  });
  const planned = (of: Partial<Loaded>, live: Live, members: Members | undefined) =>
    plan(loaded({ desired: desired(), ...of }), live, members, context({ references }));

  test('is made with its first member, and not before; who its members are is known all the while', () => {
    expect(planned({}, undefined, group(null, null))).toEqual({
      do: 'settle',
      operation: 'none',
      link: 'leave',
      members: [member(null, null)],
      holds: true,
    });
    expect(planned({}, undefined, group(null, 'uid=b'))).toMatchObject({ operation: 'create' });
  });

  test('goes with its last member', () => {
    const gone = planned({ link: link() }, undefined, group('uid=b', null));
    expect(inShort(gone)).toBe(`remove ${id}, no link`);
    expect(gone).toMatchObject({ members: [member('uid=b', null)], holds: true });
    expect(inShort(planned({ link: link() }, undefined, undefined))).toBe(`remove ${id}, no link`);
  });

  test('is removed where it stands, and only if it is ours', () => {
    expect(inShort(planned({ link: link() }, live({ remoteId: 'uid=moved' }), undefined))).toBe(
      'remove uid=moved, no link',
    );
    expect(inShort(planned({ link: link() }, 'absent', undefined))).toBe('none, no link');
    expect(inShort(planned({}, live(), undefined))).toBe('none, link left');
    expect(inShort(planned({}, live({ createdByUs: true }), undefined))).toBe(`remove ${id}, no link`);
  });
});

describe('stepping aside in a swap', () => {
  const wait = { entity: 'person', key: '2', attribute: '', id: 'uid=eve,ou=people' };
  const asideFrom = (situation: Loaded, own = context(), entry?: RemoteState | 'absent') => {
    const intended = plan(situation, entry, undefined, own);
    if (intended.do !== 'write') throw new Error(`expected a write, not ${intended.do}`);
    return planStepAside(intended, { loaded: situation, ...(entry && { live: entry }) }, wait, own);
  };
  const aside = (own: Loaded['link'], entry?: RemoteState | 'absent') =>
    asideFrom(
      loaded({ claimed: unsure, desired: desired({ remoteId: 'uid=eve,ou=people' }), link: own }),
      context(),
      entry,
    );

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

  describe('takes out the values of unique attributes that are not wanted any more', () => {
    const mails = (...mail: readonly string[]) => ({ cn: ['Ada'], mail });
    const from = (held: readonly string[], wanted: readonly string[]) =>
      asideFrom(
        loaded({ desired: desired({ attributes: mails(...wanted) }), link: link({ attributes: mails(...held) }) }),
        context({ unique: new Set(['mail']) }),
      );

    test('and leaves the others, and the entry where it is', () => {
      expect(from(['a@x', 'b@x'], ['b@x', 'c@x'])).toMatchObject({
        operation: 'step aside',
        change: { remoteId: id, changes: [{ attribute: 'mail', action: 'delete', values: ['a@x'] }] },
        link: { remoteId: id, attributes: { cn: ['Ada'], mail: ['b@x'] }, fingerprint: null },
        waitFor: wait,
      });
      expect(from(['a@x'], ['c@x'])?.change).not.toHaveProperty('renameTo');
    });

    test('as they stand in the entry, where it was read', () => {
      const situation = loaded({
        claimed: unsure,
        desired: desired({ attributes: mails('c@x') }),
        link: link({ attributes: mails('a@x') }),
      });
      const own = context({ unique: new Set(['mail']) });
      expect(asideFrom(situation, own, live({ attributes: mails('A@x', 'b@x') }))).toMatchObject({
        change: { changes: [{ attribute: 'mail', action: 'delete', values: ['A@x', 'b@x'] }] },
        link: { attributes: { cn: ['Ada'], mail: [] } },
      });
      expect(asideFrom(situation, own, live({ attributes: { cn: ['Ada'] } }))).toBeUndefined();
    });

    test('but no value of others, where they have some there, too', () => {
      const merged = context({ unique: new Set(['mail']), policies: new Map([['mail', 'merge']]) });
      const situation = loaded({
        claimed: unsure,
        desired: desired({ attributes: mails('c@x') }),
        link: link({ attributes: mails('a@x') }),
      });
      expect(asideFrom(situation, merged, live({ attributes: mails('a@x', 'theirs@x') }))).toMatchObject({
        change: { changes: [{ attribute: 'mail', action: 'delete', values: ['a@x'] }] },
      });
    });

    test('if there are any, and they are known', () => {
      expect(from(['a@x'], ['a@x', 'c@x'])).toBeUndefined();
      const long = asideFrom(
        loaded({
          desired: desired({ attributes: mails('c@x') }),
          link: link({ attributes: { mail: [{ hash: 'ab' }] } }),
        }),
        context({ unique: new Set(['mail']) }),
      );
      expect(long).toBeUndefined();
    });
  });
});
