import type { ExpectedEntry } from '../../examples/university/expected.ts';

/** The string form of a DN below the suffix; every byte that is not an ASCII letter or digit as a hex pair. */
export function universityDn(entry: Pick<ExpectedEntry, 'rdn' | 'unit'>, suffix: string): string {
  const [type, value] = entry.rdn;
  const hex = (byte: number) => `\\${byte.toString(16).padStart(2, '0')}`;
  const escaped = Array.from(Buffer.from(value), (byte) =>
    /[a-z0-9]/i.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : hex(byte),
  );
  return `${type}=${escaped.join('')},ou=${entry.unit},${suffix}`;
}

/** The entries as LDIF content records, every value in base64; a group without members has the given placeholder. */
export function universityLdif(entries: readonly ExpectedEntry[], suffix: string, placeholder: string): string {
  const dns = new Map(
    entries.map((entry) => [entry.attributes.employeeNumber?.[0] ?? '', universityDn(entry, suffix)]),
  );
  const line = (name: string, value: string) => {
    const bytes = value.startsWith('base64:') ? value.slice('base64:'.length) : Buffer.from(value).toString('base64');
    return `${name}:: ${bytes}\n`;
  };
  const record = (entry: ExpectedEntry) => {
    const attributes = Object.entries(entry.attributes).flatMap(([name, values]) =>
      values.map((value) => line(name, value)),
    );
    const members = entry.members?.map((id) => dns.get(id) ?? placeholder) ?? [];
    if (entry.unit === 'groups' && members.length === 0) members.push(placeholder);
    return [line('dn', universityDn(entry, suffix)), ...attributes, ...members.map((dn) => line('member', dn))].join(
      '',
    );
  };
  return entries.map(record).join('\n');
}
