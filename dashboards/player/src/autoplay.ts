/** Browsers start by themselves only without sound, and some phones not even then. */

/** `onBlocked`: a person has to press play. */
export function startPlaying(video: HTMLVideoElement, onBlocked: () => void): void {
  video.play().catch((error: unknown) => {
    if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
    if (video.muted) return onBlocked();
    video.muted = true;
    startPlaying(video, onBlocked);
  });
}
