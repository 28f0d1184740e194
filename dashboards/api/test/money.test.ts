// @vitest-environment node
import { describe, expect, it } from "vitest";
import { formatMoney } from "../src";

describe("formatMoney", () => {
  it("writes minor units as the currency is written", () => {
    expect(formatMoney(2490, "EUR", "en-GB")).toBe("€24.90");
    expect(formatMoney(500, "JPY", "en-US")).toBe("¥500");
    expect(formatMoney(1250, "KWD", "en-US").replace(/\s/g, " ")).toMatch(/1\.250$/);
    expect(formatMoney(1_234_567, "USD", "en-US")).toBe("$12,345.67");
    expect(formatMoney(0, "EUR", "de-DE").replace(/\s/g, " ")).toBe("0,00 €");
  });

  it("keeps the sign of a refund", () => {
    expect(formatMoney(-100, "USD", "en-US")).toBe("-$1.00");
  });
});
