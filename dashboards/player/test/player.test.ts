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

const status = (player: SimulcastPlayer) =>
  player.shadowRoot?.querySelector("[role=status]")?.textContent?.trim();

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

  it("asks the hub that it came from when it stands alone", async () => {
    const fetch = vi.fn(async () => new Response('{"code": "show_unknown"}', { status: 404 }));
    vi.stubGlobal("fetch", fetch);
    SimulcastPlayer.origin = "https://hub.example";
    const player = await put({ show: "gone" });
    await vi.waitFor(() => expect(player.state).toBe("error"));
    expect(fetch).toHaveBeenCalledWith("https://hub.example/api/v1/public/shows/gone", expect.anything());
    await player.updateComplete;
    expect(status(player)).toBe("The video cannot be shown. There is no show at this address.");
  });

  it("says so when it was not told what to show", async () => {
    expect((await put({})).state).toBe("error");
  });

  it("is named after its show and can be reached by keyboard", async () => {
    const player = await put({ programme: planned });
    const stage = player.shadowRoot?.querySelector("[role=group]");
    expect(stage?.getAttribute("aria-label")).toBe("Live video: Spring");
    expect(stage?.getAttribute("tabindex")).toBe("0");
  });
});
