import type { ServerClock, ShowSnapshot } from "@simulcast/api";
import type { Programme as Played } from "@simulcast/player";
import { useEffect, useMemo, useState } from "react";
import { Notice } from "../../parts/notice";

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "simulcast-player": { label: string; programme: Played };
    }
  }
}

interface Props {
  show: ShowSnapshot["show"];
  playback: ShowSnapshot["playback"];
  clock: ServerClock;
}

/** What viewers see, played by the same element that every page embeds; before the show, a preview. */
export function Programme({ show, playback, clock }: Props) {
  const player = usePlayer();
  const hlsUrl = playback?.hls_url ?? null;
  const { title, state, starts_at: startsAt } = show;
  const programme = useMemo<Played>(
    () => ({ title, state: hlsUrl ? "live" : state, startsAt, hlsUrl, clockOffsetMs: clock.offsetMs }),
    [title, state, startsAt, hlsUrl, clock.offsetMs],
  );
  return (
    <section id="video" className="programme" aria-label="Programme">
      {state === "scheduled" && !hlsUrl ? (
        <p className="no-picture">No picture yet. What your encoder sends appears here before you go live.</p>
      ) : player === "failed" ? (
        <Notice tone="bad">The player could not be loaded. Reload this page; the show itself goes on.</Notice>
      ) : (
        player === "ready" && <simulcast-player label="Programme video" programme={programme} />
      )}
    </section>
  );
}

/** Loads the element once. It must be known before it is used: until then it has no properties to set. */
function usePlayer(): "loading" | "ready" | "failed" {
  const [state, setState] = useState<"loading" | "ready" | "failed">("loading");
  useEffect(() => {
    void customElements.whenDefined("simulcast-player").then(() => setState("ready"));
    if (customElements.get("simulcast-player")) return;
    const script = document.createElement("script");
    script.src = "/player.js";
    script.onerror = () => setState("failed");
    document.head.append(script);
  }, []);
  return state;
}
