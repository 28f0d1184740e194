import type { StaffMessage } from "@simulcast/api";

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
      {message.author_picture && (
        <img
          className="face"
          src={message.author_picture}
          alt=""
          loading="lazy"
          referrerPolicy="no-referrer"
        />
      )}
      <span className="who">{message.author_name ?? "Guest"}</span>
      {message.badges.map((badge) => (
        <span key={`${badge.kind} ${badge.title}`} className={`sign sign-${badge.kind}`} title={badge.title}>
          {SIGNS[badge.kind] ?? badge.title}
        </span>
      ))}
    </>
  );
}
