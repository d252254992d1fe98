import type { Reporter, TestModule } from 'vitest/node';

/** Ends a run with one counted line, `N passed, N failed`, after the default reporter's own summary. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandled.length;
    let skipped = 0;
    const late: string[] = [];
    for (const module of modules) {
      // A file that failed to load, or a hook that failed, has no failed test to show for it.
      if (module.state() === 'failed' && [...module.children.allTests('failed')].length === 0) failed += 1;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (test.diagnostic()?.flaky === true) late.push(`${module.moduleId}: ${test.fullName}`);
        if (state === 'passed') passed += 1;
        else if (state === 'failed') failed += 1;
        else skipped += 1;
      }
    }
    for (const name of late) console.log(`passed on the second try: ${name}`);
    const engines = (process.env['LOCKSTEP_ENGINES'] ?? '').split(',');
    const left = ['docker', 'podman', 'podman-compose'].filter((engine) => !engines.includes(engine));
    if (left.length > 0) console.log(`not run here: the stack on ${left.join(', ')} (make test-engines)`);
    console.log(`${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`);
  }
}
