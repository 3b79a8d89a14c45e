import type { FileConfig } from '../../config/file.ts';
import { Csv } from './csv.ts';
import type { Format } from './format.ts';
import { Jsonl } from './jsonl.ts';
import { Ldif } from './ldif.ts';

/** The format of a flow. */
export function formatOf(config: FileConfig): Format {
  switch (config.format) {
    case 'csv':
      return new Csv(config);
    case 'jsonl':
      return new Jsonl(config);
    case 'ldif':
      return new Ldif(config);
  }
}
