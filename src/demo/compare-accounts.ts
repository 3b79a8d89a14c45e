/** Compares the users and groups of the demo's SCIM service with the registry of `examples/university`. */
import { z } from 'zod';
import { readExpectedAccounts } from '../../examples/university/expected.ts';
import type { Mismatch } from './compare.ts';
import { mismatchesOf } from './mismatches.ts';
import type { ScimService } from './scim.ts';
import { withDatabase } from './with-database.ts';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const values = z
  .array(z.object({ value: z.string() }))
  .default([])
  .transform((list) => list.map(({ value }) => value));
const user = z.object({
  id: z.string(),
  externalId: z.string(),
  userName: z.string(),
  displayName: z.string(),
  emails: values,
  [enterprise]: z.object({ department: z.string().optional() }).default({}),
});
const group = z.object({ id: z.string(), externalId: z.string(), displayName: z.string(), members: values });

/** Reads both sides, one after the other: nobody should be writing meanwhile. */
export async function compareAccounts(
  databaseUrl: string,
  service: ScimService,
): Promise<{ readonly accounts: number; readonly mismatches: readonly Mismatch[] }> {
  const expected = await withDatabase(databaseUrl, readExpectedAccounts);
  const users = (await readAll(service, 'Users')).map((one) => user.parse(one));
  const groups = (await readAll(service, 'Groups')).map((one) => group.parse(one));
  const keyOf = new Map(users.map(({ id, externalId }) => [id, externalId]));
  const found = new Map<string, object>([
    ...users.map(({ externalId, userName, displayName, emails, [enterprise]: { department = null } }) => {
      return [`user ${externalId}`, { userName, displayName, emails: emails.toSorted(), department }] as const;
    }),
    ...groups.map(({ externalId, displayName, members }) => {
      return [
        `group ${externalId}`,
        { displayName, members: members.map((id) => keyOf.get(id) ?? id).toSorted() },
      ] as const;
    }),
  ]);
  const several = users.length + groups.length - found.size;
  const mismatches: Mismatch[] = several > 0 ? [{ problem: 'unexpected', dn: `${several} accounts twice` }] : [];
  mismatches.push(...mismatchesOf(expected, found, 'account'));
  return { accounts: expected.size, mismatches };
}

const page = z.object({ totalResults: z.number(), Resources: z.array(z.unknown()).default([]) });

/** Every resource, page by page (RFC 7644 §3.4.2.4). */
async function readAll({ url, token }: ScimService, resources: 'Users' | 'Groups'): Promise<unknown[]> {
  const all: unknown[] = [];
  for (;;) {
    const answer = await fetch(`${url}/${resources}?startIndex=${all.length + 1}&count=500`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const { totalResults, Resources } = page.parse(await answer.json());
    all.push(...Resources);
    if (all.length >= totalResults || Resources.length === 0) return all;
  }
}
