/** What viewers are asked before anything is kept in their browser, and what the page tells of a visit. */

import type { ViewerApi } from "./viewer";

/** The banner in one language; `allow` and `needed` are its two buttons. */
export interface ConsentWords {
  title: string;
  text: string;
  allow: string;
  needed: string;
  details: string;
  save: string;
  necessary: string;
  analytics: string;
  ads: string;
  gpc: string;
  reopen: string;
}

/** `gpc`: the browser sends Global Privacy Control. `shops`: hosts of the brand's own shop. */
export interface ConsentQuestion {
  version: number;
  words: Record<string, ConsentWords>;
  gpc: boolean;
  shops: string[];
}

/** `remembered`: the page repeats what was answered before. */
export type ConsentClick = "allow" | "needed" | "save" | "remembered";

export interface ConsentAnswer {
  version: number;
  language: string;
  clicked: ConsentClick;
  analytics: boolean;
  ads: boolean;
}

export interface Allowed {
  analytics: boolean;
  ads: boolean;
  email: boolean;
  gpc: boolean;
}

/** Every call throws `ApiError`. */
export class ConsentApi {
  constructor(private readonly viewer: ViewerApi) {}

  question = () =>
    this.viewer.ask<ConsentQuestion>(`/shows/${encodeURIComponent(this.viewer.slug)}/consent`, {});

  /** Sets or deletes the visitor's cookie, too. */
  answer = (answer: ConsentAnswer) =>
    this.viewer.ask<Allowed>("/consent", { method: "POST", body: { show: this.viewer.slug, ...answer } });

  /** The viewer did something that must survive a reload. */
  needed = () => this.tell("/visitor", {});

  /** The page was in front for so many seconds more. */
  attend = (seconds: number) => this.tell("/visits", { seconds });

  /** The address to follow: with a pass where it leads to the brand's own shop. */
  signed = async (url: string): Promise<string> =>
    (await this.viewer.ask<{ url: string }>("/passes", { method: "POST", body: { url } })).url;

  private tell(path: string, body: object): Promise<void> {
    const options = { method: "POST", body: { show: this.viewer.slug, ...body }, keepalive: true } as const;
    return this.viewer.ask<void>(path, options);
  }
}
