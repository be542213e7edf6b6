import { randomUUID } from 'node:crypto';
import type { RequestHandler, Response } from 'express';
import type { Logger } from '../log.js';

const ID = /^[\w.-]{8,128}$/;
const PROBES = new Set(['/health', '/ready', '/metrics']);

export const logOf = (res: Response): Logger => res.locals.log as Logger;

/** Gives each request its id (the gateway's, if it sent one) and a log that carries it, and logs the request when it ends. */
export function requestLog(log: Logger): RequestHandler {
  return (req, res, next) => {
    const given = req.get('x-request-id') ?? '';
    const requestId = ID.test(given) ? given : randomUUID();
    const startedAt = performance.now();
    const requestLogger = log.child({ request_id: requestId });
    res.locals.log = requestLogger;
    res.set('X-Request-Id', requestId);
    res.on('close', () => {
      const level = PROBES.has(req.path) ? 'debug' : 'info';
      requestLogger[level](
        {
          method: req.method,
          // The query may hold what somebody searched for, which is nobody's business here.
          path: req.path,
          status: res.statusCode,
          duration_ms: Math.round(performance.now() - startedAt),
          aborted: !res.writableFinished,
        },
        'request',
      );
    });
    next();
  };
}
