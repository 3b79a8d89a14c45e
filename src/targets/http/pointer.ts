import type { Json } from '../document.ts';
import { isDocument } from '../document.ts';

/** What stands in a document at a JSON pointer (RFC 6901); undefined where nothing does. '': all of it. */
export function at(document: Json | undefined, pointer: string): Json | undefined {
  if (pointer === '') return document;
  let here = document;
  for (const step of stepsOf(pointer)) {
    if (Array.isArray(here)) here = /^(0|[1-9]\d*)$/.test(step) ? here[Number(step)] : undefined;
    else if (isDocument(here)) here = Object.hasOwn(here, step) ? here[step] : undefined;
    else return undefined;
  }
  return here;
}

/** The pointer of a path through a document. */
export function pointerOf(path: readonly string[]): string {
  return path.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function stepsOf(pointer: string): string[] {
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}
