import pg from 'pg';
import { Unavailable } from '../errors.js';

// SQLSTATE classes: connection, resources, operator intervention (restart, terminate, timeout), system.
const CLASSES = new Set(['08', '53', '57', '58']);
// serialization failure, deadlock, lock timeout, read-only (a standby answered), idle transaction ended.
const CODES = new Set(['40001', '40P01', '55P03', '25006', '25P03']);

/** The error to throw for one that a statement met: `Unavailable` unless the statement itself is at fault. */
export function asUnavailable(error: unknown): unknown {
  if (error instanceof pg.DatabaseError) {
    const code = error.code ?? '';
    return CLASSES.has(code.slice(0, 2)) || CODES.has(code) ? new Unavailable(error) : error;
  }
  // The driver's own errors carry no code: what the server did not say is trouble with the connection, unless our call was wrong.
  return error instanceof TypeError ? error : new Unavailable(error);
}
