/** Refuses logins that belong to the machines: whoever had one would get their mail, or be taken for them. */
const reserved: ReadonlySet<string> = new Set(['admin', 'hostmaster', 'postmaster', 'root', 'webmaster']);

interface Call {
  readonly attributes: readonly { readonly name: string; readonly values: readonly unknown[] }[];
}

export function beforeCreate({ attributes }: Call) {
  const [login] = attributes.find(({ name }) => name === 'uid')?.values ?? [];
  if (typeof login !== 'string' || !reserved.has(login.toLowerCase())) return { code: 0, msg: 'OK' };
  return { code: -10101, msg: `the login ${login} is reserved: give this person another one`, panic: true };
}

/** Who has another login already may not change to one of these, either. */
export function beforeUpdate(call: Call) {
  return beforeCreate(call);
}
