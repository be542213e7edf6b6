import { expect, it } from 'vitest';
import { serverConfig } from '../src/config.js';
import { runProgram } from './support/spawned.js';

const SECRET = 's'.repeat(32);
const complete = {
  DB_HOST: 'postgres',
  DB_NAME: 'shop',
  DB_USER: 'app',
  DB_PASSWORD: 'canary-db',
  REDIS_HOST: 'redis',
  REDIS_USER: 'app',
  REDIS_PASSWORD: 'canary-redis',
  JWT_SECRET: SECRET,
  JWT_KID: '1',
};

it('the complete environment is accepted, with the defaults of the contract', () => {
  expect(serverConfig(complete)).toMatchObject({
    port: 4000,
    database: { port: 5432, poolMax: 10 },
    jwt: { current: { kid: '1', secret: SECRET }, previous: undefined },
    drain: { delayMs: 0, timeoutMs: 20_000 },
  });
});

it.each([
  ['JWT_SECRET', '', 'JWT_SECRET falta o está vacía'],
  ['JWT_SECRET', 'changeme_jwt_secret', 'JWT_SECRET debe tener al menos 32 caracteres'],
  ['JWT_KID', '', 'JWT_KID falta o está vacía'],
  ['DB_PASSWORD', '', 'DB_PASSWORD falta o está vacía'],
  ['REDIS_PASSWORD', '', 'REDIS_PASSWORD falta o está vacía'],
  ['DB_OWNER', 'owner -c x=y', 'DB_OWNER no es un nombre de rol'],
  ['PORT', 'http', 'PORT debe ser un número entero'],
  ['JWT_PREVIOUS_SECRET', 'p'.repeat(31), 'JWT_PREVIOUS_SECRET debe tener al menos 32 caracteres'],
  ['JWT_PREVIOUS_SECRET', 'p'.repeat(32), 'JWT_PREVIOUS_SECRET y JWT_PREVIOUS_KID van juntas o ninguna'],
])('%s=%j is refused', (name, value, message) => {
  expect(() => serverConfig({ ...complete, [name]: value })).toThrow(message);
});

it('two keys of one kid are refused', () => {
  const keys = { JWT_PREVIOUS_SECRET: 'p'.repeat(32), JWT_PREVIOUS_KID: '1' };
  expect(() => serverConfig({ ...complete, ...keys })).toThrow('JWT_PREVIOUS_KID es igual a JWT_KID');
});

it.each([
  ['absent', undefined, 'falta o está vacía'],
  ['empty', '', 'falta o está vacía'],
  ['short', 'canary-jwt', 'debe tener al menos 32 caracteres'],
])('the server does not start with a JWT_SECRET that is %s: exit code 78 and one line that says so', async (_, secret, message) => {
  const { JWT_SECRET: _left, ...rest } = complete;
  const { code, output } = await runProgram('server', secret === undefined ? rest : { ...rest, JWT_SECRET: secret });
  expect(code).toBe(78);
  const [line, ...more] = output.trim().split('\n');
  expect(more).toEqual([]);
  expect(JSON.parse(line as string)).toMatchObject({
    level: 'fatal',
    service: 'backend',
    msg: `Configuración inválida: JWT_SECRET ${message}`,
  });
  expect(output).not.toContain('canary');
});

it.each(['migrate', 'seed'] as const)('%s without a database password: exit code 78', async (program) => {
  const { code, output } = await runProgram(program, { ...complete, DB_PASSWORD: '', SEED_USER_PASSWORD: 'x'.repeat(12) });
  expect(code).toBe(78);
  expect(output).toContain('DB_PASSWORD falta o está vacía');
});
