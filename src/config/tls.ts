import { z } from 'zod';

/** Encrypted connections: whom to trust, and who we are. */
export const tls = z.strictObject({
  ca: z.string().optional().describe('File of the certificate authorities to trust, PEM'),
  cert: z.string().optional().describe('File of the client certificate, PEM'),
  key: z.string().optional().describe('File of the key of the client certificate, PEM'),
  serverName: z.string().optional().describe('The name to expect in the certificate'),
});
