import { expect, it } from "vitest";
import { attemptRefused, beginAttempt, endAttempt, storedAttempt } from "../src/checkout/attempt";

const address = (street: string) => ({ recipient: "Ana", street, city: "Torreón", state: "Coahuila", postalCode: "27000" });

it("repeats an unconfirmed attempt as it was, whatever the form says by now", () => {
  const first = beginAttempt("ana", address("Primera 1"));
  expect(beginAttempt("ana", address("Segunda 2"))).toEqual(first);
});

it("takes the new address after a refusal, under the same key", () => {
  const first = beginAttempt("ana", address("Primera 1"));
  attemptRefused(first);
  expect(beginAttempt("ana", address("Segunda 2"))).toEqual({ ...first, address: address("Segunda 2") });
});

it("has a new key after success", () => {
  const first = beginAttempt("ana", address("Primera 1"));
  endAttempt();
  expect(storedAttempt("ana")).toBeUndefined();
  expect(beginAttempt("ana", address("Primera 1")).key).not.toBe(first.key);
});

it("does not go on with somebody else's attempt", () => {
  const first = beginAttempt("ana", address("Primera 1"));
  expect(storedAttempt("luis")).toBeUndefined();
  expect(beginAttempt("luis", address("Otra 3")).key).not.toBe(first.key);
});

it("counts a record it cannot read as none", () => {
  localStorage.setItem("pawpaw.checkout", "{not json");
  expect(storedAttempt("ana")).toBeUndefined();
});
