import type { Field } from '../../config/file-fields.ts';
import type { Event } from './format.ts';

/** What is known of a record; of an entry of a snapshot, no more than the first three. */
type Facts = Pick<Event, 'entity' | 'remoteId' | 'at'> & Partial<Pick<Event, 'operation' | 'sequence' | 'formerId'>>;

/** A field of a record, as text; empty where it has none. */
export function fieldIn(field: Field, facts: Facts): string {
  switch (field) {
    case 'entity':
      return facts.entity;
    case 'operation':
      return facts.operation ?? '';
    case 'sequence':
      return facts.sequence === undefined ? '' : String(facts.sequence);
    case 'at':
      return facts.at.toISOString();
    case 'id':
      return facts.remoteId;
    case 'formerId':
      return facts.formerId ?? '';
  }
}
