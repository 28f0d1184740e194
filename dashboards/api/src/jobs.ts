/** Jobs the hub has given up, until a person looks at them. */

import { call, type Call, type Fetch } from "./http";

/** `about`: the id of what it was about. */
export interface ParkedJob {
  id: number;
  task: string;
  what: string;
  about: string;
  attempts: number;
  given_up_at: string;
}

export class JobsApi {
  constructor(private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init)) {}

  parked = (signal?: AbortSignal) => this.send<ParkedJob[]>("GET", "", signal);
  retry = (id: number) => this.send<void>("POST", `/${id}/retry`);
  forget = (id: number) => this.send<void>("DELETE", `/${id}`);

  private send<T>(method: NonNullable<Call["method"]>, path: string, signal?: AbortSignal) {
    const headers: Record<string, string> = method === "GET" ? {} : { "X-Requested-With": "simulcast" };
    return call<T>(this.fetch, `/api/v1/jobs/parked${path}`, { method, headers, signal });
  }
}
