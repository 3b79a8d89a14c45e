import type { Reporter, TestModule } from 'vitest/node';

/**
 * Ends a test run with one plain line, `N passed, N failed` or `N passed, N failed, N skipped`. What fails outside a test
 * (a file that does not load, a hook, the set-up, no test at all) counts as failed too.
 */
export class ClosingLine implements Reporter {
  readonly #counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };

  onInit(): void {
    // At exit, since the runner goes on printing after it has told its reporters that the run is over.
    process.once('exit', (code) => {
      const { passed, failed, skipped, pending } = this.#counts;
      const left = skipped + pending;
      const failures = code === 0 ? failed : Math.max(failed, 1);
      console.log(`\n${passed} passed, ${failures} failed${left > 0 ? `, ${left} skipped` : ''}`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    this.#counts.failed += unhandledErrors.length;
    for (const module of modules) {
      this.#counts.failed += module.errors().length;
      for (const suite of module.children.allSuites()) this.#counts.failed += suite.errors().length;
      for (const test of module.children.allTests()) this.#counts[test.result().state]++;
    }
  }
}
