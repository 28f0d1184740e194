import { formatMoney, type LinkPost, type TrackedLink } from "@simulcast/api";
import { CopyButton } from "../parts/copy-button";
import { Notice } from "../parts/notice";
import { Pill } from "../parts/pill";
import { Problem } from "../parts/problem";
import { aboutOf, clickWords, lastWords, nameOf, postState, postWords, salesWords } from "./link-words";
import { useLinkChange, useLinks } from "./use-links";

interface Props {
  link: TrackedLink;
  onEdit: () => void;
  onPost: () => void;
}

/** One link: its address to copy, its code to print, what it brought, where it is posted. */
export function LinkCard({ link, onEdit, onPost }: Props) {
  const api = useLinks();
  const archive = useLinkChange(() => (link.archived_at ? api.restore(link.id) : api.archive(link.id)));
  const name = nameOf(link);
  return (
    <li className="card link-card" aria-label={name}>
      <div className="row spread">
        <div>
          <strong className="wrap">{name}</strong>
          <div className="quiet-text wrap">{aboutOf(link)}</div>
        </div>
        {link.archived_at && <Pill tone="quiet">Archived</Pill>}
      </div>
      <div className="row">
        <a className="wrap" href={link.lands_on} target="_blank" rel="noreferrer" title="Opens the page, uncounted">
          {link.url.replace(/^https?:\/\//, "")}
        </a>
        <CopyButton text={link.url} label="Copy" />
        <a className="button small" href={api.qrUrl(link.id, "png")} download>
          QR (PNG)
        </a>
        <a className="button small" href={api.qrUrl(link.id, "svg")} download>
          QR (SVG)
        </a>
      </div>
      <Figures link={link} />
      {link.posts.length > 0 && (
        <ul className="link-posts" aria-label="Where it is posted">
          {link.posts.map((post) => (
            <Post key={post.id} link={link} post={post} />
          ))}
        </ul>
      )}
      <div className="row">
        <button type="button" className="small" onClick={onEdit}>
          Edit
        </button>
        {link.show_id && !link.archived_at && (
          <button type="button" className="small" onClick={onPost}>
            Post
          </button>
        )}
        <button type="button" className="small" disabled={archive.isPending} onClick={() => archive.mutate(undefined)}>
          {link.archived_at ? "Take out of the archive" : "Archive"}
        </button>
      </div>
      <Archived shown={archive.isSuccess && archive.data.archived_at !== null} undo={() => archive.mutate(undefined)} />
      <Problem error={archive.error} />
    </li>
  );
}

function Figures({ link }: { link: TrackedLink }) {
  return (
    <dl className="link-figures">
      <div>
        <dt>Clicks</dt>
        <dd>{clickWords(link)}</dd>
      </div>
      <div>
        <dt>Visits</dt>
        <dd>{link.touches}</dd>
      </div>
      <div>
        <dt title="By last touch, less what was given back">Orders</dt>
        <dd>{salesWords(link)}</dd>
      </div>
      {link.cost_minor !== null && link.currency && (
        <div>
          <dt>Cost</dt>
          <dd>{formatMoney(link.cost_minor, link.currency)}</dd>
        </div>
      )}
    </dl>
  );
}

function Post({ link, post }: { link: TrackedLink; post: LinkPost }) {
  const api = useLinks();
  const remove = useLinkChange(() => api.unpost(link.id, post.id));
  const state = postState(post);
  return (
    <li>
      <div className="row">
        <strong>{post.target_name}</strong>
        <Pill tone={state.tone}>{state.word}</Pill>
        <button
          type="button"
          className="plain small"
          aria-label={`Stop on ${post.target_name}`}
          disabled={remove.isPending}
          onClick={() => remove.mutate(undefined)}
        >
          Stop
        </button>
      </div>
      <span className="quiet-text">
        {postWords(post)}. {lastWords(post)}.
      </span>
      {post.problem && <span className="quiet-text">{post.problem}</span>}
      <Problem error={remove.error} />
    </li>
  );
}

function Archived({ shown, undo }: { shown: boolean; undo: () => void }) {
  if (!shown) return null;
  const button = (
    <button type="button" className="small" onClick={undo}>
      Undo
    </button>
  );
  return (
    <Notice tone="quiet" action={button}>
      Archived. Whoever follows it still arrives; it is posted nowhere any more.
    </Notice>
  );
}
