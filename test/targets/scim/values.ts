/** The values of a list of a resource, as any client sees them. */
export function valuesOf(list: unknown): string[] {
  return Array.isArray(list) ? list.map(({ value }) => String(value)) : [];
}
