/** The most characters that are kept of an error: PostgreSQL quotes the value that it could not read, however long. */
const longest = 1000;

/** What an error says, in a length that can be stored and shown. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
