/** What waits for the hub across a reload of the tab: only where the viewer allows analysis. */

import type { Kept, TrackerMemory } from "./tracker";

export function tabMemory(
  slug: string,
  keeps: () => boolean,
  storage: () => Storage = () => sessionStorage,
): TrackerMemory {
  const place = `simulcast.events.${slug}`;
  return {
    get: () => {
      try {
        // What stands there was allowed when it was written.
        const kept: unknown = JSON.parse(storage().getItem(place) ?? "[]");
        return Array.isArray(kept) ? (kept as Kept[]) : [];
      } catch {
        return []; // a browser that forbids it
      }
    },
    set: (kept) => {
      try {
        if (keeps() && kept.length) storage().setItem(place, JSON.stringify(kept));
        else storage().removeItem(place);
      } catch {
        // the same
      }
    },
  };
}
