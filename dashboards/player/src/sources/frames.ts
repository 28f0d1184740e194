/** How many pictures a <video> has shown and dropped since it got its source. */

export function playedFrames(video: HTMLVideoElement): { frames: number; dropped: number } {
  const quality = video.getVideoPlaybackQuality?.();
  return { frames: quality?.totalVideoFrames ?? 0, dropped: quality?.droppedVideoFrames ?? 0 };
}
