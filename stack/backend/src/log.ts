import { type Logger, pino } from 'pino';
import { ConfigError, logConfig } from './config.js';

export type { Logger };

const EX_CONFIG = 78;

/** JSON lines on stdout. */
export function createLog(environment: NodeJS.ProcessEnv): Logger {
  const { LOG_LEVEL: level, RELEASE_ID: release } = logConfig(environment);
  return pino({
    level,
    base: { service: 'backend', release },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}

/** Runs a program's main; what it throws is logged and becomes the exit code. */
export async function runProgram(main: (log: Logger) => Promise<void>): Promise<void> {
  let log: Logger = pino();
  try {
    log = createLog(process.env);
    await main(log);
  } catch (error) {
    const refused = error instanceof ConfigError;
    log.fatal(refused ? { code: EX_CONFIG } : { err: error }, error instanceof Error ? error.message : String(error));
    process.exitCode = refused ? EX_CONFIG : 1;
  }
}
