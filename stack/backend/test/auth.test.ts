import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashPassword, passwordMatches } from '../src/auth/password.js';
import { openShop, type Shop } from './support/shop.js';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

const account = () => ({ email: `${randomUUID()}@pawpaw.mx`, name: 'Íñigo', password: 'contraseña-ñandú' });
const register = (body: object) => shop.api.post('/api/auth/register').send(body);
const login = (email: string, password: string, address = '203.0.113.1') =>
  shop.api.post('/api/auth/login').set('X-Forwarded-For', address).send({ email, password });

describe('an account', () => {
  it('is registered, logs in whatever the case of its address, and its token works', async () => {
    const wanted = account();
    const registered = await register(wanted).expect(201);
    expect(registered.body.user).toEqual({ id: registered.body.user.id, email: wanted.email, name: 'Íñigo' });
    const { body } = await login(wanted.email.toUpperCase(), wanted.password).expect(200);
    expect(body.user).toEqual(registered.body.user);
    for (const { token } of [registered.body, body]) {
      await shop.api.get('/api/orders').set('Authorization', `Bearer ${token}`).expect(200);
    }
  });

  it('is one per address, even when asked for many times at once', async () => {
    const wanted = account();
    const answers = await Promise.all(Array.from({ length: 5 }, () => register(wanted)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
    expect(answers.find(({ status }) => status === 409)?.body.error.code).toBe('email_taken');
  });

  it.each([{ email: 'ana' }, { name: ' ' }, { password: 'corta' }, { password: undefined }])('with %j is refused', async (change) => {
    const { body } = await register({ ...account(), ...change }).expect(400);
    expect(body.error.message).toContain(Object.keys(change)[0]);
  });

  it('is stored with a salted hash, never with its password', async () => {
    const [one, two] = [account(), account()];
    await register(one).expect(201);
    await register(two).expect(201);
    const stored = await shop.sql<{ password_hash: string }>('SELECT password_hash FROM users WHERE email IN ($1, $2)', [
      one.email,
      two.email,
    ]);
    const hashes = stored.map(({ password_hash }) => password_hash);
    expect(new Set(hashes).size).toBe(2);
    for (const hash of hashes) expect(hash).toMatch(/^scrypt\$16384\$8\$5\$[\w-]{22}\$[\w-]{43}$/);
  });
});

describe('a login', () => {
  it('says the same of a wrong password and an unknown address', async () => {
    const wanted = account();
    await register(wanted).expect(201);
    const wrong = await login(wanted.email, 'otra').expect(401);
    const unknown = await login(account().email, 'otra').expect(401);
    expect(unknown.body).toEqual(wrong.body);
    expect(wrong.body.error.code).toBe('bad_credentials');
  });

  it('is refused after ten wrong passwords from one address, even with the right one; from elsewhere it is not', async () => {
    const wanted = account();
    await register(wanted).expect(201);
    for (let n = 0; n < 10; n++) await login(wanted.email, 'otra', '203.0.113.2').expect(401);
    expect((await login(wanted.email, wanted.password, '203.0.113.2').expect(429)).body.error.code).toBe('too_many_attempts');
    await login(wanted.email, wanted.password, '203.0.113.3').expect(200);
  });

  it('counts a quarter of an hour', async () => {
    const { email } = account();
    await login(email, 'otra', '203.0.113.4').expect(401);
    const ttl = await shop.redisServer.admin.ttl('pawpaw:login:203.0.113.4');
    expect(ttl).toBeGreaterThan(890);
    expect(ttl).toBeLessThanOrEqual(900);
  });

  it('that is right costs nothing', async () => {
    const wanted = account();
    await register(wanted).expect(201);
    for (let n = 0; n < 12; n++) await login(wanted.email, wanted.password, '203.0.113.5').expect(200);
  });
});

it('a password is the same however its accents are composed', async () => {
  expect(await passwordMatches('n\u0303andu\u0301', await hashPassword('ñandú'))).toBe(true);
  expect(await passwordMatches('nandu', await hashPassword('ñandú'))).toBe(false);
});
