import type { CohortDefinition, CreditedRow } from "@simulcast/api";
import { describe, expect, it } from "vitest";
import { cohortWords, definitionOf, draftOf, FIRST_DRAFT, LEAVES, missing } from "../src/channels/cohort-words";
import { currenciesOf, inCurrency, money, parts, partOf, percent, timesWords } from "../src/channels/figure-words";
import { pageOf, PATHS } from "../src/navigation";

const row = (key: string, currency: string | null, credited_minor: number) =>
  ({ key, currency, credited_minor }) as CreditedRow;

describe("figures", () => {
  it("say nothing where there is nothing to divide by, and never zero for something", () => {
    expect([percent(null), percent(0), percent(0.0004), percent(0.0425)]).toEqual(["–", "0 %", "< 0.1 %", "4.3 %"]);
    expect(money(null, "EUR")).toBe("–");
    expect(parts("2.333333")).toBe("2.33");
  });

  it("keep currencies apart", () => {
    const rows = [row("youtube", "EUR", 400), row("youtube", "USD", 900), row("tiktok", null, 0)];
    expect(currenciesOf(rows)).toEqual(["EUR", "USD"]);
    expect(inCurrency(rows, "EUR").map((one) => one.credited_minor)).toEqual([400, 0]);
  });

  it("draw a refunded source as nothing, not as less", () => {
    const rows = [row("a", "EUR", -50), row("b", "EUR", 200), row("c", "EUR", 100)];
    expect(rows.map((one) => partOf(one, rows))).toEqual([0, 1, 0.5]);
  });

  it("call a difference chance where its range leaves that open", () => {
    expect(timesWords({ times: 5.07, low: 2.31, high: 11.1, sure: true })).toBe("5.1 times (2.3 to 11.1)");
    expect(timesWords({ times: 1.2, low: 0.8, high: 1.9, sure: false })).toContain("may be chance");
    expect(timesWords({ times: null, low: null, high: null, sure: false })).toBe("Too few to compare");
  });
});

describe("a cohort", () => {
  it("that was saved opens as it was drawn up", () => {
    const draft = { join: "any" as const, rows: LEAVES.map(({ fresh }, n) => ({ leaf: fresh, not: n % 2 === 1 })) };
    expect(draftOf(definitionOf(draft))).toEqual(draft);
    expect(draftOf(definitionOf(FIRST_DRAFT))).toEqual(FIRST_DRAFT);
  });

  it("that is nested deeper than the builder shows is not opened in it", () => {
    const deep: CohortDefinition = {
      v: 1,
      where: { kind: "all", of: [{ kind: "any", of: [{ kind: "member" }] }] },
    };
    expect(draftOf(deep)).toBeNull();
    expect(cohortWords(deep.where)).toBe("is a member");
  });

  it("says what is missing before it can be asked", () => {
    expect(missing({ join: "all", rows: [] })).toBe("Add a condition.");
    const lacking = LEAVES.filter(({ fresh }) => missing({ join: "all", rows: [{ leaf: fresh, not: false }] }));
    expect(lacking.map(({ value }) => value)).toEqual(["came_from", "viewed"]);
  });

  it("reads as a sentence", () => {
    const draft = { join: "all" as const, rows: [...FIRST_DRAFT.rows, { leaf: { kind: "member" as const }, not: true }] };
    expect(cohortWords(definitionOf(draft).where)).toBe(
      "asked a question in the first 10 minutes and not: is a member",
    );
  });

  it("has an address of its own", () => {
    expect(pageOf(PATHS.channels)).toEqual({ name: "channels" });
    expect(pageOf(PATHS.cohorts)).toEqual({ name: "cohorts" });
    expect(pageOf(`${PATHS.channels}/nothing`)).toEqual({ name: "missing" });
  });
});
