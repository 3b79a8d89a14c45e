/** What histories configure: the targets that they follow, and the mappings that `apply` changes between. */
import { fileURLToPath } from 'node:url';
import { type Conduct, daysDisabled, guard, type Means, meansOf } from './conduct.ts';
import type { TargetName } from './desired.ts';
import { listsBy } from './lists-by.ts';

/** The mappings; the last word of every history is `plain`. */
export const mappings = [
  'plain',
  'named backwards',
  'without rooms',
  'elsewhere',
  'archived by number',
  'everybody is listed',
  'without lists',
  'without notifications',
] as const;
export type MappingName = (typeof mappings)[number];

const entities = `
entities:
  person: { view: registry.v_person, key: id, sources: { registry.person: { key: id }, registry.email: { key: person_id }, registry.contract: { key: person_id } } }
  team: { view: registry.v_team, key: id, sources: { registry.team: { key: id }, registry.member: { key: team_id } } }
`;

/** Entities of each target; what it should hold then stands in `desired.ts`, written down by other means. */
const targets: Readonly<Record<TargetName, string>> = {
  directory: `
      person:
        revisit: select person_id as key, ends as at from registry.contract
        dn: "uid={uid},ou={area},\${LDAP_SUFFIX}"
        attributes:
          objectClass: { values: [inetOrgPerson] }
          uid: { from: uid }
          cn: "{given?} {surname?}"
          sn: { from: surname }
          mail: { from: emails }
          roomNumber: { from: room }
          employeeNumber: { from: id }
          userPassword: { from: password, secret: true }
        deprovision: delete
        removeAfter: 300ms
      team:
        dn: "cn={name},ou=groups,\${LDAP_SUFFIX}"
        attributes:
          objectClass: { values: [groupOfNames] }
          cn: { from: name }
          businessCategory: { from: id }
          member: { ref: person, from: members, empty: placeholder }
        deprovision: delete
        removeAfter: 300ms
`,
  // Who has left is kept, without a password.
  archive: `
      person:
        revisit: select person_id as key, ends as at from registry.contract
        dn: "cn={uid},ou=staff,\${LDAP_SUFFIX}"
        attributes:
          objectClass: { values: [inetOrgPerson] }
          cn: { from: uid }
          sn: { from: surname }
          employeeNumber: { from: id }
          employeeType: "staff"
          description: "{surname} ({id})"
          userPassword: { from: password, secret: true }
        deprovision: disable
        disable:
          dn: "cn={id},ou=left,\${LDAP_SUFFIX}"
          attributes: { employeeType: former, userPassword: "" }
        removeAfter: 200ms
      team:
        dn: "cn={name},ou=teams,\${LDAP_SUFFIX}"
        attributes:
          objectClass: { values: [groupOfUniqueNames] }
          cn: { from: name }
          businessCategory: { from: id }
          uniqueMember: { ref: person, from: members, empty: placeholder }
        deprovision: delete
        removeAfter: 0s
`,
  // Who is not in the area \`people\` is let go, and taken up again by number.
  lists: `
      person:
        revisit: select person_id as key, ends as at from registry.contract
        dn: "employeeNumber={id},ou=lists,\${LDAP_SUFFIX}"
        only: "area = 'people'"
        match: { employeeNumber: id }
        attributes:
          objectClass: { values: [inetOrgPerson] }
          employeeNumber: { from: id }
          cn: { from: surname }
          sn: { from: surname }
          uid: { from: uid }
          mail: { from: emails }
        deprovision: delete
        removeAfter: 300ms
      team:
        dn: "ou={name},ou=names,\${LDAP_SUFFIX}"
        attributes:
          objectClass: { values: [organizationalUnit] }
          ou: { from: name }
          businessCategory: { from: id }
          description: { from: members }
        deprovision: delete
        removeAfter: 300ms
`,
};

const backends = fileURLToPath(new URL('backends', import.meta.url));

/** The longest that an operation on a target may take, in milliseconds; claims last three times as long, or longer. */
export const timeouts: Readonly<Record<Means, number>> = { ldap: 500, script: 1000, file: 1000, http: 500, scim: 1000 };

/** What a mapping puts in the place of what. */
const replacements: Readonly<Record<MappingName, readonly (readonly [from: string, to: string])[]>> = {
  plain: [],
  'named backwards': [['cn: "{given?} {surname?}"', 'cn: "{surname?} {id}"']],
  'without rooms': [['          roomNumber: { from: room }\n', '']],
  elsewhere: [['dn: "uid={uid},', 'dn: "employeeNumber={id},']],
  'archived by number': [['dn: "cn={uid},', 'dn: "employeeNumber={id},']],
  'everybody is listed': [[`only: "area = 'people'"`, 'only: "true"']],
  'without lists': [],
  'without notifications': [
    ['{ key: id }, registry.email', '{ key: id, notify: false }, registry.email'],
    ['{ key: team_id }', '{ key: team_id, notify: false }'],
  ],
};

/** How a target is dealt with. */
export type Mode = 'observe' | 'manual' | 'live';

export interface Settings {
  readonly targets: readonly TargetName[];
  readonly slots: number;
  readonly batch: number;
  readonly conduct: Conduct;
  /** Those that are not live. */
  readonly modes: ReadonlyMap<TargetName, Mode>;
}

/** The text of `staffetta.yml`. Each target has its variables `NAME_URL`, `NAME_BIND_DN`, `NAME_PASSWORD`; one suffix is everybody's. */
export function configurationOf(mapping: MappingName, settings: Settings): string {
  const { targets: followed, slots, batch, conduct, modes } = settings;
  const blocks = followed
    .filter((name) => mapping !== 'without lists' || name !== 'lists')
    .map((name) => {
      const variable = (what: string) => `\${${name.toUpperCase()}_${what}}`;
      return `
  ${name}:
    ${keysOf[meansOf(name, conduct)](variable)}
    slots: ${slots}
    batch: ${batch}
    mode: ${modes.get(name) ?? 'live'}
    guard: ${conduct.guarded ? guard : '{ removals: 100%, changes: 100% }'}
    after: [${conduct.ordered && name !== 'archive' ? 'archive' : ''}]
    entities:${listsBy[meansOf(name, conduct)] ?? targets[name]}`;
    });
  // Nothing may need the sweep of the minute.
  const text = `version: 1
database: { url: "\${DATABASE_URL}" }
schedule: { sweep: "0 0 1 1 *" }
${entities}targets:${blocks.join('')}`;
  return replacements[mapping].reduce(
    (so, [from, to]) => so.replace(from, to),
    conduct.stepwise ? inSteps(text) : text,
  );
}

/** What a target says of the way that leads to it, by its means. */
const keysOf: Readonly<Record<Means, (variable: (what: string) => string) => string>> = {
  ldap: (variable) => `type: ldap
    timeout: ${timeouts.ldap}ms
    url: ${variable('URL')}
    bind: { dn: "${variable('BIND_DN')}", password: "${variable('PASSWORD')}" }`,

  script: (variable) => `type: script
    timeout: ${timeouts.script}ms
    backends: ${JSON.stringify(backends)}
    process: { lists: stream }
    env:
      LDAP_URL: ${variable('URL')}
      LDAP_SUFFIX: "\${LDAP_SUFFIX}"
      BIND_DN: "${variable('BIND_DN')}"
      PASSWORD: "${variable('PASSWORD')}"`,

  file: (variable) => `type: file
    timeout: ${timeouts.file}ms
    format: ldif
    folder: "${variable('FOLDER')}"
    name: "lists-{sequence:6}.ldif"`,

  http: (variable) => `type: http
    timeout: ${timeouts.http}ms
    url: ${variable('SERVICE')}`,

  scim: (variable) => `type: scim
    timeout: ${timeouts.scim}ms
    url: ${variable('SERVICE')}
    auth: { type: bearer, token: "${variable('TOKEN')}" }`,
};

function inSteps(text: string): string {
  return text.replace('deprovision: disable\n', `deprovision: [disable, { after: ${daysDisabled}d, do: delete }]\n`);
}
