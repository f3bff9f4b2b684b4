const levels = ['debug', 'info', 'warn', 'error'] as const;

export type LogLevel = (typeof levels)[number];
export const logLevels: readonly LogLevel[] = levels;
export const logFormats = ['text', 'json'] as const;

/** Writes a line for each thing that happens. */
export type Log = Readonly<Record<LogLevel, (message: string) => void>>;

/** A log that shows the lines of a level and those above it. */
export function makeLog(level: LogLevel, format: (typeof logFormats)[number], write: (line: string) => unknown): Log {
  const least = levels.indexOf(level);
  const writer = (each: LogLevel) => (message: string) => {
    if (levels.indexOf(each) < least) return;
    const time = new Date().toISOString();
    if (format === 'json') write(JSON.stringify({ time, level: each, message }));
    // What comes from outside may hold ends of lines.
    else write(`${time} ${each.toUpperCase().padEnd(5)} ${message.replace(/[\r\n]+/g, ' ')}`);
  };
  return { debug: writer('debug'), info: writer('info'), warn: writer('warn'), error: writer('error') };
}
