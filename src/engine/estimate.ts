/** One finished attempt, as it is remembered. */
export interface Measurement {
  /** From its start to its exit, without the time it waited for a processor. */
  readonly runMs: number;
  /** Processor time of it and all its children. */
  readonly cpuMs: number;
  readonly memoryBytes: number;
}

/** What a task is expected to cost. */
export interface TaskEstimate {
  readonly runMs: number;
  readonly cpuMs: number;
  readonly memoryBytes: number;
  /** How many earlier attempts it rests on; 0 means that it is assumed. */
  readonly samples: number;
}

/** What is assumed of a task that never ran here: ten seconds on one processor. */
export const ASSUMED: TaskEstimate = {
  runMs: 10_000,
  cpuMs: 10_000,
  memoryBytes: 256 * 1024 * 1024,
  samples: 0,
};

/** How many of the newest measurements of a task are remembered. */
export const REMEMBERED_MEASUREMENTS = 9;

/** The median of the remembered measurements; {@link ASSUMED} where there is none. */
export function estimateFrom(measurements: readonly Measurement[]): TaskEstimate {
  if (measurements.length === 0) return ASSUMED;
  return {
    runMs: median(measurements.map((measurement) => measurement.runMs)),
    cpuMs: median(measurements.map((measurement) => measurement.cpuMs)),
    memoryBytes: Math.max(...measurements.map((measurement) => measurement.memoryBytes)),
    samples: measurements.length,
  };
}

/** The middle value; of an even number of values the mean of the two in the middle. `NaN` of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** The part of a run time that a task would have taken with a processor to itself. */
export function withoutWaiting(runMs: number, waitedForProcessorMs: number, cpuMs: number, cores: number): number {
  // Several of its processes may wait at once, so what it waited can be overstated; it never ran faster than its work.
  return Math.max(runMs - waitedForProcessorMs, Math.min(runMs, cpuMs / cores));
}
