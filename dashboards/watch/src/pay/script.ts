/** Loads a gateway's script once, from the gateway itself: they forbid copies. */

import { NO_SCRIPT, PaymentProblem, SLOW_SCRIPT, within } from "./problem";

export const LOAD_MS = 15_000;

/** `global` finds what the script brings. A script that failed is taken out, so that the next try loads it anew. */
export async function loadScript<T>(url: string, global: () => T | undefined, ms = LOAD_MS): Promise<T> {
  const there = global();
  if (there !== undefined) return there;
  const tag = tagOf(url);
  const loaded = new Promise<void>((resolve, reject) => {
    tag.addEventListener("load", () => resolve(), { once: true });
    tag.addEventListener("error", () => reject(new PaymentProblem(NO_SCRIPT)), { once: true });
  });
  if (!tag.isConnected) document.head.append(tag);
  try {
    await within(ms, SLOW_SCRIPT, loaded);
    const found = global();
    if (found === undefined) throw new PaymentProblem(NO_SCRIPT);
    return found;
  } catch (error) {
    tag.remove();
    throw error;
  }
}

/** A style sheet that comes with a script; the fields work without it. */
export function loadStyles(url: string): void {
  if (document.querySelector(`link[href="${CSS.escape(url)}"]`)) return;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = url;
  document.head.append(link);
}

function tagOf(url: string): HTMLScriptElement {
  const waiting = [...document.scripts].find((tag) => tag.src === new URL(url, document.baseURI).href);
  if (waiting) return waiting;
  const tag = document.createElement("script");
  tag.src = url;
  tag.async = true;
  tag.crossOrigin = null;
  return tag;
}
