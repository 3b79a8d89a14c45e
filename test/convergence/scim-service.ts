import { z } from 'zod';
import { type ScimServer, startScimServer } from '../targets/scim/server.ts';
import { addition } from './addition.ts';
import type { Counterpart, Told } from './counterpart.ts';
import { openProxy, type TcpProxy } from './proxy.ts';
import type { Tampering } from './tamper.ts';

const values = z.array(z.object({ value: z.string() })).default([]);
const user = z.object({
  id: z.string(),
  userName: z.string(),
  externalId: z.string(),
  nickName: z.string().optional(),
  name: z.object({ familyName: z.string() }),
  emails: values,
});
const group = z.object({ displayName: z.string(), externalId: z.string(), members: values });

/** A SCIM service with people as its users and teams as its groups. */
export class ScimService implements Counterpart {
  readonly #server: ScimServer;
  readonly #suffix: string;
  readonly proxy: TcpProxy;

  private constructor(server: ScimServer, proxy: TcpProxy, suffix: string) {
    this.#server = server;
    this.proxy = proxy;
    this.#suffix = suffix;
  }

  /** `suffix`: of the directory that is made like it. */
  static async start(suffix: string): Promise<ScimService> {
    const server = await startScimServer();
    return new ScimService(server, await openProxy(server.url), suffix);
  }

  get env(): Readonly<Record<string, string>> {
    const { pathname } = new URL(this.#server.url);
    return { SERVICE: `${this.proxy.url}${pathname}`, TOKEN: this.#server.token };
  }

  async told(): Promise<Told> {
    const users = z.array(user).parse(this.#server.users());
    const people = users.map(({ externalId, nickName, name: { familyName }, emails }) => ({
      rdn: ['employeeNumber', externalId],
      unit: 'ou=lists',
      attributes: {
        objectClass: 'inetOrgPerson',
        uid: nickName,
        cn: familyName,
        sn: familyName,
        mail: emails.map(({ value }) => value),
      },
    }));
    const numbers = new Map(users.map(({ id, externalId }) => [id, externalId]));
    const teams = z
      .array(group)
      .parse(this.#server.groups())
      .map(({ displayName, externalId, members }) => ({
        rdn: ['ou', displayName],
        unit: 'ou=names',
        attributes: {
          objectClass: 'organizationalUnit',
          businessCategory: externalId,
          description: members.map(({ value }) => numbers.get(value) ?? `nobody, ${value}`),
        },
      }));
    const misnamed = users.filter(({ userName, externalId }) => userName !== `p${externalId}`);
    return {
      ldif: [[...people, ...teams].map((entry) => addition(entry, this.#suffix)).join('\n')].filter(
        (text) => text !== '',
      ),
      findings: misnamed.map(({ userName, externalId }) => `lists person ${externalId}: is called ${userName}`),
    };
  }

  tamper(how: Tampering, nth: number): void {
    const users = this.#server.users();
    const all = [...users, ...this.#server.groups()];
    const resource = all[nth % all.length];
    if (!resource) return;
    const { id } = resource;
    if (how === 'delete') this.#server.drop(id);
    else if (users.includes(resource)) this.#server.put('User', { ...resource, name: { familyName: 'By hand' } }, id);
    else this.#server.put('Group', { ...resource, members: [{ value: 'by hand' }] }, id);
  }

  async close(): Promise<void> {
    await this.#server.close();
  }
}
