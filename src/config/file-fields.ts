/** What is told of each record of a flow beside its attributes, and under which names. */
import type { PlainConfig } from './file.ts';
import { namesBy } from './file-name.ts';

export type Field = keyof PlainConfig['fields'];

/** The order in which they stand, and their names where nothing else is said. */
const usual = {
  entity: 'entity',
  operation: 'operation',
  sequence: 'sequence',
  at: 'at',
  id: 'id',
  formerId: 'former_id',
} satisfies Record<Field, string>;

/** A snapshot tells what is there, not what happened. */
export const changesOnly: readonly Field[] = ['operation', 'sequence', 'at', 'formerId'];

/** The fields that a flow has, in order, with their names. */
export function fieldsOf(config: PlainConfig): readonly (readonly [Field, string])[] {
  const { fields, content } = config;
  const isJoint = Object.keys(config.entities).length > 1 && !namesBy(config.name, 'entity');
  const preset = (field: Field): string | false => {
    if (field === 'entity') return isJoint && usual.entity;
    return content === 'changes' && usual[field];
  };
  const all: readonly Field[] = ['entity', 'operation', 'sequence', 'at', 'id', 'formerId'];
  return all.flatMap((field) => {
    const name = fields[field] ?? preset(field);
    return name === false ? [] : [[field, name] as const];
  });
}
