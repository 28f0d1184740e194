import { afterEach, describe, expect, it, vi } from "vitest";
import { type Programme, SimulcastPlayer } from "../src";

const planned: Programme = {
  title: "Spring",
  state: "scheduled",
  startsAt: null,
  hlsUrl: null,
  clockOffsetMs: 0,
};

async function put(change: Partial<SimulcastPlayer>): Promise<SimulcastPlayer> {
  const player = Object.assign(document.createElement("simulcast-player"), change);
  document.body.append(player);
  await player.updateComplete;
  return player;
}

const inside = (player: SimulcastPlayer, selector: string) => player.shadowRoot?.querySelector(selector);
const status = (player: SimulcastPlayer) => inside(player, "[role=status]")?.textContent?.trim();
const buttons = (player: SimulcastPlayer) =>
  [...(player.shadowRoot?.querySelectorAll("button") ?? [])].map(
    (button) => button.getAttribute("aria-label") ?? button.textContent?.trim(),
  );

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

describe("<simulcast-player>", () => {
  it("shows what the page around it says, and asks the hub for nothing", async () => {
    const fetch = vi.fn();
    vi.stubGlobal("fetch", fetch);
    const player = await put({ show: "spring", programme: planned });
    expect(player.getAttribute("state")).toBe("scheduled");
    expect(status(player)).toBe("The show starts soon. It begins here by itself.");
    player.programme = { ...planned, state: "live" };
    await player.updateComplete;
    await player.updateComplete;
    expect(status(player)).toMatch(/^Connecting to the show… Waiting for the picture/);
    player.programme = { ...planned, state: "ended" };
    await player.updateComplete;
    expect(player.state).toBe("ended");
    expect(player.latency).toBeNull();
    expect(fetch).not.toHaveBeenCalled();
  });

  it("asks the hub that it came from when it stands alone, without cookies", async () => {
    const fetch = vi.fn(async () => new Response('{"code": "show_unknown"}', { status: 404 }));
    vi.stubGlobal("fetch", fetch);
    SimulcastPlayer.origin = "https://hub.example";
    const player = await put({ show: "gone" });
    await vi.waitFor(() => expect(player.state).toBe("error"));
    const omitted = expect.objectContaining({ credentials: "omit" });
    expect(fetch).toHaveBeenCalledWith("https://hub.example/api/v1/public/shows/gone", omitted);
    await player.updateComplete;
    expect(status(player)).toBe("The video cannot be shown. There is no show at this address.");
  });

  it("brings the token of a private link along, to whichever hub it is told", async () => {
    const fetch = vi.fn(async () => new Response("{}", { status: 404 }));
    vi.stubGlobal("fetch", fetch);
    await put({ show: "s", hub: "https://other.example/any", access: "t.o.k" });
    await vi.waitFor(() => expect(fetch).toHaveBeenCalled());
    expect(fetch.mock.calls[0]).toEqual([
      "https://other.example/api/v1/public/shows/s?access=t.o.k",
      expect.anything(),
    ]);
  });

  it("says so when it was not told what to show, or may not show it", async () => {
    expect((await put({})).state).toBe("error");
    const player = await put({ programme: { ...planned, refusal: "Open it with the link you were given." } });
    await player.updateComplete;
    expect(player.state).toBe("refused");
    expect(status(player)).toBe("This video cannot be played here. Open it with the link you were given.");
  });

  it("is named after its show and can be reached by keyboard", async () => {
    const player = await put({ programme: planned });
    const stage = inside(player, "[role=group]");
    expect(stage?.getAttribute("aria-label")).toBe("Live video: Spring");
    expect(stage?.getAttribute("tabindex")).toBe("0");
  });

  it("loads nothing before play is pressed, where it shall not start by itself", async () => {
    const live = { ...planned, state: "live" as const, hlsUrl: "https://media.example/live/s/index.m3u8" };
    const player = await put({ programme: live, autoplay: false, poster: "/poster.png" });
    await player.updateComplete;
    expect([player.state, player.paused, player.transport]).toEqual(["paused", true, null]);
    expect(inside(player, ".poster")?.getAttribute("src")).toBe("/poster.png");
    expect(buttons(player)).toContain("Play");
  });

  it("has buttons for everything, each with a name, or none at all", async () => {
    const live = { ...planned, state: "live" as const, hlsUrl: "https://media.example/live/s/index.m3u8" };
    const player = await put({ programme: live, autoplay: false });
    await player.updateComplete;
    expect(buttons(player)).toEqual(["Play", "Play", "Unmute", "Go live: to the newest picture", "Full screen"]);
    player.controls = false;
    await player.updateComplete;
    expect(buttons(player)).toEqual([]);
  });

  it("reads its switches from attributes: on unless they say false", async () => {
    document.body.innerHTML = '<simulcast-player autoplay="false" muted controls=""></simulcast-player>';
    const player = document.querySelector("simulcast-player") as SimulcastPlayer;
    await player.updateComplete;
    expect([player.autoplay, player.muted, player.controls]).toEqual([false, true, true]);
  });

  it("begins no replay before there is one", async () => {
    const player = await put({ programme: { ...planned, state: "ended" } });
    player.play();
    await player.updateComplete;
    expect([player.state, player.transport]).toEqual(["ended", null]);
  });

  it("tells the page when in the show each thing happens", async () => {
    const told: CustomEvent[] = [];
    const hear = (event: Event) => told.push(event as CustomEvent);
    document.addEventListener("simulcast-state", hear);
    await put({ programme: planned });
    document.removeEventListener("simulcast-state", hear);
    expect(told.map(({ detail }) => detail)).toContainEqual({ state: "scheduled", reason: "", showTime: null });
    expect(told[0]?.bubbles).toBe(true);
  });
});
