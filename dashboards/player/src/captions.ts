/** Captions that came with the media, or with <track> elements inside the player. */

/** On the video while the viewer wants captions: those that come later are shown at once. */
const WANTED = "data-captions";

function tracks(video: HTMLVideoElement): TextTrack[] {
  return [...video.textTracks].filter(({ kind }) => kind === "captions" || kind === "subtitles");
}

/** Shown or not; null where there are none. */
export function captionsShown(video: HTMLVideoElement): boolean | null {
  const all = tracks(video);
  return all.length ? all.some(({ mode }) => mode === "showing") : null;
}

/** Shows one track: the viewer's language where there is one. */
export function showCaptions(video: HTMLVideoElement, shown: boolean): void {
  const all = tracks(video);
  video.toggleAttribute(WANTED, shown);
  const language = navigator.language.split("-")[0] ?? "";
  const wanted = all.find((one) => one.language.startsWith(language)) ?? all[0];
  for (const one of all) one.mode = shown && one === wanted ? "showing" : "disabled";
}

/** Takes the page's <track> elements into the <video>: text tracks of others' media need `crossorigin`. */
export function adoptTracks(host: HTMLElement, video: HTMLVideoElement): void {
  const found = host.querySelectorAll("track");
  if (found.length) video.crossOrigin = "anonymous";
  for (const track of found) video.append(track.cloneNode());
}

export interface CaptionTrack {
  track: Pick<TextTrack, "addCue" | "removeCue">;
  remove: () => void;
}

/** A track for captions that a script fills. It has a file, since one that has failed to load is never shown. */
export function addCaptions(video: HTMLVideoElement): CaptionTrack {
  const element = document.createElement("track");
  const address = URL.createObjectURL(new Blob(["WEBVTT\n"], { type: "text/vtt" }));
  element.kind = "captions";
  element.label = "Captions";
  element.src = address;
  video.append(element);
  const { track } = element;
  track.mode = video.hasAttribute(WANTED) && !captionsShown(video) ? "showing" : "hidden";
  const remove = () => {
    element.remove();
    URL.revokeObjectURL(address);
  };
  return { track, remove };
}
