// Prints the totals of jest reports. A file of tests that could not be run at all counts as one that failed.
'use strict';

const { existsSync, readFileSync } = require('node:fs');

let [passed, failed] = [0, 0];
for (const file of process.argv.slice(2)) {
  const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { numRuntimeErrorTestSuites: 1 };
  const { numPassedTests = 0, numFailedTests = 0, numRuntimeErrorTestSuites = 0 } = report;
  passed += numPassedTests;
  failed += numFailedTests + numRuntimeErrorTestSuites;
}
console.log(`${passed} passed, ${failed} failed`);
