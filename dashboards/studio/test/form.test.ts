import type { JsonSchema } from "@simulcast/api";
import { expect, test } from "vitest";
import { configOf, fieldsOf, initialOf, inTitles, problemsOf } from "../src/connections/form";

/** As pydantic writes the schemas of our connectors. */
const SCHEMA: JsonSchema = {
  properties: {
    shop: {
      title: "Store address",
      description: "Like a.shop.com.",
      type: "string",
      pattern: "^[a-z0-9-]+\\.shop\\.com$",
    },
    secret: { title: "Client secret", type: "string", format: "password", writeOnly: true },
    latency: { default: "low", enum: ["normal", "low"], title: "Latency", type: "string" },
    kids: { default: false, title: "Made for kids", type: "boolean" },
    poll: { default: 4.0, title: "Seconds", type: "number" },
    place: {
      anyOf: [{ type: "string", pattern: "^gid:" }, { type: "null" }],
      default: null,
      title: "Location",
    },
  },
  required: ["shop", "secret"],
};
const FIELDS = fieldsOf(SCHEMA);

test("each kind of setting becomes its kind of field", () => {
  expect(FIELDS.map(({ name, kind, required }) => [name, kind, required])).toEqual([
    ["shop", "text", true],
    ["secret", "secret", true],
    ["latency", "choice", false],
    ["kids", "switch", false],
    ["poll", "number", false],
    ["place", "text", false],
  ]);
  const initial = { shop: "", secret: "", latency: "low", kids: "false", poll: "4", place: "" };
  expect(initialOf(FIELDS)).toEqual(initial);
});

test("what is needed or malformed is said at its field", () => {
  const typed = { ...initialOf(FIELDS), shop: "not a shop", poll: "often", place: "here" };
  expect(Object.keys(problemsOf(FIELDS, typed))).toEqual(["shop", "secret", "poll", "place"]);
  const right = { ...initialOf(FIELDS), shop: "a.shop.com", secret: "s" };
  expect(problemsOf(FIELDS, right)).toEqual({});
});

test("what was left empty is left to the connector", () => {
  const typed = { ...initialOf(FIELDS), shop: " a.shop.com ", secret: "s", kids: "true" };
  expect(configOf(FIELDS, typed)).toEqual({
    shop: "a.shop.com",
    secret: "s",
    latency: "low",
    kids: true,
    poll: 4,
  });
});

test("the hub's complaint names fields as the form does", () => {
  expect(inTitles("Shop: shop: Field required; secret: Too short", FIELDS)).toBe(
    "Shop: Store address: Field required; Client secret: Too short",
  );
});
