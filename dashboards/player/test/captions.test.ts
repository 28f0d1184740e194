import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { addCaptions, adoptTracks, captionsShown, showCaptions } from "../src/captions";

type Track = { kind: string; language: string; mode: string };

/** jsdom has no text tracks: the list that a browser would keep is the test's. */
function video(...tracks: Track[]): HTMLVideoElement {
  const found = document.createElement("video");
  Object.defineProperty(found, "textTracks", { value: tracks });
  return found;
}

const track = (language: string, kind = "captions"): Track => ({ kind, language, mode: "disabled" });
const modes = (tracks: Track[]) => tracks.map(({ mode }) => mode);

afterEach(() => vi.restoreAllMocks());

describe("captionsShown", () => {
  it("is null where there are none, whatever other tracks there are", () => {
    expect(captionsShown(video())).toBeNull();
    expect(captionsShown(video(track("en", "metadata"), track("en", "chapters")))).toBeNull();
  });

  it("tells whether one of them is on the screen", () => {
    const [one, other] = [track("en"), track("de", "subtitles")];
    expect(captionsShown(video(one, other))).toBe(false);
    other.mode = "hidden"; // known to scripts, not on the screen
    expect(captionsShown(video(one, other))).toBe(false);
    other.mode = "showing";
    expect(captionsShown(video(one, other))).toBe(true);
  });
});

describe("showCaptions", () => {
  beforeEach(() => void vi.spyOn(navigator, "language", "get").mockReturnValue("de-AT"));

  it("shows the viewer's language, and no two at once", () => {
    const tracks = [track("en"), track("de"), track("fr", "subtitles")];
    showCaptions(video(...tracks), true);
    expect(modes(tracks)).toEqual(["disabled", "showing", "disabled"]);
  });

  it("shows the first where the viewer's language is not among them", () => {
    const tracks = [track("en"), track("fr")];
    showCaptions(video(...tracks), true);
    expect(modes(tracks)).toEqual(["showing", "disabled"]);
  });

  it("takes all of them away, and leaves what are no captions alone", () => {
    const chapters = { ...track("de", "chapters"), mode: "hidden" };
    const tracks = [track("de"), chapters];
    showCaptions(video(...tracks), true);
    showCaptions(video(...tracks), false);
    expect(modes(tracks)).toEqual(["disabled", "hidden"]);
  });
});

describe("addCaptions", () => {
  let added: Track;

  beforeEach(() => {
    added = track("");
    vi.stubGlobal("URL", Object.assign(URL, { createObjectURL: () => "blob:empty", revokeObjectURL: vi.fn() }));
    Object.defineProperty(HTMLTrackElement.prototype, "track", { configurable: true, get: () => added });
  });

  afterEach(() => {
    Reflect.deleteProperty(HTMLTrackElement.prototype, "track");
    vi.unstubAllGlobals();
  });

  it("adds a track that is not shown until the viewer wants captions", () => {
    const found = video();
    const { remove } = addCaptions(found);
    expect(found.querySelector("track")).toMatchObject({ kind: "captions", src: "blob:empty" });
    expect(added.mode).toBe("hidden");
    remove();
    expect(found.querySelector("track")).toBeNull();
    expect(URL.revokeObjectURL).toHaveBeenCalledWith("blob:empty");
  });

  it("shows it at once to whoever had captions on, as after a change of the source", () => {
    const found = video();
    showCaptions(found, true);
    addCaptions(found);
    expect(added.mode).toBe("showing");
  });

  it("does not put it over captions that are shown already", () => {
    const own = track("de");
    const found = video(own);
    showCaptions(found, true);
    addCaptions(found);
    expect([own.mode, added.mode]).toEqual(["showing", "hidden"]);
  });
});

describe("adoptTracks", () => {
  it("takes the page's tracks into the video, whose media may come from elsewhere", () => {
    const host = document.createElement("div");
    host.innerHTML = '<track kind="captions" src="en.vtt" srclang="en"><track kind="captions" src="de.vtt" srclang="de">';
    const found = document.createElement("video");
    adoptTracks(host, found);
    expect([...found.querySelectorAll("track")].map(({ srclang }) => srclang)).toEqual(["en", "de"]);
    expect(found.crossOrigin).toBe("anonymous");
  });

  it("changes nothing for a page without any", () => {
    const found = document.createElement("video");
    adoptTracks(document.createElement("div"), found);
    expect(found.crossOrigin).toBeNull();
  });
});
