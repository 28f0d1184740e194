/** Captions that came with the media, or with <track> elements inside the player. */

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
