/** People's rights, how long things are kept, who looked, and a brand's members. */

import type { ConsentWords } from "./consent";
import { call, type Call, type Fetch } from "./http";
import type { Role } from "./types";

export interface FoundPerson {
  id: string;
  name: string | null;
  email: string | null;
  created_at: string;
  orders: number;
}

/** Rows by area and table. */
export type RowCounts = Record<string, Record<string, number>>;

export interface ErasurePreview {
  removes: RowCounts;
  titles: Record<string, string>;
  invoices: string[];
  stays: string[];
  /** Why it has to wait; null: it need not. */
  waits: string | null;
}

export interface RightsRequest {
  id: string;
  customer_id: string;
  kind: "export" | "erase";
  state: "queued" | "working" | "done" | "failed" | "expired";
  by_staff: boolean;
  asked_at: string;
  done_at: string | null;
  expires_at: string | null;
  step: number;
  steps: number;
  problem: string;
  proof: Record<string, unknown>;
}

export interface RetentionRule {
  subject: string;
  what: string;
  why: string;
  /** null: for ever. */
  days: number | null;
  default_days: number | null;
  changed: boolean;
}

export interface RetentionRun {
  subject: string;
  what: string;
  before: string;
  removed: number;
  at: string;
}

export interface Look {
  member: string;
  subject: string;
  subject_id: string;
  fields: string[];
  at: string;
}

export interface Member {
  id: string;
  name: string;
  email: string;
  role: Role;
  /** They have not chosen a password yet. */
  invited: boolean;
}

/** `url` is told this once. */
export interface Invited {
  member: Member;
  url: string;
}

/** A buyer's own copy of what is kept about them. */
export interface OwnCopy {
  state: "none" | "queued" | "working" | "done" | "expired" | "failed";
  step: number;
  steps: number;
  expires_at: string | null;
}

/** What viewers are asked, by language. `own`: in the brand's words. */
export interface ConsentText {
  version: number;
  body: Record<string, ConsentWords>;
  own: boolean;
}

/** Counting what a person left behind reads all of it. */
const PATIENT_MS = 60_000;

/** One method per route; every method throws `ApiError`. */
export class PrivacyApi {
  constructor(private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init)) {}

  find = (words: string, signal?: AbortSignal) =>
    this.read<FoundPerson[]>(`/privacy/people?q=${encodeURIComponent(words)}`, signal);
  preview = (id: string, signal?: AbortSignal) =>
    this.read<ErasurePreview>(`/privacy/people/${id}/preview`, signal);
  askCopy = (id: string) => this.write<RightsRequest>("POST", `/privacy/people/${id}/export`);
  erase = (id: string, confirm: string) =>
    this.write<RightsRequest>("POST", `/privacy/people/${id}/erase`, { confirm });
  requests = (signal?: AbortSignal) => this.read<RightsRequest[]>("/privacy/requests", signal);
  again = (id: string) => this.write<RightsRequest>("POST", `/privacy/requests/${id}/again`);
  /** The address of a copy's file, for a link. */
  fileOf = (id: string) => `/api/v1/privacy/requests/${id}/file`;

  rules = (signal?: AbortSignal) => this.read<RetentionRule[]>("/privacy/rules", signal);
  keep = (subject: string, days: number | null) =>
    this.write<void>("PUT", `/privacy/rules/${subject}`, { days });
  wouldRemove = (subject: string, days: number, signal?: AbortSignal) =>
    this.read<{ count: number; sentence: string }>(`/privacy/rules/${subject}/preview?days=${days}`, signal);
  runs = (signal?: AbortSignal) => this.read<RetentionRun[]>("/privacy/runs", signal);
  looks = (signal?: AbortSignal) => this.read<Look[]>("/privacy/looks", signal);

  consentText = (signal?: AbortSignal) => this.read<ConsentText>("/consent/text", signal);
  /** Null: in our words again. `version` is the one that was edited. */
  askInWords = (version: number, body: ConsentText["body"] | null) =>
    this.write<ConsentText>("PUT", "/consent/text", { version, body });

  members = (signal?: AbortSignal) => this.read<Member[]>("/members", signal);
  invite = (member: { email: string; name: string; role: Role }) =>
    this.write<Invited>("POST", "/members", member);
  inviteAgain = (id: string) => this.write<Invited>("POST", `/members/${id}/link`);
  changeRole = (id: string, role: Role) => this.write<Member>("PATCH", `/members/${id}`, { role });
  removeMember = (id: string) => this.write<void>("DELETE", `/members/${id}`);
  /** Choose a password with an invitation's token. */
  accept = (token: string, password: string) =>
    this.write<void>("POST", "/auth/invites", { token, password });

  private read<T>(path: string, signal?: AbortSignal) {
    return call<T>(this.fetch, `/api/v1${path}`, { signal, timeoutMs: PATIENT_MS });
  }

  private write<T>(method: NonNullable<Call["method"]>, path: string, body?: unknown) {
    const headers = { "X-Requested-With": "simulcast" };
    return call<T>(this.fetch, `/api/v1${path}`, { method, headers, body, timeoutMs: PATIENT_MS });
  }
}
