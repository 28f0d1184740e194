import type { Fragment } from "@simulcast/api";

/** What was said, with its emotes and links. Only addresses of the web become links. */
export function Words({ text, fragments }: { text: string; fragments: Fragment[] }) {
  if (!fragments.length) return <span>{text}</span>;
  return (
    <span>
      {fragments.map((piece, place) => (
        <Piece key={place} piece={piece} />
      ))}
    </span>
  );
}

function Piece({ piece }: { piece: Fragment }) {
  const { kind, text, url } = piece;
  if (kind === "emote" && url) {
    return <img className="emote" src={url} alt={text} title={text} loading="lazy" referrerPolicy="no-referrer" />;
  }
  if (kind === "link" && url && /^https?:\/\//.test(url)) {
    return (
      <a href={url} target="_blank" rel="noopener noreferrer nofollow">
        {text}
      </a>
    );
  }
  return kind === "mention" ? <b>{text}</b> : text;
}
