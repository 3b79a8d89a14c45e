/** An entry of a directory that is made like a service. */
export interface Addition {
  readonly rdn: readonly string[];
  readonly unit: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** LDIF that adds an entry (RFC 2849). */
export function addition({ rdn: [name = '', value = ''], unit, attributes }: Addition, suffix: string): string {
  const escaped = [...Buffer.from(value)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
  const line = (attribute: string, text: string) => `${attribute}:: ${Buffer.from(text).toString('base64')}\n`;
  const lines = Object.entries({ ...attributes, [name]: value }).flatMap(([attribute, values]) =>
    [values ?? []].flat().map((one) => line(attribute, String(one))),
  );
  return `dn: ${name}=${escaped},${unit},${suffix}\nchangetype: add\n${lines.join('')}`;
}
