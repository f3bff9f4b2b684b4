// Prints the totals of a jest report. A file of tests that could not be run at all counts as one that failed.
'use strict';

const { existsSync, readFileSync } = require('node:fs');

const [, , file] = process.argv;
const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { numRuntimeErrorTestSuites: 1 };
const { numPassedTests = 0, numFailedTests = 0, numRuntimeErrorTestSuites = 0 } = report;
console.log(`${numPassedTests} passed, ${numFailedTests + numRuntimeErrorTestSuites} failed`);
