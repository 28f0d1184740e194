/** docs/player.md and the element say the same: nothing is promised that is not there, nothing is there untold. */

/// <reference types="node" />
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SimulcastPlayer } from "../src";

/** Vite serves nothing from outside the workspace. */
const DOCUMENT = readFileSync(`${import.meta.dirname}/../../../docs/player.md`, "utf8");
const SOURCE: Record<string, string> = import.meta.glob("../src/**/*.ts", { query: "?raw", import: "default", eager: true });
const read = (name: string) => SOURCE[`../src/${name}`] ?? "";

/** The rows of the tables in one chapter, cell by cell, without their heads. */
function rows(chapter: string, table = 0): string[][] {
  const text = DOCUMENT.split(/^## /m).find((one) => one.startsWith(`${chapter}\n`)) ?? "";
  const tables = text.split(/\n(?!\|)/).map((block) => block.split("\n").filter((line) => line.startsWith("|")));
  const lines = tables.filter((one) => one.length > 2)[table]?.slice(2) ?? [];
  return lines.map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

/** What stands in backticks, call brackets and the values in brackets left out. */
function named(cell = ""): string[] {
  const bare = cell.replaceAll(/\(`[^)]*\)/g, "");
  return [...bare.matchAll(/`([\w-]+)(?:\([^`]*\))?`/g)].map((found) => found[1] ?? "");
}

const sorted = (names: Iterable<string>) => [...new Set(names)].sort();
const documented = (chapter: string, column = 0, table = 0) =>
  sorted(rows(chapter, table).flatMap((row) => named(row[column])));

/** Attributes, and the properties that have none. */
function properties(): { attributes: string[]; others: string[] } {
  const all = [...SimulcastPlayer.elementProperties].filter(([, { state }]) => !state);
  const attributes = all.flatMap(([name, { attribute }]) => (attribute === false ? [] : [attribute || name]));
  const others = all.flatMap(([name, { attribute }]) => (attribute === false ? [name] : []));
  return { attributes: attributes.map(String).sort(), others: others.map(String) };
}

/** The class's own public methods and properties; a private or an inherited one has a word before its name. */
function members(): string[] {
  const [, body = ""] = read("player.ts").split("extends LitElement {");
  const own = body.matchAll(/^ {2}(?:get |set )?(\w+)\(.*\{$/gm);
  return sorted([...own].map((found) => found[1] ?? "").filter((name) => name !== "constructor"));
}

/** Every event with what its detail holds besides show time. */
function events(): Record<string, string[]> {
  const [, body = ""] = read("events.ts").split("interface PlayerEvents {");
  const whole = body.slice(0, body.indexOf("\n}\n")).replaceAll(/\/\*\*.*?\*\//gs, "");
  const found = [...whole.matchAll(/"([\w-]+)": InShow & \{([^}]*)\}/g)];
  return Object.fromEntries(
    found.map(([, name = "", fields = ""]) => [name, sorted([...fields.matchAll(/(\w+):/g)].map((one) => one[1] ?? ""))]),
  );
}

function states(): string[] {
  const [, union = ""] = /type PlayerState =([^;]+);/.exec(read("states.ts")) ?? [];
  return sorted([...union.matchAll(/"(\w+)"/g)].map((found) => found[1] ?? ""));
}

/** Names of parts that a page's style sheet may reach. */
function parts(): string[] {
  const found = Object.values(SOURCE).flatMap((code) => [...code.matchAll(/\spart="([\w -]+)"/g)]);
  return sorted(found.flatMap((one) => (one[1] ?? "").split(" ")));
}

describe("docs/player.md", () => {
  it("lists the element's attributes and no others", () => {
    expect(documented("Attributes")).toEqual(properties().attributes);
  });

  it("lists the element's methods and properties and no others", () => {
    const { attributes, others } = properties(); // an attribute may be told of as a property, too
    const told = documented("Methods and properties").filter((name) => !attributes.includes(name));
    expect(told).toEqual(sorted([...members(), ...others]));
    expect(members().length).toBeGreaterThan(15);
  });

  it("lists the element's events with what they carry and no others", () => {
    const told = rows("Events").map(([name, detail]) => [named(name)[0], sorted(named(detail))]);
    expect(Object.fromEntries(told)).toEqual(events());
    expect(Object.keys(events()).length).toBeGreaterThan(5);
  });

  it("lists the element's states and no others", () => {
    expect(documented("Events", 0, 1)).toEqual(states());
  });

  it("names the parts that style sheets may reach and no others", () => {
    const told = [...DOCUMENT.matchAll(/::part\(([\w-]+)\)/g)].map((found) => found[1] ?? "");
    expect(sorted(told)).toEqual(parts());
  });
});
