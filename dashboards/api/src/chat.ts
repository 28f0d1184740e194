/** What chats say besides words: who writes, what was done about it, what is passed on. */

/** `title` in the platform's words, for example "Member (2 years)". */
export interface Badge {
  kind: "owner" | "moderator" | "member" | "vip" | "verified" | "other";
  title: string;
}

/** A piece of a message. `url`: an emote's picture, a link's target. */
export interface Fragment {
  kind: "text" | "emote" | "link" | "mention";
  text: string;
  url: string | null;
}

/** So many messages were more than can be read; `messages` after `first_seq - 1` brings them. */
export interface Skipped {
  count: number;
  first_seq: number;
  last_seq: number;
}

export type Verb = "delete" | "hide" | "timeout" | "ban";

/** One act of moderation. `here`: done on our side only, and `result` says why. */
export interface Action {
  id: string;
  message_id: string | null;
  platform: string;
  verb: Verb | "unhide" | "unban";
  seconds: number | null;
  author_name: string | null;
  /** How the message began. */
  excerpt: string;
  by_name: string;
  state: "queued" | "done" | "here" | "failed";
  /** A sentence. */
  result: string;
  undoable: boolean;
  created_at: string;
}

/** What one chat takes from us; `why_not`: nothing, and why. */
export interface Voice {
  target_id: string;
  name: string;
  platform: string;
  why_not: string | null;
  characters: number | null;
  unit: "code_point" | "utf16";
  messages: number | null;
  seconds: number | null;
  links: boolean;
  announces: boolean;
  answers: boolean;
  /** Moderation that works there; the rest is done here only. */
  verbs: Verb[];
}

/** Messages of `source` (a target's id, or "own") are written into the chat of `into`. */
export interface RelayPair {
  source: string;
  into: string;
}

export interface RelayPlace {
  id: string;
  name: string;
  platform: string;
  /** Why nothing can be passed on into it. */
  why_not: string | null;
  /** Messages it had no room for. */
  dropped: number;
}

export interface Relay {
  pairs: RelayPair[];
  places: RelayPlace[];
}
