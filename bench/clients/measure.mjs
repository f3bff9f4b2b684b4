// What one run of a client takes: operations and time between two moments of steady work, processor time of the
// process, and what its garbage collector says.
import { setTimeout as pause } from 'node:timers/promises';
import { GCProfiler } from 'node:v8';

/**
 * Bytes that were allocated on the heap between two moments: what the collections found, less what the ones before had
 * left. Of buffers this is only the objects: V8 gives their bytes back behind the collector's back.
 */
function allocated(begin, collections, end) {
  let bytes = 0;
  let left = begin;
  for (const { beforeGC, afterGC } of collections) {
    bytes += Math.max(0, beforeGC.heapStatistics.usedHeapSize - left);
    left = afterGC.heapStatistics.usedHeapSize;
  }
  return bytes + Math.max(0, end - left);
}

/** A moment of a client at work. */
function now(client) {
  const { heapUsed } = process.memoryUsage();
  return { done: client.done, time: performance.now(), cpu: process.cpuUsage(), heapUsed, wire: client.traffic?.() };
}

/** What a client took between two moments. */
function figures(begin, end, statistics) {
  const cpu = (moment) => moment.cpu.user + moment.cpu.system;
  return {
    operations: end.done - begin.done,
    seconds: (end.time - begin.time) / 1_000,
    /** Microseconds, user and system. */
    cpu: cpu(end) - cpu(begin),
    heapBytes: allocated(begin.heapUsed, statistics, end.heapUsed),
    ...(end.wire === undefined ? {} : { wireBytes: end.wire - begin.wire }),
    /** Microseconds in collections. */
    collecting: statistics.reduce((sum, { cost }) => sum + cost, 0),
  };
}

/** Lets a client do so many calls, from idle to idle: so what they take does not depend on when it is looked at. */
export async function measureCalls(client, { calls }) {
  const profiler = new GCProfiler();
  profiler.start();
  const begin = now(client);
  await client.start(calls);
  const end = now(client);
  return figures(begin, end, profiler.stop().statistics);
}

/**
 * Lets a client work, and measures once it is warm.
 * @param {{ warmup: number, measure: number }} times milliseconds
 */
export async function measure(client, { warmup, measure: milliseconds }) {
  const ended = client.start();
  await Promise.race([pause(warmup), ended]);
  client.latencies?.clear();
  const profiler = new GCProfiler();
  profiler.start();
  const begin = now(client);
  await Promise.race([pause(milliseconds), ended]);
  const end = now(client);
  const { statistics } = profiler.stop();
  const [p50, p99] = [client.latencies?.quantile(0.5), client.latencies?.quantile(0.99)];
  client.stop();
  await ended;
  return { ...figures(begin, end, statistics), ...(p50 === undefined ? {} : { p50, p99 }) };
}
