import type { StaffMessage } from "@simulcast/api";
import { useState } from "react";

const SIGNS: Record<string, string> = {
  owner: "Owner",
  moderator: "Mod",
  member: "Member",
  vip: "VIP",
  verified: "✓",
};

/** Who wrote it, as that platform shows them. */
export function Author({ message }: { message: StaffMessage }) {
  return (
    <>
      {message.author_picture && <Face url={message.author_picture} />}
      <span className="who">{message.author_name ?? "Guest"}</span>
      {message.badges.map((badge) => (
        <span key={`${badge.kind} ${badge.title}`} className={`sign sign-${badge.kind}`} title={badge.title}>
          {SIGNS[badge.kind] ?? badge.title}
        </span>
      ))}
    </>
  );
}

/** Their picture, as long as it can be loaded. */
function Face({ url }: { url: string }) {
  const [broken, setBroken] = useState(false);
  if (broken) return null;
  return (
    <img
      className="face"
      src={url}
      alt=""
      loading="lazy"
      referrerPolicy="no-referrer"
      onError={() => setBroken(true)}
    />
  );
}
