/** The studio's half of the HTTP API: the session cookie says who is asking. */

import { call, type Call, type Fetch } from "./http";
import type * as C from "./chat";
import type * as P from "./playback";
import type * as Q from "./quality";
import type { StockRules } from "./settings";
import type * as T from "./types";

/** Writes carry this header, which another site's form cannot send. */
const WRITE = { "X-Requested-With": "simulcast" };

/** Cutting a long clip on a slow disk. */
const CLIP_TIMEOUT_MS = 75_000;

/** One method per route; every method throws `ApiError`. */
export class StaffApi {
  constructor(private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init)) {}

  signIn = (email: string, password: string) =>
    this.write<T.Session>("POST", "/auth/session", { email, password });
  session = (signal?: AbortSignal) => this.read<T.Session>("/auth/session", signal);
  signOut = () => this.write<void>("DELETE", "/auth/session");
  gatewayTicket = (showId: string) =>
    this.read<T.GatewayTicket>(`/auth/gateway-ticket?show_id=${encodeURIComponent(showId)}`);

  connectors = (signal?: AbortSignal) => this.read<T.Connector[]>("/connectors", signal);
  connections = (signal?: AbortSignal) => this.read<T.Connection[]>("/connections", signal);
  addConnection = (connection: T.NewConnection) =>
    this.write<T.Connection>("POST", "/connections", connection);
  /** `settings` are some fields of the config: the others, secrets too, stay as they are. */
  changeConnection = (
    id: string,
    change: Partial<Omit<T.NewConnection, "connector">> & { settings?: Record<string, unknown> },
  ) =>
    this.write<T.Connection>("PATCH", `/connections/${id}`, change);
  removeConnection = (id: string) => this.write<void>("DELETE", `/connections/${id}`);
  /** Where to send the browser, so that a person can let us in; good for ten minutes. */
  beginConsent = (wish: T.ConsentWish) => this.write<{ url: string }>("POST", "/connections/consent", wish);
  /** A login of this person's that waits for a choice of accounts. */
  pendingLink = (id: string, signal?: AbortSignal) =>
    this.read<T.PendingLink>(`/connections/pending/${encodeURIComponent(id)}`, signal);
  chooseAccounts = (id: string, accountIds: string[]) =>
    this.write<T.Connection[]>("POST", `/connections/pending/${encodeURIComponent(id)}`, {
      account_ids: accountIds,
    });
  alarms = (signal?: AbortSignal) => this.read<T.Alarm[]>("/alarms", signal);
  /** Reads a shop's catalogue and ties each of its SKUs to ours. */
  importListings = (id: string) =>
    this.write<{ linked: number; unknown: number }>("POST", `/connections/${id}/listings`);

  /** Deliveries of the brand's platforms that need a person, newest first. */
  deliveries = (signal?: AbortSignal) => this.read<T.DeliveryTrouble[]>("/deliveries", signal);
  /** Works on a delivery again; repeatable. */
  retryDelivery = (id: string) => this.write<void>("POST", `/deliveries/${id}/retry`);

  products = (signal?: AbortSignal) => this.read<T.Product[]>("/products", signal);
  addProduct = (product: T.NewProduct) => this.write<T.Product>("POST", "/products", product);
  /** `version` is the stock version last seen: a 409 means that somebody else changed it since. */
  setStock = (variantId: string, change: { on_hand: number; version: number; reason: string }) =>
    this.write<T.Stock>("PATCH", `/variants/${variantId}/stock`, change);

  shows = (signal?: AbortSignal) => this.read<T.ShowSummary[]>("/shows", signal);
  addShow = (show: T.NewShow) => this.write<T.ShowSummary>("POST", "/shows", show);
  show = (id: string, signal?: AbortSignal) => this.read<T.ShowSnapshot>(`/shows/${id}`, signal);
  startShow = (id: string) => this.write<T.ShowSummary>("POST", `/shows/${id}/start`);
  /** Texts, time, picture: every platform is told by itself. Stock rules: they hold from the next reservation on. */
  changeShow = (id: string, change: T.ShowChange) =>
    this.write<T.ShowSummary & { stock_rules: StockRules; viewers_shown: boolean }>("PATCH", `/shows/${id}`, change);
  /** What every target would show of these texts; nothing is kept. */
  previewShow = (id: string, draft: T.ShowChange) =>
    this.write<T.TargetTexts[]>("POST", `/shows/${id}/preview`, draft);
  /** Calls a planned show off. */
  cancelShow = (id: string) => this.write<T.ShowSummary>("POST", `/shows/${id}/cancel`);
  endShow = (id: string) => this.write<T.ShowSummary>("POST", `/shows/${id}/end`);
  rotateKey = (id: string) => this.write<T.IngestAddress>("POST", `/shows/${id}/key`);

  targetPresets = (signal?: AbortSignal) => this.read<T.TargetPreset[]>("/target-presets", signal);
  addTarget = (showId: string, target: T.NewTarget) =>
    this.write<T.Target>("POST", `/shows/${showId}/targets`, target);
  changeTarget = (showId: string, targetId: string, change: T.TargetChange) =>
    this.write<T.Target>("PATCH", `/shows/${showId}/targets/${targetId}`, change);
  retryTarget = (showId: string, targetId: string) =>
    this.write<T.Target>("POST", `/shows/${showId}/targets/${targetId}/retry`);
  removeTarget = (showId: string, targetId: string) =>
    this.write<void>("DELETE", `/shows/${showId}/targets/${targetId}`);
  /** Takes a removal back, for half a minute. */
  restoreTarget = (showId: string, targetId: string) =>
    this.write<T.Target>("POST", `/shows/${showId}/targets/${targetId}/restore`);

  changeFeed = (showId: string, change: T.FeedChange) =>
    this.write<T.Feed>("PATCH", `/shows/${showId}/feed`, change);
  rotateBackupKey = (showId: string) => this.write<T.Feed>("POST", `/shows/${showId}/backup-key`);
  profilePresets = (signal?: AbortSignal) => this.read<T.Profile[]>("/profile-presets", signal);
  /** Adds a profile, or changes the one of this name. */
  putProfile = (showId: string, profile: T.Profile) =>
    this.write<T.Profile[]>("PUT", `/shows/${showId}/profiles`, profile);
  /** What the chosen profiles will cost, and which are refused. */
  cost = (showId: string, signal?: AbortSignal) => this.read<T.Plan>(`/shows/${showId}/cost`, signal);
  /** Keeps a picture or a short loop of up to 5 MB. */
  addAsset = (showId: string, file: Blob) =>
    call<{ sha256: string; media_type: string }>(this.fetch, `/api/v1/shows/${showId}/assets`, {
      method: "POST",
      headers: WRITE,
      file,
    });

  player = (showId: string, signal?: AbortSignal) =>
    this.read<P.PlayerSettings>(`/shows/${showId}/playback`, signal);
  changePlayer = (showId: string, change: P.PlayerChange) =>
    this.write<P.PlayerSettings>("PATCH", `/shows/${showId}/playback`, change);
  /** Another signing key; with 0 minutes everybody who watches a private show is cut. */
  rotatePlaybackKey = (showId: string, graceMinutes: number) =>
    this.write<P.PlayerSettings>("POST", `/shows/${showId}/playback/keys`, { grace_minutes: graceMinutes });
  /** A link to a private show for one person. */
  makePrivateLink = (showId: string, wish: { hours: number; ip: string | null }) =>
    this.write<P.PrivateLink>("POST", `/shows/${showId}/playback/links`, wish);
  addChapter = (showId: string, title: string) =>
    this.write<P.Cue>("POST", `/shows/${showId}/chapters`, { title });

  /** The feed over time, from a moment on. */
  health = (showId: string, since: string | null, signal?: AbortSignal) =>
    this.read<T.HealthSample[]>(
      `/shows/${showId}/health${since ? `?since=${encodeURIComponent(since)}` : ""}`,
      signal,
    );
  /** How viewers see the show, now and since it began. */
  quality = (showId: string, signal?: AbortSignal) => this.read<Q.Quality>(`/shows/${showId}/quality`, signal);
  /** Players one by one, those with most trouble first. */
  qualitySessions = (showId: string, limit = 20, signal?: AbortSignal) =>
    this.read<Q.PlaybackSession[]>(`/shows/${showId}/quality/sessions?limit=${limit}`, signal);
  qualityHistory = (showId: string, every: Q.PointEvery, since: string | null, signal?: AbortSignal) =>
    this.read<Q.QualityPoint[]>(
      `/shows/${showId}/quality/history?every=${every}${since ? `&since=${encodeURIComponent(since)}` : ""}`,
      signal,
    );
  recordings = (showId: string, signal?: AbortSignal) =>
    this.read<T.RecordedFile[]>(`/shows/${showId}/recordings`, signal);
  /** `begins_s` and `ends_s` count from the moment the show went live. */
  cutClip = (showId: string, wish: { begins_s: number; ends_s: number }) =>
    call<T.Clip>(this.fetch, `/api/v1/shows/${showId}/clips`, {
      method: "POST",
      headers: WRITE,
      body: wish,
      timeoutMs: CLIP_TIMEOUT_MS,
    });
  /** A JPEG of what is sent now, or of a recorded moment. */
  pictureUrl = (showId: string, at?: string) =>
    `/api/v1/shows/${showId}/picture${at ? `?at=${encodeURIComponent(at)}` : ""}`;
  uplink = (showId: string) => this.read<T.Uplink>(`/shows/${showId}/uplink`);
  assetUrl = (showId: string, sha256: string) => `/api/v1/shows/${showId}/assets/${sha256}`;

  sendMessage = (showId: string, message: T.NewMessage) =>
    this.write<T.StaffMessage>("POST", `/shows/${showId}/messages`, message);
  voices = (showId: string, signal?: AbortSignal) => this.read<C.Voice[]>(`/shows/${showId}/voices`, signal);
  /** `seconds` for a timeout. */
  moderate = (showId: string, messageId: string, wish: { verb: C.Verb; seconds?: number }) =>
    this.write<C.Action>("POST", `/shows/${showId}/messages/${messageId}/moderate`, wish);
  undoModeration = (showId: string, actionId: string) =>
    this.write<C.Action>("POST", `/shows/${showId}/moderation/${actionId}/undo`);
  moderation = (showId: string, signal?: AbortSignal) =>
    this.read<C.Action[]>(`/shows/${showId}/moderation`, signal);
  relay = (showId: string, signal?: AbortSignal) => this.read<C.Relay>(`/shows/${showId}/relay`, signal);
  chooseRelay = (showId: string, pairs: C.RelayPair[]) =>
    this.write<void>("PUT", `/shows/${showId}/relay`, { pairs });
  messages = (showId: string, afterSeq = 0, limit = 200) =>
    this.read<T.StaffMessage[]>(`/shows/${showId}/messages?after_seq=${afterSeq}&limit=${limit}`);
  highlight = (showId: string, productId: string | null) =>
    this.write<void>("POST", `/shows/${showId}/highlight`, { product_id: productId });
  orders = (showId: string, limit = 100, signal?: AbortSignal) =>
    this.read<T.ShowOrder[]>(`/shows/${showId}/orders?limit=${limit}`, signal);
  customers = (signal?: AbortSignal) => this.read<T.Customer[]>("/customers", signal);

  private read<R>(path: string, signal?: AbortSignal): Promise<R> {
    return call<R>(this.fetch, `/api/v1${path}`, { signal });
  }

  private write<R>(method: NonNullable<Call["method"]>, path: string, body?: unknown): Promise<R> {
    return call<R>(this.fetch, `/api/v1${path}`, { method, body, headers: WRITE });
  }
}
