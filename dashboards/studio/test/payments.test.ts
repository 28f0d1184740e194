import type { PaymentGateway } from "@simulcast/api";
import { expect, test } from "vitest";
import { pageOf } from "../src/navigation";
import { budgetOf, dayOf, healthOf, moved, stepLabel, roleOf } from "../src/payments/payment-words";

const aGateway = (change: Partial<PaymentGateway> = {}): PaymentGateway => ({
  connection_id: "1",
  connector: "stripe",
  title: "Stripe",
  name: "Stripe",
  linked: true,
  reason: null,
  test: true,
  well: true,
  budget_ms: 2000,
  usual_budget_ms: 2000,
  calls: 0,
  bad: 0,
  authorise: [],
  ...change,
});

test("a gateway's health is told by words alone, and what new payments do about it", () => {
  expect(healthOf(aGateway()).label).toBe("Ready");
  expect(healthOf(aGateway({ calls: 3 })).label).toBe("Works");
  expect(healthOf(aGateway({ well: false })).label).toBe("Slow or failing");
  expect(healthOf(aGateway({ linked: false, well: false })).label).toBe("Link it again");
  expect(roleOf(aGateway(), 0)).toContain("go here first");
  expect(roleOf(aGateway(), 1)).toContain("those above");
  expect(roleOf(aGateway({ well: false }), 0)).toContain("try the others first");
  expect(roleOf(aGateway({ linked: false, reason: "The key is dead." }), 0)).toBe("The key is dead.");
  expect(dayOf(aGateway({ calls: 1 }))).toBe("1 payment in 24 hours, all in time.");
  expect(dayOf(aGateway({ calls: 5, bad: 2 }))).toBe("5 payments in 24 hours, 2 late or failed.");
});

test("times are typed in seconds, and nothing means the usual time", () => {
  expect(budgetOf("")).toBeNull();
  expect(budgetOf("1.5")).toBe(1500);
  expect(budgetOf("1,5")).toBe(1500);
  for (const odd of ["0", "0.1", "21", "soon", "-1"]) expect(budgetOf(odd)).toBeUndefined();
  expect(stepLabel({ le_ms: 1500, calls: 1 })).toBe("up to 1.5 s");
  expect(stepLabel({ le_ms: 3_600_000, calls: 1 })).toBe("over 20 s");
});

test("moving a gateway keeps all the others in their order", () => {
  expect(moved(["a", "b", "c"], 2, 0)).toEqual(["c", "a", "b"]);
  expect(moved(["a", "b", "c"], 0, 1)).toEqual(["b", "a", "c"]);
  expect(moved(["a"], 3, 0)).toEqual(["a"]);
  expect(pageOf("/studio/payments")).toEqual({ name: "payments" });
});
