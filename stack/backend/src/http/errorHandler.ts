import type { ErrorRequestHandler } from 'express';
import { ApiError, invalidRequest, notFound, Unavailable } from '../errors.js';
import { logOf } from './requestLog.js';

const internal = (cause: unknown) => new ApiError(500, 'internal', 'Algo salió mal de nuestro lado. Inténtalo de nuevo.', { cause });

/** What Express and its body parser throw carries an HTTP status; all else is our fault. */
function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  if (status === 413) return new ApiError(413, 'too_large', 'La solicitud es demasiado grande.');
  if (status === 404) return notFound('esa página');
  if (typeof status === 'number' && status >= 400 && status < 500) return invalidRequest('La solicitud no es válida.');
  return internal(error);
}

export const errorHandler: ErrorRequestHandler = (error, _req, res, next) => {
  const { status, code, message, cause } = asApiError(error);
  if (status >= 500) logOf(res)[status === 503 ? 'warn' : 'error']({ err: cause ?? error, code }, 'request failed');
  if (res.headersSent) return next(error);
  if (error instanceof Unavailable) res.set('Retry-After', '1');
  res.status(status).json({ error: { code, message } });
};
