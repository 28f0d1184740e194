/** What each key does. */

export type Command =
  | { do: "toggle-play" | "toggle-sound" | "toggle-full" | "toggle-captions" | "toggle-pip" | "live" }
  | { do: "volume" | "skip"; by: number }
  | { do: "part"; of: number };

/** What the keys act upon: the player. */
export interface Played {
  volume: number;
  readonly showTime: number | null;
  readonly seekable: { from: number; to: number } | null;
  seek(showTime: number): unknown;
}

/** What the buttons do, too. */
export interface Pressed {
  togglePlay(): void;
  toggleSound(): void;
  toggleFull(): void;
  toggleCaptions(): void;
  togglePip(): void;
  toLive(): void;
}

const VOLUME_STEP = 0.1;
const SKIP_S = 10;

export interface Key {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** `own`: a button, slider or menu has the focus, and keeps the keys that it needs itself. */
export function commandOf({ key, ctrlKey, metaKey, altKey }: Key, own: boolean): Command | null {
  if (ctrlKey || metaKey || altKey) return null;
  switch (key) {
    case " ":
      return own ? null : { do: "toggle-play" };
    case "ArrowUp":
      return own ? null : { do: "volume", by: VOLUME_STEP };
    case "ArrowDown":
      return own ? null : { do: "volume", by: -VOLUME_STEP };
    case "ArrowLeft":
      return own ? null : { do: "skip", by: -SKIP_S };
    case "ArrowRight":
      return own ? null : { do: "skip", by: SKIP_S };
  }
  if (/^[0-9]$/.test(key)) return own ? null : { do: "part", of: Number(key) / 10 };
  switch (key.toLowerCase()) {
    case "k":
      return { do: "toggle-play" };
    case "m":
      return { do: "toggle-sound" };
    case "f":
      return { do: "toggle-full" };
    case "c":
      return { do: "toggle-captions" };
    case "i":
      return { do: "toggle-pip" };
    case "l":
      return { do: "live" };
    default:
      return null;
  }
}

export function obey(command: Command, played: Played, pressed: Pressed): void {
  const { seekable, showTime } = played;
  switch (command.do) {
    case "toggle-play":
      return pressed.togglePlay();
    case "toggle-sound":
      return pressed.toggleSound();
    case "toggle-full":
      return pressed.toggleFull();
    case "toggle-captions":
      return pressed.toggleCaptions();
    case "toggle-pip":
      return pressed.togglePip();
    case "live":
      return pressed.toLive();
    case "volume":
      played.volume += command.by;
      return;
    case "skip":
      if (seekable && showTime !== null) played.seek(showTime + command.by);
      return;
    case "part":
      if (seekable) played.seek(seekable.from + command.of * (seekable.to - seekable.from));
  }
}
