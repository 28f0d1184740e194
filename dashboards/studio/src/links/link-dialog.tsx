import type { TrackedLink } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { CopyButton } from "../parts/copy-button";
import { Dialog } from "../parts/dialog";
import { Problem } from "../parts/problem";
import { TextField } from "../parts/text-field";
import { closed, why } from "../parts/words";
import { AboutFields } from "./about-fields";
import { draftOf, emptyDraft, leftToRule, type LinkDraft, problemOf, wishOf } from "./link-draft";
import { TagFields } from "./tag-fields";
import { useLinkChange, useLinks, useRested } from "./use-links";

interface Props {
  currency: string;
  link?: TrackedLink;
  showId?: string | undefined;
  onClose: () => void;
}

/** Makes a link, or changes one; the address, the code and the tags are shown while it is typed. */
export function LinkDialog({ currency, link, showId, onClose }: Props) {
  const api = useLinks();
  const [draft, setDraft] = useState<LinkDraft>(() => (link ? draftOf(link, currency) : emptyDraft(currency, showId)));
  const code = useRef<string | undefined>(undefined);
  const rested = useRested(draft);
  const preview = useQuery({
    queryKey: ["link-preview", link?.id, rested],
    queryFn: ({ signal }) => api.preview({ ...wishOf(rested), ...kept(code.current) }, signal),
    enabled: problemOf(rested) === null,
    placeholderData: (before) => before,
    retry: false,
  });
  const first = useRef(Boolean(link));
  const { data } = preview;
  useEffect(() => {
    if (!data) return;
    // One code for the whole dialog: it is what makes a second press of "Make" harmless.
    code.current ??= data.code;
    if (first.current) setDraft((draft) => leftToRule(draft, data.ruled));
    first.current = false;
  }, [data]);
  const save = useLinkChange(
    (draft: LinkDraft) =>
      link ? api.change(link.id, wishOf(draft)) : api.add({ ...wishOf(draft), ...kept(code.current) }),
    onClose,
  );
  const problem = problemOf(draft);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!problem && !save.isPending) save.mutate(draft);
  };
  const url = link?.url ?? data?.url;
  const picture = link ? api.qrUrl(link.id, "svg") : data && `data:image/svg+xml,${encodeURIComponent(data.qr_svg)}`;
  return (
    <Dialog title={link ? "Edit the link" : "New link"} onClose={onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        <TextField
          label="Title"
          help="For you alone"
          maxLength={200}
          value={draft.title}
          onText={(title) => setDraft({ ...draft, title })}
        />
        <AboutFields draft={draft} onDraft={setDraft} />
        <TagFields draft={draft} ruled={data?.ruled} onDraft={setDraft} />
        <div className="link-preview" aria-live="polite">
          {url && picture && !problem ? (
            <>
              <img src={picture} alt={`QR code of ${url}`} />
              <div className="row">
                <strong className="wrap">{url.replace(/^https?:\/\//, "")}</strong>
                {link && <CopyButton text={url} label="Copy" />}
              </div>
              {data && <p className="quiet-text wrap">Leads to {data.lands_on}</p>}
            </>
          ) : (
            <p className="quiet-text">The address and its code appear here.</p>
          )}
          {(problem || preview.error) && <p className="quiet-text">{problem ?? closed(why(preview.error))}</p>}
        </div>
        <Problem error={save.error} />
        <div className="row">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button className="primary" disabled={problem !== null} aria-disabled={save.isPending}>
            {link ? "Save" : "Make the link"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function kept(code: string | undefined): { code?: string } {
  return code ? { code } : {};
}
