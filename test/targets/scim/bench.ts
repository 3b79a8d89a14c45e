/** A `scim` target and the service that it writes to. */
import { scim } from '../../../src/config/scim.ts';
import { ScimTarget } from '../../../src/targets/scim/target.ts';
import type { Attributes, Change } from '../../../src/targets/target.ts';
import { type ScimServer, startScimServer } from './server.ts';

export const employeeNumber = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber';
export const manager = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value';
export const workMail = 'emails[type eq "work"].value';

/** The entities of the tests: their attributes come from columns of the same name. */
const entities = {
  person: {
    resource: 'User',
    id: '{uid}',
    match: { externalId: 'id' },
    attributes: {
      externalId: '{id}',
      displayName: '{display_name}',
      'name.familyName': '{sn}',
      title: '{title}',
      active: { from: 'active' },
      [workMail]: '{mail}',
      phoneNumbers: { from: 'phones' },
      x509Certificates: { from: 'certificates' },
      [employeeNumber]: '{id}',
      [manager]: { ref: 'person', from: 'managers' },
    },
    password: true,
  },
  group: {
    resource: 'Group',
    id: '{name}',
    attributes: { externalId: '{id}', members: { ref: 'person', from: 'members' } },
  },
};

export interface Bench {
  readonly server: ScimServer;
  readonly target: ScimTarget;
  close(): Promise<void>;
}

/** `config`: what staffetta.yml says beside the service and the entities. */
export async function createBench(config: object = {}): Promise<Bench> {
  const server = await startScimServer();
  const target = createScimTarget(server, config);
  return {
    server,
    target,
    close: async () => {
      await target.close();
      await server.close();
    },
  };
}

export function createScimTarget({ url, token }: Pick<ScimServer, 'url' | 'token'>, config: object = {}): ScimTarget {
  const auth = { type: 'bearer', token };
  return new ScimTarget(scim.parse({ type: 'scim', url, auth, entities, ...config }), '.');
}

export function createPerson(name: string, attributes: Attributes = {}): Extract<Change, { operation: 'create' }> {
  return { operation: 'create', entity: 'person', remoteId: `User/${name}`, attributes };
}

/** An update of a person; each attribute is replaced by values. */
export function changePerson(name: string, attributes: Attributes): Extract<Change, { operation: 'update' }> {
  const changes = Object.entries(attributes).map(
    ([attribute, values]) => ({ attribute, action: 'replace', values }) as const,
  );
  return { operation: 'update', entity: 'person', remoteId: `User/${name}`, changes };
}
