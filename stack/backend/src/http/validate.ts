import { z } from 'zod';
import { invalidRequest } from '../errors.js';

z.config(z.locales.es());

/** The value as the schema sees it; throws 400 with a Spanish message that names the fields. */
export function parse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidRequest(parsed.error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': ')).join('; '));
}
