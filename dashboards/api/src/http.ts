/** JSON over fetch: every refusal becomes an `ApiError` with the hub's stable code. */

export interface Problem {
  code: string;
  title?: string;
  detail?: string;
  retry_after?: number;
  fields?: { field: string; why: string }[];
  [extra: string]: unknown;
}

/** The hub said no (`status` ≥ 400), or could not be reached (`status` 0, code "offline" or "timeout"). */
export class ApiError extends Error {
  readonly code: string;

  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(problem.detail || problem.title || "Something went wrong.");
    this.name = "ApiError";
    this.code = problem.code;
  }

  /** True when trying the same again later may work. */
  get temporary(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

export interface Call {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  body?: unknown;
  /** Sent as it is, in place of JSON. */
  file?: Blob;
  headers?: Record<string, string>;
  /** Stops the request early; the caller then gets an "aborted" ApiError. */
  signal?: AbortSignal | undefined;
  /** For what takes longer than most. */
  timeoutMs?: number;
  /** Lets the request outlive the page (for releasing a hold while the page closes). */
  keepalive?: boolean;
}

const TIMEOUT_MS = 10_000;

/** One request. Resolves to the JSON body, or to undefined where the answer has none (204). */
export async function call<T>(fetch: Fetch, path: string, options: Call = {}): Promise<T> {
  const limit = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
  const init: RequestInit = {
    method: options.method ?? "GET",
    headers: { Accept: "application/json", ...options.headers },
    credentials: "same-origin",
    signal: options.signal ? AbortSignal.any([options.signal, limit]) : limit,
  };
  if (options.keepalive) init.keepalive = true;
  if (options.body !== undefined) {
    init.headers = { ...init.headers, "Content-Type": "application/json" };
    init.body = JSON.stringify(options.body);
  }
  if (options.file) init.body = options.file;
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, init);
    text = await response.text();
  } catch (error) {
    throw unreachable(error);
  }
  const body = parse(text);
  if (!response.ok) throw new ApiError(response.status, problemOf(body, response));
  return body as T;
}

/** A file. Resolves to what came, however large; refusals are as those of `call`. */
export async function download(fetch: Fetch, path: string, headers: Record<string, string>): Promise<Blob> {
  let response: Response;
  try {
    response = await fetch(path, { headers, credentials: "same-origin", signal: AbortSignal.timeout(60_000) });
    if (response.ok) return await response.blob();
  } catch (error) {
    throw unreachable(error);
  }
  throw new ApiError(response.status, problemOf(parse(await response.text()), response));
}

function unreachable(error: unknown): ApiError {
  const name = error instanceof Error ? error.name : "";
  if (name === "TimeoutError") {
    return new ApiError(0, { code: "timeout", detail: "The shop did not answer in time. Try again." });
  }
  if (name === "AbortError") return new ApiError(0, { code: "aborted", detail: "Stopped." });
  return new ApiError(0, { code: "offline", detail: "No connection. Check your network and try again." });
}

function parse(text: string): unknown {
  if (!text) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a proxy's HTML error page: the status says enough
  }
}

function problemOf(body: unknown, response: Response): Problem {
  if (typeof body === "object" && body !== null && "code" in body && typeof body.code === "string") {
    return body as Problem;
  }
  const detail =
    response.status >= 500 ? "The shop is not answering properly. Try again." : "This was refused.";
  return { code: `http_${response.status}`, detail };
}
