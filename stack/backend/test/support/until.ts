import { setTimeout as wait } from 'node:timers/promises';

/** Asks until the answer is truthy; throws with the last error after the deadline. */
export async function until<T>(what: string, ask: () => Promise<T> | T, deadlineMs = 30_000): Promise<NonNullable<T>> {
  const end = Date.now() + deadlineMs;
  let last: unknown;
  while (Date.now() < end) {
    try {
      const answer = await ask();
      if (answer) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await wait(25);
  }
  throw new Error(`not within ${deadlineMs} ms: ${what}`, { cause: last });
}
