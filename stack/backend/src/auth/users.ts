import type { Queryable } from '../db/database.js';

export type User = { id: string; email: string; name: string };
type StoredUser = User & { password_hash: string };

/** `undefined` when the address is taken. */
export async function insertUser(db: Queryable, user: Omit<User, 'id'>, passwordHash: string): Promise<User | undefined> {
  const [row] = await db.query<User>(
    `INSERT INTO users (email, name, password_hash) VALUES ($1, $2, $3) ON CONFLICT (email) DO NOTHING RETURNING id, email, name`,
    [user.email, user.name, passwordHash],
  );
  return row;
}

export async function findUser(db: Queryable, email: string): Promise<StoredUser | undefined> {
  const [row] = await db.query<StoredUser>('SELECT id, email, name, password_hash FROM users WHERE email = $1', [email]);
  return row;
}
