/** Where the picture is on the screen: full, in a window of its own, or small in the page's corner. */

/** What Safari on phones has in place of the standard's names. */
type AppleVideo = HTMLVideoElement & {
  webkitEnterFullscreen?: () => void;
  webkitSupportsPresentationMode?: (mode: string) => boolean;
  webkitPresentationMode?: string;
  webkitSetPresentationMode?: (mode: string) => void;
};

/** A picture without a finger or mouse near it for this long needs no buttons. */
const IDLE_MS = 3_000;
/** With less of the player than this in view, it goes to the corner. */
const IN_VIEW = 0.3;

export interface ScreenOptions {
  host: HTMLElement;
  video: HTMLVideoElement;
  /** Asked for the small picture, and something plays. */
  wantsMini: () => boolean;
  onChange: () => void;
  /** The picture's height in device pixels. */
  onSize: (height: number) => void;
}

/** `leave` it when the player goes. */
export class Screen {
  full = false;
  mini = false;
  idle = false;
  private inView = true;
  /** The viewer closed the small picture: not again before the player has been in view. */
  private dismissed = false;
  private rest: ReturnType<typeof setTimeout> | undefined;
  private readonly listeners = new AbortController();
  private readonly sizes: ResizeObserver | null = null;
  private readonly views: IntersectionObserver | null = null;

  constructor(private readonly options: ScreenOptions) {
    const { host, video } = options;
    const { signal } = this.listeners;
    document.addEventListener("fullscreenchange", () => this.fullChanged(), { signal });
    video.addEventListener("resize", () => this.measure(), { signal });
    if (typeof ResizeObserver === "function") {
      this.sizes = new ResizeObserver(() => this.measure());
      this.sizes.observe(video);
    }
    if (typeof IntersectionObserver === "function") {
      this.views = new IntersectionObserver((entries) => this.seen(entries.at(-1)), { threshold: [0, IN_VIEW, 1] });
      this.views.observe(host);
    }
  }

  leave(): void {
    clearTimeout(this.rest);
    this.listeners.abort();
    this.sizes?.disconnect();
    this.views?.disconnect();
  }

  /** Somebody is there: the buttons come, and go again after a while. */
  awake(): void {
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.sleep(true), IDLE_MS);
    this.sleep(false);
  }

  toggleFull(): void {
    const { host, video } = this.options;
    const leave = document.fullscreenElement ? () => document.exitFullscreen() : null;
    if (leave) void leave();
    else if (host.requestFullscreen) void host.requestFullscreen().catch(() => undefined);
    else (video as AppleVideo).webkitEnterFullscreen?.();
  }

  get canPip(): boolean {
    const video = this.options.video as AppleVideo;
    return document.pictureInPictureEnabled || (video.webkitSupportsPresentationMode?.("picture-in-picture") ?? false);
  }

  async togglePip(): Promise<void> {
    const video = this.options.video as AppleVideo;
    if (document.pictureInPictureElement) await document.exitPictureInPicture();
    else if (video.requestPictureInPicture) await video.requestPictureInPicture();
    else {
      const inline = video.webkitPresentationMode === "picture-in-picture";
      video.webkitSetPresentationMode?.(inline ? "inline" : "picture-in-picture");
    }
  }

  closeMini(): void {
    this.dismissed = true;
    this.place();
  }

  leaveMini(): void {
    const smooth = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.options.host.scrollIntoView({ behavior: smooth ? "smooth" : "auto", block: "center" });
  }

  /** Asks again whether the small picture is wanted. */
  place(): void {
    // A frame's corner is not the page's: there the page around it must do it.
    const mini =
      !this.inView && !this.dismissed && !this.full && globalThis.top === globalThis.self && this.options.wantsMini();
    if (mini === this.mini) return;
    this.mini = mini;
    this.options.onChange();
  }

  private seen(entry: IntersectionObserverEntry | undefined): void {
    if (!entry) return;
    this.inView = entry.intersectionRatio >= IN_VIEW;
    if (this.inView) this.dismissed = false;
    this.place();
  }

  private sleep(idle: boolean): void {
    if (idle === this.idle) return;
    this.idle = idle;
    this.options.onChange();
  }

  private fullChanged(): void {
    this.full = document.fullscreenElement === this.options.host;
    this.place();
    this.options.onChange();
  }

  private measure(): void {
    const { video, onSize } = this.options;
    const { clientWidth, clientHeight, videoWidth, videoHeight } = video;
    const fits = videoWidth ? Math.min(clientHeight, (clientWidth * videoHeight) / videoWidth) : clientHeight;
    if (fits > 0) onSize(fits * devicePixelRatio);
  }
}
