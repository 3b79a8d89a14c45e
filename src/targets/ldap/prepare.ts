/** Words of ASCII with one space between two: most of what there is, and nothing to prepare in it but its case. */
const plain = /^[!-~]+(?: [!-~]+)*$/;

/**
 * String preparation (RFC 4518), as far as directories do it: compatibility forms are unified (NFKC), case is folded
 * where the rule says so, spaces at both ends and repeated spaces do not count.
 */
export function prepare(text: string, fold: boolean): string {
  if (plain.test(text)) return fold ? text.toLowerCase() : text;
  const unified = text.normalize('NFKC');
  return spaces(fold ? lower(unified).normalize('NFKC') : unified);
}

/** Letter by letter: a directory does not know that a final sigma is written differently. */
function lower(text: string): string {
  let folded = '';
  for (const letter of text) folded += letter.toLowerCase();
  return folded;
}

/** A value of spaces only is one space (RFC 4518 §2.6.1). */
function spaces(text: string): string {
  const collapsed = text.replace(/ +/g, ' ').replace(/^ | $/g, '');
  return collapsed === '' && text !== '' ? ' ' : collapsed;
}
