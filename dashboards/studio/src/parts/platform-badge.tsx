import { platformName } from "./words";

export function PlatformBadge({ platform }: { platform: string }) {
  return <span className={`badge badge-${platform}`}>{platformName(platform)}</span>;
}
