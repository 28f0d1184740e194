/** A connector's form, read from the JSON schema of its config. Pure. */

import type { Connector, JsonSchema } from "@simulcast/api";
import { sentence } from "../parts/words";

export interface FormField {
  name: string;
  title: string;
  help: string;
  kind: "text" | "secret" | "number" | "switch" | "choice";
  options: string[];
  required: boolean;
  pattern: string | null;
  initial: string;
}

export type Typed = Record<string, string>;

type Property = Record<string, unknown>;

export function fieldsOf(schema: JsonSchema): FormField[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).map(([name, raw]) => {
    const property = { ...firstKind(raw), ...raw };
    const options = Array.isArray(property.enum) ? property.enum.map(String) : [];
    return {
      name,
      title: text(property.title) || sentence(name.replaceAll("_", " ")),
      help: text(property.description),
      kind: kindOf(property, options),
      options,
      required: required.has(name),
      pattern: text(property.pattern) || null,
      initial: property.default == null ? "" : String(property.default),
    };
  });
}

/** "string or nothing" is written as a choice of kinds; the first that is something is the field's. */
function firstKind(property: Property): Property {
  const kinds = Array.isArray(property.anyOf) ? (property.anyOf as Property[]) : [];
  return kinds.find((kind) => kind.type !== "null") ?? {};
}

function kindOf(property: Property, options: string[]): FormField["kind"] {
  if (options.length) return "choice";
  if (property.type === "boolean") return "switch";
  if (property.type === "number" || property.type === "integer") return "number";
  return property.format === "password" ? "secret" : "text";
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function initialOf(fields: FormField[]): Typed {
  return Object.fromEntries(fields.map((field) => [field.name, field.initial]));
}

/** What is wrong with what was typed, by field; empty when it can be sent. */
export function problemsOf(fields: FormField[], typed: Typed): Typed {
  const problems: Typed = {};
  for (const field of fields) {
    const value = typed[field.name]?.trim() ?? "";
    if (!value && field.required && field.kind !== "switch") problems[field.name] = "This is needed.";
    else if (value && field.kind === "number" && Number.isNaN(Number(value))) {
      problems[field.name] = "Enter a number.";
    } else if (value && field.pattern && !new RegExp(field.pattern).test(value)) {
      problems[field.name] = `This does not look right. ${field.help}`.trim();
    }
  }
  return problems;
}

/** What the hub gets. What was left empty is left out, so that the connector's own default holds. */
export function configOf(fields: FormField[], typed: Typed): Record<string, unknown> {
  const config: Record<string, unknown> = {};
  for (const { name, kind } of fields) {
    const value = typed[name]?.trim() ?? "";
    if (kind === "switch") config[name] = value === "true";
    else if (value) config[name] = kind === "number" ? Number(value) : value;
  }
  return config;
}

/** The hub names fields as programs do; people know them by their titles. */
export function inTitles(problem: string, fields: FormField[]): string {
  return fields.reduce(
    (words, { name, title }) => words.replaceAll(new RegExp(`(^|[:;] )${name}: `, "g"), `$1${title}: `),
    problem,
  );
}

/** What may be set beside the app that accounts are linked with; secrets (a stream key) first. */
export function settingsOf(connector: Connector): FormField[] {
  const app = connector.consent?.app.properties ?? {};
  const fields = fieldsOf(connector.schema).filter(({ name }) => !(name in app));
  // What stands there already may be left empty.
  const free = fields.map((field) => ({ ...field, required: false }));
  return free.sort((a, b) => Number(b.kind === "secret") - Number(a.kind === "secret"));
}

/** The fields as they are set now, as far as the hub tells. */
export function shownOf(fields: FormField[], settings: Record<string, unknown>): Typed {
  return Object.fromEntries(
    fields.map(({ name, kind }) => {
      const value = settings[name];
      return [name, kind === "secret" || value == null ? "" : String(value)];
    }),
  );
}

/** What was changed, as the hub takes it. */
export function changesOf(fields: FormField[], before: Typed, typed: Typed): Record<string, unknown> {
  return configOf(
    fields.filter(({ name }) => typed[name] !== before[name]),
    typed,
  );
}
