import { z } from 'zod';

/** The environment does not allow a safe start. The message names variables, never their values. */
export class ConfigError extends Error {}

type Environment = Record<string, string | undefined>;

const required = z.string({ error: 'falta o está vacía' });
const integer = (min: number, max: number) =>
  z.coerce
    .number({ error: 'debe ser un número entero' })
    .int('debe ser un número entero')
    .min(min, `mínimo ${min}`)
    .max(max, `máximo ${max}`);
const port = integer(1, 65535);
const jwtSecret = required.min(32, 'debe tener al menos 32 caracteres');

const databaseSchema = z.object({
  DB_HOST: required,
  DB_PORT: port.default(5432),
  DB_NAME: required,
  DB_USER: required,
  DB_PASSWORD: required,
  DB_OWNER: z
    .string()
    .regex(/^[a-z_][a-z0-9_]*$/, 'no es un nombre de rol')
    .optional(),
  DB_POOL_MAX: integer(1, 100).default(10),
});

const logSchema = z.object({
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error'], { error: 'debe ser debug, info, warn o error' }).default('info'),
  RELEASE_ID: z.string().default('dev'),
});

const serverSchema = databaseSchema.extend({
  PORT: port.default(4000),
  REDIS_HOST: required,
  REDIS_PORT: port.default(6379),
  REDIS_USER: required,
  REDIS_PASSWORD: required,
  JWT_SECRET: jwtSecret,
  JWT_KID: required,
  JWT_PREVIOUS_SECRET: jwtSecret.optional(),
  JWT_PREVIOUS_KID: z.string().optional(),
  JWT_TTL_S: integer(1, 7 * 24 * 3600).default(8 * 3600),
  RESERVATION_TTL_S: integer(1, 24 * 3600).default(30 * 60),
  JOB_INTERVAL_MS: integer(50, 24 * 3600 * 1000).default(60_000),
  DRAIN_DELAY_MS: integer(0, 60_000).default(0),
  DRAIN_TIMEOUT_MS: integer(1, 60_000).default(20_000),
});

function read<S extends z.ZodType>(schema: S, environment: Environment): z.output<S> {
  // Compose passes a variable that is not set as an empty string.
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(present);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    `Configuración inválida: ${parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('; ')}`,
  );
}

function databaseOf(env: z.output<typeof databaseSchema>) {
  return {
    host: env.DB_HOST,
    port: env.DB_PORT,
    name: env.DB_NAME,
    user: env.DB_USER,
    password: env.DB_PASSWORD,
    owner: env.DB_OWNER,
    poolMax: env.DB_POOL_MAX,
  };
}

/** The key that signs, and one more that is accepted: the old one after a rotation, or the new one before it. */
function jwtOf(env: z.output<typeof serverSchema>) {
  const current = { kid: env.JWT_KID, secret: env.JWT_SECRET };
  const { JWT_PREVIOUS_SECRET: secret, JWT_PREVIOUS_KID: kid } = env;
  if ((secret === undefined) !== (kid === undefined)) {
    throw new ConfigError('Configuración inválida: JWT_PREVIOUS_SECRET y JWT_PREVIOUS_KID van juntas o ninguna');
  }
  if (kid === current.kid) throw new ConfigError('Configuración inválida: JWT_PREVIOUS_KID es igual a JWT_KID');
  const previous = secret !== undefined && kid !== undefined ? { kid, secret } : undefined;
  return { current, previous, ttlS: env.JWT_TTL_S };
}

export const databaseConfig = (environment: Environment) => databaseOf(read(databaseSchema, environment));
export const logConfig = (environment: Environment) => read(logSchema, environment);

export function serverConfig(environment: Environment) {
  const env = read(serverSchema, environment);
  return {
    port: env.PORT,
    database: databaseOf(env),
    redis: { host: env.REDIS_HOST, port: env.REDIS_PORT, user: env.REDIS_USER, password: env.REDIS_PASSWORD },
    jwt: jwtOf(env),
    reservationTtlS: env.RESERVATION_TTL_S,
    jobIntervalMs: env.JOB_INTERVAL_MS,
    drain: { delayMs: env.DRAIN_DELAY_MS, timeoutMs: env.DRAIN_TIMEOUT_MS },
  };
}

export function seedPassword(environment: Environment): string {
  return read(z.object({ SEED_USER_PASSWORD: required.min(8, 'debe tener al menos 8 caracteres') }), environment).SEED_USER_PASSWORD;
}

export type DatabaseConfig = ReturnType<typeof databaseConfig>;
export type RedisConfig = ReturnType<typeof serverConfig>['redis'];
export type JwtConfig = ReturnType<typeof serverConfig>['jwt'];
export type DrainConfig = ReturnType<typeof serverConfig>['drain'];
