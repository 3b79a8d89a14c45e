import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { ClosingLine } from './test/setup/closing-line.ts';

// Vitest keeps a token of its server in the user's data folder. A test run writes nowhere but here and in temporary folders.
process.env.XDG_DATA_HOME = join(import.meta.dirname, 'node_modules', '.cache');

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup/global-setup.ts'],
    setupFiles: ['test/setup/seed.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: ['default', new ClosingLine()],
    coverage: {
      include: ['src/{capture,deliver,ingest,targets}/**'],
      reporter: [['text', { skipFull: true }]],
      reportsDirectory: join(import.meta.dirname, 'node_modules', '.cache', 'coverage'),
      thresholds: {
        'src/capture/**': { branches: 90 },
        'src/deliver/**': { branches: 90 },
        'src/ingest/**': { branches: 90 },
        'src/targets/**': { branches: 90 },
      },
    },
  },
});
