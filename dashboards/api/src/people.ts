/** People: who is who over all platforms, why, and what they did. */

import { call, type Call, type Fetch } from "./http";

export type NodeKind = "email" | "phone" | "platform_user" | "visitor" | "account" | "payment";
export type Choice = "" | "yes" | "no";

export interface PersonFilter {
  /** A part of a name, or a whole e-mail address or phone number. */
  words?: string;
  channel?: string;
  bought?: Choice;
  member?: Choice;
  migrated?: Choice;
  suggested?: Choice;
}

/** `hints` are masked; `revenue` is less refunds; `migrated`: from a platform to the brand's own site. */
export interface PersonRow {
  id: string;
  name: string | null;
  created_at: string;
  member_since: string | null;
  hints: string[];
  platforms: string[];
  verified: boolean;
  orders: number;
  channels: string[];
  last_at: string | null;
  revenue: { currency: string; minor: number }[];
  migrated: boolean;
  suggestions: number;
}

export interface PersonPage {
  people: PersonRow[];
  next: string | null;
}

/** One handle. `value` is null for who may not see addresses. */
export interface PersonNode {
  id: string;
  kind: NodeKind;
  words: string;
  hint: string;
  value: string | null;
  source: string;
  state: "ok" | "shared" | "ignored";
  met: boolean;
  verified_at: string | null;
  name: string | null;
  since: string;
}

export interface PersonEvidence {
  id: string;
  a_id: string;
  b_id: string;
  kind: string;
  strength: "proof" | "hint";
  words: string;
  at: string;
  revoked_at: string | null;
}

export interface PersonChange {
  id: string;
  kind: "merged" | "split" | "confirmed" | "dismissed" | "quarantined" | "undone";
  why: string;
  author: string | null;
  at: string;
  other_id: string | null;
  undone_at: string | null;
  undoable: boolean;
}

/** `confidence` is a decimal from 0 to 1; `a` is the older of the two. */
export interface PersonSuggestion {
  id: string;
  a: string;
  b: string;
  confidence: string;
  reasons: string[];
  created_at: string;
  a_name: string | null;
  b_name: string | null;
  a_hints: string[];
  b_hints: string[];
}

/** `id` is who they are now, whichever of `ids` was asked for. */
export interface PersonDetail {
  id: string;
  ids: string[];
  name: string | null;
  email: string | null;
  phone: string | null;
  member_since: string | null;
  created_at: string;
  nodes: PersonNode[];
  evidence: PersonEvidence[];
  changes: PersonChange[];
  suggestions: PersonSuggestion[];
}

export interface PersonMoment {
  id: string;
  at: string;
  kind: string;
  show_id: string | null;
  show_title: string | null;
  order_id: string | null;
  facts: Record<string, string | number | boolean | null>;
}

export interface PersonTimeline {
  moments: PersonMoment[];
  next: string | null;
}

/** What goes along with handles that are split off. */
export interface PersonMoves {
  orders: number;
  visits: number;
  sign_ins: number;
  cards: number;
  passkeys: number;
}

/** Writes carry this header, which another site's form cannot send. */
const WRITE = { "X-Requested-With": "simulcast" };

export class PeopleApi {
  constructor(private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init)) {}

  list = (filter: PersonFilter, after: string | null, signal?: AbortSignal) =>
    this.read<PersonPage>(`?${queryOf({ ...filter, ...(after ? { after } : {}) })}`, signal);
  /** The same people as a file. */
  exportUrl = (kind: "csv" | "json", filter: PersonFilter) => `/api/v1/people/export.${kind}?${queryOf(filter)}`;
  person = (id: string, signal?: AbortSignal) => this.read<PersonDetail>(`/${id}`, signal);
  timeline = (id: string, cursor: string | null, signal?: AbortSignal) =>
    this.read<PersonTimeline>(`/${id}/timeline?${queryOf(cursor ? { cursor } : {})}`, signal);
  suggestions = (signal?: AbortSignal) => this.read<PersonSuggestion[]>("/suggestions", signal);

  merge = (a: string, b: string, reason: string) => this.write<{ id: string }>("/merge", { a, b, reason });
  previewSplit = (id: string, nodes: string[]) => this.write<PersonMoves>(`/${id}/split/preview`, { nodes });
  /** The handles become a person of their own: who that is. */
  split = (id: string, nodes: string[], reason: string) =>
    this.write<{ id: string }>(`/${id}/split`, { nodes, reason });
  undo = (changeId: string, reason: string) => this.write<{ id: string }>(`/changes/${changeId}/undo`, { reason });
  revoke = (evidenceId: string, reason: string) =>
    this.write<void>(`/evidence/${evidenceId}/revoke`, { reason });
  confirm = (suggestionId: string) => this.write<{ id: string }>(`/suggestions/${suggestionId}/confirm`, {});
  dismiss = (suggestionId: string) => this.write<void>(`/suggestions/${suggestionId}/dismiss`, {});

  private read<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.call<T>(path, signal ? { method: "GET", signal } : { method: "GET" });
  }

  private write<T>(path: string, body: unknown): Promise<T> {
    return this.call<T>(path, { method: "POST", headers: WRITE, body });
  }

  private call<T>(path: string, init: Call): Promise<T> {
    return call<T>(this.fetch, `/api/v1/people${path}`, init);
  }
}

/** Empty choices are left out; yes and no as the hub spells them. */
function queryOf(filter: object): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) {
    if (value === "yes" || value === "no") query.set(name, value === "yes" ? "true" : "false");
    else if (value) query.set(name, String(value));
  }
  return query.toString();
}
